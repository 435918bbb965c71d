//! Rows that cannot be used: all of them are found, and refused together or left out.
//!
//! A table is built whole. Only where that fails is it halved until every half either can be used or is one bad row, so a
//! table without a bad row costs nothing, and one with few of them little.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Error, Place};
use crate::table::quantity::{Unit, Units};
use crate::table::rows::{Offer, Task};

/// Bad rows that an error names; it counts the others.
const SHOWN: usize = 10;

/// A row that cannot be used.
///
/// Example: [`Rows`].
#[derive(Debug)]
#[non_exhaustive]
pub struct BadRow {
    /// What the table is called: `tasks`, `offers`, or the path of the file.
    pub table: String,
    /// The row in the table as it was given, counted from 0.
    pub row: usize,
    /// Its name; empty where it has none.
    pub name: String,
    /// Why.
    pub error: Error,
}

/// Rows of a table, some of which may have been left out.
///
/// ```
/// use offermatch::{Catalog, Format, Offers, Reader, Rows, Task, Tasks};
///
/// let reader = Reader { format: Format::Csv, ..Reader::default() };
/// let mut rows = reader.parse_task_rows("name,demand.cpu\nfirst,1\nsecond,-1\nthird,1\nfirst,1\n", "tasks.csv")?;
/// let tasks = Tasks::leaving_out(&mut rows, &Catalog::new(["cpu"], [""; 0]), "tasks.csv")?;
/// assert_eq!(tasks.names(), ["first", "third"]);
///
/// let why: Vec<(usize, &str)> = rows.left_out().iter().map(|bad| (bad.row, bad.error.code())).collect();
/// assert_eq!(why, [(1, "quantity-negative"), (3, "duplicate-name")]);
/// assert!(rows.refuse().unwrap_err().to_string().contains("2 rows cannot be used"));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug)]
pub struct Rows<T> {
    rows: Vec<T>,
    /// The number of each in the table as it was given.
    numbers: Vec<usize>,
    left_out: Vec<BadRow>,
    /// What the file declares beside the rows.
    units: Units,
    /// The units in which the numbers of the rows were read.
    read_in: Units,
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { numbers: (0..rows.len()).collect(), rows, ..Self::none() }
    }
}

impl<T> Rows<T> {
    /// The rows of a table, and why others are none; `name` is what such a row is called.
    pub(crate) fn of(source: &str, read: impl Iterator<Item = (String, Result<T, Error>)>) -> Self {
        let mut found = Self::none();
        for (row, (name, read)) in read.enumerate() {
            if let Some(one) = found.take(source, row, &name, read) {
                found.add(row, one);
            }
        }
        found
    }

    /// No rows yet: what is made of a file whose rows are no table.
    pub(crate) fn none() -> Self {
        let (units, read_in) = (Units::default(), Units::default());
        Self { rows: Vec::new(), numbers: Vec::new(), left_out: Vec::new(), units, read_in }
    }

    /// The same rows of a file that declares these units.
    pub(crate) fn declaring(self, units: Units) -> Self {
        Self { units, ..self }
    }

    /// The same rows, whose numbers were read in these units.
    pub(crate) fn read_in(self, read_in: Units) -> Self {
        Self { read_in, ..self }
    }

    /// What the numbers of a dimension were read in.
    pub(crate) fn unit_of(&self, dimension: &str) -> Unit {
        self.read_in.of(dimension)
    }

    /// What a file of JSON declares beside its rows, which need not have these dimensions: those of the other table may.
    pub(crate) fn units(&self) -> &Units {
        &self.units
    }

    /// Adds what was made of this row of the file.
    pub(crate) fn add(&mut self, number: usize, row: T) {
        self.rows.push(row);
        self.numbers.push(number);
    }

    /// What was read of this row of the file; none where it cannot be used, which is then left out.
    pub(crate) fn take<R>(&mut self, source: &str, row: usize, name: &str, read: Result<R, Error>) -> Option<R> {
        let left_out = |error| BadRow { table: source.to_owned(), row, name: name.to_owned(), error };
        read.map_err(|error| self.left_out.push(left_out(error))).ok()
    }

    /// The rows that are left.
    #[must_use]
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The number of each of them in the table as it was given.
    pub(crate) fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// The same, to be changed.
    pub fn rows_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// The rows that were left out, in their order.
    #[must_use]
    pub fn left_out(&self) -> &[BadRow] {
        &self.left_out
    }

    /// The rows that are left, and those that were left out.
    #[must_use]
    pub fn into_parts(self) -> (Vec<T>, Vec<BadRow>) {
        (self.rows, self.left_out)
    }

    /// Takes out the rows that cannot be used in a table that `build` makes of rows, and tells which they are.
    ///
    /// # Errors
    /// What is wrong with the table and not with a row of it.
    pub(crate) fn leave_out<B>(
        &mut self,
        source: &str,
        name: impl Fn(&T) -> &str,
        build: impl Fn(&[T]) -> Result<B, Error>,
    ) -> Result<B, Error> {
        loop {
            let error = match build(&self.rows) {
                Ok(built) => {
                    self.left_out.sort_by_key(|bad| bad.row);
                    return Ok(built);
                }
                Err(error) => error,
            };
            let mut bad = alone(&self.rows, &build)?;
            if bad.is_empty() {
                bad = repeated(&self.rows, source, &name);
            }
            if bad.is_empty() {
                // Rows that are fine each on its own, and not beside one another.
                let mut error = error;
                let row = error.place_mut().and_then(|place| place.row).filter(|row| *row < self.rows.len());
                match row {
                    Some(row) => bad.push((row, error)),
                    None => return Err(error),
                }
            }
            self.take_out(bad, source, &name);
        }
    }

