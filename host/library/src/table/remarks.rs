//! What is done as asked though it can hardly be meant: a condition on an attribute or a measure that no offer has.

use std::collections::HashSet;

use crate::error::{Error, Place};
use crate::table::catalog::{Catalog, listed};
use crate::table::rows::{Requirement, Task};
use crate::visible::visible_name;

/// A condition on what no offer has.
#[derive(Debug, Clone)]
pub(super) struct Unknown {
    /// Where the first of them stands.
    place: Place,
    /// `attribute` or `measure`.
    kind: &'static str,
    name: String,
}

/// Each attribute and each measure that is asked for and that no offer has, once: by requirements, then by preferences, then
/// by groups.
pub(super) fn unknown(rows: &[Task], catalog: &Catalog, source: &str) -> Vec<Unknown> {
    let required = rows.iter().enumerate().flat_map(|(row, task)| {
        task.requirements.iter().map(move |requirement| (row, "requirements", subject(requirement)))
    });
    let preferred = rows.iter().enumerate().flat_map(|(row, task)| {
        task.preferences.iter().map(move |preference| (row, "preferences", subject(&preference.requirement)))
    });
    let grouped = rows.iter().enumerate().flat_map(|(row, task)| {
        let attributes = task.group.iter().flat_map(|group| group.attributes());
        attributes.map(move |name| (row, "group", ("attribute", name)))
    });
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for (row, column, (kind, name)) in required.chain(preferred).chain(grouped) {
        let is_known = if kind == "measure" { catalog.measure(name).is_some() } else { catalog.is_offered(name) };
        if !is_known && seen.insert((kind, name)) {
            let task = Some(rows[row].name.clone());
            let place = Place { source: source.to_owned(), row: Some(row), name: task, column: column.to_owned() };
            found.push(Unknown { place, kind, name: visible_name(name).into_owned() });
        }
    }
    found
}

/// What a condition is about.
fn subject(requirement: &Requirement) -> (&'static str, &str) {
    match requirement {
        Requirement::In { attribute, .. } | Requirement::NotIn { attribute, .. } => ("attribute", attribute),
        Requirement::AtLeast { measure, .. } | Requirement::AtMost { measure, .. } => ("measure", measure),
    }
}

impl Unknown {
    /// Gives the row the number that it has in the table as it was given.
    pub(super) fn renumber(&mut self, numbers: &[usize]) {
        self.place.row = self.place.row.map(|row| numbers[row]);
    }

    /// The error of it.
    pub(super) fn error(&self, catalog: &Catalog) -> Error {
        let mut known = if self.kind == "measure" { catalog.measures().to_vec() } else { catalog.offered() };
        known.retain(|name| !name.is_empty());
        known.sort();
        Error::ConditionUnknown {
            place: Box::new(self.place.clone()),
            kind: self.kind,
            name: self.name.clone(),
            known: format!("the {}s are {}", self.kind, listed(&known)),
        }
    }
}
