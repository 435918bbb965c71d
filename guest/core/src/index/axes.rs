//! Offers and tasks as rows of numbers that can be compared one by one.
//!
//! A row has the resource dimensions, then three axes for devices: free thousandths of all devices (asked: thousandths),
//! the largest free share of one device (asked: the share), and the number of wholly free devices (asked: whole
//! devices); a ledger without devices has none of these. A task's demand is served, requirements aside, exactly when it is nowhere above the offer's row.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::Leftover;
use crate::table::WHOLE;

/// Axes behind the resource dimensions.
const DEVICE_AXES: usize = 3;

/// Which axes there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Axes {
    /// Resource dimensions.
    pub(super) dimensions: usize,
    /// Whether there are axes for devices.
    pub(super) devices: bool,
}

impl Axes {
    /// The axes on which the offers of a ledger differ.
    pub(super) fn of(ledger: &Ledger) -> Self {
        Self { dimensions: ledger.shape().dimensions as usize, devices: ledger.has_devices() }
    }

    /// How many there are.
    #[inline]
    pub(super) fn width(self) -> usize {
        self.dimensions + if self.devices { DEVICE_AXES } else { 0 }
    }

    /// Appends the row of an offer.
    #[inline]
    pub(super) fn of_offer(self, ledger: &Ledger, row: usize, values: &mut Vec<u64>) {
        values.extend_from_slice(ledger.available(row));
        if !self.devices {
            return;
        }
        let devices = ledger.devices(row);
        let largest = devices.iter().copied().max().unwrap_or(0);
        let wholly_free = devices.iter().filter(|&&free| free == WHOLE).count();
        values.extend([ledger.free_devices(row), u64::from(largest), wholly_free as u64]);
    }

    /// Writes the row of a task.
    #[inline]
    pub(super) fn of_task(self, task: Task<'_>, asked: &mut [u64]) {
        let (quantities, devices) = asked.split_at_mut(self.dimensions);
        quantities.copy_from_slice(task.demand);
        let (share, whole) = if task.devices < WHOLE { (task.devices, 0) } else { (0, task.devices / WHOLE) };
        devices.iter_mut().zip([task.devices, share, whole]).for_each(|(to, asked)| *to = asked.into());
    }

    /// What a linear policy looks at in the row of an offer: capacities do not count for it.
    #[inline]
    pub(super) fn as_leftover(self, values: &[u64]) -> Leftover<'_> {
        let available = &values[..self.dimensions];
        let free_devices = if self.devices { values[self.dimensions] } else { 0 };
        Leftover { available, capacity: available, free_devices, device_capacity: free_devices }
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
