//! Offers and tasks as rows of numbers that can be compared one by one.
//!
//! A row has the resource dimensions, then three axes for devices: free thousandths of all devices (asked: thousandths),
//! the largest free share of one device (asked: the share), and the number of wholly free devices (asked: whole
//! devices). A task's demand is served, requirements aside, exactly when it is nowhere above the offer's row.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::Leftover;
use crate::table::WHOLE;

/// Axes behind the resource dimensions.
pub(super) const DEVICE_AXES: usize = 3;

/// Appends the row of an offer.
pub(super) fn of_offer(ledger: &Ledger, row: usize, values: &mut Vec<u64>) {
    values.extend_from_slice(ledger.available(row));
    let devices = ledger.devices(row);
    if devices.is_empty() {
        values.extend([0; DEVICE_AXES]);
        return;
    }
    let largest = devices.iter().copied().max().unwrap_or(0);
    let wholly_free = devices.iter().filter(|&&free| free == WHOLE).count();
    values.extend([ledger.free_devices(row), u64::from(largest), wholly_free as u64]);
}

/// Appends the row of a task.
pub(super) fn of_task(task: Task<'_>, demand: &mut Vec<u64>) {
    demand.extend_from_slice(task.demand);
    let (share, whole) = if task.devices < WHOLE { (task.devices, 0) } else { (0, task.devices / WHOLE) };
    demand.extend([u64::from(task.devices), u64::from(share), u64::from(whole)]);
}

/// Whether two columns are equal. For the few numbers of a row, a loop; `==` would call `memcmp`, which costs more than it
/// compares, and in WebAssembly goes byte by byte.
pub(super) fn equal<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

/// What a linear policy looks at in the row of an offer: capacities do not count for it.
#[inline]
pub(super) fn as_leftover(values: &[u64]) -> Leftover<'_> {
    let (available, devices) = values.split_at(values.len() - DEVICE_AXES);
    Leftover { available, capacity: available, free_devices: devices[0], device_capacity: devices[0] }
}
