//! Requirements and preferences of tasks as columns.

use std::collections::{HashMap, HashSet};

use offermatch_core::{Kind, OfferTable, TaskTable};

use crate::error::{Error, Place};
use crate::remedy;
use crate::table::catalog::{Catalog, UNSET};
use crate::table::rows::{Requirement, Task, row_count};

/// Adds the columns of requirements and, behind those of each task, preferences.
///
/// # Errors
/// [`Error::MeasureMalformed`], [`Error::PreferenceMalformed`] and [`Error::TooManyRows`].
pub(super) fn push(table: &mut TaskTable, rows: &[Task], catalog: &Catalog, source: &str) -> Result<(), Error> {
    if rows.iter().all(|task| task.requirements.is_empty() && task.preferences.is_empty()) {
        return Ok(());
    }
    let is_measured =
        |requirement: &Requirement| matches!(requirement, Requirement::AtLeast { .. } | Requirement::AtMost { .. });
    let asked = |task: &Task| {
        task.requirements
            .iter()
            .chain(task.preferences.iter().map(|preference| &preference.requirement))
            .any(is_measured)
    };
    let (bounded, weighted) = (rows.iter().any(asked), rows.iter().any(|task| !task.preferences.is_empty()));
    table.requirement_offsets.push(0);
    table.value_offsets.push(0);
    for (row, task) in rows.iter().enumerate() {
        let place = |column: String| {
            let (source, name) = (source.to_owned(), Some(task.name.clone()));
            Box::new(Place { source, row: Some(row), name, column })
        };
        let required = task.requirements.iter().enumerate().map(|(at, one)| ("requirements", at, one, f64::INFINITY));
        let preferred = task.preferences.iter().enumerate();
        let preferred = preferred.map(|(at, one)| ("preferences", at, &one.requirement, one.weight));
        for (list, at, requirement, weight) in required.chain(preferred) {
            if list == "preferences" && !(weight.is_finite() && weight >= 0.0) {
                let place = place(format!("{list}.{at}.weight"));
                return Err(Error::PreferenceMalformed { place, value: weight.to_string() });
            }
            let bound = push_one(table, requirement, catalog)?;
            if bound.is_nan() {
                let key = if matches!(requirement, Requirement::AtLeast { .. }) { "at_least" } else { "at_most" };
                return Err(Error::MeasureMalformed {
                    place: place(format!("{list}.{at}.{key}")),
                    value: bound.to_string(),
                    reason: "not a number".to_owned(),
                    hint: remedy::MEASURE,
                });
            }
            if bounded {
                table.requirement_bounds.push(bound);
            }
            if weighted {
                table.requirement_weights.push(weight);
            }
        }
        table.requirement_offsets.push(row_count(table.requirement_subjects.len())?);
    }
    Ok(())
}

/// Adds one requirement, and gives its bound; 0 where it has none.
fn push_one(table: &mut TaskTable, requirement: &Requirement, catalog: &Catalog) -> Result<f64, Error> {
    let (kind, subject, bound) = match requirement {
        Requirement::In { attribute, .. } => (Kind::In, catalog.attribute(attribute), 0.0),
        Requirement::NotIn { attribute, .. } => (Kind::NotIn, catalog.attribute(attribute), 0.0),
        Requirement::AtLeast { measure, bound } => (Kind::AtLeast, catalog.measure(measure), *bound),
        Requirement::AtMost { measure, bound } => (Kind::AtMost, catalog.measure(measure), *bound),
    };
    // An attribute that no offer has is unset everywhere: as good as any attribute with an empty set. So is a measure, which
    // fails as an empty set does.
    let kind = if subject.is_none() && matches!(kind, Kind::AtLeast | Kind::AtMost) { Kind::In } else { kind };
    table.requirement_kinds.push(kind as u32);
    table.requirement_subjects.push(row_count(subject.unwrap_or(0))?);
    if let (Requirement::In { values, .. } | Requirement::NotIn { values, .. }, Some(_)) = (requirement, subject) {
        let known = values.iter().map(|value| catalog.value(value)).filter(|value| *value != UNSET);
        let mut seen = HashSet::new();
        table.values.extend(known.filter(|value| seen.insert(*value)));
    }
    table.value_offsets.push(row_count(table.values.len())?);
    Ok(bound)
}

