//! What keeps a task from its offers, by name, and what would help, in sentences for people.

use std::collections::HashSet;

use crate::pool::answer::{Check, Explanation, Members};
use crate::read::ports;
use crate::table::quantity::Units;
use crate::table::rows::{OFFER, Requirement, Task};

/// The most values of a set that a sentence names.
const MOST_VALUES: usize = 4;

/// What is missing at a check.
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// use offermatch::Missing;
///
/// let mut pool = Matcher::reference().open(&offers, &Settings::default())?;
/// let explanations = pool.explain(&tasks)?;
/// let checks = explanations.iter().nth(1).and_then(|never| never.checks()).expect("the reference says it");
/// assert_eq!((checks[0].0.as_str(), checks[0].1.missing), ("cpu", Some(Missing::Whole(5000))));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Missing {
    /// No number says it.
    Nothing,
    /// In the smallest unit of a dimension, or in device thousandths.
    Whole(u64),
    /// Of a measure, or of the score.
    Real(f64),
}

impl Explanation<'_> {
    /// Each check by its name: a dimension, `requirement 0` and so on (requirements, then preferences), `devices`, `together`,
    /// `limit 0` and so on, `score`. None where the matcher does not say how many offers fail nothing else.
    #[must_use]
    pub fn checks(&self) -> Option<Vec<(String, Check<Missing>)>> {
        self.capable?;
        let dimensions =
            self.by_dimension.iter().map(|(name, check)| ((*name).to_owned(), check.map(Missing::Whole, 0)));
        let requirements = self.by_requirement.iter().enumerate();
        let requirements = requirements.map(|(at, check)| (format!("requirement {at}"), check.map(Missing::Real, 0.0)));
        let devices = self.by_devices.map(|missing| Missing::Whole(u64::from(missing)), 0);
        let nothing = |check: &Check<()>| check.map(|()| Missing::Nothing, ());
        let together = self.by_together.as_ref().map_or(Check { fails: 0, alone: Some(0), missing: None }, nothing);
        let limits = self.by_limit.iter().enumerate().map(|(at, check)| (format!("limit {at}"), nothing(check)));
        let mut checks: Vec<(String, Check<Missing>)> = dimensions.chain(requirements).collect();
        checks.extend([("devices".to_owned(), devices), ("together".to_owned(), together)]);
        checks.extend(limits);
        checks.push(("score".to_owned(), self.by_score.map(Missing::Real, 0.0)));
        Some(checks)
    }

    /// What would help the task, which is the one explained: the check that alone keeps most offers away first. Empty where it
    /// finds offers, or the matcher does not say. What is missing is that of the nearest offer, rounded up.
    ///
    /// ```
    /// use offermatch::{Catalog, Matcher, Offer, Offers, Requirement, Settings, Task, Tasks, Units};
    ///
    /// let offers = [Offer { measures: vec![("gpu_memory".into(), 16e9)], ..Offer::new("a", [("cpu", 4000)]) }];
    /// let large = Task { requirements: vec![Requirement::at_least("gpu_memory", 40e9)], ..Task::new("large", [("cpu", 1)]) };
    /// let catalog = Catalog::of(&offers, &[]);
    /// let mut pool = Matcher::reference().open(&Offers::new(&offers, &catalog)?, &Settings::default())?;
    /// let why = pool.explain(&Tasks::new(&[large.clone()], &catalog)?)?;
    /// let remedies = why.iter().next().unwrap().remedies(&large, &Units::default());
    /// assert_eq!(remedies[0], "1 offer lacks only gpu_memory at least 4e+10: the nearest is 2.4e+10 away");
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    #[must_use]
    pub fn remedies(&self, task: &Task, units: &Units) -> Vec<String> {
        let Some(checks) = self.checks() else { return Vec::new() };
        let mut sentences: Vec<String> = self.members.iter().filter_map(too_few).collect();
        if self.candidates > 0 {
            return sentences;
        }
        let mut alone: Vec<(usize, u32, Missing)> = checks
            .iter()
            .enumerate()
            .map(|(at, (_, check))| (at, check.alone.unwrap_or(0), check.missing.unwrap_or(Missing::Nothing)))
            .filter(|(_, alone, _)| *alone > 0)
            .collect();
        alone.sort_by_key(|(_, alone, _)| std::cmp::Reverse(*alone));
        let said = alone.into_iter().map(|(at, alone, missing)| {
            let offers = if alone == 1 { "1 offer lacks".to_owned() } else { format!("{alone} offers lack") };
            format!("{offers} only {}", self.said(at, missing, task, units))
        });
        sentences.extend(said);
        if self.capable == Some(0) {
            sentences.push("no offer in the list could hold it, even if it were empty".to_owned());
        }
        sentences
    }

    /// What offers lack that fail a check alone, told by the position of the check.
    fn said(&self, at: usize, missing: Missing, task: &Task, units: &Units) -> String {
        let nearest = match missing {
            Missing::Real(missing) if missing > 0.0 => format!(": the nearest is {} away", six_digits(missing)),
            _ => String::new(),
        };
        let (dimensions, requirements) = (self.by_dimension.len(), self.by_requirement.len());
        if let Some((name, _)) = self.by_dimension.get(at) {
            if let Some(port) = ports::port(name) {
                return format!("port {port}, which is taken there");
            }
            let missing = if let Missing::Whole(missing) = missing { missing } else { 0 };
            let said = units.of(name).said(missing);
            return format!("{name}: {said} more would be enough for the nearest");
        }
        let at = at - dimensions;
        if at < requirements {
            let preferred = task.preferences.iter().map(|preference| &preference.requirement);
            let asked = task.requirements.iter().chain(preferred).nth(at);
            return asked.map_or_else(|| format!("what is asked by requirement {at}"), words) + &nearest;
        }
        let group = self.members.and_then(|members| members.group);
        match at - requirements {
            0 => {
                let missing = if let Missing::Whole(missing) = missing { missing } else { 0 };
                format!("devices: {missing} thousandths more would be enough for the nearest")
            }
            1 => {
                let attribute = group.and_then(|group| group.together.as_deref()).unwrap_or("the value");
                format!("{attribute} of the group's members")
            }
            limit if limit - 2 < self.by_limit.len() => match group.and_then(|group| group.at_most.get(limit - 2)) {
                Some((by, most)) => {
                    let article = if by == OFFER { "an" } else { "a" };
                    format!("room under at most {most} {article} {by}")
                }
                None => format!("room under limit {}", limit - 2),
            },
            _ => {
                // An offer exactly at the limit misses nothing, and fails all the same.
                let missing = if let Missing::Real(missing) = missing { missing } else { 0.0 };
                format!("a lower score: a limit more than {} higher would admit the nearest", six_digits(missing))
            }
        }
    }
}

