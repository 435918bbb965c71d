//! Time and memory.

use std::time::{Duration, Instant};

/// Rounds of a measurement at most.
const MOST_ROUNDS: u32 = 25;
/// Time after which no further round is begun.
const ENOUGH: Duration = Duration::from_millis(400);

/// The best round of several, and what the last one gave. `run` says how long it took, so that it can leave things out.
pub(crate) fn least<T>(mut run: impl FnMut() -> anyhow::Result<(Duration, T)>) -> anyhow::Result<(Duration, T)> {
    let begin = Instant::now();
    let (mut least, mut value) = run()?;
    for _ in 1..MOST_ROUNDS {
        if begin.elapsed() > ENOUGH {
            break;
        }
        let (time, again) = run()?;
        least = least.min(time);
        value = again;
    }
    Ok((least, value))
}

/// What something gives, and how long it took.
pub(crate) fn timed<T, E>(run: impl FnOnce() -> Result<T, E>) -> Result<(Duration, T), E> {
    let begin = Instant::now();
    let value = run()?;
    Ok((begin.elapsed(), value))
}

/// A time in milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// How many times longer one time is than another.
pub(crate) fn ratio(longer: Duration, shorter: Duration) -> f64 {
    longer.as_secs_f64() / shorter.as_secs_f64().max(1e-9)
}

/// The most memory that this process has held since [`reset_peak_memory`], in bytes; none where the system does not say.
pub(crate) fn peak_memory() -> Option<u64> {
    status("VmHWM:")
}

/// The memory that this process holds, in bytes; none where the system does not say.
pub(crate) fn memory() -> Option<u64> {
    status("VmRSS:")
}

/// Forgets the peak. Whether that worked.
pub(crate) fn reset_peak_memory() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// A line of this process's status, in bytes.
fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_round_counts() {
        let mut rounds = [3_u64, 1, 2].into_iter().cycle();
        let run = || Ok((Duration::from_millis(rounds.next().expect("it goes on")), ()));
        assert_eq!(least(run).unwrap().0, Duration::from_millis(1));
    }

    #[test]
    fn ratios_are_of_times() {
        assert_eq!(ratio(Duration::from_millis(30), Duration::from_millis(10)), 3.0);
        assert!(ratio(Duration::from_millis(30), Duration::ZERO).is_finite());
    }
}
