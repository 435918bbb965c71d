//! Tasks and offers as CSV.

use ::csv::StringRecord;

use crate::error::Error;
use crate::read::cells::Row;
use crate::read::csv_table::{Table, in_header};
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::quantity::Units;
use crate::table::rows::{Group, Offer, Preference, Requirement, Task};
use crate::visible::visible_name;

/// The columns of a CSV of tasks, for errors.
const TASK_COLUMNS: &str = "name, demand.DIMENSION, devices, device_share, requires.ATTRIBUTE, at_least.MEASURE, \
    at_most.MEASURE, prefers.ATTRIBUTE, prefers_at_least.MEASURE, prefers_at_most.MEASURE and prefers_weight.NAME of each, \
    group, group.least, group.together, group.at_most.ATTRIBUTE, group.at_most.offer";
/// The columns of a CSV of offers, for errors.
const OFFER_COLUMNS: &str = "name, available.DIMENSION, capacity.DIMENSION, attribute.ATTRIBUTE, devices, \
    measure.MEASURE, occupants.GROUP";

/// What a column of a CSV of tasks holds.
enum TaskColumn {
    /// The task's name.
    Name,
    /// What it asks in a dimension.
    Demand(String),
    /// Whole devices.
    Devices,
    /// A share of one device.
    DeviceShare,
    /// A requirement on an attribute or a measure.
    Requires(Subject),
    /// A preference.
    Prefers(Subject),
    /// The weight of preferences about an attribute or a measure of this name.
    Weight(String),
    /// The name of the group.
    Group,
    /// The least number of its members.
    Least,
    /// The attribute that its members have in common.
    Together,
    /// How many of them there may be on a value of an attribute, or on an offer.
    AtMost(String),
    /// The share of a typical task.
    Share,
}

/// What a requirement or a preference is about.
enum Subject {
    /// An attribute.
    Attribute(String),
    /// A measure, which is to be at least the bound.
    AtLeast(String),
    /// A measure, which is to be at most the bound.
    AtMost(String),
}

impl Subject {
    /// Its name.
    fn name(&self) -> &str {
        match self {
            Self::Attribute(name) | Self::AtLeast(name) | Self::AtMost(name) => name,
        }
    }

    /// What a cell asks of it; none where it is blank.
    fn asked(&self, row: Row<'_>, header: &str, cell: &str) -> Result<Option<Requirement>, Error> {
        match self {
            Self::Attribute(name) => requirement(row, header, name, cell),
            _ if cell.trim_matches(SPACE).is_empty() => Ok(None),
            Self::AtLeast(name) => {
                Ok(Some(Requirement::at_least(name, row.measure(header, cell.trim_matches(SPACE))?)))
            }
            Self::AtMost(name) => Ok(Some(Requirement::at_most(name, row.measure(header, cell.trim_matches(SPACE))?))),
        }
    }
}

/// What a column of a CSV of offers holds.
enum OfferColumn {
    /// The offer's name.
    Name,
    /// What is free in a dimension.
    Available(String),
    /// What there is in all in a dimension.
    Capacity(String),
    /// An attribute's value.
    Attribute(String),
    /// Devices.
    Devices,
    /// A measure.
    Measure(String),
    /// Members of a group that run on it.
    Occupants(String),
}

/// The tasks in a CSV text.
pub(super) fn tasks(text: &str, source: &str, units: &Units) -> Result<Rows<Task>, Error> {
    table(text, source, units, TASK_COLUMNS, task_columns, |row, cells| Ok(task(row, cells)?.0))
}

/// The typical tasks in a CSV text, each with its share.
pub(super) fn workload(text: &str, source: &str, units: &Units) -> Result<Rows<(Task, f64)>, Error> {
    let columns = |header: &StringRecord, name: &str| match name {
        "share" => Some(TaskColumn::Share),
        _ => task_columns(header, name),
    };
    table(text, source, units, TASK_COLUMNS, columns, |row, cells| {
        let (task, share) = task(row, cells)?;
        let share = share.ok_or_else(|| row.missing("share", remedy::NO_SHARE))?;
        Ok((task, share))
    })
}

/// What the column of this name holds, beside those of a header: weights belong to preferences.
fn task_columns(header: &StringRecord, name: &str) -> Option<TaskColumn> {
    let is_weighed = |subject: &str| {
        let prefixes = ["prefers.", "prefers_at_least.", "prefers_at_most."];
        header.iter().any(|known| prefixes.iter().any(|prefix| known.strip_prefix(prefix) == Some(subject)))
    };
    task_column(name).filter(|column| !matches!(column, TaskColumn::Weight(subject) if !is_weighed(subject)))
}

