//! What a suite finds of a matcher.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Finding, Level};
use crate::pool::matcher::Matcher;
use crate::recording::{RecordedMatcher, Recording};
use crate::visible::{visible, visible_name};

/// Characters of a reason or a value that are shown.
pub(super) const LONGEST_REASON: usize = 500;
/// The groups whose cases are drawn.
pub(super) const GENERATED: [&str; 2] = ["generated", "mixed"];
/// What is said of a policy that looks ahead.
const LOOKS_AHEAD: &str =
    "its scores hang on more than the task and the offer: which offer is best by them was not checked";

/// What a suite finds of a matcher. Both hosts give the same, byte for byte, as JSON.
///
/// ```
/// use offermatch::{Level, Matcher, Suite, Trial};
///
/// let quick = Trial { generated: 0, laws: false, ..Trial::default() };
/// let report = Suite::shipped()?.quick().judge(&Matcher::bundled("strand")?, &quick, &mut |_, _| {});
/// assert!(report.conforms && report.level == Some(Level::Contract));
/// assert_eq!((report.matcher.policy.as_str(), report.suite.generated), ("strand", 0));
/// assert!(report.groups.iter().all(|group| group.contract_failed == 0));
/// println!("{}", report.to_text());
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The format and its version.
    pub format: &'static str,
    /// Who was judged.
    pub matcher: Verdict,
    /// What was tried.
    pub suite: SuiteReport,
    /// The level to reach.
    pub asked: Level,
    /// The level reached.
    pub level: Option<Level>,
    /// Whether the level to reach is reached.
    pub conforms: bool,
    /// The same in words.
    pub verdict: String,
    /// Whether answers were compared with what follows from the matcher's own scores.
    pub own_scores: bool,
    /// What was found, group by group.
    pub groups: Vec<GroupReport>,
}

/// Who was judged.
///
/// Example: [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its policy.
    pub policy: String,
    /// The contract it speaks.
    pub contract: String,
    /// The SHA-256 of its bytes; none for a native matcher.
    pub digest: Option<String>,
}

/// What was tried.
///
/// Example: [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SuiteReport {
    /// How many cases.
    pub cases: u64,
    /// How many generated ones.
    pub generated: u64,
    /// Where the generated ones begin.
    pub seed: u64,
}

/// What was found in one group.
///
/// Example: [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct GroupReport {
    /// The group.
    pub group: String,
    /// How many cases it has.
    pub cases: u64,
    /// Those that were left out.
    pub skipped: Vec<SkippedCase>,
    /// Those that were not asked any more, because the matcher trapped or ran into limits too often.
    pub not_run: u64,
    /// Those in which the contract was broken.
    pub contract_failed: u64,
    /// Those in which the answer was not the reference's, or the contract was broken.
    pub reference_failed: u64,
    /// The first of them, with what was found.
    pub failures: Vec<Failure>,
    /// Those in which nothing was found.
    #[serde(skip)]
    pub passed: Vec<String>,
}

/// A case that was left out.
///
/// ```
/// use offermatch::{Matcher, Skips, Suite, Trial};
///
/// let skips = Skips::parse("ties/* are known to differ", "skips")?;
/// let quick = Trial { generated: 0, laws: false, skips, ..Trial::default() };
/// let report = Suite::shipped()?.quick().judge(&Matcher::bundled("strand")?, &quick, &mut |_, _| {});
/// let ties = report.groups.iter().find(|group| group.group == "ties").expect("it is shipped");
/// assert_eq!(ties.skipped[0].reason, "are known to differ");
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SkippedCase {
    /// The case.
    pub case: String,
    /// Why.
    pub reason: String,
}

/// The first thing that was found in a case, at one level.
///
/// ```
/// use offermatch::{Level, Matcher, Suite, Trial};
///
/// let quick = Trial { level: Some(Level::Reference), generated: 0, laws: false, ..Trial::default() };
/// let report = Suite::shipped()?.quick().judge(&Matcher::bundled("strand")?, &quick, &mut |_, _| {});
/// let failure = report.groups.iter().flat_map(|group| &group.failures).next().expect("strand is not the reference");
/// println!("{}, {}: {} instead of {}", failure.case, failure.what, failure.found, failure.expected);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// The case.
    pub case: String,
    /// The level that is missed because of it.
    pub level: Level,
    /// The step, counted from 0; none for opening.
    pub step: Option<usize>,
    /// What it is about.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Why the case is there.
    pub about: String,
}

impl Failure {
    /// A finding in a case.
    pub(super) fn new(case: &Recording, finding: Finding) -> Self {
        let Finding { level, step, what, expected, found } = finding;
        Self { case: case.name.clone(), level, step, what, expected, found, about: case.about.clone() }
    }
}

impl GroupReport {
    /// Nothing found yet.
    pub(super) fn new(group: &str) -> Self {
        Self { group: group.to_owned(), ..Self::default() }
    }

    /// How many cases miss a level.
    fn failed(&self, level: Level) -> u64 {
        match level {
            Level::Contract => self.contract_failed,
            Level::Reference => self.reference_failed,
        }
    }
}

