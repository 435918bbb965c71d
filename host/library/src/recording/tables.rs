//! Tables as JSON has them.

use offermatch_core::{Devices, GroupTable, Kind, OfferTable, RunningTable, TaskTable, Workload};
use serde::{Deserialize, Serialize};

use super::real::Real;
use crate::read::strict_json::Object;

/// The columns of a table as JSON has them: the model's names, the empty ones left out.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident for $model:ident { $rows:ident; $($column:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            #[serde(default)]
            $rows: u32,
            $(#[serde(default, skip_serializing_if = "Vec::is_empty")] $column: Vec<$type>,)*
        }

        impl From<$name> for $model {
            fn from(table: $name) -> Self {
                Self { $rows: table.$rows, $($column: table.$column,)* }
            }
        }

        impl From<&$model> for $name {
            fn from(table: &$model) -> Self {
                Self { $rows: table.$rows, $($column: table.$column.clone(),)* }
            }
        }
    };
}

columns! {
    /// A group table.
    Groups for GroupTable {
        rows; least: u32, together: u32, limit_offsets: u32, limit_attributes: u32, limit_counts: u32,
        occupant_groups: u32, occupant_offers: u32, occupant_counts: u32
    }
}

columns! {
    /// A table of running tasks.
    Running for RunningTable {
        rows; offers: u32, priorities: i32, starts: u64, demand: u64,
        device_offsets: u32, device_numbers: u32, device_thousandths: u32
    }
}

/// An offer table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offers {
    #[serde(default)]
    rows: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    available: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    capacity: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    measures: Vec<Real>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    device_offsets: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    device_free: Vec<u32>,
}

impl From<Offers> for OfferTable {
    fn from(table: Offers) -> Self {
        Self {
            rows: table.rows,
            available: table.available,
            capacity: table.capacity,
            attributes: table.attributes,
            measures: read_reals(table.measures),
            devices: Devices { offsets: table.device_offsets, free: table.device_free },
        }
    }
}

impl From<&OfferTable> for Offers {
    fn from(table: &OfferTable) -> Self {
        Self {
            rows: table.rows,
            available: table.available.clone(),
            capacity: table.capacity.clone(),
            attributes: table.attributes.clone(),
            measures: reals(&table.measures),
            device_offsets: table.devices.offsets.clone(),
            device_free: table.devices.free.clone(),
        }
    }
}

/// Doubles as they are written.
pub(super) fn reals(numbers: &[f64]) -> Vec<Real> {
    numbers.iter().copied().map(Real).collect()
}

/// Doubles as they were written.
pub(super) fn read_reals(numbers: Vec<Real>) -> Vec<f64> {
    numbers.into_iter().map(|Real(number)| number).collect()
}

/// A task table. One without bounds and weights is written as contract 0.2.0 has it, attributes and whether they exclude, so
/// that hosts of before read it; any other has kinds and subjects.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tasks {
    #[serde(default)]
    rows: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    demand: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    devices: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirement_offsets: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirement_attributes: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirement_excludes: Vec<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirement_kinds: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirement_subjects: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirement_bounds: Vec<Real>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirement_weights: Vec<Real>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    value_offsets: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    group_of: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Object<Groups>>,
}

impl Tasks {
    /// Writes kinds and subjects where there are attributes and whether they exclude.
    pub(super) fn by_kinds(&mut self) {
        if self.requirement_kinds.is_empty() {
            self.requirement_kinds = self.requirement_excludes.drain(..).map(u32::from).collect();
            self.requirement_subjects = std::mem::take(&mut self.requirement_attributes);
        }
    }
}

impl From<Tasks> for TaskTable {
    fn from(table: Tasks) -> Self {
        Self {
            rows: table.rows,
            demand: table.demand,
            devices: table.devices,
            requirement_offsets: table.requirement_offsets,
            requirement_kinds: if table.requirement_kinds.is_empty() {
                table.requirement_excludes.into_iter().map(u32::from).collect()
            } else {
                table.requirement_kinds
            },
            requirement_subjects: if table.requirement_subjects.is_empty() {
                table.requirement_attributes
            } else {
                table.requirement_subjects
            },
            requirement_bounds: read_reals(table.requirement_bounds),
            requirement_weights: read_reals(table.requirement_weights),
            value_offsets: table.value_offsets,
            values: table.values,
            group_of: table.group_of,
            groups: table.groups.map(|Object(groups)| groups.into()).unwrap_or_default(),
        }
    }
}

impl From<&TaskTable> for Tasks {
    fn from(table: &TaskTable) -> Self {
        let is_plain = table.requirement_bounds.is_empty()
            && table.requirement_weights.is_empty()
            && table.requirement_kinds.iter().all(|&kind| kind <= Kind::NotIn as u32);
        let either = |column: &Vec<u32>, plain: bool| if plain == is_plain { column.clone() } else { Vec::new() };
        let excludes = table.requirement_kinds.iter().map(|&kind| kind == Kind::NotIn as u32);
        Self {
            rows: table.rows,
            demand: table.demand.clone(),
            devices: table.devices.clone(),
            requirement_offsets: table.requirement_offsets.clone(),
            requirement_attributes: either(&table.requirement_subjects, true),
            requirement_excludes: excludes.filter(|_| is_plain).collect(),
            requirement_kinds: either(&table.requirement_kinds, false),
            requirement_subjects: either(&table.requirement_subjects, false),
            requirement_bounds: reals(&table.requirement_bounds),
            requirement_weights: reals(&table.requirement_weights),
            value_offsets: table.value_offsets.clone(),
            values: table.values.clone(),
            group_of: table.group_of.clone(),
            groups: (table.groups.rows > 0).then(|| Object((&table.groups).into())),
        }
    }
}

/// A workload.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typical {
    pub(super) tasks: Object<Tasks>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shares: Vec<Real>,
}

impl From<&Workload> for Typical {
    fn from(workload: &Workload) -> Self {
        Self { tasks: Object((&workload.tasks).into()), shares: reals(&workload.shares) }
    }
}

impl From<Typical> for Workload {
    fn from(workload: Typical) -> Self {
        Self { tasks: workload.tasks.0.into(), shares: read_reals(workload.shares) }
    }
}
