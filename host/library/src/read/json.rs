//! Tasks and offers as JSON.
//!
//! Values are kept as they are written until it is known what they stand for, so that no quantity goes through a double
//! and every mistake can be shown in its place.

use std::fmt;

use offermatch_core::MAX_ROWS;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, SEE_FORMATS};
use crate::read::cells::Row;
use crate::read::{check_rows, fault, position};
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
/// The keys of a group, for errors.
const GROUP_KEYS: &str = "name, least, together, at_most";

/// The tasks in a JSON text.
pub(super) fn tasks(text: &str, source: &str, units: &Units, form: Form) -> Result<Rows<Task>, Error> {
    File { text, source }.rows("tasks", form, units, |file, row, object| file.task(row, object, |_| false))
}

/// The typical tasks in a JSON text, each with its share.
pub(super) fn workload(text: &str, source: &str, units: &Units, form: Form) -> Result<Rows<(Task, f64)>, Error> {
    File { text, source }.rows("tasks", form, units, |file, row, object| {
        let Some(share) = object.get("share") else {
            return Err(Error::MissingColumn { place: Box::new(row.place("share")) });
        };
        let share = row.share("share", &file.scalar(share)?)?;
        Ok((file.task(row, object, |key| key == "share")?, share))
    })
}

/// The offers in a JSON text.
pub(super) fn offers(text: &str, source: &str, units: &Units, form: Form) -> Result<Rows<Offer>, Error> {
    File { text, source }.rows("offers", form, units, |file, row, object| {
        let mut offer = Offer { name: row.name.unwrap_or_default().to_owned(), ..Offer::default() };
        for (key, value) in &object.0 {
            match key.as_str() {
                "name" => {}
                "available" => offer.available = file.quantities(row, "available", value)?,
                "capacity" => offer.capacity = file.quantities(row, "capacity", value)?,
                "attributes" => offer.attributes = file.attributes(value)?,
                "devices" if value.get().starts_with('[') => {
                    let listed: Vec<&RawValue> = file.parse(value)?;
                    let free = listed.iter().map(|free| row.free_thousandths(&file.scalar(free)?));
                    offer.devices = free.collect::<Result<_, Error>>()?;
                }
                "devices" => offer.devices = row.free_devices(&file.scalar(value)?)?,
                "measures" => offer.measures = file.measures(row, value)?,
                "occupants" => offer.occupants = file.members(row, "occupants", value, 0)?,
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

/// An object: its keys, each once, with values as written.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes the entries as they come.
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, _>()? {
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(de::Error::custom(format!("the key {} stands twice", visible_name(&key))));
                    }
                    entries.push((key, value));
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl<'a> Object<'a> {
    /// The value of a key.
    fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| *value)
    }
}

/// The rows of an array as written. Of more than a table may have, only the first that is too many is kept.
struct Raws<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Raws<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes the elements as they come.
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Raws<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Raws<'de>, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = elements.next_element()? {
                    rows.push(row);
                    if rows.len() as u64 > MAX_ROWS {
                        while elements.next_element::<IgnoredAny>()?.is_some() {}
                    }
                }
                Ok(Raws(rows))
            }
        }
        deserializer.deserialize_seq(Elements)
    }
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
        build: impl Fn(Self, Row<'_>, &Object<'a>) -> Result<T, Error>,
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
        build: impl Fn(Self, Row<'_>, &Object<'a>) -> Result<T, Error>,
    ) -> Result<Rows<T>, Error> {
        let (rows, declared) = match form {
            Form::Lines => self.lines()?,
            Form::Array => self.array(key)?,
        };
        let declared = declared.map_or_else(|| Ok(Units::default()), |declared| self.units(declared))?;
        let units = declared.or(units);
        let objects = rows.into_iter().map(|raw| self.parse(raw)).collect::<Result<Vec<Object<'a>>, Error>>()?;
        let rows = objects.iter().enumerate().map(|(number, object)| {
            let mut row = Row { source: self.source, number, name: None, units: &units };
            let name = match object.get("name").filter(|name| name.get() != "null").map(|name| self.text(name)) {
                None => Ok(String::new()),
                Some(name) => name,
            };
            match name {
                Err(error) => (String::new(), Err(error)),
                Ok(name) if name.is_empty() => (name, Err(Error::MissingColumn { place: Box::new(row.place("name")) })),
                Ok(name) => {
                    row.name = Some(&name);
                    let built = build(self, row, object);
                    (name, built)
                }
            }
        });
        Ok(Rows::of(self.source, rows).declaring(declared))
    }

    /// An array of rows, or an object with it and the units of its numbers.
    fn array(self, key: &str) -> Result<Table<'a>, Error> {
        let malformed = |error| self.malformed(self.text, &error);
        if !self.text.trim_start().starts_with('{') {
            let Raws(rows) = serde_json::from_str(self.text).map_err(malformed)?;
            check_rows(rows.len(), self.source)?;
            return Ok((rows, None));
        }
        let object: Object<'a> = serde_json::from_str(self.text).map_err(malformed)?;
        let (Some(rows), true) = (object.get(key), object.0.iter().all(|(name, _)| name == key || name == "units"))
        else {
            let message = format!("neither an array nor an object with units and {key}");
            let file = self.source.to_owned();
            return Err(Error::FileMalformed { file, line: 1, column: 1, message, hint: SEE_FORMATS });
        };
        let Raws(rows) = self.parse(rows)?;
        check_rows(rows.len(), self.source)?;
        Ok((rows, object.get("units")))
    }

    /// A row a line; the first line may have the units only.
    fn lines(self) -> Result<Table<'a>, Error> {
        let mut rows = Vec::new();
        for line in fault::lines(self.text) {
            // One more line may have the units.
            check_rows(rows.len(), self.source)?;
            rows.push(serde_json::from_str(line).map_err(|error| self.malformed(line, &error))?);
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

    /// The units in an object.
    fn units(self, raw: &'a RawValue) -> Result<Units, Error> {
        let object: Option<Object<'a>> = self.parse(raw)?;
        let declared = object.map(|object| object.0).unwrap_or_default().into_iter();
        let declared = declared.map(|(dimension, unit)| Ok((dimension, self.text(unit)?)));
        Units::of_file(self.source, declared.collect::<Result<Vec<_>, Error>>()?)
    }

    /// A value as a type that can be wrong only in shape.
    fn parse<T: Deserialize<'a>>(self, raw: &'a RawValue) -> Result<T, Error> {
        serde_json::from_str(raw.get()).map_err(|error| self.malformed(raw.get(), &error))
    }

    /// A value that has to be text.
    fn text(self, raw: &'a RawValue) -> Result<String, Error> {
        self.parse(raw)
    }

    /// What stands for a quantity: the inside of a text, or a value as written.
    fn scalar(self, raw: &'a RawValue) -> Result<String, Error> {
        if raw.get().starts_with('"') { self.text(raw) } else { Ok(raw.get().to_owned()) }
    }

    /// Quantities by dimension; null is none.
    fn quantities(self, row: Row<'_>, what: &str, raw: &'a RawValue) -> Result<Vec<(String, u64)>, Error> {
        let object: Option<Object<'a>> = self.parse(raw)?;
        let entries = object.map(|object| object.0).unwrap_or_default().into_iter();
        let quantities = entries.map(|(dimension, raw)| {
            let unit = row.units.of(&dimension);
            // Most are plain numbers, which need no column name for an error.
            if let Some(count) = raw.get().parse().ok().and_then(|count: u64| count.checked_mul(unit.bare())) {
                return Ok((dimension, count));
            }
            let count = row.in_unit(&format!("{what}.{dimension}"), unit, &self.scalar(raw)?)?;
            Ok((dimension, count))
        });
        quantities.collect()
    }

    /// Attribute values by attribute; null is none.
    fn attributes(self, raw: &'a RawValue) -> Result<Vec<(String, String)>, Error> {
        let object: Option<Object<'a>> = self.parse(raw)?;
        let entries = object.map(|object| object.0).unwrap_or_default().into_iter();
        let values = entries.map(|(attribute, raw)| {
            let value: Option<String> = self.parse(raw)?;
            Ok((attribute, value.unwrap_or_default()))
        });
        values.collect()
    }

    /// A task, some of whose keys are somebody else's.
    fn task(self, row: Row<'_>, object: &Object<'a>, also: impl Fn(&str) -> bool) -> Result<Task, Error> {
        let mut task = Task { name: row.name.unwrap_or_default().to_owned(), ..Task::default() };
        for (key, value) in &object.0 {
            match key.as_str() {
                "name" => {}
                "demand" => task.demand = self.quantities(row, "demand", value)?,
                "requirements" => task.requirements = self.each(value, |at, one| self.requirement(row, at, one))?,
                "preferences" => task.preferences = self.each(value, |at, one| self.preference(row, at, one))?,
                "group" => task.group = self.group(row, value)?,
                "devices" => task.devices = row.whole_devices(&self.scalar(value)?)?,
                "device_share" => task.device_share = row.device_share(&self.scalar(value)?)?,
                _ if also(key) => {}
                _ => return Err(unknown(row, key, TASK_KEYS)),
            }
        }
        Ok(task)
    }

    /// The objects of an array; null is none.
    fn each<T>(
        self,
        raw: &'a RawValue,
        read: impl Fn(usize, &Object<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let listed: Option<Vec<Object<'a>>> = self.parse(raw)?;
        listed.unwrap_or_default().iter().enumerate().map(|(at, one)| read(at, one)).collect()
    }

    /// One requirement.
    fn requirement(self, row: Row<'_>, at: usize, object: &Object<'a>) -> Result<Requirement, Error> {
        self.condition(row, &format!("requirements.{at}"), object, false)
    }

    /// One preference.
    fn preference(self, row: Row<'_>, at: usize, object: &Object<'a>) -> Result<Preference, Error> {
        let place = format!("preferences.{at}");
        let requirement = self.condition(row, &place, object, true)?;
        let column = format!("{place}.weight");
        let Some(weight) = object.get("weight") else {
            return Err(Error::MissingColumn { place: Box::new(row.place(column)) });
        };
        Ok(Preference::new(requirement, row.weight(&column, &self.scalar(weight)?)?))
    }

    /// What is asked of an attribute or a measure.
    fn condition(
        self,
        row: Row<'_>,
        place: &str,
        object: &Object<'a>,
        is_weighted: bool,
    ) -> Result<Requirement, Error> {
        let column = |key: &str| format!("{place}.{key}");
        let missing = |key| Error::MissingColumn { place: Box::new(row.place(column(key))) };
        let measure = object.get("measure");
        let (subject, kinds) = match measure {
            Some(_) => ("measure", ["at_least", "at_most"]),
            None => ("attribute", ["in", "not_in"]),
        };
        let is_known = |key: &str| key == subject || kinds.contains(&key) || (is_weighted && key == "weight");
        if let Some((key, _)) = object.0.iter().find(|(key, _)| !is_known(key)) {
            return Err(unknown(row, &column(key), REQUIREMENT_KEYS));
        }
        let name = self.text(object.get(subject).ok_or_else(|| missing(subject))?)?;
        let values = |raw| self.parse::<Vec<String>>(raw);
        let bound = |key, raw| row.measure(&column(key), &self.scalar(raw)?);
        match (measure.is_some(), object.get(kinds[0]), object.get(kinds[1])) {
            (false, Some(set), None) => Ok(Requirement::is_in(name, values(set)?)),
            (false, None, Some(set)) => Ok(Requirement::not_in(name, values(set)?)),
            (true, Some(least), None) => Ok(Requirement::at_least(name, bound("at_least", least)?)),
            (true, None, Some(most)) => Ok(Requirement::at_most(name, bound("at_most", most)?)),
            (_, None, None) => Err(missing(kinds[0])),
            (_, Some(_), Some(_)) => Err(unknown(row, &column(kinds[1]), REQUIREMENT_KEYS)),
        }
    }

    /// A group, or the name of one; null is none.
    fn group(self, row: Row<'_>, raw: &'a RawValue) -> Result<Option<Group>, Error> {
        if raw.get() == "null" {
            return Ok(None);
        }
        let mut group = Group::default();
        if raw.get().starts_with('{') {
            let object: Object<'a> = self.parse(raw)?;
            for (key, value) in &object.0 {
                match key.as_str() {
                    "name" => group.name = self.text(value)?,
                    "least" => group.least = row.members("group.least", &self.scalar(value)?, 0)?,
                    "together" => group.together = self.parse(value)?,
                    "at_most" => group.at_most = self.members(row, "group.at_most", value, 1)?,
                    _ => return Err(unknown(row, &format!("group.{key}"), GROUP_KEYS)),
                }
            }
        } else {
            group.name = self.text(raw)?;
        }
        if group.name.is_empty() {
            return Err(row.group_malformed("group", "a group needs a name".to_owned()));
        }
        Ok(Some(group))
    }

    /// Numbers of members by name; null is none.
    fn members(self, row: Row<'_>, what: &str, raw: &'a RawValue, least: u32) -> Result<Vec<(String, u32)>, Error> {
        let object: Option<Object<'a>> = self.parse(raw)?;
        let entries = object.map(|object| object.0).unwrap_or_default().into_iter();
        let counts = entries.map(|(name, raw)| {
            let count = row.members(&format!("{what}.{name}"), &self.scalar(raw)?, least)?;
            Ok((name, count))
        });
        counts.collect()
    }

    /// Measures by name; null is none, and unset.
    fn measures(self, row: Row<'_>, raw: &'a RawValue) -> Result<Vec<(String, f64)>, Error> {
        let object: Option<Object<'a>> = self.parse(raw)?;
        let set = object.map(|object| object.0).unwrap_or_default().into_iter().filter(|(_, raw)| raw.get() != "null");
        let measures = set.map(|(name, raw)| {
            let measure = row.measure(&format!("measures.{name}"), &self.scalar(raw)?)?;
            Ok((name, measure))
        });
        measures.collect()
    }

    /// The error of a part of the text, which says where in the whole it stands.
    fn malformed(self, part: &str, error: &serde_json::Error) -> Error {
        let begin = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let (mut line, mut column) = position::of(self.text.as_bytes(), begin);
        match error.line() {
            0 => {}
            1 => column += error.column().saturating_sub(1),
            further => (line, column) = (line + further - 1, error.column()),
        }
        let message = error.to_string();
        // The place that serde_json gives is one in the part, not in the file.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned();
        Error::FileMalformed { file: self.source.to_owned(), line, column, message, hint: SEE_FORMATS }
    }
}