/// What the column of this name holds.
fn task_column(name: &str) -> Option<TaskColumn> {
    let owned = str::to_owned;
    Some(match name {
        "name" => TaskColumn::Name,
        "devices" => TaskColumn::Devices,
        "device_share" => TaskColumn::DeviceShare,
        "group" => TaskColumn::Group,
        "group.least" => TaskColumn::Least,
        "group.together" => TaskColumn::Together,
        _ => match split(name)? {
            ("demand", dimension) => TaskColumn::Demand(owned(dimension)),
            ("requires", attribute) => TaskColumn::Requires(Subject::Attribute(owned(attribute))),
            ("at_least", measure) => TaskColumn::Requires(Subject::AtLeast(owned(measure))),
            ("at_most", measure) => TaskColumn::Requires(Subject::AtMost(owned(measure))),
            ("prefers", attribute) => TaskColumn::Prefers(Subject::Attribute(owned(attribute))),
            ("prefers_at_least", measure) => TaskColumn::Prefers(Subject::AtLeast(owned(measure))),
            ("prefers_at_most", measure) => TaskColumn::Prefers(Subject::AtMost(owned(measure))),
            ("prefers_weight", subject) => TaskColumn::Weight(owned(subject)),
            ("group", rule) => match split(rule)? {
                ("at_most", attribute) => TaskColumn::AtMost(owned(attribute)),
                _ => return None,
            },
            _ => return None,
        },
    })
}

/// The task in some cells, and its share if it has one.
fn task(row: Row<'_>, cells: &mut dyn Iterator<Item = Cell<'_, TaskColumn>>) -> Result<(Task, Option<f64>), Error> {
    let (mut task, mut group, mut share) = (Task::default(), Group::default(), None);
    let mut preferred: Vec<(&str, Requirement)> = Vec::new();
    let mut weights: Vec<(&str, f64)> = Vec::new();
    for (header, column, cell) in cells {
        match column {
            TaskColumn::Name => task.name = cell.to_owned(),
            _ if cell.is_empty() => {}
            TaskColumn::Demand(dimension) => {
                task.demand.push((dimension.clone(), row.quantity(header, dimension, cell)?));
            }
            TaskColumn::Devices => task.devices = row.whole_devices(cell)?,
            TaskColumn::DeviceShare => task.device_share = row.device_share(cell)?,
            TaskColumn::Requires(subject) => task.requirements.extend(subject.asked(row, header, cell)?),
            TaskColumn::Prefers(subject) => {
                let asked = subject.asked(row, header, cell)?;
                preferred.extend(asked.map(|asked| (subject.name(), asked)));
            }
            TaskColumn::Weight(subject) => {
                let cell = cell.trim_matches(SPACE);
                if !cell.is_empty() {
                    weights.push((subject, row.weight(header, cell)?));
                }
            }
            TaskColumn::Group => group.name = word(row, header, cell)?.to_owned(),
            TaskColumn::Least => group.least = row.members(header, cell.trim_matches(SPACE), 0)?,
            TaskColumn::Together => group.together = Some(word(row, header, cell)?.to_owned()),
            TaskColumn::AtMost(by) => {
                group.at_most.push((by.clone(), row.members(header, cell.trim_matches(SPACE), 1)?))
            }
            TaskColumn::Share => share = Some(row.share(header, cell.trim_matches(SPACE))?),
        }
    }
    for (subject, requirement) in preferred {
        let column = format!("prefers_weight.{subject}");
        let weight = weights.iter().find(|(weighted, _)| *weighted == subject).map(|(_, weight)| *weight);
        let weight = weight.ok_or_else(|| row.missing(column, "give each preference a weight"))?;
        task.preferences.push(Preference::new(requirement, weight));
    }
    if group != Group::default() {
        if group.name.is_empty() {
            return Err(row.nameless_group());
        }
        task.group = Some(group);
    }
    Ok((task, share))
}

/// The offers in a CSV text.
pub(super) fn offers(text: &str, source: &str, units: &Units) -> Result<Rows<Offer>, Error> {
    let columns = |_: &StringRecord, name: &str| match name {
        "name" => Some(OfferColumn::Name),
        "devices" => Some(OfferColumn::Devices),
        _ => match split(name)? {
            ("available", dimension) => Some(OfferColumn::Available(dimension.to_owned())),
            ("capacity", dimension) => Some(OfferColumn::Capacity(dimension.to_owned())),
            ("attribute", attribute) => Some(OfferColumn::Attribute(attribute.to_owned())),
            ("measure", measure) => Some(OfferColumn::Measure(measure.to_owned())),
            ("occupants", group) => Some(OfferColumn::Occupants(group.to_owned())),
            _ => None,
        },
    };
    table(text, source, units, OFFER_COLUMNS, columns, |row, cells| {
        let mut offer = Offer::default();
        for (header, column, cell) in cells {
            match column {
                OfferColumn::Name => offer.name = cell.to_owned(),
                _ if cell.is_empty() => {}
                OfferColumn::Available(dimension) => {
                    offer.available.push((dimension.clone(), row.quantity(header, dimension, cell)?));
                }
                OfferColumn::Capacity(dimension) => {
                    offer.capacity.push((dimension.clone(), row.quantity(header, dimension, cell)?));
                }
                OfferColumn::Attribute(attribute) => {
                    offer.attributes.push((attribute.clone(), word(row, header, cell)?.to_owned()));
                }
                OfferColumn::Devices => offer.devices = devices(row, cell)?,
                _ if cell.trim_matches(SPACE).is_empty() => {}
                OfferColumn::Measure(measure) => {
                    offer.measures.push((measure.clone(), row.measure(header, cell.trim_matches(SPACE))?));
                }
                OfferColumn::Occupants(group) => {
                    offer.occupants.push((group.clone(), row.members(header, cell.trim_matches(SPACE), 0)?));
                }
            }
        }
        Ok(offer)
    })
}

