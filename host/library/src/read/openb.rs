//! The columns of Alibaba's public OpenB GPU trace, read as they are.

use ::csv::StringRecord;

use crate::error::Error;
use crate::read::cells::{self, Row};
use crate::read::csv_table::Table;
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::quantity::{Unit, Units};
use crate::table::rows::{Offer, Requirement, Task};

/// The remedy for a table that lacks a column.
const OWN_FILES: &str = "give the trace's own files, pods as tasks and nodes as offers";

/// The pods of a trace, as tasks in the order of the file.
pub(super) fn tasks(text: &str, source: &str) -> Result<Rows<Task>, Error> {
    let table = Table::of(text, source, as_it_stands)?;
    let units = Units::default();
    let name = table.column("name", OWN_FILES)?;
    let cpu = table.column("cpu_milli", OWN_FILES)?;
    let memory = table.column("memory_mib", OWN_FILES)?;
    let count = table.column("num_gpu", OWN_FILES)?;
    let thousandths = table.column("gpu_milli", OWN_FILES)?;
    // The lists of the trace in which no pod asks for a model leave the column out.
    let models = table.header.iter().position(|column| column == "gpu_spec");
    let pod = |row: Row<'_>, cells: &StringRecord| {
        let mut task = Task::new(row.name.unwrap_or_default(), quantities(row, &cells[cpu], &cells[memory])?);
        let devices = devices(row, "num_gpu", &cells[count])?;
        let each = whole(row, "gpu_milli", &cells[thousandths])?;
        match (devices, each) {
            (0, 0) => {}
            (1, share @ 1..=999) => task.device_share = share as u32,
            (1.., 1000) => task.devices = devices,
            _ => {
                return Err(row.devices_malformed(
                    "gpu_milli",
                    format!("{each} thousandths of each of {devices} devices cannot be asked"),
                    "ask for 1 to 999 thousandths of one device, for 1000 of each of several, or for 0 of none",
                ));
            }
        }
        let models = models.map_or("", |models| &cells[models]);
        if !models.is_empty() {
            task.requirements.push(Requirement::is_in("model", models.split('|')));
        }
        has_name(row)?;
        Ok(task)
    };
    table.rows(name, &units, pod)
}

/// The nodes of a trace, as offers.
pub(super) fn offers(text: &str, source: &str) -> Result<Rows<Offer>, Error> {
    let table = Table::of(text, source, as_it_stands)?;
    let units = Units::default();
    let name = table.column("sn", OWN_FILES)?;
    let cpu = table.column("cpu_milli", OWN_FILES)?;
    let memory = table.column("memory_mib", OWN_FILES)?;
    let count = table.column("gpu", OWN_FILES)?;
    let model = table.column("model", OWN_FILES)?;
    let node = |row: Row<'_>, cells: &StringRecord| {
        let mut offer = Offer::new(row.name.unwrap_or_default(), quantities(row, &cells[cpu], &cells[memory])?);
        offer.devices = vec![1000; devices(row, "gpu", &cells[count])? as usize];
        offer.attributes.push(("model".to_owned(), cells[model].to_owned()));
        has_name(row)?;
        Ok(offer)
    };
    table.rows(name, &units, node)
}

/// The two dimensions of the trace.
fn quantities(row: Row<'_>, cpu: &str, memory: &str) -> Result<[(&'static str, u64); 2], Error> {
    let cpu = row.in_unit("cpu_milli", Unit::COUNT, or_zero(cpu))?;
    let memory = row.in_unit("memory_mib", Unit::MEBIBYTES, or_zero(memory))?;
    Ok([("cpu", cpu), ("memory", memory)])
}

/// A whole number.
fn whole(row: Row<'_>, column: &str, cell: &str) -> Result<u64, Error> {
    row.in_unit(column, Unit::COUNT, or_zero(cell))
}

/// A number of devices.
fn devices(row: Row<'_>, column: &str, cell: &str) -> Result<u32, Error> {
    cells::devices(whole(row, column, cell)?, || Box::new(row.place(column)))
}

/// Refuses a row without a name.
fn has_name(row: Row<'_>) -> Result<(), Error> {
    row.name.map(drop).ok_or_else(|| row.missing("name", remedy::NAMELESS))
}

/// The trace has no units behind the names of its columns.
fn as_it_stands(name: &str) -> Result<&str, Error> {
    Ok(name)
}

/// A cell, or zero where it is empty.
fn or_zero(cell: &str) -> &str {
    if cell.is_empty() { "0" } else { cell }
}
