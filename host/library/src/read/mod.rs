//! Files of tasks and offers: JSON, CSV and the OpenB trace, as `docs/formats.md` has them.

mod cells;
mod csv;
mod json;
mod openb;
mod position;
pub(crate) mod strict_json;

use std::path::Path;
use std::str::FromStr;

use crate::error::Error;
use crate::table::rows::{Offer, Task};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// What the name of the file ends in, `.json` or `.csv`.
    #[default]
    Auto,
    /// An array of objects.
    Json,
    /// A line of column names, then one line for each row.
    Csv,
    /// A CSV of Alibaba's OpenB trace.
    Openb,
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "openb" => Ok(Self::Openb),
            _ => Err(Error::SettingMalformed {
                setting: "format".to_owned(),
                value: text.to_owned(),
                reason: "not auto, json, csv or openb".to_owned(),
            }),
        }
    }
}

/// The tasks in a file.
///
/// # Errors
/// [`Error::FileUnreadable`], [`Error::FileMalformed`], [`Error::MissingColumn`], [`Error::UnknownColumn`],
/// [`Error::DevicesMalformed`] and those of quantities; each names the file, the row and the column.
///
/// ```no_run
/// let tasks = offermatch::read_tasks("tasks.json", offermatch::Format::Auto)?;
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn read_tasks(path: impl AsRef<Path>, format: Format) -> Result<Vec<Task>, Error> {
    let (text, name, format) = open(path.as_ref(), format)?;
    parse_tasks(&text, format, &name)
}

/// The offers in a file.
///
/// # Errors
/// As [`read_tasks`].
///
/// ```no_run
/// let offers = offermatch::read_offers("offers.csv", offermatch::Format::Auto)?;
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn read_offers(path: impl AsRef<Path>, format: Format) -> Result<Vec<Offer>, Error> {
    let (text, name, format) = open(path.as_ref(), format)?;
    parse_offers(&text, format, &name)
}

/// The tasks in a text; `source` says in errors where it came from. [`Format::Auto`] stands for JSON where the text begins
/// with `[`.
///
/// # Errors
/// As [`read_tasks`].
///
/// ```
/// use offermatch::{Format, parse_tasks};
///
/// let tasks = parse_tasks(r#"[{"name": "render-1", "demand": {"cpu": "2 cores"}}]"#, Format::Json, "tasks")?;
/// assert_eq!(tasks[0].demand, [("cpu".to_owned(), 2000)]);
///
/// let error = parse_tasks("name,demand.cpu\nrender-1,-5\n", Format::Csv, "tasks.csv").unwrap_err();
/// assert_eq!(error.to_string(), "tasks.csv, row 0 (render-1), demand.cpu: -5 is below 0");
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn parse_tasks(text: &str, format: Format, source: &str) -> Result<Vec<Task>, Error> {
    match format {
        Format::Auto if text.trim_start().starts_with('[') => json::tasks(text, source),
        Format::Json => json::tasks(text, source),
        Format::Openb => openb::tasks(text, source),
        _ => csv::tasks(text, source),
    }
}

/// The offers in a text; as [`parse_tasks`].
///
/// # Errors
/// As [`read_tasks`].
///
/// ```
/// use offermatch::{Format, parse_offers};
///
/// let offers = parse_offers("name,available.cpu,devices\nserver-1,48 cores,2\n", Format::Csv, "offers")?;
/// assert_eq!(offers[0].devices, [1000, 1000]);
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn parse_offers(text: &str, format: Format, source: &str) -> Result<Vec<Offer>, Error> {
    match format {
        Format::Auto if text.trim_start().starts_with('[') => json::offers(text, source),
        Format::Json => json::offers(text, source),
        Format::Openb => openb::offers(text, source),
        _ => csv::offers(text, source),
    }
}

/// The text of a file, what errors call it, and its format.
fn open(path: &Path, format: Format) -> Result<(String, String, Format), Error> {
    let file = path.display().to_string();
    let format = by_ending(path, format)?;
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(Error::FileUnreadable { file, source }),
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let (line, column) = position::of(error.as_bytes(), error.utf8_error().valid_up_to());
        Error::FileMalformed { file: file.clone(), line, column, message: "not UTF-8".to_owned() }
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok((text, file, format))
}

/// The format that the ending of a file's name tells, where none is said.
fn by_ending(path: &Path, format: Format) -> Result<Format, Error> {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    match (format, ending.as_ref().and_then(|ending| ending.to_str())) {
        (Format::Auto, Some("json")) => Ok(Format::Json),
        (Format::Auto, Some("csv")) => Ok(Format::Csv),
        (Format::Auto, _) => {
            let message = "the name ends in neither .json nor .csv, so the format has to be said".to_owned();
            Err(Error::FileMalformed { file: path.display().to_string(), line: 1, column: 1, message })
        }
        (format, _) => Ok(format),
    }
}
