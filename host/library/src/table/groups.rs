//! Groups of tasks by name: their columns, and who of them runs already.

use std::collections::{BTreeMap, HashMap};

use offermatch_core::{GroupTable, TaskTable};

use crate::error::{Error, Place};
use crate::remedy;
use crate::table::catalog::{Catalog, listed};
use crate::table::rows::{Group, OFFER, Offer, Task, row_count};
use crate::visible::visible_name;

/// The names of the groups of a task table, by row of its group table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    names: Vec<String>,
    /// What each asks.
    rules: Vec<Group>,
    /// The first member of each: its row in the table as it was given, and its name.
    first: Vec<(usize, String)>,
    /// Where the tasks came from, for errors.
    source: String,
}

impl Groups {
    /// Adds the group columns of these tasks to their table.
    ///
    /// # Errors
    /// [`Error::GroupMalformed`].
    pub(crate) fn push(table: &mut TaskTable, rows: &[Task], catalog: &Catalog, source: &str) -> Result<Self, Error> {
        let mut known: HashMap<&str, u32> = HashMap::new();
        // The rules of each group, and the row that bears them.
        let mut found: Vec<(&Group, usize)> = Vec::new();
        let mut first = Vec::new();
        for (row, task) in rows.iter().enumerate() {
            let Some(group) = &task.group else {
                table.group_of.push(0);
                continue;
            };
            if group.name.is_empty() {
                let reason = "a group needs a name".to_owned();
                return Err(malformed(source, row, task, "group", reason, remedy::NAMELESS_GROUP));
            }
            let at = *known.entry(&group.name).or_insert(found.len() as u32);
            table.group_of.push(at + 1);
            match found.get_mut(at as usize) {
                None => {
                    found.push((group, row));
                    first.push((row, task.name.clone()));
                }
                Some(known) if known.0.is_name_only() => *known = (group, row),
                Some((known, from)) if !group.is_name_only() && group != *known => {
                    let reason = format!("{} is another group in row {from}", visible_name(&group.name));
                    let hint = "all members bear the same group, or its name alone";
                    return Err(malformed(source, row, task, "group", reason, hint));
                }
                Some(_) => {}
            }
        }
        if found.is_empty() {
            table.group_of.clear();
            return Ok(Self::default());
        }
        table.groups = columns(&found, rows, catalog, source)?;
        let names = found.iter().map(|(group, _)| group.name.clone()).collect();
        let rules = found.iter().map(|(group, _)| (*group).clone()).collect();
        Ok(Self { names, rules, first, source: source.to_owned() })
    }

