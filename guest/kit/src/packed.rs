//! The interface `packed`: every call of a pool, its columns as digits.

use alloc::boxed::Box;

use offermatch_core as core;

use crate::bindings::exports::offermatch::matcher::matching::{Error, Pool, PoolBorrow, Shape};
use crate::bindings::exports::offermatch::matcher::packed::{
    Guest, PackedAssignments, PackedChanges, PackedExplanations, PackedGroups, PackedOffers, PackedSettings,
    PackedTasks, PackedWorkload,
};
use crate::digits::{decode, encode};
use crate::export::{Component, Matcher, SharedPool};
use crate::trace::Trace;

impl<M: Matcher> Guest for Component<M> {
    fn open(shape: Shape, offers: PackedOffers, settings: PackedSettings) -> Result<Pool, Error> {
        let trace = Trace::of_call();
        let decode =
            || Ok::<_, core::Error>((core::Settings::try_from(settings)?, core::OfferTable::try_from(offers)?));
        let (settings, offers) = trace.span("decode", decode)?;
        SharedPool::<M::Policy>::of(&trace, shape, &offers, &settings)
    }

    fn assign(pool: PoolBorrow<'_>, tasks: PackedTasks) -> Result<PackedAssignments, Error> {
        let trace = Trace::of_call();
        let tasks = trace.span("decode", || tasks.try_into())?;
        let assignments = pool.get::<SharedPool<M::Policy>>().place(&trace, &tasks)?;
        Ok(trace.span("encode", || assignments.into()))
    }

    fn update(pool: PoolBorrow<'_>, changes: PackedChanges) -> Result<(), Error> {
        let trace = Trace::of_call();
        let changes = trace.span("decode", || changes.try_into())?;
        Ok(trace.span("index", || pool.get::<SharedPool<M::Policy>>().pool().update(&changes))?)
    }

    fn explain(pool: PoolBorrow<'_>, tasks: PackedTasks) -> Result<PackedExplanations, Error> {
        let trace = Trace::of_call();
        let tasks = trace.span("decode", || tasks.try_into())?;
        let explanations = trace.span("explain", || pool.get::<SharedPool<M::Policy>>().pool().explain(&tasks))?;
        Ok(trace.span("encode", || explanations.into()))
    }
}

impl TryFrom<PackedSettings> for core::Settings {
    type Error = core::Error;

    fn try_from(settings: PackedSettings) -> Result<Self, core::Error> {
        Ok(Self {
            mode: settings.mode.into(),
            max_score: settings.max_score,
            weights: decode("weights", &settings.weights)?,
            scales: decode("scales", &settings.scales)?,
            raise_scales: true,
            parameters: decode("parameters", &settings.parameters)?,
            workload: settings.workload.map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<PackedWorkload> for core::Workload {
    type Error = core::Error;

    fn try_from(workload: PackedWorkload) -> Result<Self, core::Error> {
        Ok(Self { tasks: workload.tasks.try_into()?, shares: decode("shares", &workload.shares)? })
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
            measures: decode("measures", &offers.measures)?,
            devices: core::Devices {
                offsets: decode("device-offsets", &offers.device_offsets)?,
                free: decode("device-free", &offers.device_free)?,
            },
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
            requirement_kinds: decode("requirement-kinds", &tasks.requirement_kinds)?,
            requirement_subjects: decode("requirement-subjects", &tasks.requirement_subjects)?,
            requirement_bounds: decode("requirement-bounds", &tasks.requirement_bounds)?,
            requirement_weights: decode("requirement-weights", &tasks.requirement_weights)?,
            value_offsets: decode("value-offsets", &tasks.value_offsets)?,
            values: decode("values", &tasks.values)?,
            group_of: decode("group-of", &tasks.group_of)?,
            groups: tasks.groups.try_into()?,
        })
    }
}

impl TryFrom<PackedGroups> for core::GroupTable {
    type Error = core::Error;

    fn try_from(groups: PackedGroups) -> Result<Self, core::Error> {
        Ok(Self {
            rows: groups.rows,
            least: decode("least", &groups.least)?,
            together: decode("together", &groups.together)?,
            limit_offsets: decode("limit-offsets", &groups.limit_offsets)?,
            limit_attributes: decode("limit-attributes", &groups.limit_attributes)?,
            limit_counts: decode("limit-counts", &groups.limit_counts)?,
            occupant_groups: decode("occupant-groups", &groups.occupant_groups)?,
            occupant_offers: decode("occupant-offers", &groups.occupant_offers)?,
            occupant_counts: decode("occupant-counts", &groups.occupant_counts)?,
        })
    }
}

impl TryFrom<PackedChanges> for core::Changes {
    type Error = core::Error;

    fn try_from(changes: PackedChanges) -> Result<Self, core::Error> {
        Ok(Self {
            removed: decode("removed", &changes.removed)?,
            changed_rows: decode("changed-rows", &changes.changed_rows)?,
            changed: changes.changed.try_into()?,
            added: changes.added.try_into()?,
            workload: changes.workload.map(TryInto::try_into).transpose()?.map(Box::new),
        })
    }
}

impl From<core::Assignments> for PackedAssignments {
    fn from(assignments: core::Assignments) -> Self {
        Self {
            tasks: encode(&assignments.tasks),
            offers: encode(&assignments.offers),
            scores: encode(&assignments.scores),
        }
    }
}

impl From<core::Explanations> for PackedExplanations {
    fn from(explanations: core::Explanations) -> Self {
        Self {
            dimension_fails: encode(&explanations.dimension_fails),
            dimension_alone: encode(&explanations.dimension_alone),
            dimension_missing: encode(&explanations.dimension_missing),
            requirement_fails: encode(&explanations.requirement_fails),
            requirement_alone: encode(&explanations.requirement_alone),
            requirement_missing: encode(&explanations.requirement_missing),
            devices_fails: encode(&explanations.devices_fails),
            devices_alone: encode(&explanations.devices_alone),
            devices_missing: encode(&explanations.devices_missing),
            together_fails: encode(&explanations.together_fails),
            together_alone: encode(&explanations.together_alone),
            limit_fails: encode(&explanations.limit_fails),
            limit_alone: encode(&explanations.limit_alone),
            score_fails: encode(&explanations.score_fails),
            score_missing: encode(&explanations.score_missing),
            candidates: encode(&explanations.candidates),
            capable: encode(&explanations.capable),
            members_placed: encode(&explanations.members_placed),
        }
    }
}
