//! Files of tasks and offers: JSON, CSV and the OpenB trace, as `docs/formats.md` has them.

mod cells;
mod csv;
mod csv_table;
pub(crate) mod fault;
mod foreign;
mod json;
mod kubernetes;
mod openb;
pub(crate) mod ports;
mod position;
mod slurm;
pub(crate) mod strict_json;
mod written;
mod yaml;

use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use offermatch_core::MAX_ROWS;

use crate::error::{Error, Place};
use crate::reading::{MOST_OF_A_TABLE, read_up_to};
use crate::table::bad::Rows;
use crate::table::catalog::distinct;
use crate::table::names::Names;
use crate::table::quantity::Units;
use crate::table::rows::{Offer, Task};
use crate::visible::visible_name;

/// How a file is written.
///
/// Example: [`Reader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// What the name of the file ends in: `.json`, `.jsonl`, `.ndjson` or `.csv`.
    #[default]
    Auto,
    /// An array of objects.
    Json,
    /// An object a line.
    JsonLines,
    /// A line of column names, then one line for each row.
    Csv,
    /// A CSV of Alibaba's OpenB trace.
    Openb,
    /// Pods and nodes as `kubectl get -o json` or `-o yaml` prints them; both files are read together.
    Kubernetes,
    /// Jobs and nodes as `squeue --json` and `scontrol show node --json` print them; both files are read together.
    Slurm,
}

impl Format {
    /// Whether room in a dimension makes an offer neither better nor worse, so that it has the weight 0 unless one is given:
    /// a port of a Kubernetes node is free or taken.
    ///
    /// ```
    /// use offermatch::Format;
    ///
    /// assert!(Format::Kubernetes.is_weightless("hostPort:80/TCP"));
    /// assert!(!Format::Kubernetes.is_weightless("cpu"));
    /// ```
    #[must_use]
    pub fn is_weightless(self, dimension: &str) -> bool {
        self == Self::Kubernetes && ports::room(dimension).is_some()
    }
}

/// The formats by name.
const FORMATS: [(&str, Format); 7] = [
    ("auto", Format::Auto),
    ("json", Format::Json),
    ("jsonl", Format::JsonLines),
    ("csv", Format::Csv),
    ("openb", Format::Openb),
    ("kubernetes", Format::Kubernetes),
    ("slurm", Format::Slurm),
];

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = FORMATS.iter().find(|(name, _)| *name == text);
        known.map(|(_, format)| *format).ok_or_else(|| Error::SettingMalformed {
            setting: "format".to_owned(),
            message: format!("{} is no format", visible_name(text)),
            hint: format!("use one of {}", FORMATS.map(|(name, _)| name).join(", ")),
        })
    }
}

/// Reads tasks and offers: in a format, with what the numbers of dimensions are in.
///
/// ```
/// use offermatch::{Format, Reader, Units};
///
/// let reader = Reader { format: Format::Csv, units: Units::new([("cpu", "millicores")])? };
/// let tasks = reader.parse_tasks("name,demand.cpu\nrender-1,1500\n", "tasks")?;
/// assert_eq!(tasks[0].demand, [("cpu".to_owned(), 1500)]);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// How the files are written.
    pub format: Format,
    /// What the numbers of a dimension are in, where the file does not say it.
    pub units: Units,
}

impl Reader {
    /// The tasks and the offers in two files, which some formats read together; `-` is standard input.
    ///
    /// # Errors
    /// As [`Reader::read_tasks`].
    pub fn read_tables(
        &self,
        tasks: impl AsRef<Path>,
        offers: impl AsRef<Path>,
    ) -> Result<(Vec<Task>, Vec<Offer>), Error> {
        let (tasks, offers) = self.read_rows(tasks, offers)?;
        let (tasks, offers) = (tasks.refused()?, offers.refused()?);
        self.check_units(&tasks, &offers)?;
        Ok((tasks.into_parts().0, offers.into_parts().0))
    }

