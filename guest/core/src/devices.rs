//! The devices of offers: which serve a task, and what is left of them.

use alloc::vec::Vec;
use core::ops::Range;

use crate::columns::{check_offsets, out_of_range, span};
use crate::error::Error;

/// Thousandths of a whole device.
pub const WHOLE: u32 = 1000;

/// The free thousandths of each device of each offer, as two columns.
///
/// ```
/// let mut devices = offermatch_core::Devices::default();
/// devices.push([1000, 500]);
/// devices.push([]);
/// assert_eq!((devices.of(0), devices.of(1)), ([1000, 500].as_slice(), [].as_slice()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Devices {
    /// Where the devices of each row begin in `free`: `rows + 1` numbers. Empty: no offer has a device.
    pub offsets: Vec<u32>,
    /// The free thousandths of each device, 0 to 1000, row by row.
    pub free: Vec<u32>,
}

impl Devices {
    /// Checks that the columns fit together and to a number of rows, and that every number is in its range.
    pub(crate) fn check(&self, rows: u64) -> Result<(), Error> {
        check_offsets("device-offsets", &self.offsets, rows, "device-free", self.free.len())?;
        match self.free.iter().position(|&free| free > WHOLE) {
            Some(at) => Err(out_of_range("device-free", at, self.free[at].into(), 0, WHOLE.into())),
            None => Ok(()),
        }
    }

    /// The free thousandths of each device of one row.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline]
    #[must_use]
    pub fn of(&self, row: usize) -> &[u32] {
        &self.free[span(&self.offsets, row)]
    }

    /// The most devices that one row has.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.offsets.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0)
    }

    /// Adds the devices of the next row, by the free thousandths of each: for all rows in their order, or for none.
    ///
    /// # Panics
    /// Where there are more devices than a 32-bit integer counts.
    pub fn push(&mut self, free: impl IntoIterator<Item = u32>) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.free.extend(free);
        self.offsets.push(u32::try_from(self.free.len()).expect("devices are counted by 32 bits"));
    }
}

/// The devices of rows that get others over time.
#[derive(Debug, Clone, Default)]
pub struct ChangingDevices {
    /// The devices of each row, as a part of `free`.
    spans: Vec<Range<usize>>,
    /// The free thousandths of each device.
    free: Vec<u32>,
    /// How many numbers in `free` belong to a row.
    count: usize,
}

impl ChangingDevices {
    /// How many devices all rows have.
    #[inline]
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The free thousandths of each device of a row.
    #[inline]
    #[must_use]
    pub fn of(&self, row: usize) -> &[u32] {
        &self.free[self.spans[row].clone()]
    }

    /// The free thousandths of each device of a row, to be changed.
    #[inline]
    pub fn of_mut(&mut self, row: usize) -> &mut [u32] {
        &mut self.free[self.spans[row].clone()]
    }

    /// Adds rows of a checked table.
    pub fn append(&mut self, devices: &Devices, rows: Range<usize>) {
        if devices.free.is_empty() {
            let end = self.free.len();
            self.spans.resize(self.spans.len() + rows.len(), end..end);
            return;
        }
        for free in rows.map(|row| devices.of(row)) {
            self.spans.push(self.free.len()..self.free.len() + free.len());
            self.free.extend_from_slice(free);
            self.count += free.len();
        }
    }

    /// Gives a row other devices: in place where their number is the same, else at the end.
    pub fn replace(&mut self, row: usize, free: &[u32]) {
        let before = self.spans[row].len();
        if before != free.len() {
            self.count = self.count - before + free.len();
            self.spans[row] = self.free.len()..self.free.len() + free.len();
            self.free.resize(self.free.len() + free.len(), 0);
        }
        self.of_mut(row).copy_from_slice(free);
        if self.free.len() > 2 * self.count + 1024 {
            self.compact();
        }
    }

    /// Drops the devices that belong to no row any more. Called when they are most of `free`, so that a pool that lives for
    /// weeks does not grow and a change still costs the same on average.
    fn compact(&mut self) {
        let mut compact = Vec::with_capacity(self.count);
        for span in &mut self.spans {
            let start = compact.len();
            compact.extend_from_slice(&self.free[span.clone()]);
            *span = start..compact.len();
        }
        self.free = compact;
    }
}

/// Whether devices with these free thousandths serve a task that asks for `asked` thousandths.
pub(crate) fn serve(free: &[u32], asked: u32) -> bool {
    match asked {
        0 => true,
        share if share < WHOLE => free.iter().any(|&free| free >= share),
        whole => free.iter().filter(|&&free| free == WHOLE).count() >= (whole / WHOLE) as usize,
    }
}

/// How many thousandths more the devices would need that do not serve a task: of one device for a share, else of whole ones.
pub(crate) fn missing(free: &[u32], asked: u32) -> u32 {
    if asked < WHOLE {
        asked - free.iter().copied().max().unwrap_or(0)
    } else {
        asked - WHOLE * free.iter().filter(|&&free| free == WHOLE).count() as u32
    }
}

/// Takes `asked` thousandths from devices that serve the task: a share from the tightest device, whole devices from the
/// lowest numbers.
pub(crate) fn take(free: &mut [u32], asked: u32) {
    if asked == 0 {
        return;
    }
    if asked < WHOLE {
        // `min_by_key` keeps the first of equals, which is the lowest number.
        if let Some(tightest) = free.iter_mut().filter(|free| **free >= asked).min_by_key(|free| **free) {
            *tightest -= asked;
        }
    } else {
        let entirely_free = free.iter_mut().filter(|free| **free == WHOLE);
        entirely_free.take((asked / WHOLE) as usize).for_each(|free| *free = 0);
    }
}