    /// Leaves out these rows, which rise.
    fn take_out(&mut self, bad: Vec<(usize, Error)>, source: &str, name: impl Fn(&T) -> &str) {
        for (row, mut error) in bad.into_iter().rev() {
            if let Error::DuplicateName { first, .. } = &mut error {
                *first = self.numbers[*first];
            }
            let number = self.numbers.remove(row);
            if let Some(place) = error.place_mut() {
                place.row = Some(number);
            }
            let name = name(&self.rows.remove(row)).to_owned();
            self.left_out.push(BadRow { table: source.to_owned(), row: number, name, error });
        }
    }

    /// All rows, or the error of those that were left out; those that bear a name again are among them.
    fn refuse_named(mut self, name: impl Fn(&T) -> &str) -> Result<Vec<T>, Error> {
        if let Some(source) = self.left_out.first().map(|bad| bad.table.clone()) {
            self.take_out(repeated(&self.rows, &source, &name), &source, &name);
        }
        self.refuse_nameless()
    }

    /// The same, of the file that they are of.
    fn refused_named(mut self, name: impl Fn(&T) -> &str) -> Result<Self, Error> {
        let (units, read_in) = (std::mem::take(&mut self.units), std::mem::take(&mut self.read_in));
        Ok(Self::from(self.refuse_named(name)?).declaring(units).read_in(read_in))
    }

    /// All rows, or the error of those that were left out.
    pub(crate) fn refuse_nameless(mut self) -> Result<Vec<T>, Error> {
        self.left_out.sort_by_key(|bad| bad.row);
        refusal(self.left_out).map_or(Ok(self.rows), Err)
    }
}

impl Rows<Task> {
    /// All rows; an error where some were left out, which names the first ten of them and counts the others.
    ///
    /// # Errors
    /// That of the first row that was left out, or [`Error::BadRows`].
    pub fn refuse(self) -> Result<Vec<Task>, Error> {
        self.refuse_named(|task| &task.name)
    }

    /// The same rows, all of which can be used.
    ///
    /// # Errors
    /// As of [`Rows::refuse`].
    pub fn refused(self) -> Result<Self, Error> {
        self.refused_named(|task| &task.name)
    }
}

impl Rows<Offer> {
    /// All rows; the errors are those of tasks.
    ///
    /// # Errors
    /// That of the first row that was left out, or [`Error::BadRows`].
    pub fn refuse(self) -> Result<Vec<Offer>, Error> {
        self.refuse_named(|offer| &offer.name)
    }

    /// The same rows, all of which can be used.
    ///
    /// # Errors
    /// As of [`Rows::refuse`].
    pub fn refused(self) -> Result<Self, Error> {
        self.refused_named(|offer| &offer.name)
    }
}

/// The rows that cannot be used whatever the others are, rising.
fn alone<T, B>(rows: &[T], build: impl Fn(&[T]) -> Result<B, Error>) -> Result<Vec<(usize, Error)>, Error> {
    let mut bad = Vec::new();
    let mut waiting: Vec<Range<usize>> = std::iter::once(0..rows.len()).collect();
    while let Some(part) = waiting.pop() {
        let Err(mut error) = build(&rows[part.clone()]) else { continue };
        if part.len() > 1 {
            let middle = part.start + part.len() / 2;
            waiting.extend([middle..part.end, part.start..middle]);
        } else if error.place_mut().is_some_and(|place| place.row.is_some()) {
            bad.push((part.start, error));
        } else {
            return Err(error);
        }
    }
    Ok(bad)
}

/// The rows that bear the name of one before them.
fn repeated<T>(rows: &[T], source: &str, name: impl Fn(&T) -> &str) -> Vec<(usize, Error)> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut bad = Vec::new();
    for (row, one) in rows.iter().enumerate() {
        let first = *first.entry(name(one)).or_insert(row);
        if first != row {
            let (source, name) = (source.to_owned(), Some(name(one).to_owned()));
            let place = Box::new(Place { source, row: Some(row), name, column: "name".to_owned() });
            bad.push((row, Error::DuplicateName { place, first }));
        }
    }
    bad
}

/// The error of rows that cannot be used: that of the first one, which names the others and says how many there are.
fn refusal(bad: Vec<BadRow>) -> Option<Error> {
    let rows = bad.len();
    let mut errors = bad.into_iter().map(|bad| bad.error);
    let first = errors.next()?;
    if rows == 1 {
        return Some(first);
    }
    let others = errors.take(SHOWN - 1).map(|error| error.to_string()).collect::<Vec<_>>().join("; ");
    let more = if rows > SHOWN { format!("; and {} more", rows - SHOWN) } else { String::new() };
    Some(Error::BadRows { first: Box::new(first), rows, others: others + &more })
}
