//! Which devices of an offer serve a task, and what is left of them.

/// Thousandths of a whole device.
pub const WHOLE: u32 = 1000;

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
