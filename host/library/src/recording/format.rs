//! A recording as JSON has it.

use offermatch_core::{Assignments, Changes, GroupTable, Kind, Mode, OfferTable, Settings, Shape, TaskTable, Workload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::explained;
use super::real::Real;
use super::{RecordedMatcher, Recording, Step};
use crate::pool::counts::Counts;
use crate::read::strict_json::{Object, Tree, object_of};
use crate::table::rule::Rule;

/// The format of recordings without a rule that a matcher may leave out, which hosts of before read.
const FORMAT: &str = "offermatch-recording/1";
/// The format of all others.
const FORMAT_2: &str = "offermatch-recording/2";

/// The columns of a table as JSON has them: the model's names, the empty ones left out.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident for $model:ident { $rows:ident; $($column:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
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

/// An offer table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offers {
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
            device_offsets: table.device_offsets,
            device_free: table.device_free,
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
            device_offsets: table.device_offsets.clone(),
            device_free: table.device_free.clone(),
        }
    }
}

/// Doubles as they are written.
fn reals(numbers: &[f64]) -> Vec<Real> {
    numbers.iter().copied().map(Real).collect()
}

/// Doubles as they were written.
fn read_reals(numbers: Vec<Real>) -> Vec<f64> {
    numbers.into_iter().map(|Real(number)| number).collect()
}

/// A task table. One without bounds and weights is written as contract 0.2.0 has it, attributes and whether they exclude, so
/// that hosts of before read it; any other has kinds and subjects.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tasks {
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
    fn by_kinds(&mut self) {
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

/// A recording.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    format: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    about: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matcher: Option<Object<Who>>,
    shape: Object<Widths>,
    settings: Object<Ranking>,
    offers: Object<Offers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open_error: Option<String>,
    #[serde(default)]
    steps: Vec<Object<Call>>,
}

/// Who answered.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    name: String,
    version: String,
    policy: String,
    contract: String,
    #[serde(default)]
    digest: Option<String>,
}

/// A shape.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Widths {
    dimensions: u32,
    #[serde(default)]
    attributes: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    measures: u32,
}

/// Whether a number is left out.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Settings.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ranking {
    mode: Way,
    max_score: Option<Real>,
    #[serde(default)]
    weights: Vec<Real>,
    #[serde(default)]
    scales: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Real>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workload: Option<Object<Typical>>,
}

/// A workload.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typical {
    tasks: Object<Tasks>,
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

/// A mode: text, where a derived enum would also take `{"shared": null}`.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
enum Way {
    Exclusive,
    Shared,
}

impl TryFrom<String> for Way {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "exclusive" => Ok(Self::Exclusive),
            "shared" => Ok(Self::Shared),
            _ => Err(format!("{text:?} is not exclusive or shared")),
        }
    }
}

/// A step: one of the three calls, with one of the two outcomes.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assign: Option<Object<Tasks>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update: Option<Object<What>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explain: Option<Object<Tasks>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Tree>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
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

/// No answer, as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {}

impl Document {
    /// Refuses a shape of more than a file of so many bytes can hold: what it says is made room for.
    ///
    /// # Errors
    /// What is too large.
    pub(super) fn check_shape(&self, size: usize) -> Result<(), String> {
        let Object(shape) = &self.shape;
        let numbers =
            [("dimensions", shape.dimensions), ("attributes", shape.attributes), ("measures", shape.measures)];
        match numbers.into_iter().find(|&(_, number)| number as usize > size) {
            None => Ok(()),
            Some((name, number)) => Err(format!("shape.{name} is {number}, more than a file of {size} bytes can hold")),
        }
    }

    /// The document of a recording.
    pub(super) fn of(recording: &Recording) -> Self {
        let settings = &recording.settings;
        let mut document = Self {
            format: FORMAT.to_owned(),
            name: recording.name.clone(),
            about: recording.about.clone(),
            group: recording.group.clone(),
            matcher: recording.matcher.clone().map(|matcher| {
                Object(Who {
                    name: matcher.name,
                    version: matcher.version,
                    policy: matcher.policy,
                    contract: matcher.contract,
                    digest: matcher.digest,
                })
            }),
            shape: Object(Widths {
                dimensions: recording.shape.dimensions,
                attributes: recording.shape.attributes,
                measures: recording.shape.measures,
            }),
            settings: Object(Ranking {
                mode: match settings.mode {
                    Mode::Exclusive => Way::Exclusive,
                    Mode::Shared => Way::Shared,
                },
                max_score: Some(Real(settings.max_score.unwrap_or(f64::MAX))),
                weights: reals(&settings.weights),
                scales: settings.scales.clone(),
                parameters: reals(&settings.parameters),
                workload: settings.workload.as_ref().map(|workload| Object(workload.into())),
            }),
            offers: Object((&recording.offers).into()),
            open_error: recording.open_error.clone(),
            steps: recording.steps.iter().map(|step| Object(call(step))).collect(),
        };
        if recording.uses_rules() {
            document.format = FORMAT_2.to_owned();
            document.settings.0.max_score = settings.max_score.map(Real);
            let calls = document.steps.iter_mut().map(|Object(call)| call);
            for Object(tasks) in calls.filter_map(|call| call.assign.as_mut().or(call.explain.as_mut())) {
                tasks.by_kinds();
            }
        }
        document
    }

