//! What has happened to a slot.

use std::time::SystemTime;

/// One thing that happened to a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: SystemTime,
    /// What.
    pub kind: EventKind,
    /// The matcher it was about: name, version and digest, or the file where it never became one.
    pub matcher: String,
    /// Why, where there is a reason to tell.
    pub reason: String,
}

/// What can happen to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A candidate was refused; the matcher in use stayed.
    Refused,
    /// A candidate began to answer in shadow.
    Shadowed,
    /// A matcher was put in use.
    Promoted,
    /// The matcher before was put in use again.
    RolledBack,
}
