//! The cases, and how a matcher is judged by them.

use std::path::Path;

use super::audit::{audit, opening};
use super::cases::{SHIPPED, parse};
use super::compare::compare;
use super::generate::generated;
use super::mixed::{mixed, of_the_reference, parameters};
use super::play::{Outcome, play};
use super::report::{Failure, GENERATED, GroupReport, Report, SkippedCase, SuiteReport};
use super::rules::{audit_by_ledger, has_groups, has_plans, served, why_not_asked};
use super::scores::{audit_by_scores, hang_on_task_and_offer, largest_table};
use super::{Finding, Level, Skips, endurance, laws};
use crate::error::{Error, Place, SEE_FORMATS};
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
///
/// ```
/// let suite = offermatch::Suite::shipped()?;
/// let ties = suite.groups.iter().find(|group| group.name == "ties").expect("it is shipped");
/// println!("{}: {} cases", ties.about, ties.cases.len());
/// # Ok::<(), offermatch::Error>(())
/// ```
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
///
/// Example: [`Suite`].
#[derive(Debug, Clone)]
pub struct Trial {
    /// The level to reach; otherwise the one that the matcher's policy claims.
    pub level: Option<Level>,
    /// How many cases to generate, and as many again with rules.
    pub generated: u64,
    /// Where the generated ones begin.
    pub seed: u64,
    /// Cases to leave out.
    pub skips: Skips,
    /// Whether each case is asked again and its tasks are placed in several calls, too.
    pub laws: bool,
    /// How many rounds of calls a component has to answer in the memory of a few dozen; 0 for none.
    pub endurance: u64,
    /// Another build of the matcher, which has to answer the same, bit for bit. An order that is drawn when a matcher is
    /// built differs from build to build.
    pub against: Option<Matcher>,
}