    /// Refuses units of dimensions that neither the tasks nor the offers have: their names are misspelt. Refuses dimensions,
    /// too, whose smallest unit differs between the tables, as in steps of 0.1 and as a count: their numbers cannot be compared.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`].
    pub fn check_units(&self, tasks: &Rows<Task>, offers: &Rows<Offer>) -> Result<(), Error> {
        let offered = || {
            let quantities = offers.rows().iter().flat_map(|offer| offer.available.iter().chain(&offer.capacity));
            quantities.map(|(dimension, _)| dimension.as_str())
        };
        let asked = || tasks.rows().iter().flat_map(|task| &task.demand).map(|(dimension, _)| dimension.as_str());
        let declared = [tasks.units(), offers.units(), &self.units];
        declared.into_iter().try_for_each(|units| units.check(offered().chain(asked())))?;
        let apart = distinct(offered().filter(|name| !tasks.unit_of(name).is_comparable(offers.unit_of(name))));
        match asked().find(|&dimension| apart.iter().any(|name| name == dimension)) {
            None => Ok(()),
            Some(name) => {
                let (in_tasks, in_offers) = (tasks.unit_of(name).name(), offers.unit_of(name).name());
                let name = visible_name(name);
                Err(Error::SettingMalformed {
                    setting: "units".to_owned(),
                    message: format!("'{name}' is in {in_tasks} among the tasks, and in {in_offers} among the offers"),
                    hint: "declare one unit for both tables".to_owned(),
                })
            }
        }
    }

    /// As [`Reader::read_tables`], without the rows that cannot be used; [`Reader::check_units`] is then the caller's.
    ///
    /// # Errors
    /// What is wrong with a file and not with a row of it.
    pub fn read_rows(
        &self,
        tasks: impl AsRef<Path>,
        offers: impl AsRef<Path>,
    ) -> Result<(Rows<Task>, Rows<Offer>), Error> {
        if tasks.as_ref() == Path::new(STANDARD_INPUT) && offers.as_ref() == Path::new(STANDARD_INPUT) {
            return Err(Error::SettingMalformed {
                setting: "offers".to_owned(),
                message: "standard input holds one table, and the tasks are read from it".to_owned(),
                hint: "give a file for the tasks or for the offers".to_owned(),
            });
        }
        let (task_text, task_name, task_format) = open(tasks.as_ref(), self.format)?;
        let read = match self.format {
            Format::Kubernetes => kubernetes::tables,
            Format::Slurm => slurm::tables,
            _ => {
                let tasks = Self { format: task_format, ..self.clone() }.parse_task_rows(&task_text, &task_name)?;
                let (text, name, format) = open(offers.as_ref(), self.format)?;
                return Ok((tasks, Self { format, ..self.clone() }.parse_offer_rows(&text, &name)?));
            }
        };
        let (offer_text, offer_name, _) = open(offers.as_ref(), self.format)?;
        read((&task_text, &task_name), (&offer_text, &offer_name))
    }

    /// The tasks in a file; `-` is standard input.
    ///
    /// # Errors
    /// [`Error::FileUnreadable`], [`Error::TableTooLarge`], [`Error::FileMalformed`], [`Error::MissingColumn`],
    /// [`Error::UnknownColumn`], [`Error::DevicesMalformed`] and [`Error::Quantity`]; each names the file, the row and the column.
    pub fn read_tasks(&self, path: impl AsRef<Path>) -> Result<Vec<Task>, Error> {
        let (text, name, format) = open(path.as_ref(), self.format)?;
        Self { format, ..self.clone() }.parse_tasks(&text, &name)
    }

    /// The offers in a file; `-` is standard input.
    ///
    /// # Errors
    /// As [`Reader::read_tasks`].
    pub fn read_offers(&self, path: impl AsRef<Path>) -> Result<Vec<Offer>, Error> {
        let (text, name, format) = open(path.as_ref(), self.format)?;
        Self { format, ..self.clone() }.parse_offers(&text, &name)
    }

    /// The tasks in a text; `source` says in errors where it came from. [`Format::Auto`] stands for JSON where the text
    /// begins with `[` or `{`.
    ///
    /// # Errors
    /// As [`Reader::read_tasks`].
    pub fn parse_tasks(&self, text: &str, source: &str) -> Result<Vec<Task>, Error> {
        self.parse_task_rows(text, source)?.refuse()
    }

    /// As [`Reader::parse_tasks`], without the rows that cannot be used.
    ///
    /// # Errors
    /// What is wrong with the text and not with a row of it.
    pub fn parse_task_rows(&self, text: &str, source: &str) -> Result<Rows<Task>, Error> {
        match self.format {
            Format::JsonLines => json::tasks(text, source, &self.units, json::Form::Lines),
            Format::Openb => openb::tasks(text, source),
            Format::Kubernetes | Format::Slurm => Err(not_alone(source)),
            Format::Json => json::tasks(text, source, &self.units, json::Form::Array),
            Format::Auto if text.trim_start().starts_with(['[', '{']) => {
                json::tasks(text, source, &self.units, json::Form::Array)
            }
            Format::Auto | Format::Csv => csv::tasks(text, source, &self.units),
        }
    }

