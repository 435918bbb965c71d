//! Tasks and offers as JSON.
//!
//! Values are kept as they are written until it is known what they stand for, so that no quantity goes through a double
//! and every mistake can be shown in its place.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Place};
use crate::read::cells::Row;
use crate::read::written::{Object, Raws};
use crate::read::{check_rows, fault};
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::quantity::Units;
use crate::table::rows::{Group, Offer, Preference, Requirement, Task};
use crate::visible::visible_name;

/// The keys of a task, for errors.
const TASK_KEYS: &str = "name, demand, requirements, preferences, group, devices, device_share";
/// The keys of an offer, for errors.
const OFFER_KEYS: &str = "name, available, capacity, attributes, devices, measures, occupants";
/// The keys of a requirement, for errors.
const REQUIREMENT_KEYS: &str =
    "attribute with in or not_in, or measure with at_least or at_most; in a preference also weight";
/// The remedy of a value of the wrong type.
const SHAPE: &str = "docs/formats.md shows the shape of a row";
/// The keys of a group, for errors.
const GROUP_KEYS: &str = "name, least, together, at_most";

/// The tasks in a JSON text.
pub(super) fn tasks(text: &str, source: &str, units: &Units, form: Form) -> Result<Rows<Task>, Error> {
    File { text, source }.rows("tasks", form, units, |row, object| task(row, object, |_| false))
}

/// The typical tasks in a JSON text, each with its share.
pub(super) fn workload(text: &str, source: &str, units: &Units, form: Form) -> Result<Rows<(Task, f64)>, Error> {
    File { text, source }.rows("tasks", form, units, |row, object| {
        let share = object.get("share").ok_or_else(|| row.missing("share", remedy::NO_SHARE))?;
        let share = row.share("share", &scalar(share))?;
        Ok((task(row, object, |key| key == "share")?, share))
    })
}

/// The offers in a JSON text.
pub(super) fn offers(text: &str, source: &str, units: &Units, form: Form) -> Result<Rows<Offer>, Error> {
    File { text, source }.rows("offers", form, units, |row, object| {
        let mut offer = Offer { name: row.name.unwrap_or_default().to_owned(), ..Offer::default() };
        for (key, value) in &object.0 {
            match key.as_str() {
                "name" => {}
                "available" => offer.available = quantities(row, "available", value)?,
                "capacity" => offer.capacity = quantities(row, "capacity", value)?,
                "attributes" => offer.attributes = attributes(row, value)?,
                "devices" if value.get().starts_with('[') => {
                    let listed: Vec<&RawValue> = shaped(|| row.place("devices"), value, "a list", SHAPE)?;
                    let free = listed.iter().map(|free| row.free_thousandths(&scalar(free)));
                    offer.devices = free.collect::<Result<_, Error>>()?;
                }
                "devices" => offer.devices = row.free_devices(&scalar(value))?,
                "measures" => offer.measures = measures(row, value)?,
                "occupants" => offer.occupants = members(row, "occupants", value, 0)?,
                _ => return Err(unknown(row, key, OFFER_KEYS)),
            }
        }
        Ok(offer)
    })
}

/// The error of a key that the format does not have.
fn unknown(row: Row<'_>, key: &str, known: &'static str) -> Error {
    Error::UnknownColumn { place: Box::new(row.place(visible_name(key).into_owned())), known }
}

/// Rows as written, and the units that stand beside them.
type Table<'a> = (Vec<&'a RawValue>, Option<&'a RawValue>);

/// How the rows stand in a text.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// In an array.
    Array,
    /// Each on a line.
    Lines,
}

/// The text that is read.
#[derive(Clone, Copy)]
struct File<'a> {
    text: &'a str,
    /// What errors call it.
    source: &'a str,
}

impl<'a> File<'a> {
    /// The rows of the file, each made by `build`. The units that the file declares come before those given.
    fn rows<T>(
        self,
        key: &str,
        form: Form,
        units: &Units,
        build: impl Fn(Row<'_>, &Object<'a>) -> Result<T, Error>,
    ) -> Result<Rows<T>, Error> {
        let rows = self.built(key, form, units, build);
        if rows.as_ref().is_ok_and(|rows| rows.left_out().is_empty()) {
            return rows;
        }
        let fault = match form {
            Form::Lines => fault::of_lines(self.text, self.source),
            Form::Array => fault::of(self.text, self.source),
        };
        fault.map_or(rows, Err)
    }

