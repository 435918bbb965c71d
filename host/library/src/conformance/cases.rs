//! Files of cases: recordings of one group, with columns that may be written short.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, SEE_FORMATS};
use crate::read::strict_json::{self, Object, Tree};
use crate::recording::Recording;
use crate::visible::visible_name;

/// The formats of cases, each with that of the recordings that they are.
const FORMATS: [(&str, &str); 2] =
    [("offermatch-cases/1", "offermatch-recording/1"), ("offermatch-cases/2", "offermatch-recording/2")];
/// The most numbers that a column may be written out to.
const MOST_NUMBERS: u64 = 1 << 24;

/// The shipped files, by their groups.
pub(super) const SHIPPED: [(&str, &str); 23] = [
    ("capacity.json", include_str!("../../conformance/capacity.json")),
    ("dimensions.json", include_str!("../../conformance/dimensions.json")),
    ("ties.json", include_str!("../../conformance/ties.json")),
    ("shared.json", include_str!("../../conformance/shared.json")),
    ("requirements.json", include_str!("../../conformance/requirements.json")),
    ("devices.json", include_str!("../../conformance/devices.json")),
    ("max-score.json", include_str!("../../conformance/max-score.json")),
    ("weights.json", include_str!("../../conformance/weights.json")),
    ("explain.json", include_str!("../../conformance/explain.json")),
    ("updates.json", include_str!("../../conformance/updates.json")),
    ("integers.json", include_str!("../../conformance/integers.json")),
    ("sizes.json", include_str!("../../conformance/sizes.json")),
    ("errors.json", include_str!("../../conformance/errors.json")),
    ("measures.json", include_str!("../../conformance/measures.json")),
    ("preferences.json", include_str!("../../conformance/preferences.json")),
    ("least.json", include_str!("../../conformance/least.json")),
    ("together.json", include_str!("../../conformance/together.json")),
    ("limits.json", include_str!("../../conformance/limits.json")),
    ("occupants.json", include_str!("../../conformance/occupants.json")),
    ("preemption.json", include_str!("../../conformance/preemption.json")),
    ("scales.json", include_str!("../../conformance/scales.json")),
    ("explanations.json", include_str!("../../conformance/explanations.json")),
    ("refusals.json", include_str!("../../conformance/refusals.json")),
];

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    group: String,
    about: String,
    cases: Vec<Tree>,
}

/// The cases in a text, with the name of their group and what it is about.
///
/// # Errors
/// [`Error::FileMalformed`].
pub(super) fn parse(text: &str, origin: &str) -> Result<(String, String, Vec<Recording>), Error> {
    let file = || origin.to_owned();
    let malformed = |message| Error::FileMalformed { file: file(), line: 1, column: 1, message, hint: SEE_FORMATS };
    let Object::<Document>(document) = strict_json::parse(text, origin)?;
    let Some((_, recording)) = FORMATS.into_iter().find(|(format, _)| *format == document.format) else {
        let message = format!("the format is {:?}, not {:?} or {:?}", document.format, FORMATS[0].0, FORMATS[1].0);
        return Err(malformed(message));
    };
    let mut cases: Vec<Recording> = Vec::new();
    for Tree(found) in document.cases {
        let name = found.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let case = complete(found, recording, &document.group)
            .and_then(Recording::from_value)
            .map_err(|message| malformed(format!("case {name:?}: {message}")))?;
        if case.name.is_empty() || case.about.is_empty() || cases.iter().any(|other| other.name == case.name) {
            return Err(malformed(format!("case {name:?}: a case has a name of its own and says why it is there")));
        }
        cases.push(case);
    }
    Ok((document.group, document.about, cases))
}

/// A case as a recording: with its group, with settings and shape where they are left out, with every column written out.
fn complete(case: Value, recording: &str, group: &str) -> Result<Value, String> {
    let Value::Object(mut case) = case else { return Err("it is not an object".to_owned()) };
    if let Some(key) = ["format", "group"].into_iter().find(|key| case.contains_key(*key)) {
        return Err(format!("the key {key:?} belongs to the file, not to a case"));
    }
    case.insert("format".to_owned(), json!(recording));
    case.insert("group".to_owned(), json!(group));
    case.entry("shape").or_insert_with(|| json!({"dimensions": 1}));
    let settings = case.entry("settings").or_insert_with(|| json!({}));
    if let Some(settings) = settings.as_object_mut() {
        settings.entry("mode").or_insert_with(|| json!("exclusive"));
        settings.entry("max_score").or_insert_with(|| json!(31.0));
    }
    let mut case = Value::Object(case);
    write_out(&mut case)?;
    Ok(case)
}

/// Writes out the columns that are written short.
fn write_out(value: &mut Value) -> Result<(), String> {
    match value {
        Value::Object(fields) => fields.values_mut().try_for_each(write_out),
        Value::Array(items) => {
            if items.iter().any(|item| item.get("repeat").is_some() || item.get("from").is_some()) {
                *items = written_out(items)?;
                return Ok(());
            }
            items.iter_mut().try_for_each(write_out)
        }
        _ => Ok(()),
    }
}

/// `{"repeat": [...], "times": n}` and `{"from": a, "to": b}`, b included and below a where numbers fall, among numbers.
fn written_out(items: &[Value]) -> Result<Vec<Value>, String> {
    let mut column = Vec::new();
    for item in items {
        let Some(short) = item.as_object() else {
            column.push(item.clone());
            continue;
        };
        let part = |key| short.get(key).filter(|_| short.len() == 2);
        let number = |key| part(key).and_then(Value::as_u64);
        let repeated = part("repeat").and_then(Value::as_array).filter(|numbers| !numbers.is_empty());
        if let (Some(repeated), Some(times @ 1..)) = (repeated, number("times")) {
            check_length(column.len() as u64, times.saturating_mul(repeated.len() as u64))?;
            (0..times).for_each(|_| column.extend_from_slice(repeated));
        } else if let (Some(from), Some(to)) = (number("from"), number("to")) {
            check_length(column.len() as u64, from.abs_diff(to).saturating_add(1))?;
            if from <= to {
                column.extend((from..=to).map(Value::from));
            } else {
                column.extend((to..=from).rev().map(Value::from));
            }
        } else {
            return Err(format!("{} is neither a repeat of numbers nor a range", visible_name(&item.to_string())));
        }
    }
    Ok(column)
}

/// Refuses a column that is written out to too many numbers.
fn check_length(there: u64, more: u64) -> Result<(), String> {
    if there.saturating_add(more) <= MOST_NUMBERS {
        return Ok(());
    }
    Err(format!("a column of more than {MOST_NUMBERS} numbers"))
}