impl<T: Copy> Check<T> {
    /// The same with what is missing as a number of any kind, which is `none` where nothing is.
    fn map(&self, missing: impl Fn(T) -> Missing, none: T) -> Check<Missing> {
        let missing = Some(missing(self.missing.unwrap_or(none)));
        Check { fails: self.fails, alone: self.alone, missing }
    }
}

/// That a group has not the members that it needs.
fn too_few(members: &Members<'_>) -> Option<String> {
    let group = members.group?;
    let found = u64::from(members.placed) + members.running;
    let is_short = found < u64::from(group.least);
    is_short.then(|| format!("{found} of the {} members that group {} needs find an offer", group.least, group.name))
}

/// A requirement in words; a value that is given twice is one of the set all the same.
fn words(requirement: &Requirement) -> String {
    let listed = |given: &[String]| {
        let mut seen = HashSet::new();
        let values: Vec<&str> = given.iter().map(String::as_str).filter(|value| seen.insert(*value)).collect();
        match values.len() {
            0..=MOST_VALUES => values.join(", "),
            many => format!("{} and {} more", values[..MOST_VALUES - 1].join(", "), many + 1 - MOST_VALUES),
        }
    };
    match requirement {
        Requirement::In { attribute, values } => format!("{attribute} in {}", listed(values)),
        Requirement::NotIn { attribute, values } => format!("{attribute} not in {}", listed(values)),
        Requirement::AtLeast { measure, bound } => format!("{measure} at least {}", six_digits(*bound)),
        Requirement::AtMost { measure, bound } => format!("{measure} at most {}", six_digits(*bound)),
    }
}

/// A number with at most six significant digits, as C's `%.6g` writes it.
fn six_digits(number: f64) -> String {
    let rounded = format!("{number:.5e}");
    let trimmed = |digits: &str| digits.trim_end_matches('0').trim_end_matches('.').to_owned();
    match rounded.split_once('e').map(|(digits, exponent)| (digits, exponent.parse::<i32>())) {
        Some((digits, Ok(exponent))) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
        }
        Some((_, Ok(exponent))) => {
            let text = format!("{number:.*}", (5 - exponent) as usize);
            if text.contains('.') { trimmed(&text) } else { text }
        }
        // Infinity.
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::six_digits;

    #[test]
    fn six_digits_are_those_of_c() {
        // Python: for number in ...: print(f"{number:.6g}")
        for (number, expected) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (2.0, "2"),
            (100_000.0, "100000"),
            (999_999.5, "1e+06"),
            (1_234_567.0, "1.23457e+06"),
            (4e10, "4e+10"),
            (0.0001, "0.0001"),
            (0.000_012_345_67, "1.23457e-05"),
            (1.0 / 3.0, "0.333333"),
            (-2.5, "-2.5"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(six_digits(number), expected);
        }
    }
}
