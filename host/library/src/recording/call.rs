//! Steps as JSON has them: what was asked, and what came of it.

use offermatch_core::{Assignments, Changes, OfferTable, Plan, RunningTable, TaskTable};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Step;
use super::explained;
use super::tables::{Offers, Running, Tasks, Typical};
use crate::read::strict_json::{Object, Tree, object_of};

/// A step: one of the four calls, with one of the two outcomes.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assign: Option<Object<Tasks>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update: Option<Object<What>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explain: Option<Object<Tasks>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preempt: Option<Object<Asked>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Tree>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Call {
    /// Writes kinds and subjects in all tables of tasks, as the second format has them.
    pub(super) fn by_kinds(&mut self) {
        let placed = self.assign.iter_mut().chain(&mut self.explain);
        let planned = self.preempt.iter_mut().map(|Object(asked)| &mut asked.tasks);
        let typical = self.update.iter_mut().filter_map(|Object(what)| what.workload.as_mut());
        let typical = typical.map(|Object(workload)| &mut workload.tasks);
        placed.chain(planned).chain(typical).for_each(|Object(tasks)| tasks.by_kinds());
    }

    /// Whether the first format has this call.
    pub(super) fn is_of_first_format(&self) -> bool {
        self.preempt.is_none()
    }
}

/// Changes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct What {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    removed: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed_rows: Vec<u32>,
    #[serde(default = "nothing")]
    changed: Object<Offers>,
    #[serde(default = "nothing")]
    added: Object<Offers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workload: Option<Object<Typical>>,
}

/// No offers.
fn nothing() -> Object<Offers> {
    Object((&OfferTable::default()).into())
}

/// What a plan is asked with.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default = "no_tasks")]
    tasks: Object<Tasks>,
    #[serde(default)]
    priorities: Vec<i32>,
    #[serde(default = "nobody")]
    running: Object<Running>,
}

/// No tasks.
fn no_tasks() -> Object<Tasks> {
    Object((&TaskTable::default()).into())
}

/// No running tasks.
fn nobody() -> Object<Running> {
    Object((&RunningTable::default()).into())
}

/// Assignments.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Placed {
    #[serde(default)]
    tasks: Vec<u32>,
    #[serde(default)]
    offers: Vec<u32>,
    #[serde(default)]
    scores: Vec<f64>,
}

/// A plan.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    #[serde(default)]
    tasks: Vec<u32>,
    #[serde(default)]
    offers: Vec<u32>,
    #[serde(default)]
    scores: Vec<f64>,
    #[serde(default)]
    victim_offsets: Vec<u32>,
    #[serde(default)]
    victims: Vec<u32>,
}

/// No answer, as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {}

/// A step as JSON has it.
pub(super) fn call(step: &Step) -> Call {
    fn outcome<T: Serialize>(answer: Result<T, &String>) -> (Option<Tree>, Option<String>) {
        match answer {
            // Columns of numbers can always be written.
            Ok(answer) => (serde_json::to_value(answer).ok().map(Tree), None),
            Err(error) => (None, Some(error.clone()).filter(|error| !error.is_empty())),
        }
    }
    match step {
        Step::Assign { tasks, answer } => {
            let placed = answer.as_ref().map(|answer| Placed {
                tasks: answer.tasks.clone(),
                offers: answer.offers.clone(),
                scores: answer.scores.clone(),
            });
            let (answer, error) = outcome(placed);
            Call { assign: Some(Object(tasks.into())), answer, error, ..Call::default() }
        }
        Step::Update { changes, answer } => {
            let (answer, error) = outcome(answer.as_ref().map(|()| Done {}));
            let what = What {
                removed: changes.removed.clone(),
                changed_rows: changes.changed_rows.clone(),
                changed: Object((&changes.changed).into()),
                added: Object((&changes.added).into()),
                workload: changes.workload.as_deref().map(|workload| Object(workload.into())),
            };
            Call { update: Some(Object(what)), answer, error, ..Call::default() }
        }
        Step::Explain { tasks, answer } => {
            let counts = answer.as_ref().map(explained::Written::from);
            let (answer, error) = outcome(counts);
            Call { explain: Some(Object(tasks.into())), answer, error, ..Call::default() }
        }
        Step::Preempt { tasks, priorities, running, answer } => {
            let planned = answer.as_ref().map(|plan| Planned {
                tasks: plan.tasks.clone(),
                offers: plan.offers.clone(),
                scores: plan.scores.clone(),
                victim_offsets: plan.victim_offsets.clone(),
                victims: plan.victims.clone(),
            });
            let (answer, error) = outcome(planned);
            let asked =
                Asked { tasks: Object(tasks.into()), priorities: priorities.clone(), running: Object(running.into()) };
            Call { preempt: Some(Object(asked)), answer, error, ..Call::default() }
        }
    }
}

