//! How much of everything a matcher gets.

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Overrun};
use crate::limit::{Exceeded, Limit};
use crate::read::strict_json::Tree;
use crate::reading;
use crate::visible::visible_name;

/// The environment variable that names a file of limits.
const FILE: &str = "OFFERMATCH_LIMITS";

/// What a limit may be: wasmtime's bindings of other languages take no more.
const RANGE: RangeInclusive<u64> = 1..=i64::MAX as u64;

/// How much of everything a matcher gets. The defaults are those of `docs/trust.md`.
///
/// ```
/// use offermatch::{Limits, Matcher};
///
/// let limits = Limits { memory_bytes: 64 << 20, call_milliseconds: Some(1000), ..Limits::default() };
/// let matcher = Matcher::bundled_with("best-fit", &limits)?;
/// assert_eq!(matcher.limits().memory_bytes, 64 << 20);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The linear memory of one instance, in bytes, over all of its memories.
    pub memory_bytes: u64,
    /// The elements of one instance's tables, over all of them.
    pub table_elements: u64,
    /// The time of one call into the component, wall clock, in milliseconds. Looked at every 10 ms. Without a limit a matcher
    /// takes about a fifth less time, and one that does not end is never ended: only for components you trust as your own code.
    pub call_milliseconds: Option<u64>,
    /// The assignments of one answer, where they are to be fewer than the tasks asked.
    pub output_rows: Option<u64>,
    /// The text of an error or a description, and what is captured of standard output and error, each, in bytes.
    pub output_text_bytes: u64,
    /// WebAssembly instructions of one call, for a cost that is the same on every machine.
    pub fuel: Option<u64>,
    /// The bytes of a component that is loaded.
    pub component_bytes: u64,
    /// The time compiling it may take, in milliseconds; judging it as a candidate has as much.
    pub compile_milliseconds: u64,
    /// The memory of the process that compiles a component, in bytes, where [`compile_elsewhere`](crate::compile_elsewhere)
    /// was called. The one that judges it has `memory_bytes` more.
    pub compile_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            table_elements: 100_000,
            call_milliseconds: Some(30_000),
            output_rows: None,
            output_text_bytes: 64 << 10,
            fuel: None,
            component_bytes: 64 << 20,
            compile_milliseconds: 300_000,
            compile_memory_bytes: 4 << 30,
        }
    }
}

impl Limits {
    /// The limits in force where code sets none: the defaults, below the file that `OFFERMATCH_LIMITS` names, below the
    /// variables `OFFERMATCH_MEMORY_BYTES` and so on.
    ///
    /// # Errors
    /// [`Error::LimitMalformed`] and [`Error::FileUnreadable`].
    pub fn in_force() -> Result<Self, Error> {
        let file = std::env::var_os(FILE).filter(|path| !path.is_empty());
        let limits = file.map_or_else(|| Ok(Self::default()), |path| Self::from_file(Path::new(&path)))?;
        limits.with_environment(|name| std::env::var(name).ok())
    }

    /// The limits in a file, below those of the environment: one JSON object of the names in `docs/trust.md`.
    ///
    /// # Errors
    /// As [`Limits::in_force`].
    pub fn from_file_and_environment(path: &Path) -> Result<Self, Error> {
        Self::from_file(path)?.with_environment(|name| std::env::var(name).ok())
    }