    /// As [`File::rows`], where the text is JSON.
    fn built<T>(
        self,
        key: &str,
        form: Form,
        units: &Units,
        build: impl Fn(Row<'_>, &Object<'a>) -> Result<T, Error>,
    ) -> Result<Rows<T>, Error> {
        let (rows, declared) = match form {
            Form::Lines => self.lines(key)?,
            Form::Array => self.array(key)?,
        };
        let declared = declared.map_or_else(|| Ok(Units::default()), |declared| self.units(declared))?;
        let units = declared.or(units);
        let row = |number| Row { source: self.source, number, name: None, units: &units };
        let object = |(number, raw)| shaped(|| row(number).place(""), raw, "an object", rows_hint(key));
        let objects = rows.into_iter().enumerate().map(object).collect::<Result<Vec<Object<'a>>, Error>>()?;
        let rows = objects.iter().enumerate().map(|(number, object)| {
            let mut row = row(number);
            let given = object.get("name").map_or("null", |name| name.get());
            let name = match object.get("name").filter(|_| given != "null") {
                None => Ok(String::new()),
                Some(name) => shaped(|| row.place("name"), name, "text", "a name is text"),
            };
            match name {
                // A whole number is no name, and tells all the same which row it is.
                Err(error) if given.bytes().all(|byte| byte.is_ascii_digit()) => (given.to_owned(), Err(error)),
                Err(error) => (String::new(), Err(error)),
                Ok(name) if name.is_empty() => (name, Err(row.missing("name", remedy::NAMELESS))),
                Ok(name) => {
                    row.name = Some(&name);
                    let built = build(row, object);
                    (name, built)
                }
            }
        });
        Ok(Rows::of(self.source, rows).declaring(declared).read_in(units.clone()))
    }

    /// An array of rows, or an object with it and the units of its numbers.
    fn array(self, key: &str) -> Result<Table<'a>, Error> {
        if !self.text.trim_start().starts_with('{') {
            let Raws(rows) = serde_json::from_str(self.text).map_err(|_| self.no_array(key))?;
            check_rows(rows.len(), self.source)?;
            return Ok((rows, None));
        }
        let object: Object<'a> = serde_json::from_str(self.text).map_err(|_| self.no_array(key))?;
        let (Some(rows), true) = (object.get(key), object.0.iter().all(|(name, _)| name == key || name == "units"))
        else {
            return Err(self.no_array(key));
        };
        let Raws(rows) = serde_json::from_str(rows.get()).map_err(|_| self.no_array(key))?;
        check_rows(rows.len(), self.source)?;
        Ok((rows, object.get("units")))
    }

    /// A row a line; the first line may have the units only.
    fn lines(self, key: &str) -> Result<Table<'a>, Error> {
        let mut rows = Vec::new();
        for line in fault::lines(self.text) {
            // One more line may have the units.
            check_rows(rows.len(), self.source)?;
            rows.push(serde_json::from_str(line).map_err(|_| self.no_array(key))?);
        }
        let declared = rows.first().and_then(|first: &&'a RawValue| {
            let object: Object<'a> = serde_json::from_str(first.get()).ok()?;
            if object.0.len() == 1 { object.get("units") } else { None }
        });
        if declared.is_some() {
            rows.remove(0);
        }
        check_rows(rows.len(), self.source)?;
        Ok((rows, declared))
    }

    /// The units in an object; null is none.
    fn units(self, raw: &'a RawValue) -> Result<Units, Error> {
        let place = || Place { source: self.source.to_owned(), column: "units".to_owned(), ..Place::default() };
        let hint = r#"units is an object such as {"cpu": "millicores"}"#;
        let object: Option<Object<'a>> = shaped(place, raw, "an object", hint)?;
        let declared = object.map(|object| object.0).unwrap_or_default().into_iter();
        let declared = declared.map(|(dimension, unit)| Ok((dimension, shaped::<String>(place, unit, "text", hint)?)));
        Units::of_file(self.source, declared.collect::<Result<Vec<_>, Error>>()?)
    }

    /// The error of a text that is something else than rows.
    fn no_array(self, key: &str) -> Error {
        let (file, message) = (self.source.to_owned(), "not an array".to_owned());
        Error::FileMalformed { file, line: 1, column: 1, message, hint: rows_hint(key).into() }
    }
}