/// Refuses an answer whose columns are not of one length.
fn check_lengths(tasks: &[u32], offers: &[u32], scores: &[f64]) -> Result<(), String> {
    let (tasks, offers, scores) = (tasks.len(), offers.len(), scores.len());
    if tasks == offers && offers == scores {
        return Ok(());
    }
    Err(format!("an answer has {tasks} tasks, {offers} offers and {scores} scores"))
}

/// The step of a call, or what is wrong with it.
pub(super) fn step(call: Call) -> Result<Step, String> {
    let outcome = match (call.answer, call.error) {
        (Some(Tree(answer)), None) => Ok(answer),
        (None, Some(error)) if error.is_empty() => {
            return Err("error is empty: it is the name of an error of the contract".to_owned());
        }
        (None, Some(error)) => Err(error),
        // The matcher failed: there is nothing to compare with.
        (None, None) => Err(String::new()),
        _ => return Err("a step has an answer or an error, not both".to_owned()),
    };
    fn read<T: serde::de::DeserializeOwned>(outcome: Result<Value, String>) -> Result<Result<T, String>, String> {
        match outcome {
            Ok(value) => object_of(value).map(Ok).map_err(|error| error.to_string()),
            Err(error) => Ok(Err(error)),
        }
    }
    match (call.assign, call.update, call.explain, call.preempt) {
        (Some(Object(tasks)), None, None, None) => Ok(Step::Assign {
            tasks: tasks.into(),
            answer: match read::<Placed>(outcome)? {
                Ok(Placed { tasks, offers, scores }) => {
                    check_lengths(&tasks, &offers, &scores)?;
                    Ok(Assignments { tasks, offers, scores })
                }
                Err(error) => Err(error),
            },
        }),
        (None, Some(Object(what)), None, None) => Ok(Step::Update {
            changes: Changes {
                removed: what.removed,
                changed_rows: what.changed_rows,
                changed: what.changed.0.into(),
                added: what.added.0.into(),
                workload: what.workload.map(|Object(workload)| Box::new(workload.into())),
            },
            answer: read::<Done>(outcome)?.map(|Done {}| ()),
        }),
        (None, None, Some(Object(tasks)), None) => {
            Ok(Step::Explain { tasks: tasks.into(), answer: read::<explained::Written>(outcome)?.map(Into::into) })
        }
        (None, None, None, Some(Object(asked))) => Ok(Step::Preempt {
            tasks: asked.tasks.0.into(),
            priorities: asked.priorities,
            running: asked.running.0.into(),
            answer: match read::<Planned>(outcome)? {
                Ok(Planned { tasks, offers, scores, victim_offsets, victims }) => {
                    check_lengths(&tasks, &offers, &scores)?;
                    Ok(Plan { tasks, offers, scores, victim_offsets, victims })
                }
                Err(error) => Err(error),
            },
        }),
        _ => Err("a step is one of assign, update, explain and preempt".to_owned()),
    }
}