impl Default for Trial {
    fn default() -> Self {
        let skips = Skips::default();
        Self { level: None, generated: 300, seed: 1, skips, laws: true, endurance: 0, against: None }
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

    /// The cases in a directory: every `*.json` in it, by name. A directory without a case is the wrong one.
    ///
    /// # Errors
    /// [`Error::FileUnreadable`], [`Error::FileMalformed`] and [`Error::RowMalformed`].
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
                    Err(Error::FileMalformed { file, line: 1, column: 1, message, hint: SEE_FORMATS })
                }
            }
        });
        let found = Self::of(texts.collect::<Result<Vec<_>, Error>>()?)?;
        if found.is_empty() {
            let place = Box::new(Place { source: folder.display().to_string(), ..Place::default() });
            let hint = "give a directory of cases, each group in a file that ends in .json";
            return Err(Error::RowMalformed { place, message: "there is no case".to_owned(), hint });
        }
        Ok(found)
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
        let is_endured = trial.endurance > 0 && matcher.size().is_some();
        let endured = if is_endured { endurance::cases(matcher) } else { Vec::new() };
        let total = (self.len() + endured.len()) as u64 + 2 * trial.generated;
        let compares_scores = hang_on_task_and_offer(matcher);
        let mut judge = Judge { matcher, trial, compares_scores, done: 0, crashes: 0 };
        let mut groups = Vec::new();
        for group in &self.groups {
            let mut found = GroupReport::new(&group.name);
            for case in &group.cases {
                judge.case(case, trial.laws, &mut found);
                progress(judge.done, total);
            }
            groups.push(found);
        }
        let draws = [generated as fn(u64) -> Recording, mixed];
        for (name, draw) in GENERATED.into_iter().zip(draws).filter(|_| trial.generated > 0) {
            let mut found = GroupReport::new(name);
            for number in 0..trial.generated {
                let case = judge.answered(draw, trial.seed.wrapping_add(number));
                judge.case(&case, trial.laws && number % LAWS_EVERY == 0, &mut found);
                progress(judge.done, total);
            }
            groups.push(found);
        }
        if is_endured {
            let mut found = GroupReport::new("endurance");
            for case in &endured {
                judge.endurance(case, &mut found);
                progress(judge.done, total);
            }
            groups.push(found);
        }
        let suite = SuiteReport { cases: self.len() as u64, generated: trial.generated, seed: trial.seed };
        Report::new(matcher, suite, trial.level, groups, compares_scores)
    }

    /// Refuses a matcher that does not reach a level.
    ///
    /// # Errors
    /// [`Error::ConformanceFailed`], with the first finding.
    pub(crate) fn require(&self, matcher: &Matcher, level: Level) -> Result<(), Error> {
        let cases = self.groups.iter().flat_map(|group| &group.cases);
        for case in cases.filter(|case| why_not_asked(case, matcher).is_none()) {
            let (findings, _) = findings(matcher, case, false, false, None);
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
    /// Whether answers are compared with what follows from the matcher's own scores.
    compares_scores: bool,
    done: u64,
    /// Cases in which it trapped or ran into a limit.
    crashes: u64,
}

impl Judge<'_> {
    /// The case of a seed, of what the matcher serves, with the reference's answers.
    fn answered(&self, draw: fn(u64) -> Recording, seed: u64) -> Recording {
        let mut case = served(draw(seed), self.matcher);
        if why_not_asked(&case, self.matcher).is_some() {
            return case;
        }
        let description = self.matcher.description();
        let drawn = if case.settings.raise_scales { parameters(seed, description) } else { Vec::new() };
        // The reference keeps scales where the matcher does.
        case.settings.raise_scales = !self.matcher.keeps_scales();
        case.settings.parameters = of_the_reference(&drawn, description);
        case = answered(case, &Matcher::reference());
        case.settings.parameters = drawn;
        case
    }

    /// Judges by one case.
    fn case(&mut self, case: &Recording, laws: bool, report: &mut GroupReport) {
        if self.is_asked(case, report) {
            let (scores, against) = (laws && self.compares_scores, self.trial.against.as_ref());
            let (findings, crashed) = findings(self.matcher, case, laws, scores, against);
            self.crashes += u64::from(crashed);
            Self::found(case, findings, report);
        }
    }

    /// Judges by a case of thousands of calls.
    fn endurance(&mut self, case: &Recording, report: &mut GroupReport) {
        if self.is_asked(case, report) {
            let finding = endurance::endure(self.matcher, case, self.trial.endurance);
            Self::found(case, finding.into_iter().collect(), report);
        }
    }

    /// Whether the matcher is asked a case; counts it.
    fn is_asked(&mut self, case: &Recording, report: &mut GroupReport) -> bool {
        self.done += 1;
        report.cases += 1;
        let skipped = self.trial.skips.reason(case).map(str::to_owned);
        if let Some(reason) = skipped.or_else(|| why_not_asked(case, self.matcher)) {
            report.skipped.push(SkippedCase { case: case.name.clone(), reason });
            return false;
        }
        let is_over = self.crashes >= MOST_CRASHES;
        report.not_run += u64::from(is_over);
        !is_over
    }

    /// Writes down what was found in a case.
    fn found(case: &Recording, findings: Vec<Finding>, report: &mut GroupReport) {
        report.passed.extend(findings.is_empty().then(|| case.name.clone()));
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
fn findings(
    matcher: &Matcher,
    case: &Recording,
    laws: bool,
    scores: bool,
    against: Option<&Matcher>,
) -> (Vec<Finding>, bool) {
    let outcomes = play(matcher, case);
    let crashed = matches!(outcomes.last(), Some(Outcome::Failed));
    let has_mode = matcher.description().modes.contains(&case.settings.mode);
    let mut contract = opening(case, has_mode, &outcomes[0]);
    if contract.is_none() && matches!(outcomes[0], Outcome::Done) {
        contract = if has_groups(case) { None } else { audit(case, &outcomes[1..]) };
        if contract.is_none() && (has_groups(case) || has_plans(case)) {
            contract = audit_by_ledger(case, &outcomes[1..]);
        }
        if contract.is_none() && scores {
            contract = audit_by_scores(matcher, case, &outcomes[1..]);
        }
    }
    if contract.is_none() && laws && !crashed {
        contract = laws::broken(matcher, case, &outcomes);
    }
    if contract.is_none()
        && let Some(other) = against
    {
        contract = compare(&answered(case.clone(), other), &outcomes).map(of_the_other_build);
    }
    (contract.into_iter().chain(compare(case, &outcomes)).collect(), crashed)
}

/// A difference of two builds, which breaks the contract.
fn of_the_other_build(found: Finding) -> Finding {
    Finding { level: Level::Contract, what: format!("{}, of the other build", found.what), ..found }
}

/// A case with the answers of a matcher, as far as it gets.
fn answered(mut case: Recording, matcher: &Matcher) -> Recording {
    let mut outcomes = play(matcher, &case).into_iter();
    case.open_error = outcomes.next().map(|opened| opened.word().to_owned()).filter(|word| word != "answered");
    for (step, outcome) in case.steps.iter_mut().zip(outcomes) {
        let error = outcome.word().to_owned();
        match (step, outcome) {
            (Step::Assign { answer, .. }, Outcome::Assigned(found)) => *answer = Ok(found),
            (Step::Explain { answer, .. }, Outcome::Explained(found)) => *answer = Ok(found),
            (Step::Update { answer, .. }, Outcome::Done) => *answer = Ok(()),
            (Step::Preempt { answer, .. }, Outcome::Planned(found)) => *answer = Ok(found),
            (Step::Assign { answer, .. }, _) => *answer = Err(error),
            (Step::Explain { answer, .. }, _) => *answer = Err(error),
            (Step::Update { answer, .. }, _) => *answer = Err(error),
            (Step::Preempt { answer, .. }, _) => *answer = Err(error),
        }
    }
    case
}
