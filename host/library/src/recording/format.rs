//! A recording as JSON has it.

use offermatch_core::{Mode, Settings, Shape};
use serde::{Deserialize, Serialize};

use super::call::{Call, call, step};
use super::real::Real;
use super::tables::{Offers, Typical, read_reals, reals};
use super::{RecordedMatcher, Recording, Step};
use crate::pool::counts::Counts;
use crate::read::strict_json::Object;
use crate::table::rule::Rule;

/// The format of recordings without a rule that a matcher may leave out, which hosts of before read.
const FORMAT: &str = "offermatch-recording/1";
/// The format of all others.
const FORMAT_2: &str = "offermatch-recording/2";

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
    /// Null is no limit; that it is not there is a fault, which serde only says of what has a function of its own.
    #[serde(deserialize_with = "Option::deserialize")]
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
            document.steps.iter_mut().for_each(|Object(call)| call.by_kinds());
            if let Some(Object(workload)) = &mut document.settings.0.workload {
                workload.tasks.0.by_kinds();
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
        if self.format == FORMAT && !self.steps.iter().all(|Object(call)| call.is_of_first_format()) {
            return Err("unknown field `preempt`".to_owned());
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
            Step::Preempt { .. } => true,
        });
        settings.raise_scales
            || self.shape.measures > 0
            || !settings.parameters.is_empty()
            || settings.workload.is_some()
            || in_tables
    }
}
