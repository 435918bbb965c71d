//! The cells of a CSV text: column names, and rows in which the first fault from above is the error.

use ::csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use offermatch_core::MAX_ROWS;

use crate::error::{Error, Place};
use crate::read::cells::Row;
use crate::read::check_rows;
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::quantity::Units;
use crate::visible::visible_name;

/// The most characters of a cell, which is the limit of Python's reader.
const MOST_CHARACTERS: usize = 131_072;

/// The remedy for cells that cannot be told apart.
const QUOTES: &str = "quote cells as RFC 4180 says";

/// A table of cells: the column names, and the rows below them.
pub(super) struct Table<'a> {
    text: &'a str,
    source: &'a str,
    pub(super) header: StringRecord,
    /// Where a quote stands that the reader would guess the meaning of.
    stray: Option<usize>,
}

impl<'a> Table<'a> {
    /// The table in a CSV text, of which the column names are read; `named` tells the name of a column from what stands there.
    pub(super) fn of(
        text: &'a str,
        source: &'a str,
        mut named: impl for<'n> FnMut(&'n str) -> Result<&'n str, Error>,
    ) -> Result<Self, Error> {
        let mut table = Self { text, source, header: StringRecord::new(), stray: stray_quote(text) };
        let mut written = StringRecord::new();
        if text.starts_with(['\r', '\n']) || !table.next(&mut reader(text), &mut written)? {
            return Err(missing(source, "name", remedy::NAMELESS));
        }
        table.header = written.iter().map(&mut named).collect::<Result<StringRecord, Error>>()?;
        for (at, name) in table.header.iter().enumerate() {
            if table.header.iter().take(at).any(|earlier| earlier == name) {
                return Err(table.malformed(0, format!("the column {} stands twice", visible_name(name)), "keep one"));
            }
        }
        Ok(table)
    }

    /// The number of a column that has to be there.
    pub(super) fn column(&self, name: &str, hint: &'static str) -> Result<usize, Error> {
        self.header.iter().position(|column| column == name).ok_or_else(|| missing(self.source, name, hint))
    }

    /// The rows, named by a column; `build` makes each of its cells, whose numbers are in `units`.
    pub(super) fn rows<T>(
        &self,
        name: usize,
        units: &Units,
        build: impl Fn(Row<'_>, &StringRecord) -> Result<T, Error>,
    ) -> Result<Rows<T>, Error> {
        let records = self.records()?;
        let rows = records.iter().enumerate().map(|(number, record)| {
            let name = record.get(name).filter(|name| !name.is_empty());
            let row = Row { source: self.source, number, name, units };
            (name.unwrap_or_default().to_owned(), build(row, record))
        });
        Ok(Rows::of(self.source, rows))
    }

    /// The records below the column names, each with as many cells. The first fault from above is the error.
    fn records(&self) -> Result<Vec<StringRecord>, Error> {
        check_count(self.text, self.source)?;
        let (mut reader, mut record, mut records) = (reader(self.text), StringRecord::new(), Vec::new());
        self.next(&mut reader, &mut record)?;
        while self.next(&mut reader, &mut record)? {
            let begin = record.position().map_or(0, byte);
            if record.iter().any(|cell| cell.len() > MOST_CHARACTERS && cell.chars().count() > MOST_CHARACTERS) {
                let message = format!("a cell has more than {MOST_CHARACTERS} characters");
                return Err(self.malformed(begin, message, QUOTES));
            }
            if record.len() != self.header.len() {
                let (cells, columns) = (record.len(), self.header.len());
                let message = format!("{cells} cells stand under {columns} columns");
                return Err(self.malformed(begin, message, "give each row as many cells"));
            }
            records.push(record.clone());
        }
        Ok(records)
    }

    /// Reads the next record; false behind the last. A stray quote in it is an error.
    fn next(&self, reader: &mut Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, Error> {
        let found = reader
            .read_record(record)
            .map_err(|error| self.malformed(error.position().map_or(0, byte), error.to_string(), QUOTES))?;
        match self.stray {
            Some(at) if at < byte(reader.position()) => {
                Err(self.malformed(at, "a quoted cell does not end at its quote".to_owned(), QUOTES))
            }
            _ => Ok(found),
        }
    }

    /// The error of what stands at a byte, or behind the ends of lines there.
    fn malformed(&self, at: usize, message: String, hint: &'static str) -> Error {
        // The reader counts neither a carriage return alone nor empty lines before a record.
        let ends = self.text.bytes().skip(at).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = line_of(self.text, at.saturating_add(ends));
        Error::FileMalformed { file: self.source.to_owned(), line, column: 0, message, hint: hint.into() }
    }
}

/// The byte of a position in a text.
fn byte(position: &::csv::Position) -> usize {
    usize::try_from(position.byte()).unwrap_or(usize::MAX)
}

/// The reader of a text, whose first record is the line of column names.
fn reader(text: &str) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes())
}

/// Counts the rows of a text that may have too many, before any of them is kept.
fn check_count(text: &str, source: &str) -> Result<(), Error> {
    if text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 <= MAX_ROWS {
        return Ok(());
    }
    let (mut reader, mut record, mut rows) = (reader(text), ByteRecord::new(), 0_usize);
    while reader.read_byte_record(&mut record).is_ok_and(|is_there| is_there) {
        rows += 1;
    }
    // The line of column names is none of them.
    check_rows(rows.saturating_sub(1), source)
}

/// The line of a byte, counted from 1. A line ends at `\n`, `\r` or both.
fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    let ends = before.iter().zip(text.as_bytes().iter().skip(1).chain([&0]));
    1 + ends.filter(|&(&byte, &next)| byte == b'\n' || (byte == b'\r' && next != b'\n')).count()
}

/// Where a quoted cell goes on behind its closing quote, or begins and never ends. The reader would guess what was meant.
fn stray_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let begin = at;
        if bytes[at] == b'"' {
            loop {
                let Some(next) = bytes[at + 1..].iter().position(|&byte| byte == b'"') else { return Some(begin) };
                at += 1 + next;
                if bytes.get(at + 1) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
            at += 1;
            if bytes.get(at).is_some_and(|byte| !matches!(byte, b',' | b'\r' | b'\n')) {
                return Some(at);
            }
        }
        let end = bytes[at..].iter().position(|byte| matches!(byte, b',' | b'\r' | b'\n'));
        at += end? + 1;
    }
    None
}

/// The error of a column that is not there.
fn missing(source: &str, column: &str, hint: &'static str) -> Error {
    Error::MissingColumn { place: Box::new(in_header(source, column)), hint }
}

/// A place in the line of column names.
pub(super) fn in_header(source: &str, column: &str) -> Place {
    Place { source: format!("{source}, line 1"), column: visible_name(column).into_owned(), ..Place::default() }
}
