//! The columns of Alibaba's public OpenB GPU trace, read as they are.

use ::csv::StringRecord;

use crate::error::Error;
use crate::read::cells::Row;
use crate::read::csv::Table;
use crate::table::bad::Rows;
use crate::table::quantity::{Unit, Units};
use crate::table::rows::{Offer, Requirement, Task};

/// The pods of a trace, as tasks in the order of the file.
pub(super) fn tasks(text: &str, source: &str) -> Result<Rows<Task>, Error> {
    let table = Table::read(text, source, as_it_stands)?;
    let units = Units::default();
    let name = table.column("name")?;
    let cpu = table.column("cpu_milli")?;
    let memory = table.column("memory_mib")?;
    let count = table.column("num_gpu")?;
    let thousandths = table.column("gpu_milli")?;
    // The lists of the trace in which no pod asks for a model leave the column out.
    let models = table.header.iter().position(|column| column == "gpu_spec");
    let pod = |row: Row<'_>, cells: &StringRecord| {
        let mut task = Task::new(row.name.unwrap_or_default(), quantities(row, &cells[cpu], &cells[memory])?);
        let devices = whole(row, "num_gpu", &cells[count])?;
        match (devices, whole(row, "gpu_milli", &cells[thousandths])?) {
            (0, 0) => {}
            (1, share @ 1..=999) => task.device_share = share,
            (1.., 1000) => task.devices = devices,
            _ => {
                return Err(row.devices_malformed(
                    "gpu_milli",
                    &cells[thousandths],
                    "a pod asks for 1 to 999 thousandths of one device, for 1000 of each of several, or for 0 of none",
                ));
            }
        }
        let models = models.map_or("", |models| &cells[models]);
        if !models.is_empty() {
            task.requirements.push(Requirement::is_in("model", models.split('|')));
        }
        Ok(task)
    };
    Ok(Rows::of(source, table.rows(name, &units).map(|(row, cells)| (named(row), pod(row, cells)))))
}

/// The nodes of a trace, as offers.
pub(super) fn offers(text: &str, source: &str) -> Result<Rows<Offer>, Error> {
    let table = Table::read(text, source, as_it_stands)?;
    let units = Units::default();
    let name = table.column("sn")?;
    let cpu = table.column("cpu_milli")?;
    let memory = table.column("memory_mib")?;
    let count = table.column("gpu")?;
    let model = table.column("model")?;
    let node = |row: Row<'_>, cells: &StringRecord| {
        let mut offer = Offer::new(row.name.unwrap_or_default(), quantities(row, &cells[cpu], &cells[memory])?);
        offer.devices = row.free_devices(or_zero(&cells[count]))?;
        offer.attributes.push(("model".to_owned(), cells[model].to_owned()));
        Ok(offer)
    };
    Ok(Rows::of(source, table.rows(name, &units).map(|(row, cells)| (named(row), node(row, cells)))))
}

/// What a row is called; empty where it has no name.
fn named(row: Row<'_>) -> String {
    row.name.unwrap_or_default().to_owned()
}

/// The two dimensions of the trace.
fn quantities(row: Row<'_>, cpu: &str, memory: &str) -> Result<[(&'static str, u64); 2], Error> {
    let cpu = row.in_unit("cpu_milli", Unit::COUNT, or_zero(cpu))?;
    let memory = row.in_unit("memory_mib", Unit::MEBIBYTES, or_zero(memory))?;
    Ok([("cpu", cpu), ("memory", memory)])
}

/// A number of devices or thousandths.
fn whole(row: Row<'_>, column: &str, cell: &str) -> Result<u32, Error> {
    let number = row.in_unit(column, Unit::COUNT, or_zero(cell))?;
    u32::try_from(number).map_err(|_| row.devices_malformed(column, cell, "nobody has that many devices"))
}

/// The trace has no units behind the names of its columns.
fn as_it_stands(name: &str) -> Result<&str, Error> {
    Ok(name)
}

/// A cell, or zero where it is empty.
fn or_zero(cell: &str) -> &str {
    if cell.is_empty() { "0" } else { cell }
}