/// A cell with the name and the meaning of its column.
type Cell<'a, C> = (&'a str, &'a C, &'a str);

/// Reads a table whose columns `column` understands; `build` makes a row of the cells. The units that the header declares
/// come before those given.
fn table<C, T>(
    text: &str,
    source: &str,
    units: &Units,
    known: &'static str,
    column: impl Fn(&StringRecord, &str) -> Option<C>,
    build: impl Fn(Row<'_>, &mut dyn Iterator<Item = Cell<'_, C>>) -> Result<T, Error>,
) -> Result<Rows<T>, Error> {
    let mut declared = Vec::new();
    let table = Table::of(text, source, |name| unit_behind(name, source, &mut declared))?;
    let units = Units::of_file(source, declared)?.or(units);
    let name = table.column("name", remedy::NAMELESS)?;
    let understood = |name| {
        let unknown = || Error::UnknownColumn { place: Box::new(in_header(source, name)), known };
        column(&table.header, name).ok_or_else(unknown)
    };
    let columns = table.header.iter().map(understood).collect::<Result<Vec<C>, Error>>()?;
    let rows = table.rows(name, &units, |row, record| {
        if row.name.is_none() {
            return Err(row.missing("name", remedy::NAMELESS));
        }
        let cells = table.header.iter().zip(&columns).zip(record);
        build(row, &mut cells.map(|((header, column), cell)| (header, column, cell)))
    })?;
    Ok(rows.read_in(units))
}

/// The column name without the unit behind it, as in `demand.cpu[millicores]`, which is added to those declared.
fn unit_behind<'n>(name: &'n str, source: &str, declared: &mut Vec<(String, String)>) -> Result<&'n str, Error> {
    let taken_apart = || {
        let (column, unit) = name.strip_suffix(']')?.rsplit_once('[')?;
        let (kind, dimension) = split(column)?;
        (matches!(kind, "demand" | "available" | "capacity") && !unit.contains(']'))
            .then_some((column, dimension, unit))
    };
    let Some((column, dimension, unit)) = taken_apart() else { return Ok(name) };
    match declared.iter().find(|(known, _)| known == dimension) {
        Some((_, other)) if other != unit => Err(Error::FileMalformed {
            file: source.to_owned(),
            line: 1,
            column: 0,
            message: format!("{} is in {} and in {}", visible_name(dimension), visible_name(other), visible_name(unit)),
            hint: "a dimension is in one unit".into(),
        }),
        _ => {
            declared.push((dimension.to_owned(), unit.to_owned()));
            Ok(column)
        }
    }
}

/// A column name such as `demand.cpu`, taken apart.
fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once('.').filter(|(_, rest)| !rest.is_empty())
}

/// White space around a value.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A cell that holds a value, without the white space around it.
fn word<'c>(row: Row<'_>, column: &str, cell: &'c str) -> Result<&'c str, Error> {
    let text = cell.trim_matches(SPACE);
    if text.eq_ignore_ascii_case("nan") {
        return Err(Error::ValueMissing { place: Box::new(row.place(column)), value: text.to_owned() });
    }
    Ok(text)
}

/// The requirement in a cell: values joined by `|`, with a leading `!` those that are not allowed; none in an empty one.
fn requirement(row: Row<'_>, header: &str, attribute: &str, cell: &str) -> Result<Option<Requirement>, Error> {
    let text = word(row, header, cell)?;
    let values = |text: &str| text.split('|').map(|value| value.trim_matches(SPACE).to_owned()).collect::<Vec<_>>();
    Ok(match text.strip_prefix('!') {
        _ if text.is_empty() => None,
        Some(excluded) => Some(Requirement::not_in(attribute, values(excluded))),
        None => Some(Requirement::is_in(attribute, values(text))),
    })
}

/// The devices in a cell: a number of free ones, or free thousandths joined by `|`.
fn devices(row: Row<'_>, cell: &str) -> Result<Vec<u32>, Error> {
    if !cell.contains('|') {
        return row.free_devices(cell);
    }
    let listed = cell.split('|').filter(|free| !free.trim().is_empty());
    listed.map(|free| row.free_thousandths(free)).collect()
}
