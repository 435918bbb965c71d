//! The cases, and how a matcher is judged by them.

use std::path::Path;

use super::audit::{audit, opening};
use super::cases::{SHIPPED, parse};
use super::compare::compare;
use super::generate::generated;
use super::play::{Outcome, play};
use super::report::{Failure, GroupReport, Report, SkippedCase};
use super::rules::{audit_by_ledger, has_rules, why_not_asked};
use super::{Finding, Level, Skips, laws};
use crate::error::Error;
use crate::pool::matcher::Matcher;
use crate::reading::{self, MOST_OF_A_RECORDING};
use crate::recording::{Recording, Step};
use crate::visible::visible_name;

/// Failures of one group that a report names, at each level.
const MOST_FAILURES: u64 = 100;
/// Cases in which a matcher may trap or run into a limit before it is asked no more.
const MOST_CRASHES: u64 = 5;
/// One generated case of so many is also tried against the laws that take several calls.
const LAWS_EVERY: u64 = 10;
/// The rows of the largest table of a quick case.
const QUICK_ROWS: u32 = 1000;

/// The cases about one matter.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseGroup {
    /// Its name.
    pub name: String,
    /// What its cases are about.
    pub about: String,
    /// The cases: recordings whose answers somebody worked out.
    pub cases: Vec<Recording>,
}

/// Cases, and what is asked of a matcher.
///
/// ```
/// use offermatch::{Level, Matcher, Suite, Trial};
///
/// let suite = Suite::shipped()?;
/// let report = suite.judge(&Matcher::bundled("best-fit")?, &Trial { generated: 20, ..Trial::default() }, &mut |_, _| {});
/// assert_eq!(report.level, Some(Level::Reference));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// The groups, in order.
    pub groups: Vec<CaseGroup>,
}

/// What is tried beyond the cases, and what is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The level to reach; otherwise the one that the matcher's policy claims.
    pub level: Option<Level>,
    /// How many cases to generate.
    pub generated: u64,
    /// Where the generated ones begin.
    pub seed: u64,
    /// Cases to leave out.
    pub skips: Skips,
    /// Whether each case is asked again and its tasks are placed in several calls, too.
    pub laws: bool,
}

impl Default for Trial {
    fn default() -> Self {
        Self { level: None, generated: 300, seed: 1, skips: Skips::default(), laws: true }
    }
}

impl Suite {
    /// The cases that come with this crate: those of `tests/conformance`.
    ///
    /// # Errors
    /// [`Error::FileMalformed`], when the crate was built with cases that are none.
    pub fn shipped() -> Result<Self, Error> {
        Self::of(SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    /// The cases in a directory: every `*.json` in it, by name.
    ///
    /// # Errors
    /// [`Error::FileUnreadable`] and [`Error::FileMalformed`].
    pub fn read(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let unreadable = |path: &Path| {
            let file = path.display().to_string();
            move |error| Error::FileUnreadable { file, error }
        };
        let folder = folder.as_ref();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                files.push(path);
            }
        }
        files.sort();
        let texts = files.into_iter().map(|path| {
            let file = path.display().to_string();
            match String::from_utf8(reading::read_bounded(&path, MOST_OF_A_RECORDING).map_err(unreadable(&path))?) {
                Ok(text) => Ok((file, text)),
                Err(error) => {
                    let message = format!("not UTF-8: {}", error.utf8_error());
                    Err(Error::FileMalformed { file, line: 1, column: 1, message })
                }
            }
        });
        Self::of(texts.collect::<Result<Vec<_>, Error>>()?)
    }

    /// The cases in these texts.
    fn of(texts: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let groups = texts.into_iter().map(|(origin, text)| {
            let (name, about, cases) = parse(&text, &origin)?;
            Ok(CaseGroup { name, about, cases })
        });
        Ok(Self { groups: groups.collect::<Result<_, Error>>()? })
    }

    /// The same without its large cases, for those who wait.
    #[must_use]
    pub fn quick(mut self) -> Self {
        for group in &mut self.groups {
            group.cases.retain(|case| largest_table(case) <= QUICK_ROWS);
        }
        self
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.cases.len()).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Judges a matcher. `progress` is told how many cases are done, and of how many.
    pub fn judge(&self, matcher: &Matcher, trial: &Trial, progress: &mut dyn FnMut(u64, u64)) -> Report {
        let total = self.len() as u64 + trial.generated;
        let mut judge = Judge { matcher, trial, done: 0, crashes: 0 };
        let mut groups = Vec::new();
        for group in &self.groups {
            let mut found = GroupReport::new(&group.name);
            for case in &group.cases {
                judge.case(case, trial.laws, &mut found);
                progress(judge.done, total);
            }
            groups.push(found);
        }
        if trial.generated > 0 {
            let mut found = GroupReport::new("generated");
            for number in 0..trial.generated {
                let mut case = generated(trial.seed.wrapping_add(number));
                // The reference keeps scales where the matcher does.
                case.settings.raise_scales = !matcher.keeps_scales();
                let case = answered(case);
                judge.case(&case, trial.laws && number % LAWS_EVERY == 0, &mut found);
                progress(judge.done, total);
            }
            groups.push(found);
        }
        Report::new(matcher, self, trial, groups)
    }

