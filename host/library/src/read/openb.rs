//! The columns of Alibaba's public OpenB GPU trace, read as they are.

use crate::error::Error;
use crate::read::cells::Row;
use crate::read::csv::Table;
use crate::table::rows::{Offer, Requirement, Task};

/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

/// The pods of a trace, as tasks in the order of the file.
pub(super) fn tasks(text: &str, source: &str) -> Result<Vec<Task>, Error> {
    let table = Table::read(text, source)?;
    let name = table.column("name")?;
    let cpu = table.column("cpu_milli")?;
    let memory = table.column("memory_mib")?;
    let count = table.column("num_gpu")?;
    let thousandths = table.column("gpu_milli")?;
    let models = table.column("gpu_spec")?;
    let pods = table.rows(name).map(|(row, cells)| {
        let mut task = Task::new(row.name.unwrap_or_default(), quantities(row, &cells[cpu], &cells[memory])?);
        let devices = whole(row, "num_gpu", &cells[count])?;
        let share = if devices == 0 { 0 } else { whole(row, "gpu_milli", &cells[thousandths])? };
        if 0 < share && share < 1000 {
            if devices != 1 {
                return Err(row.devices_malformed(
                    "gpu_milli",
                    &cells[thousandths],
                    "a share is of one device, not of many",
                ));
            }
            task.device_share = share;
        } else {
            task.devices = devices;
        }
        if !cells[models].is_empty() {
            task.requirements.push(Requirement::is_in("model", cells[models].split('|')));
        }
        Ok(task)
    });
    pods.collect()
}

/// The nodes of a trace, as offers.
pub(super) fn offers(text: &str, source: &str) -> Result<Vec<Offer>, Error> {
    let table = Table::read(text, source)?;
    let name = table.column("sn")?;
    let cpu = table.column("cpu_milli")?;
    let memory = table.column("memory_mib")?;
    let count = table.column("gpu")?;
    let model = table.column("model")?;
    let nodes = table.rows(name).map(|(row, cells)| {
        let mut offer = Offer::new(row.name.unwrap_or_default(), quantities(row, &cells[cpu], &cells[memory])?);
        offer.devices = row.free_devices(or_zero(&cells[count]))?;
        offer.attributes.push(("model".to_owned(), cells[model].to_owned()));
        Ok(offer)
    });
    nodes.collect()
}

/// The two dimensions of the trace.
fn quantities(row: Row<'_>, cpu: &str, memory: &str) -> Result<[(&'static str, u64); 2], Error> {
    let cpu = row.quantity("cpu_milli", or_zero(cpu))?;
    let mebibytes = row.quantity("memory_mib", or_zero(memory))?;
    let too_large = || Error::QuantityTooLarge {
        place: Box::new(row.place("memory_mib")),
        value: format!("{memory} MiB in bytes"),
    };
    Ok([("cpu", cpu), ("memory", mebibytes.checked_mul(MIB).ok_or_else(too_large)?)])
}

/// A number of devices or thousandths.
fn whole(row: Row<'_>, column: &str, cell: &str) -> Result<u32, Error> {
    let number = row.quantity(column, or_zero(cell))?;
    u32::try_from(number).map_err(|_| row.devices_malformed(column, cell, "nobody has that many devices"))
}

/// A cell, or zero where it is empty.
fn or_zero(cell: &str) -> &str {
    if cell.is_empty() { "0" } else { cell }
}
