//! No spans of a call.

/// Takes no notice of who traces.
pub(crate) fn set(_: bool) {}

/// Nothing.
pub(crate) struct Trace;

impl Trace {
    /// Nothing.
    pub(crate) fn of_call() -> Self {
        Self
    }

    /// Does a part of the work.
    pub(crate) fn span<T>(&self, _: &str, work: impl FnOnce() -> T) -> T {
        work()
    }
}
