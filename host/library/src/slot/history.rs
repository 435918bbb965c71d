//! What has happened to a slot.

use std::fmt;
use std::time::SystemTime;

/// One thing that happened to a slot.
///
/// ```
/// use offermatch::{EventKind, Matcher, Slot};
///
/// let slot = Slot::new(Matcher::reference());
/// slot.promote(Matcher::bundled("best-fit")?, 10);
/// let last = slot.history().pop().expect("something has happened");
/// assert_eq!((last.kind, last.matcher.starts_with("offermatch-matcher ")), (EventKind::Promoted, true), "{last:?}");
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// When.
    pub at: SystemTime,
    /// What.
    pub kind: EventKind,
    /// The matcher it happened to: name, version and digest, or the file where it never became one.
    pub matcher: String,
    /// Why, where there is a reason to tell.
    pub reason: String,
}

/// What can happen to a matcher in a slot. Both hosts have the same.
///
/// Example: [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// It is what its manifest says, and has answered the conformance cases.
    Loaded,
    /// It was refused; the matcher in use stayed.
    Refused,
    /// It has answered in shadow as the matcher in use did, for as long as was asked.
    Shadowed,
    /// It was put in use.
    Promoted,
    /// Its probation is over.
    Confirmed,
    /// It was taken out of use again, and the matcher before put back.
    RolledBack,
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loaded => "loaded",
            Self::Refused => "refused",
            Self::Shadowed => "shadowed",
            Self::Promoted => "promoted",
            Self::Confirmed => "confirmed",
            Self::RolledBack => "rolled-back",
        })
    }
}