    /// The offers in a text; as [`Reader::parse_tasks`].
    ///
    /// # Errors
    /// As [`Reader::read_tasks`].
    pub fn parse_offers(&self, text: &str, source: &str) -> Result<Vec<Offer>, Error> {
        self.parse_offer_rows(text, source)?.refuse()
    }

    /// As [`Reader::parse_offers`], without the rows that cannot be used.
    ///
    /// # Errors
    /// What is wrong with the text and not with a row of it.
    pub fn parse_offer_rows(&self, text: &str, source: &str) -> Result<Rows<Offer>, Error> {
        match self.format {
            Format::JsonLines => json::offers(text, source, &self.units, json::Form::Lines),
            Format::Openb => openb::offers(text, source),
            Format::Kubernetes | Format::Slurm => Err(not_alone(source)),
            Format::Json => json::offers(text, source, &self.units, json::Form::Array),
            Format::Auto if text.trim_start().starts_with(['[', '{']) => {
                json::offers(text, source, &self.units, json::Form::Array)
            }
            Format::Auto | Format::Csv => csv::offers(text, source, &self.units),
        }
    }
}

impl Reader {
    /// The typical tasks in a file, each with its share: rows of tasks that have a `share` beside; `-` is standard input.
    ///
    /// # Errors
    /// As [`Reader::read_tasks`], and [`Error::WorkloadMalformed`].
    pub fn read_workload(&self, path: impl AsRef<Path>) -> Result<Vec<(Task, f64)>, Error> {
        let (text, name, format) = open(path.as_ref(), self.format)?;
        Self { format, ..self.clone() }.parse_workload(&text, &name)
    }

    /// The typical tasks in a text, each with its share; as [`Reader::parse_tasks`].
    ///
    /// # Errors
    /// As [`Reader::read_workload`].
    ///
    /// ```
    /// use offermatch::{Format, Reader};
    ///
    /// let reader = Reader { format: Format::Csv, ..Reader::default() };
    /// let workload = reader.parse_workload("name,demand.cpu,share\nsmall,1,0.75\nlarge,8,0.25\n", "workload")?;
    /// assert_eq!((workload[1].0.name.as_str(), workload[1].1), ("large", 0.25));
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn parse_workload(&self, text: &str, source: &str) -> Result<Vec<(Task, f64)>, Error> {
        let rows = match self.format {
            Format::JsonLines => json::workload(text, source, &self.units, json::Form::Lines),
            Format::Openb | Format::Kubernetes | Format::Slurm => {
                return Err(Error::SettingMalformed {
                    setting: source.to_owned(),
                    message: "rows of openb, kubernetes and slurm have no share".to_owned(),
                    hint: "give JSON, JSON lines or CSV".to_owned(),
                });
            }
            Format::Json => json::workload(text, source, &self.units, json::Form::Array),
            Format::Auto if text.trim_start().starts_with(['[', '{']) => {
                json::workload(text, source, &self.units, json::Form::Array)
            }
            Format::Auto | Format::Csv => csv::workload(text, source, &self.units),
        }?;
        let units = rows.units().clone();
        let workload = rows.refuse_nameless()?;
        Names::new(workload.iter().map(|(task, _)| task.name.clone()).collect(), source)?;
        units.check(workload.iter().flat_map(|(task, _)| &task.demand).map(|(dimension, _)| dimension.as_str()))?;
        Ok(workload)
    }
}

/// The error of one of two files that are read together.
fn not_alone(source: &str) -> Error {
    Error::SettingMalformed {
        setting: source.to_owned(),
        message: "a file of kubernetes or slurm cannot be read alone".to_owned(),
        hint: "give the file of tasks and the file of offers together".to_owned(),
    }
}

/// The tasks in a file, its numbers in the usual units: [`Reader::read_tasks`].
///
/// # Errors
/// As [`Reader::read_tasks`].
///
/// ```no_run
/// let tasks = offermatch::read_tasks("tasks.json", offermatch::Format::Auto)?;
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn read_tasks(path: impl AsRef<Path>, format: Format) -> Result<Vec<Task>, Error> {
    Reader { format, ..Reader::default() }.read_tasks(path)
}

/// The offers in a file, its numbers in the usual units: [`Reader::read_offers`].
///
/// # Errors
/// As [`Reader::read_tasks`].
///
/// ```no_run
/// let offers = offermatch::read_offers("offers.csv", offermatch::Format::Auto)?;
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn read_offers(path: impl AsRef<Path>, format: Format) -> Result<Vec<Offer>, Error> {
    Reader { format, ..Reader::default() }.read_offers(path)
}

