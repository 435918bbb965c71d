//! Requirements and preferences of tasks as columns.

use offermatch_core::{Kind, TaskTable};

use crate::error::{Error, Place};
use crate::table::catalog::{Catalog, UNSET};
use crate::table::offers::row_count;
use crate::table::rows::{Requirement, Task};

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
        let begin = table.values.len();
        for value in values {
            let value = catalog.value(value);
            if value != UNSET && !table.values[begin..].contains(&value) {
                table.values.push(value);
            }
        }
    }
    table.value_offsets.push(row_count(table.values.len())?);
    Ok(bound)
}
