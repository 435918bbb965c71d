//! The rules of the contract that a matcher may leave out.

use std::fmt;

use offermatch_core::{OfferTable, Settings, TaskTable, Workload};

/// A rule that a matcher may leave out. A matcher says in its description which it serves, and a host refuses tables that use
/// another one by its name.
///
/// ```
/// use offermatch::{Matcher, Rule};
///
/// assert_eq!(Matcher::reference().description().rules, Rule::ALL);
/// assert_eq!(Rule::Groups.name(), "groups");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Measures of offers, and what is asked of them.
    Measures,
    /// Requirements with a finite weight.
    Preferences,
    /// Groups of tasks.
    Groups,
    /// A workload.
    Workload,
    /// Plans that take running tasks away.
    Preemption,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Measures, Self::Preferences, Self::Groups, Self::Workload, Self::Preemption];

    /// Its name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Measures => "measures",
            Self::Preferences => "preferences",
            Self::Groups => "groups",
            Self::Workload => "workload",
            Self::Preemption => "preemption",
        }
    }

    /// The rules that a task table uses.
    pub(crate) fn of_tasks(tasks: &TaskTable) -> impl Iterator<Item = Self> {
        let measured = tasks.requirement_kinds.iter().any(|&kind| kind >= offermatch_core::Kind::AtLeast as u32);
        let preferred = tasks.requirement_weights.iter().any(|weight| weight.is_finite());
        let grouped = tasks.group_of.iter().any(|&group| group > 0);
        used([(measured, Self::Measures), (preferred, Self::Preferences), (grouped, Self::Groups)])
    }

    /// The rules that an offer table uses.
    pub(crate) fn of_offers(offers: &OfferTable) -> impl Iterator<Item = Self> {
        used([(offers.measures.iter().any(|measure| !measure.is_nan()), Self::Measures)])
    }

    /// The rules that settings use.
    pub(crate) fn of_settings(settings: &Settings) -> impl Iterator<Item = Self> {
        settings.workload.iter().flat_map(Self::of_workload)
    }

    /// The rules that a workload uses, itself included.
    pub(crate) fn of_workload(workload: &Workload) -> impl Iterator<Item = Self> {
        std::iter::once(Self::Workload).chain(Self::of_tasks(&workload.tasks))
    }
}

/// The rules that are used.
fn used<const N: usize>(rules: [(bool, Rule); N]) -> impl Iterator<Item = Rule> {
    rules.into_iter().filter_map(|(used, rule)| used.then_some(rule))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
