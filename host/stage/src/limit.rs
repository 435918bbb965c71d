//! A bound on bytes a second, shared by all workers.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Gives bytes away no faster than its rate.
#[derive(Debug)]
pub(super) struct Bandwidth {
    /// Bytes a second, at least 1.
    rate: u64,
    /// When the bytes given so far are paid for.
    paid: Mutex<Instant>,
}

impl Bandwidth {
    /// A bound of so many bytes a second.
    pub(super) fn new(rate: u64) -> Self {
        Self { rate: rate.max(1), paid: Mutex::new(Instant::now()) }
    }

    /// How long to wait before these bytes may be written.
    pub(super) fn claim(&self, bytes: u64) -> Duration {
        // Bytes over a rate are far below the range of a duration.
        let cost = Duration::from_secs_f64(bytes as f64 / self.rate as f64);
        let now = Instant::now();
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        *paid = (*paid).max(now) + cost;
        *paid - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_paid_one_after_the_other() {
        let limit = Bandwidth::new(1000);
        let first = limit.claim(500).as_secs_f64();
        assert!((0.4..=0.5).contains(&first), "the first waits for itself: {first} s");
        let second = limit.claim(500).as_secs_f64();
        assert!((0.9..=1.0).contains(&second), "the second waits for both: {second} s");
    }
}