/// What requirements of tasks are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Values {
    attributes: Vec<u32>,
    /// As bits, so that equal ones are found.
    measures: Vec<u64>,
}

impl Values {
    /// Those of an offer, in a table of so many attributes and measures.
    pub(crate) fn of(offers: &OfferTable, row: usize, attributes: usize, measures: usize) -> Self {
        let measured = offers.measures.get(row * measures..(row + 1) * measures).unwrap_or_default();
        let named = offers.attributes.get(row * attributes..(row + 1) * attributes).unwrap_or_default();
        Self { attributes: named.to_vec(), measures: measured.iter().map(|measure| measure.to_bits()).collect() }
    }

    /// Whether all requirements of a task hold; a preference keeps no task from an offer.
    pub(crate) fn serve(&self, asked: &TaskTable, task: usize) -> bool {
        asked.requirements(task).filter(|&at| !asked.is_preference(at)).all(|at| self.meets(asked, at))
    }

    /// Whether a requirement holds.
    fn meets(&self, asked: &TaskTable, at: usize) -> bool {
        let subject = asked.requirement_subjects[at] as usize;
        let kind = asked.requirement_kinds[at];
        if kind == Kind::AtLeast as u32 || kind == Kind::AtMost as u32 {
            // A measure that is not set is NaN, which is on neither side of any bound.
            let measure = self.measures.get(subject).map_or(f64::NAN, |bits| f64::from_bits(*bits));
            let bound = asked.requirement_bounds[at];
            return if kind == Kind::AtLeast as u32 { measure >= bound } else { measure <= bound };
        }
        let value = self.attributes.get(subject).copied().unwrap_or(UNSET);
        asked.values(at).contains(&value) != (kind == Kind::NotIn as u32)
    }
}

/// A requirement on an attribute.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Required {
    pub(super) attribute: usize,
    excludes: bool,
    values: Vec<u32>,
}

impl Required {
    /// Whether it holds for an offer with these values; zero is unset, and in no set.
    pub(super) fn holds(&self, values: &[u32]) -> bool {
        let value = values.get(self.attribute).copied().unwrap_or(0);
        self.values.contains(&value) != self.excludes
    }
}

/// The requirements of a task on attributes.
pub(super) fn required(tasks: &TaskTable, row: usize) -> Vec<Required> {
    let one = |at: usize| {
        // By the contract 0 is in a set and 1 is not in it; the others are about measures.
        let excludes = match tasks.requirement_kinds[at] {
            0 => false,
            1 => true,
            _ => return None,
        };
        // A preference is no requirement.
        if tasks.is_preference(at) {
            return None;
        }
        let (attribute, values) = (tasks.requirement_subjects[at] as usize, tasks.values(at).to_vec());
        Some(Required { attribute, excludes, values })
    };
    tasks.requirements(row).filter_map(one).collect()
}

/// The offers with the same values of some attributes, in the order of their first rows: the values of all attributes, those of
/// others unset, and the rows.
pub(super) fn alike(offers: &OfferTable, attributes: usize, subjects: &[usize]) -> Vec<(Vec<u32>, Vec<usize>)> {
    let mut alike: Vec<(Vec<u32>, Vec<usize>)> = Vec::new();
    let mut numbers: HashMap<Vec<u32>, usize> = HashMap::new();
    for row in 0..offers.rows as usize {
        let mut values = vec![UNSET; attributes];
        for &subject in subjects.iter().filter(|&&subject| subject < attributes) {
            values[subject] = offers.attributes.get(row * attributes + subject).copied().unwrap_or(UNSET);
        }
        let number = *numbers.entry(values).or_insert_with_key(|values| {
            alike.push((values.clone(), Vec::new()));
            alike.len() - 1
        });
        alike[number].1.push(row);
    }
    alike
}