/// The tasks in a text, its numbers in the usual units: [`Reader::parse_tasks`].
///
/// # Errors
/// As [`Reader::read_tasks`].
///
/// ```
/// use offermatch::{Format, parse_tasks};
///
/// let tasks = parse_tasks(r#"[{"name": "render-1", "demand": {"cpu": 2}}]"#, Format::Json, "tasks")?;
/// assert_eq!(tasks[0].demand, [("cpu".to_owned(), 2000)]);
///
/// let error = parse_tasks("name,demand.cpu\nrender-1,-5\n", Format::Csv, "tasks.csv").unwrap_err();
/// assert_eq!(error.to_string(), "tasks.csv, row 0 (render-1), demand.cpu: -5 is below 0");
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn parse_tasks(text: &str, format: Format, source: &str) -> Result<Vec<Task>, Error> {
    Reader { format, ..Reader::default() }.parse_tasks(text, source)
}

/// The offers in a text, its numbers in the usual units: [`Reader::parse_offers`].
///
/// # Errors
/// As [`Reader::read_tasks`].
///
/// ```
/// use offermatch::{Format, parse_offers};
///
/// let offers = parse_offers("name,available.cpu,devices\nserver-1,48,2\n", Format::Csv, "offers")?;
/// assert_eq!(offers[0].devices, [1000, 1000]);
/// # Ok::<(), offermatch::Error>(())
/// ```
pub fn parse_offers(text: &str, format: Format, source: &str) -> Result<Vec<Offer>, Error> {
    Reader { format, ..Reader::default() }.parse_offers(text, source)
}

/// The path of standard input.
const STANDARD_INPUT: &str = "-";

/// The text of a file, what errors call it, and its format.
fn open(path: &Path, format: Format) -> Result<(String, String, Format), Error> {
    let file = path.display().to_string();
    let format = by_ending(path, format)?;
    let read =
        if path == Path::new(STANDARD_INPUT) { from_standard_input() } else { read_up_to(path, MOST_OF_A_TABLE) };
    let (bytes, size) = match read {
        Ok(read) => read,
        Err(error) => return Err(Error::FileUnreadable { file, error }),
    };
    if size > MOST_OF_A_TABLE {
        return Err(Error::TableTooLarge { table: file, counted: "bytes", limit: MOST_OF_A_TABLE });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let mark = if error.as_bytes().starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let (line, column) = position::of(&error.as_bytes()[mark..], error.utf8_error().valid_up_to() - mark);
        let (message, hint) = ("not UTF-8".to_owned(), "save it as UTF-8".into());
        Error::FileMalformed { file: file.clone(), line, column, message, hint }
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok((text, file, format))
}

/// The bytes of standard input and how many they are, never more than one above what a table may have.
fn from_standard_input() -> std::io::Result<(Vec<u8>, u64)> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MOST_OF_A_TABLE + 1).read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    Ok((bytes, size))
}

/// Refuses a table of more rows than the shipped matchers take, before memory is spent on them.
///
/// # Errors
/// [`Error::TableTooLarge`].
fn check_rows(rows: usize, source: &str) -> Result<(), Error> {
    if rows as u64 <= MAX_ROWS {
        return Ok(());
    }
    Err(Error::TableTooLarge { table: source.to_owned(), counted: "rows", limit: MAX_ROWS })
}

/// The remedy of a file that does not say its format.
const NAME_IT: &str = "name the format, such as json, jsonl or csv";

/// The format that the ending of a file's name tells, where none is said.
fn by_ending(path: &Path, format: Format) -> Result<Format, Error> {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    match (format, ending.as_ref().and_then(|ending| ending.to_str())) {
        (Format::Auto, Some("json")) => Ok(Format::Json),
        (Format::Auto, Some("jsonl" | "ndjson")) => Ok(Format::JsonLines),
        (Format::Auto, Some("csv")) => Ok(Format::Csv),
        (Format::Auto, ending) => {
            let (message, hint) = match ending {
                Some("parquet") => ("only the Python package reads Parquet", "convert it to CSV or JSON lines"),
                _ if path == Path::new(STANDARD_INPUT) => ("standard input tells no format", NAME_IT),
                _ => ("the ending of the name tells no format", NAME_IT),
            };
            let place = Place { source: path.display().to_string(), ..Place::default() };
            Err(Error::RowMalformed { place: Box::new(place), message: message.to_owned(), hint })
        }
        (format, _) => Ok(format),
    }
}