/// What rows look like.
fn rows_hint(key: &str) -> &'static str {
    if key == "tasks" {
        r#"the file is an array of objects, or {"units": ..., "tasks": [...]}; docs/formats.md shows the format"#
    } else {
        r#"the file is an array of objects, or {"units": ..., "offers": [...]}; docs/formats.md shows the format"#
    }
}

/// A value of a type; the error of another one.
fn shaped<'a, T: Deserialize<'a>>(
    place: impl Fn() -> Place,
    raw: &'a RawValue,
    wanted: &str,
    hint: &'static str,
) -> Result<T, Error> {
    serde_json::from_str(raw.get()).map_err(|_| {
        let message = format!("{} is not {wanted}", visible_name(raw.get()));
        Error::RowMalformed { place: Box::new(place()), message, hint }
    })
}

/// The entries of an object; null is none.
fn entries<'a>(row: Row<'_>, column: &str, raw: &'a RawValue) -> Result<Vec<(String, &'a RawValue)>, Error> {
    let object: Option<Object<'a>> = shaped(|| row.place(column), raw, "an object", SHAPE)?;
    Ok(object.map(|object| object.0).unwrap_or_default())
}

/// What stands for a quantity: the inside of a text, or a value as written.
fn scalar(raw: &RawValue) -> Cow<'_, str> {
    // A text that cannot be read is a fault of the file, which is found when this is refused.
    if raw.get().starts_with('"') { serde_json::from_str(raw.get()).unwrap_or_default() } else { raw.get().into() }
}

/// Quantities by dimension; null is none.
fn quantities(row: Row<'_>, what: &str, raw: &RawValue) -> Result<Vec<(String, u64)>, Error> {
    let quantities = entries(row, what, raw)?.into_iter().map(|(dimension, raw)| {
        row.refuse_devices(&dimension, || format!("{what}.{dimension}"))?;
        let unit = row.units.of(&dimension);
        // Most are plain numbers, which need no column name for an error.
        if let Some(count) = raw.get().parse().ok().and_then(|count: u64| count.checked_mul(unit.bare())) {
            return Ok((dimension, count));
        }
        let count = row.in_unit(&format!("{what}.{dimension}"), unit, &scalar(raw))?;
        Ok((dimension, count))
    });
    quantities.collect()
}

/// Attribute values by attribute; null is none.
fn attributes(row: Row<'_>, raw: &RawValue) -> Result<Vec<(String, String)>, Error> {
    let values = entries(row, "attributes", raw)?.into_iter().map(|(attribute, raw)| {
        let place = || row.place(format!("attributes.{attribute}"));
        let value: Option<String> = shaped(place, raw, "text", "an attribute's value is text or unset")?;
        Ok((attribute, value.unwrap_or_default()))
    });
    values.collect()
}

/// A task, some of whose keys are somebody else's.
fn task(row: Row<'_>, object: &Object<'_>, also: impl Fn(&str) -> bool) -> Result<Task, Error> {
    let mut task = Task { name: row.name.unwrap_or_default().to_owned(), ..Task::default() };
    for (key, value) in &object.0 {
        match key.as_str() {
            "name" => {}
            "demand" => task.demand = quantities(row, "demand", value)?,
            "requirements" => task.requirements = each(row, "requirements", value, requirement)?,
            "preferences" => task.preferences = each(row, "preferences", value, preference)?,
            "group" => task.group = group(row, value)?,
            "devices" => task.devices = row.whole_devices(&scalar(value))?,
            "device_share" => task.device_share = row.device_share(&scalar(value))?,
            _ if also(key) => {}
            _ => return Err(unknown(row, key, TASK_KEYS)),
        }
    }
    Ok(task)
}