    /// The limits in a file; the default of each that it leaves out.
    ///
    /// # Errors
    /// [`Error::LimitMalformed`] and [`Error::FileUnreadable`].
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let malformed = |reason: String| Error::LimitMalformed { origin: file.clone(), reason };
        let bytes = reading::read_bounded(path, reading::MOST_OF_A_DOCUMENT).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => malformed(error.to_string()),
            _ => Error::FileUnreadable { file: file.clone(), error },
        })?;
        let text = String::from_utf8(bytes).map_err(|error| malformed(format!("not UTF-8: {}", error.utf8_error())))?;
        Self::parse(&text, &file)
    }

    /// The limits in a JSON object. `origin` says in errors where it came from.
    ///
    /// # Errors
    /// [`Error::LimitMalformed`].
    ///
    /// ```
    /// let limits = offermatch::Limits::parse(r#"{"fuel": 1000000}"#, "limits.json")?;
    /// assert_eq!(limits.fuel, Some(1_000_000));
    /// let error = offermatch::Limits::parse(r#"{"fule": 1}"#, "limits.json").unwrap_err();
    /// assert_eq!(error.code(), "limit-malformed");
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let malformed = |reason: String| Error::LimitMalformed { origin: origin.to_owned(), reason };
        let Tree(found) = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let Value::Object(entries) = found else { return Err(malformed("not an object".to_owned())) };
        let mut limits = Self::default();
        for (name, value) in entries {
            let limit = Limit::ALL.into_iter().find(|limit| limit.name() == name);
            let Some(limit) = limit else {
                let known = Limit::ALL.map(Limit::name).join(", ");
                return Err(malformed(format!("there is no limit {}; the limits are {known}", visible_name(&name))));
            };
            let number = match &value {
                Value::Null => None,
                value => match value.as_u64() {
                    Some(number) if RANGE.contains(&number) => Some(number),
                    _ => return Err(malformed(out_of_range(&name, &value.to_string()))),
                },
            };
            limits.set(limit, number).map_err(malformed)?;
        }
        Ok(limits)
    }

    /// These limits, below those that the environment sets.
    fn with_environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        for limit in Limit::ALL {
            let name = format!("OFFERMATCH_{}", limit.name().to_uppercase());
            let Some(text) = variable(&name).filter(|text| !text.is_empty()) else { continue };
            let malformed = |reason: String| Error::LimitMalformed { origin: name.clone(), reason };
            match text.parse() {
                Ok(number) if RANGE.contains(&number) => self.set(limit, Some(number)).map_err(malformed)?,
                _ => return Err(malformed(out_of_range(limit.name(), &text))),
            }
        }
        Ok(self)
    }

    /// Sets one limit.
    fn set(&mut self, limit: Limit, value: Option<u64>) -> Result<(), String> {
        let needed = || value.ok_or_else(|| format!("{} is null, and there is no matcher without it", limit.name()));
        match limit {
            Limit::MemoryBytes => self.memory_bytes = needed()?,
            Limit::TableElements => self.table_elements = needed()?,
            Limit::CallMilliseconds => self.call_milliseconds = value,
            Limit::OutputRows => self.output_rows = value,
            Limit::OutputTextBytes => self.output_text_bytes = needed()?,
            Limit::Fuel => self.fuel = value,
            Limit::ComponentBytes => self.component_bytes = needed()?,
            Limit::CompileMilliseconds => self.compile_milliseconds = needed()?,
            Limit::CompileMemoryBytes => self.compile_memory_bytes = needed()?,
            Limit::Memories | Limit::Tables | Limit::Instances => {
                return Err(format!("{} cannot be set", limit.name()));
            }
        }
        Ok(())
    }

    /// The limits by name, in the order of `docs/trust.md`; none where there is no limit.
    ///
    /// ```
    /// let limits = offermatch::Limits::default();
    /// assert!(limits.entries().any(|entry| entry == ("call_milliseconds", Some(30_000))));
    /// ```
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
        Limit::ALL.into_iter().map(|limit| {
            let value = match limit {
                Limit::MemoryBytes => Some(self.memory_bytes),
                Limit::TableElements => Some(self.table_elements),
                Limit::CallMilliseconds => self.call_milliseconds,
                Limit::OutputRows => self.output_rows,
                Limit::OutputTextBytes => Some(self.output_text_bytes),
                Limit::Fuel => self.fuel,
                Limit::ComponentBytes => Some(self.component_bytes),
                Limit::CompileMilliseconds => Some(self.compile_milliseconds),
                Limit::CompileMemoryBytes => Some(self.compile_memory_bytes),
                Limit::Memories | Limit::Tables | Limit::Instances => None,
            };
            (limit.name(), value)
        })
    }

    /// Refuses a component of which more bytes were read than it may have; `size` is how many it has.
    pub(crate) fn check_size(&self, read: u64, size: u64, origin: &str) -> Result<(), Error> {
        let value = self.component_bytes;
        if read > value { Err(exceeded(Limit::ComponentBytes, value, size, origin)) } else { Ok(()) }
    }
}

/// What is wrong with the value of a limit.
fn out_of_range(name: &str, value: &str) -> String {
    format!("{name} is {}, which is not an integer from {} to {}", visible_name(value), RANGE.start(), RANGE.end())
}

/// The error of a component that is beyond a limit before any of it runs.
pub(crate) fn exceeded(limit: Limit, value: u64, asked: u64, origin: &str) -> Error {
    let exceeded = Exceeded { limit, value, asked };
    let (matcher, printed) = (origin.to_owned(), String::new());
    Error::LimitExceeded(Box::new(Overrun { matcher, call: "load", exceeded, printed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = Limits::parse(r#"{"memory_bytes": 1000, "fuel": 7, "output_rows": null}"#, "limits.json").unwrap();
        assert_eq!((file.memory_bytes, file.fuel, file.output_rows), (1000, Some(7), None));
        let variable = |name: &str| (name == "OFFERMATCH_FUEL").then(|| "9".to_owned());
        let both = file.with_environment(variable).unwrap();
        assert_eq!(both, Limits { fuel: Some(9), ..file });
        let error = file.with_environment(|_| Some("-1".to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "OFFERMATCH_MEMORY_BYTES: memory_bytes is -1, which is not an integer from 1 to 9223372036854775807"
        );
    }

    #[test]
    fn what_are_no_limits_is_refused() {
        for text in [
            "",
            "[]",
            "{",
            r#"{"memory": 1}"#,
            r#"{"fuel": 0}"#,
            r#"{"fuel": -1}"#,
            r#"{"fuel": 1.5}"#,
            r#"{"fuel": "1"}"#,
            r#"{"fuel": 9223372036854775808}"#,
            r#"{"fuel": 1, "fuel": 1}"#,
            r#"{"memory_bytes": null}"#,
        ] {
            assert_eq!(Limits::parse(text, "limits.json").unwrap_err().code(), "limit-malformed", "{text}");
        }
    }
}