impl Report {
    /// What the groups come to.
    pub(super) fn new(
        matcher: &Matcher,
        suite: SuiteReport,
        asked: Option<Level>,
        groups: Vec<GroupReport>,
        own_scores: bool,
    ) -> Self {
        let RecordedMatcher { name, version, policy, contract, digest } = matcher.into();
        let clean = |level| groups.iter().all(|group| group.not_run == 0 && group.failed(level) == 0);
        let level = [Level::Reference, Level::Contract].into_iter().find(|&level| clean(level));
        let claimed = Level::claimed(&policy);
        let asked = asked.unwrap_or(claimed);
        let verdict = match level {
            None => "does not conform to the contract".to_owned(),
            Some(Level::Contract) if claimed == Level::Reference => {
                format!("conforms to the contract; its policy is called {policy}, but it is not the reference")
            }
            Some(Level::Contract) => format!("conforms to the contract; policy {policy}, not the reference"),
            Some(Level::Reference) => "conforms to the contract and answers as the reference, best-fit".to_owned(),
        };
        Self {
            format: "offermatch-conformance/1",
            suite,
            asked,
            level,
            conforms: level >= Some(asked),
            verdict,
            own_scores,
            groups,
            matcher: Verdict { name, version, policy, contract, digest },
        }
    }

    /// The report as JSON.
    ///
    /// # Panics
    /// Never: what a report holds can all be written.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers can be written") + "\n"
    }

    /// The report for people: a line a group, then the first difference as a table.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_text(&mut text);
        text
    }

    /// Writes the report for people.
    fn write_text(&self, text: &mut String) -> std::fmt::Result {
        let said = &self.matcher;
        let [name, version, policy, contract] =
            [&said.name, &said.version, &said.policy, &said.contract].map(|text| visible_name(text));
        writeln!(text, "matcher  {name} {version}, policy {policy}, contract {contract}")?;
        let SuiteReport { cases, generated, seed } = self.suite;
        writeln!(text, "suite    {cases} cases, {generated} generated from seed {seed}\n")?;
        writeln!(text, "{:<14}{:>8}{:>9}{:>12}{:>12}", "group", "cases", "skipped", "contract", "reference")?;
        for group in &self.groups {
            let run = group.cases - group.skipped.len() as u64 - group.not_run;
            let shown = |level| match (group.failed(level), run) {
                (_, 0) => "not run".to_owned(),
                (0, _) => "pass".to_owned(),
                (failed, _) if level <= self.asked => format!("{failed} fail"),
                // Another policy answers otherwise on purpose.
                (other, _) => format!("{other} differ"),
            };
            let (contract, reference) = (shown(Level::Contract), shown(Level::Reference));
            let (name, cases, skipped) = (visible_name(&group.group), group.cases, group.skipped.len());
            writeln!(text, "{name:<14}{cases:>8}{skipped:>9}{contract:>12}{reference:>12}")?;
        }
        for group in &self.groups {
            if GENERATED.contains(&group.group.as_str()) {
                let mut counted: Vec<(&str, u64)> = Vec::new();
                for SkippedCase { reason, .. } in &group.skipped {
                    match counted.iter_mut().find(|(counted, _)| counted == reason) {
                        Some((_, count)) => *count += 1,
                        None => counted.push((reason, 1)),
                    }
                }
                for (reason, count) in counted {
                    writeln!(text, "skipped  {}, {count} cases: {}", group.group, visible(reason, LONGEST_REASON))?;
                }
                continue;
            }
            for SkippedCase { case, reason } in &group.skipped {
                let (case, reason) = (visible_name(case), visible(reason, LONGEST_REASON));
                writeln!(text, "skipped  {}/{case}: {reason}", visible_name(&group.group))?;
            }
        }
        if !self.own_scores {
            writeln!(text, "\n{LOOKS_AHEAD}")?;
        }
        // A matcher of another policy answers otherwise on purpose: what it misses is the level that is asked of it.
        let mut all = self.groups.iter().flat_map(|group| group.failures.iter().map(move |failure| (group, failure)));
        if let Some((group, failure)) = all.find(|(_, failure)| failure.level <= self.asked) {
            let place = failure.step.map_or_else(|| "opening".to_owned(), |step| format!("step {step}"));
            let (group, case) = (visible_name(&group.group), visible_name(&failure.case));
            writeln!(text, "\nfirst difference, {group}/{case}, {place}")?;
            let rows = [("what", &failure.what), ("expected", &failure.expected), ("found", &failure.found)];
            for (name, value) in
                rows.into_iter().chain((!failure.about.is_empty()).then_some(("about", &failure.about)))
            {
                writeln!(text, "  {name:<10}{}", visible(value, LONGEST_REASON))?;
            }
        }
        let not_run: u64 = self.groups.iter().map(|group| group.not_run).sum();
        if not_run > 0 {
            writeln!(text, "\n{not_run} cases were not run: it trapped or ran into limits too often")?;
        }
        let reached = self.level.map_or("none", Level::name);
        writeln!(text, "\nlevel    {reached} (asked: {})\nverdict  {}", self.asked.name(), self.verdict)
    }
}