    /// Refuses a matcher that does not reach a level.
    ///
    /// # Errors
    /// [`Error::ConformanceFailed`], with the first finding.
    pub(crate) fn require(&self, matcher: &Matcher, level: Level) -> Result<(), Error> {
        let cases = self.groups.iter().flat_map(|group| &group.cases);
        for case in cases.filter(|case| why_not_asked(case, matcher).is_none()) {
            let (findings, _) = findings(matcher, case, false);
            if let Some(found) = findings.into_iter().find(|found| found.level <= level) {
                let case = format!("{}/{}", case.group, case.name);
                let reason = format!("{}: {} -> {}", found.what, found.expected, visible_name(&found.found));
                return Err(Error::ConformanceFailed { matcher: matcher.name(), case, reason });
            }
        }
        Ok(())
    }
}

/// A matcher that is being judged.
struct Judge<'a> {
    matcher: &'a Matcher,
    trial: &'a Trial,
    done: u64,
    /// Cases in which it trapped or ran into a limit.
    crashes: u64,
}

impl Judge<'_> {
    /// Judges by one case.
    fn case(&mut self, case: &Recording, laws: bool, report: &mut GroupReport) {
        self.done += 1;
        report.cases += 1;
        let case_name = || case.name.clone();
        let skipped = self.trial.skips.reason(case).map(str::to_owned);
        if let Some(reason) = skipped.or_else(|| why_not_asked(case, self.matcher)) {
            report.skipped.push(SkippedCase { case: case_name(), reason });
            return;
        }
        if self.crashes >= MOST_CRASHES {
            report.not_run += 1;
            return;
        }
        let (findings, crashed) = findings(self.matcher, case, laws);
        self.crashes += u64::from(crashed);
        report.passed.extend(findings.is_empty().then(case_name));
        let missed = |level| u64::from(findings.iter().any(|finding| finding.level <= level));
        report.contract_failed += missed(Level::Contract);
        report.reference_failed += missed(Level::Reference);
        for finding in findings {
            let named = report.failures.iter().filter(|failure| failure.level == finding.level).count();
            if (named as u64) < MOST_FAILURES {
                report.failures.push(Failure::new(case, finding));
            }
        }
    }
}

/// What is found at each level, at most one thing each, and whether the matcher trapped or ran into a limit.
fn findings(matcher: &Matcher, case: &Recording, laws: bool) -> (Vec<Finding>, bool) {
    let outcomes = play(matcher, case);
    let crashed = matches!(outcomes.last(), Some(Outcome::Failed));
    let has_mode = matcher.description().modes.contains(&case.settings.mode);
    let mut contract = opening(case, has_mode, &outcomes[0]);
    if contract.is_none() && matches!(outcomes[0], Outcome::Done) {
        contract = if has_rules(case) { audit_by_ledger(case, &outcomes[1..]) } else { audit(case, &outcomes[1..]) };
    }
    if contract.is_none() && laws && !crashed {
        contract = laws::broken(matcher, case, &outcomes);
    }
    (contract.into_iter().chain(compare(case, &outcomes)).collect(), crashed)
}

/// A generated case with the reference's answers.
fn answered(mut case: Recording) -> Recording {
    let outcomes = play(&Matcher::reference(), &case);
    for (step, outcome) in case.steps.iter_mut().zip(outcomes.into_iter().skip(1)) {
        match (step, outcome) {
            (Step::Assign { answer, .. }, Outcome::Assigned(found)) => *answer = Ok(found),
            (Step::Explain { answer, .. }, Outcome::Explained(found)) => *answer = Ok(found),
            (Step::Update { answer, .. }, Outcome::Done) => *answer = Ok(()),
            _ => {}
        }
    }
    case
}

/// The rows of the largest table of a case.
fn largest_table(case: &Recording) -> u32 {
    let steps = case.steps.iter().map(|step| match step {
        Step::Assign { tasks, .. } | Step::Explain { tasks, .. } => tasks.rows,
        Step::Update { changes, .. } => changes.changed.rows.max(changes.added.rows),
    });
    steps.max().unwrap_or(0).max(case.offers.rows)
}