    /// The recording of a document, or what is wrong with it.
    pub(super) fn recording(self) -> Result<Recording, String> {
        if self.format != FORMAT && self.format != FORMAT_2 {
            return Err(format!("the format is {:?}, not {FORMAT:?}", self.format));
        }
        if self.format == FORMAT && self.settings.0.max_score.is_none() {
            return Err("missing field `max_score`".to_owned());
        }
        if self.open_error.as_ref().is_some_and(String::is_empty) {
            return Err("open_error is empty: it is the name of an error of the contract".to_owned());
        }
        // What was recorded before contract 0.3.0 was answered with the scales of opening.
        let raise_scales = self.format == FORMAT_2;
        let (Object(shape), Object(settings), Object(offers)) = (self.shape, self.settings, self.offers);
        let steps = self.steps.into_iter().enumerate();
        let steps = steps.map(|(at, Object(call))| step(call).map_err(|reason| format!("step {at}: {reason}")));
        Ok(Recording {
            name: self.name,
            about: self.about,
            group: self.group,
            matcher: self.matcher.map(|Object(who)| RecordedMatcher {
                name: who.name,
                version: who.version,
                policy: who.policy,
                contract: who.contract,
                digest: who.digest,
            }),
            shape: Shape { dimensions: shape.dimensions, attributes: shape.attributes, measures: shape.measures },
            settings: Settings {
                mode: match settings.mode {
                    Way::Exclusive => Mode::Exclusive,
                    Way::Shared => Mode::Shared,
                },
                // The largest double stands for no limit.
                // Not what is below: a number that is none stays, and is refused.
                max_score: settings.max_score.map(|Real(most)| most).filter(|&most| most != f64::MAX),
                weights: read_reals(settings.weights),
                scales: settings.scales,
                raise_scales,
                parameters: read_reals(settings.parameters),
                workload: settings.workload.map(|Object(workload)| workload.into()),
            },
            offers: offers.into(),
            open_error: self.open_error,
            steps: steps.collect::<Result<_, _>>()?,
        })
    }
}

impl Recording {
    /// Whether the first format has no columns for what is in it.
    pub(super) fn uses_rules(&self) -> bool {
        let settings = &self.settings;
        let in_tables = self.steps.iter().any(|step| match step {
            Step::Assign { tasks, .. } => Rule::of_tasks(tasks).next().is_some(),
            Step::Explain { tasks, answer } => {
                Rule::of_tasks(tasks).next().is_some() || matches!(answer, Ok(Counts::ByCheck(_)))
            }
            Step::Update { changes, .. } => changes.workload.is_some(),
        });
        settings.raise_scales
            || self.shape.measures > 0
            || !settings.parameters.is_empty()
            || settings.workload.is_some()
            || in_tables
    }
}

/// A step as JSON has it.
fn call(step: &Step) -> Call {
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
    }
}

/// The step of a call, or what is wrong with it.
fn step(call: Call) -> Result<Step, String> {
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
    match (call.assign, call.update, call.explain) {
        (Some(Object(tasks)), None, None) => Ok(Step::Assign {
            tasks: tasks.into(),
            answer: read::<Placed>(outcome)?.map(|placed| Assignments {
                tasks: placed.tasks,
                offers: placed.offers,
                scores: placed.scores,
            }),
        }),
        (None, Some(Object(what)), None) => Ok(Step::Update {
            changes: Changes {
                removed: what.removed,
                changed_rows: what.changed_rows,
                changed: what.changed.0.into(),
                added: what.added.0.into(),
                workload: what.workload.map(|Object(workload)| Box::new(workload.into())),
            },
            answer: read::<Done>(outcome)?.map(|Done {}| ()),
        }),
        (None, None, Some(Object(tasks))) => {
            Ok(Step::Explain { tasks: tasks.into(), answer: read::<explained::Written>(outcome)?.map(Into::into) })
        }
        _ => Err("a step is one of assign, update and explain".to_owned()),
    }
}
