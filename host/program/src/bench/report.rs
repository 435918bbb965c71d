//! What a benchmark has found: for people and for machines.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// What a benchmark has found.
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    /// What was compared with what, a sentence a line.
    pub(crate) notes: Vec<String>,
    /// The columns of the table, in order.
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// What was to be reached.
    pub(crate) targets: Vec<Target>,
}

/// A row, its values by key.
pub(crate) type Row = Map<String, Value>;

/// A column of the table.
pub(crate) struct Column {
    /// The key of its values in the rows.
    key: &'static str,
    heading: &'static str,
    /// How its values are written.
    unit: Unit,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// As it is, to the left.
    Text,
    /// A count.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// How many times.
    Times,
    /// A part of a whole.
    Part,
    /// Bytes, shown in MiB.
    Bytes,
}

/// What was to be reached, and what was.
pub(crate) struct Target {
    /// What is asked, as a sentence.
    pub(crate) what: String,
    /// The figure found, as it is to be shown.
    pub(crate) found: String,
    /// Whether that is enough.
    pub(crate) met: bool,
}

impl Target {
    /// That a figure is at least, or at most, a limit.
    pub(crate) fn new(what: impl Into<String>, found: impl Into<String>, met: bool) -> Self {
        Self { what: what.into(), found: found.into(), met }
    }
}

/// A column.
pub(crate) fn column(key: &'static str, heading: &'static str, unit: Unit) -> Column {
    Column { key, heading, unit }
}

/// A row of these values.
pub(crate) fn row<const N: usize>(values: [(&str, Value); N]) -> Row {
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Report {
    /// As an object for machines.
    pub(crate) fn document(&self) -> Value {
        let targets = self.targets.iter();
        let targets = targets.map(|target| json!({"what": target.what, "found": target.found, "met": target.met}));
        json!({
            "bench": self.name,
            "title": self.title,
            "notes": self.notes,
            "rows": self.rows,
            "targets": targets.collect::<Vec<_>>(),
        })
    }

    /// As a table for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.title, "─".repeat(self.title.chars().count()));
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| self.columns.iter().map(|column| column.unit.write(row.get(column.key))).collect())
            .collect();
        let headings = self.columns.iter().map(|column| column.heading.to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = cells.iter().map(|row| row[at].chars().count());
                cells.chain([self.columns[at].heading.chars().count()]).max().unwrap_or(0)
            })
            .collect();
        for row in std::iter::once(&headings).chain(&cells) {
            let mut line = String::new();
            for ((cell, &width), column) in row.iter().zip(&widths).zip(&self.columns) {
                let padding = " ".repeat(width - cell.chars().count());
                let text = column.unit == Unit::Text;
                line += &if text { format!("{cell}{padding}  ") } else { format!("{padding}{cell}  ") };
            }
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for note in &self.notes {
            let _ = writeln!(text, "  {note}");
        }
        for target in &self.targets {
            let verdict = if target.met { "reached" } else { "MISSED" };
            let _ = writeln!(text, "  {verdict:<7}  {}: {}", target.what, target.found);
        }
        text
    }
}

impl Unit {
    /// A value as people read it.
    fn write(self, value: Option<&Value>) -> String {
        let Some(value) = value.filter(|value| !value.is_null()) else { return "-".to_owned() };
        let number = value.as_f64().unwrap_or(0.0);
        match self {
            Self::Text => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            Self::Count => grouped(number),
            Self::Milliseconds => time(number),
            Self::Times => times(number),
            Self::Part => format!("{:.1} %", number * 100.0),
            Self::Bytes => format!("{:.0} MiB", number / f64::from(1 << 20)),
        }
    }
}

/// Milliseconds, with about three digits.
pub(crate) fn time(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms >= 10_000.0 => format!("{:.1} s", ms / 1000.0),
        ms if ms >= 1000.0 => format!("{:.2} s", ms / 1000.0),
        ms if ms >= 100.0 => format!("{ms:.0} ms"),
        ms if ms >= 10.0 => format!("{ms:.1} ms"),
        ms if ms >= 0.1 => format!("{ms:.2} ms"),
        ms => format!("{:.1} us", ms * 1000.0),
    }
}

/// How many times, with about three digits.
pub(crate) fn times(number: f64) -> String {
    if number >= 100.0 { format!("{}x", grouped(number)) } else { format!("{number:.2}x") }
}

/// A count with separators between thousands.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_the_same_for_people_and_machines() {
        let report = Report {
            name: "talk",
            title: "a title".to_owned(),
            notes: vec!["a note".to_owned()],
            columns: vec![column("name", "", Unit::Text), column("ms", "total", Unit::Milliseconds)],
            rows: vec![row([("name", "loop".into()), ("ms", 1234.5.into()), ("tasks", 7.into())])],
            targets: vec![Target::new("at least 100x", "12x", false)],
        };
        let text = report.text();
        assert!(text.contains("loop  1.23 s") && text.contains("MISSED   at least 100x: 12x"), "{text}");
        let document = report.document();
        assert_eq!(document["rows"][0]["tasks"], 7);
        assert_eq!(document["targets"][0]["met"], false);
    }

    #[test]
    fn figures_have_about_three_digits() {
        let expected = ["12.0 s", "1.50 s", "150 ms", "15.5 ms", "1.55 ms", "15.0 us"];
        assert_eq!([12_000.0, 1500.0, 150.0, 15.5, 1.55, 0.015].map(time), expected);
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!((times(1234.0), times(1.234)), ("1,234x".to_owned(), "1.23x".to_owned()));
    }
}
