//! Measures the matcher beside everything that might be used instead.
//!
//! Each benchmark gives a [`report::Report`]: rows for machines, a table and plots for people, and the targets it was checked
//! against. Answers are compared before times are, so that nothing fast and wrong is measured. Times are the least of
//! several rounds, where a round is short enough to be repeated, and ratios are of times of one run.

pub(crate) mod border;
pub(crate) mod cores;
pub(crate) mod fenzo;
pub(crate) mod growth;
pub(crate) mod input;
pub(crate) mod kinds;
pub(crate) mod live;
pub(crate) mod measure;
pub(crate) mod memory;
pub(crate) mod native;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod scan;
pub(crate) mod simd;
pub(crate) mod small;
pub(crate) mod start;
pub(crate) mod swap;
pub(crate) mod talk;
pub(crate) mod update;

/// What every benchmark is given.
pub(crate) struct Bench<'a> {
    /// Whether to measure small inputs only, to see that it works.
    pub(crate) quick: bool,
    /// The part of the tasks that slow loops are measured on, above 0 and at most 1.
    pub(crate) fraction: f64,
    /// Told what is being measured.
    pub(crate) progress: &'a dyn Fn(String),
}

impl Bench<'_> {
    /// A size, or a twentieth of it where it is to be quick.
    fn size(&self, full: u32) -> u32 {
        if self.quick { (full / 20).max(1) } else { full }
    }

    /// Says what is being measured.
    fn say(&self, what: impl Into<String>) {
        (self.progress)(what.into());
    }
}

/// Both modes.
const MODES: [offermatch::Mode; 2] = [offermatch::Mode::Exclusive, offermatch::Mode::Shared];