    /// Gives rows the numbers that they have in the table as it was given.
    pub(crate) fn renumber(&mut self, numbers: &[usize]) {
        self.first.iter_mut().for_each(|(row, _)| *row = numbers[*row]);
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds those who run already to a table of tasks, and checks that each group has as many members as it asks for.
    ///
    /// # Errors
    /// [`Error::GroupMalformed`].
    pub(crate) fn with_occupants(&self, tasks: &mut TaskTable, occupants: &Occupants) -> Result<(), Error> {
        let numbers: HashMap<&str, u32> = self.names.iter().map(String::as_str).zip(0..).collect();
        let groups = &mut tasks.groups;
        for (&offer, counts) in &occupants.0 {
            for (group, count) in counts {
                if let Some(&group) = numbers.get(group.as_str()) {
                    groups.occupant_groups.push(group);
                    groups.occupant_offers.push(offer);
                    groups.occupant_counts.push(*count);
                }
            }
        }
        let mut members = vec![0_u64; self.names.len()];
        let mut running = members.clone();
        tasks.group_of.iter().filter(|&&group| group > 0).for_each(|&group| members[group as usize - 1] += 1);
        for (&group, &count) in groups.occupant_groups.iter().zip(&groups.occupant_counts) {
            running[group as usize] += u64::from(count);
        }
        let lacks = |at: &usize| u64::from(groups.least.get(*at).copied().unwrap_or(0)) > members[*at] + running[*at];
        let Some(at) = (0..self.names.len()).find(lacks) else { return Ok(()) };
        let reason = format!(
            "at least {} of {}, which has {} members here and {} that run",
            groups.least[at],
            visible_name(&self.names[at]),
            members[at],
            running[at],
        );
        let (row, name) = self.first[at].clone();
        let (source, column) = (self.source.clone(), "group.least".to_owned());
        Err(Error::GroupMalformed {
            place: Box::new(Place { source, row: Some(row), name: Some(name), column }),
            reason,
            hint: "give all members of the group at once, or ask for fewer",
        })
    }

    /// Drops what is asked of whole groups, for a table that may have only some of their members.
    pub(crate) fn drop_least(tasks: &mut TaskTable) {
        tasks.groups.least.clear();
    }

    /// What a group asks.
    pub(crate) fn rules(&self, group: usize) -> Option<&Group> {
        self.rules.get(group)
    }

    /// The name of each group.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// The columns of groups, each with the row that bears its rules.
fn columns(found: &[(&Group, usize)], rows: &[Task], catalog: &Catalog, source: &str) -> Result<GroupTable, Error> {
    let mut table = GroupTable { rows: row_count(found.len())?, ..GroupTable::default() };
    if found.iter().any(|(group, _)| group.least > 1) {
        table.least = found.iter().map(|(group, _)| group.least).collect();
    }
    let attribute = |row: usize, column: &str, name: &str| {
        let known = catalog.attribute(name).ok_or_else(|| {
            let known = listed(catalog.attributes());
            let reason = format!("the pool was not opened with the attribute {name}; its attributes are {known}");
            let hint = "name every attribute when the pool is opened, or open a new pool";
            malformed(source, row, &rows[row], column, reason, hint)
        })?;
        row_count(known + 1)
    };
    if found.iter().any(|(group, _)| group.together.is_some()) {
        let together = found
            .iter()
            .map(|(group, row)| group.together.as_ref().map_or(Ok(0), |name| attribute(*row, "group.together", name)));
        table.together = together.collect::<Result<_, Error>>()?;
    }
    if found.iter().any(|(group, _)| !group.at_most.is_empty()) {
        table.limit_offsets.push(0);
        for (group, row) in found {
            for (name, most) in &group.at_most {
                let column = format!("group.at_most.{name}");
                if *most == 0 {
                    let reason = "0 is not within 1 to 4294967295".to_owned();
                    return Err(malformed(source, *row, &rows[*row], &column, reason, remedy::AT_LEAST_ONE));
                }
                let counted = if name == OFFER { 0 } else { attribute(*row, &column, name)? };
                table.limit_attributes.push(counted);
                table.limit_counts.push(*most);
            }
            table.limit_offsets.push(row_count(table.limit_counts.len())?);
        }
    }
    Ok(table)
}

/// The error of a group of a task.
fn malformed(source: &str, row: usize, task: &Task, column: &str, reason: String, hint: &'static str) -> Error {
    let (source, name) = (source.to_owned(), Some(task.name.clone()));
    let place = Box::new(Place { source, row: Some(row), name, column: column.to_owned() });
    Error::GroupMalformed { place, reason, hint }
}

/// Members of groups that run already: their number, by the row of the offer and the name of the group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Occupants(BTreeMap<u32, Vec<(String, u32)>>);

impl Occupants {
    /// Those of offers, by row.
    ///
    /// # Errors
    /// [`Error::GroupMalformed`].
    pub(crate) fn of(rows: &[Offer], source: &str) -> Result<Self, Error> {
        let is_nameless = |offer: &Offer| offer.occupants.iter().any(|(group, _)| group.is_empty());
        if let Some(row) = rows.iter().position(is_nameless) {
            let (name, column) = (Some(rows[row].name.clone()), "occupants".to_owned());
            let place = Box::new(Place { source: source.to_owned(), row: Some(row), name, column });
            let reason = "a group needs a name".to_owned();
            return Err(Error::GroupMalformed { place, reason, hint: remedy::NAMELESS_GROUP });
        }
        let occupied = rows.iter().zip(0..).filter(|(offer, _)| !offer.occupants.is_empty());
        Ok(Self(occupied.map(|(offer, row)| (row, offer.occupants.clone())).collect()))
    }

    /// Takes away those on an offer, and puts others there.
    pub(crate) fn replace(&mut self, row: u32, counts: Option<&Vec<(String, u32)>>) {
        match counts {
            Some(counts) => self.0.insert(row, counts.clone()),
            None => self.0.remove(&row),
        };
    }

    /// Those on an offer.
    pub(crate) fn on(&self, row: u32) -> Option<&Vec<(String, u32)>> {
        self.0.get(&row)
    }

    /// Takes away all members of a group.
    pub(crate) fn forget(&mut self, group: &str) {
        for counts in self.0.values_mut() {
            counts.retain(|(name, _)| name != group);
        }
    }

    /// Adds members of a group on an offer.
    pub(crate) fn add(&mut self, row: u32, group: &str, more: u32) {
        let counts = self.0.entry(row).or_default();
        match counts.iter_mut().find(|(name, _)| name == group) {
            Some((_, count)) => *count = count.saturating_add(more),
            None => counts.push((group.to_owned(), more)),
        }
    }
}
