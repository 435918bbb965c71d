//! Offers and tasks as rows of numbers that can be compared one by one.
//!
//! A row has the resource dimensions, then three axes for devices: free thousandths of all devices (asked: thousandths),
//! the largest free share of one device (asked: the share), and the number of wholly free devices (asked: whole
//! devices); a ledger without devices has none of these. Then one axis for each measure that some task asks to be at least,
//! or at most, something: doubles as whole numbers of the same order, zero where unset. A task's demand is served, requirements aside, exactly when it is nowhere above the offer's row.

use alloc::vec::Vec;

use crate::devices::WHOLE;
use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::Leftover;
use crate::table::{Kind, TaskTable};

/// Axes behind the resource dimensions.
const DEVICE_AXES: usize = 3;

/// Which axes there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Axes {
    /// Resource dimensions.
    pub(super) dimensions: usize,
    /// Whether there are axes for devices.
    pub(super) devices: bool,
    /// Axes for measures.
    pub(super) measures: usize,
}

/// A measure that has an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    /// Which measure.
    pub(super) measure: u32,
    /// Whether less of it serves better.
    pub(super) at_most: bool,
}

impl Measured {
    /// Whether anything of an offer is used, where used offers come first: no measure, but it is compared like one.
    pub(super) const USED: Self = Self { measure: u32::MAX, at_most: false };

    /// What a requirement is about, if that is a measure.
    #[inline]
    pub(super) fn of(table: &TaskTable, requirement: usize) -> Option<Self> {
        let kind = Kind::of(table.requirement_kinds[requirement]);
        let measure = table.requirement_subjects[requirement];
        kind.is_measured().then_some(Self { measure, at_most: kind == Kind::AtMost })
    }

    /// A value, or a bound, on the axis.
    #[inline]
    pub(super) fn on_axis(self, value: f64) -> u64 {
        if value.is_nan() {
            return 0;
        }
        // Zero has two signs, of which a sum with zero has one.
        let bits = (if self.at_most { -value } else { value } + 0.0).to_bits();
        // Doubles below zero are ordered the other way round, and come before the others.
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    }

    /// What an offer has on the axis.
    fn has(self, ledger: &Ledger, row: usize) -> u64 {
        match self {
            Self::USED => Leftover::of(ledger, row).is_used().into(),
            _ => self.on_axis(ledger.measure(row, self.measure)),
        }
    }

    /// The most that a task requires on the axis, zero where it requires nothing.
    #[inline]
    fn asked(self, task: Task<'_>) -> u64 {
        if self == Self::USED {
            return task.used.into();
        }
        let about = task.required().filter(|&requirement| Self::of(task.table, requirement) == Some(self));
        about.map(|requirement| self.on_axis(task.table.requirement_bounds[requirement])).max().unwrap_or(0)
    }
}

impl Axes {
    /// The axes on which the offers of a ledger differ.
    pub(super) fn of(ledger: &Ledger) -> Self {
        Self { dimensions: ledger.shape().dimensions as usize, devices: ledger.has_devices(), measures: 0 }
    }

    /// How many there are.
    #[inline]
    pub(super) fn width(self) -> usize {
        self.quantities() + self.measures
    }

    /// How many of them are used up.
    #[inline]
    pub(super) fn quantities(self) -> usize {
        self.dimensions + if self.devices { DEVICE_AXES } else { 0 }
    }

    /// Appends the row of an offer.
    #[inline]
    pub(super) fn of_offer(self, measured: &[Measured], ledger: &Ledger, row: usize, values: &mut Vec<u64>) {
        values.extend_from_slice(ledger.available(row));
        if !self.devices && measured.is_empty() {
            return;
        }
        self.of_others(measured, ledger, row, values);
    }

    /// Appends the devices and the measures of an offer. A function of its own: most offers have neither.
    #[inline(never)]
    fn of_others(self, measured: &[Measured], ledger: &Ledger, row: usize, values: &mut Vec<u64>) {
        if self.devices {
            Self::of_devices(ledger, row, values);
        }
        values.extend(measured.iter().map(|axis| axis.has(ledger, row)));
    }

    /// Appends the devices of an offer.
    fn of_devices(ledger: &Ledger, row: usize, values: &mut Vec<u64>) {
        let (mut largest, mut wholly_free) = (0, 0);
        for &free in ledger.devices(row) {
            largest = free.max(largest);
            wholly_free += u64::from(free == WHOLE);
        }
        values.extend([ledger.free_devices(row), largest.into(), wholly_free]);
    }

    /// Writes the row of a task.
    #[inline]
    pub(super) fn of_task(self, measured: &[Measured], task: Task<'_>, asked: &mut [u64]) {
        let (asked, measures) = asked.split_at_mut(self.quantities());
        measures.iter_mut().zip(measured).for_each(|(to, axis)| *to = axis.asked(task));
        let (quantities, devices) = asked.split_at_mut(self.dimensions);
        quantities.copy_from_slice(task.demand);
        let (share, whole) = if task.devices < WHOLE { (task.devices, 0) } else { (0, task.devices / WHOLE) };
        devices.iter_mut().zip([task.devices, share, whole]).for_each(|(to, asked)| *to = asked.into());
    }

    /// Whether a row of a task's asks is that of another task.
    #[inline]
    pub(super) fn is_of(self, measured: &[Measured], asked: &[u64], task: Task<'_>) -> bool {
        equal(&asked[..self.dimensions], task.demand)
            && (measured.is_empty() || self.is_of_measures(measured, asked, task))
    }

    /// The same for the measures alone.
    #[inline(never)]
    fn is_of_measures(self, measured: &[Measured], asked: &[u64], task: Task<'_>) -> bool {
        asked[self.quantities()..].iter().zip(measured).all(|(&asked, axis)| asked == axis.asked(task))
    }

    /// A hash of what a task asks.
    #[inline]
    pub(super) fn hash_of(measured: &[Measured], task: Task<'_>) -> u64 {
        let plain = hash(task.demand.iter().copied().chain([task.devices.into()]));
        if measured.is_empty() { plain } else { Self::hash_measures(plain, measured, task) }
    }

    /// The same, with the measures.
    #[inline(never)]
    fn hash_measures(plain: u64, measured: &[Measured], task: Task<'_>) -> u64 {
        hash([plain].into_iter().chain(measured.iter().map(|axis| axis.asked(task))))
    }

    /// What a linear policy looks at in the row of an offer: capacities do not count for it.
    #[inline]
    pub(super) fn as_leftover(self, values: &[u64]) -> Leftover<'_> {
        let available = &values[..self.dimensions];
        let free_devices = if self.devices { values[self.dimensions] } else { 0 };
        Leftover {
            available,
            capacity: available,
            free_devices,
            device_capacity: free_devices,
            devices: &[],
            attributes: &[],
            measures: &[],
            model: 0,
            before: 0.0,
            after: 0.0,
        }
    }
}

/// Whether two columns are equal. For the few numbers of a row, a loop; `==` would call `memcmp`, which costs more than it
/// compares, and in WebAssembly goes byte by byte.
#[inline]
pub(super) fn equal<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

/// A number that is the same for equal columns, and mostly another one for others; its low bits are the best.
#[inline]
pub(super) fn hash(column: impl Iterator<Item = u64>) -> u64 {
    // The multiplier of SplitMix64: odd, with its bits well spread.
    column.fold(1, |hash: u64, value| (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}
