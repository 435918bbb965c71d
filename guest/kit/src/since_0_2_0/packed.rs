//! The interface `packed` of contract 0.2.0.

use alloc::vec::Vec;

use offermatch_core as core;

use crate::bindings::exports::offermatch::matcher::matching::{Error, Pool, PoolBorrow, Settings, Shape};
use crate::bindings::exports::offermatch::matcher::packed::{Guest, PackedAssignments, PackedOffers, PackedTasks};
use crate::digits::{decode, encode};
use crate::export::{Component, Matcher, SharedPool};
use crate::trace::Trace;

impl<M: Matcher> Guest for Component<M> {
    fn open(shape: Shape, offers: PackedOffers, settings: Settings) -> Result<Pool, Error> {
        let trace = Trace::of_call();
        let offers = trace.span("decode", || offers.try_into())?;
        SharedPool::<M::Policy>::of(&trace, shape, &offers, &settings.into())
    }

    fn assign(pool: PoolBorrow<'_>, tasks: PackedTasks) -> Result<PackedAssignments, Error> {
        let trace = Trace::of_call();
        let tasks = trace.span("decode", || tasks.try_into())?;
        let assignments = pool.get::<SharedPool<M::Policy>>().place(&trace, &tasks)?;
        Ok(trace.span("encode", || assignments.into()))
    }
}

impl TryFrom<PackedOffers> for core::OfferTable {
    type Error = core::Error;

    fn try_from(offers: PackedOffers) -> Result<Self, core::Error> {
        Ok(Self {
            rows: offers.rows,
            available: decode("available", &offers.available)?,
            capacity: decode("capacity", &offers.capacity)?,
            attributes: decode("attributes", &offers.attributes)?,
            devices: core::Devices {
                offsets: decode("device-offsets", &offers.device_offsets)?,
                free: decode("device-free", &offers.device_free)?,
            },
            ..Self::default()
        })
    }
}

impl TryFrom<PackedTasks> for core::TaskTable {
    type Error = core::Error;

    fn try_from(tasks: PackedTasks) -> Result<Self, core::Error> {
        Ok(Self {
            rows: tasks.rows,
            demand: decode("demand", &tasks.demand)?,
            devices: decode("devices", &tasks.devices)?,
            requirement_offsets: decode("requirement-offsets", &tasks.requirement_offsets)?,
            requirement_subjects: decode("requirement-attributes", &tasks.requirement_attributes)?,
            requirement_kinds: booleans("requirement-excludes", &tasks.requirement_excludes)?,
            value_offsets: decode("value-offsets", &tasks.value_offsets)?,
            values: decode("values", &tasks.values)?,
            ..Self::default()
        })
    }
}

/// A column of numbers that are 0 or 1.
fn booleans(column: &'static str, digits: &str) -> Result<Vec<u32>, core::Error> {
    let numbers: Vec<u32> = decode(column, digits)?;
    match numbers.iter().position(|&number| number > 1) {
        Some(at) => {
            let (row, value) = (at as u32, numbers[at].into());
            Err(core::Error::OutOfRange(core::Cell { column, row, value, minimum: 0, maximum: 1 }))
        }
        None => Ok(numbers),
    }
}

impl From<core::Assignments> for PackedAssignments {
    fn from(assignments: core::Assignments) -> Self {
        let bits: Vec<u64> = assignments.scores.iter().map(|score| score.to_bits()).collect();
        Self { tasks: encode(&assignments.tasks), offers: encode(&assignments.offers), scores: encode(&bits) }
    }
}
