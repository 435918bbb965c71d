//! The interfaces `preemption` and `packed-preemption`.

use alloc::vec::Vec;

use offermatch_core as core;

use crate::bindings::exports::offermatch::matcher::matching::{Error, PoolBorrow, TaskTable};
use crate::bindings::exports::offermatch::matcher::packed::PackedTasks;
use crate::bindings::exports::offermatch::matcher::packed_preemption::{self, PackedPlan, PackedRunning};
use crate::bindings::exports::offermatch::matcher::preemption::{self, Plan, RunningTable};
use crate::digits::{decode, encode};
use crate::export::{Component, Matcher, SharedPool};
use crate::trace::Trace;

impl<M: Matcher> preemption::Guest for Component<M> {
    fn preempt(
        pool: PoolBorrow<'_>,
        tasks: TaskTable,
        priorities: Vec<i32>,
        running: RunningTable,
    ) -> Result<Plan, Error> {
        let trace = Trace::of_call();
        let (tasks, running) = trace.span("decode", || (tasks.into(), running.into()));
        let mut pool = pool.get::<SharedPool<M::Policy>>().pool();
        let plan = trace.span("preempt", || pool.preempt(&tasks, &priorities, &running))?;
        Ok(trace.span("encode", || plan.into()))
    }
}

impl<M: Matcher> packed_preemption::Guest for Component<M> {
    fn preempt(
        pool: PoolBorrow<'_>,
        tasks: PackedTasks,
        priorities: alloc::string::String,
        running: PackedRunning,
    ) -> Result<PackedPlan, Error> {
        let trace = Trace::of_call();
        let decode = || {
            let tasks = core::TaskTable::try_from(tasks)?;
            Ok::<_, core::Error>((tasks, priorities_of(&priorities)?, core::RunningTable::try_from(running)?))
        };
        let (tasks, priorities, running) = trace.span("decode", decode)?;
        let mut pool = pool.get::<SharedPool<M::Policy>>().pool();
        let plan = trace.span("preempt", || pool.preempt(&tasks, &priorities, &running))?;
        Ok(trace.span("encode", || plan.into()))
    }
}

/// The priorities of tasks.
///
/// # Errors
/// What is wrong with the digits.
pub fn priorities_of(digits: &str) -> Result<Vec<i32>, core::Error> {
    decode("priorities", digits)
}

impl From<RunningTable> for core::RunningTable {
    fn from(running: RunningTable) -> Self {
        Self {
            rows: running.rows,
            offers: running.offers,
            priorities: running.priorities,
            starts: running.starts,
            demand: running.demand,
            device_offsets: running.device_offsets,
            device_numbers: running.device_numbers,
            device_thousandths: running.device_thousandths,
        }
    }
}

impl TryFrom<PackedRunning> for core::RunningTable {
    type Error = core::Error;

    fn try_from(running: PackedRunning) -> Result<Self, core::Error> {
        Ok(Self {
            rows: running.rows,
            offers: decode("offers", &running.offers)?,
            priorities: decode("priorities", &running.priorities)?,
            starts: decode("starts", &running.starts)?,
            demand: decode("demand", &running.demand)?,
            device_offsets: decode("device-offsets", &running.device_offsets)?,
            device_numbers: decode("device-numbers", &running.device_numbers)?,
            device_thousandths: decode("device-thousandths", &running.device_thousandths)?,
        })
    }
}

impl From<core::Plan> for Plan {
    fn from(plan: core::Plan) -> Self {
        Self {
            tasks: plan.tasks,
            offers: plan.offers,
            scores: plan.scores,
            victim_offsets: plan.victim_offsets,
            victims: plan.victims,
        }
    }
}

impl From<core::Plan> for PackedPlan {
    fn from(plan: core::Plan) -> Self {
        Self {
            tasks: encode(&plan.tasks),
            offers: encode(&plan.offers),
            scores: encode(&plan.scores),
            victim_offsets: encode(&plan.victim_offsets),
            victims: encode(&plan.victims),
        }
    }
}
