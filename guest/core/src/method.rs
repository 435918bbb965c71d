//! How a pool goes about its work.

/// How a pool finds the offer for a task. The answer is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Whatever costs less for the tasks and offers at hand.
    #[default]
    Automatic,
    /// The plain loop: the oracle of tests and the yardstick of benchmarks.
    Reference,
    /// The index, however few the tasks; the plain loop where a policy or a weight rules an index out.
    Index,
}