/// The objects of an array, each with its place; null is none.
fn each<T>(
    row: Row<'_>,
    key: &str,
    raw: &RawValue,
    read: impl Fn(Row<'_>, &str, &Object<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let listed: Option<Vec<&RawValue>> = shaped(|| row.place(key), raw, &format!("a list of {key}"), SHAPE)?;
    let listed = listed.unwrap_or_default().into_iter().enumerate().map(|(at, one)| {
        let place = format!("{key}.{at}");
        let object = shaped(|| row.place(place.as_str()), one, "an object", SHAPE)?;
        read(row, &place, &object)
    });
    listed.collect()
}

/// One requirement.
fn requirement(row: Row<'_>, place: &str, object: &Object<'_>) -> Result<Requirement, Error> {
    condition(row, place, object, false)
}

/// One preference.
fn preference(row: Row<'_>, place: &str, object: &Object<'_>) -> Result<Preference, Error> {
    let requirement = condition(row, place, object, true)?;
    let column = format!("{place}.weight");
    let weight = object.get("weight").ok_or_else(|| row.missing(column.as_str(), remedy::CONDITION))?;
    Ok(Preference::new(requirement, row.weight(&column, &scalar(weight))?))
}

/// What is asked of an attribute or a measure.
fn condition(row: Row<'_>, place: &str, object: &Object<'_>, is_weighted: bool) -> Result<Requirement, Error> {
    let column = |key: &str| format!("{place}.{key}");
    let missing = |key| row.missing(column(key), remedy::CONDITION);
    let measure = object.get("measure");
    let (subject, kinds) = match measure {
        Some(_) => ("measure", ["at_least", "at_most"]),
        None => ("attribute", ["in", "not_in"]),
    };
    let is_known = |key: &str| key == subject || kinds.contains(&key) || (is_weighted && key == "weight");
    if let Some((key, _)) = object.0.iter().find(|(key, _)| !is_known(key)) {
        return Err(unknown(row, &column(key), REQUIREMENT_KEYS));
    }
    let name = object.get(subject).ok_or_else(|| missing(subject))?;
    let name: String = shaped(|| row.place(column(subject)), name, "text", SHAPE)?;
    let values = |key, raw| shaped::<Vec<String>>(|| row.place(column(key)), raw, "a list of text", SHAPE);
    let bound = |key, raw| row.measure(&column(key), &scalar(raw));
    match (measure.is_some(), object.get(kinds[0]), object.get(kinds[1])) {
        (false, Some(set), None) => Ok(Requirement::is_in(name, values("in", set)?)),
        (false, None, Some(set)) => Ok(Requirement::not_in(name, values("not_in", set)?)),
        (true, Some(least), None) => Ok(Requirement::at_least(name, bound("at_least", least)?)),
        (true, None, Some(most)) => Ok(Requirement::at_most(name, bound("at_most", most)?)),
        (_, None, None) => Err(missing(kinds[0])),
        (_, Some(_), Some(_)) => Err(unknown(row, &column(kinds[1]), REQUIREMENT_KEYS)),
    }
}

/// A group, or the name of one; null is none.
fn group(row: Row<'_>, raw: &RawValue) -> Result<Option<Group>, Error> {
    if raw.get() == "null" {
        return Ok(None);
    }
    let name = |raw| shaped(|| row.place("group"), raw, "text", "a group is called by text");
    let mut group = Group::default();
    if raw.get().starts_with('{') {
        for (key, value) in entries(row, "group", raw)? {
            match key.as_str() {
                "name" => group.name = name(value)?,
                "least" => group.least = row.members("group.least", &scalar(value), 0)?,
                "together" => {
                    group.together = shaped(|| row.place("group.together"), value, "text", SHAPE)?;
                }
                "at_most" => group.at_most = members(row, "group.at_most", value, 1)?,
                _ => return Err(unknown(row, &format!("group.{key}"), GROUP_KEYS)),
            }
        }
    } else {
        group.name = name(raw)?;
    }
    if group.name.is_empty() {
        return Err(row.nameless_group());
    }
    Ok(Some(group))
}

/// Numbers of members by name; null is none.
fn members(row: Row<'_>, what: &str, raw: &RawValue, least: u32) -> Result<Vec<(String, u32)>, Error> {
    let counts = entries(row, what, raw)?.into_iter().map(|(name, raw)| {
        let count = row.members(&format!("{what}.{name}"), &scalar(raw), least)?;
        Ok((name, count))
    });
    counts.collect()
}

/// Measures by name; null is none, and unset.
fn measures(row: Row<'_>, raw: &RawValue) -> Result<Vec<(String, f64)>, Error> {
    let set = entries(row, "measures", raw)?.into_iter().filter(|(_, raw)| raw.get() != "null");
    let measures = set.map(|(name, raw)| {
        let measure = row.measure(&format!("measures.{name}"), &scalar(raw))?;
        Ok((name, measure))
    });
    measures.collect()
}
