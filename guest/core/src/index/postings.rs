//! For each attribute value the rows that have it: for requirements that few offers meet, such as tasks that are bound to one
//! server by its name, and for those that are too many to have a bit row each.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::feasible::{Standing, Task};
use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};
use crate::table::Kind;

/// Offers with a value that are looked at one by one: so few cost less than a search, and their value gets no row.
pub(super) const RARE: usize = 32;

/// Rows by attribute value. Attributes are entered when a task first asks for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Postings {
    /// The attributes that are entered.
    columns: Vec<Column>,
}

/// The rows that have, or once had, each value of an attribute: whoever reads them checks the row.
#[derive(Debug, Clone)]
struct Column {
    /// Which attribute.
    number: u32,
    /// The rows that were there when the attribute was entered, by value.
    rows: Vec<u32>,
    /// Where those of each value begin. Empty, and so is `rows`, where values are too large for that.
    begins: Vec<u32>,
    /// The other rows.
    others: HashMap<u32, Vec<u32>>,
}

impl Column {
    /// Enters all rows: by counting sort where values are not much larger than rows are many.
    fn new(number: u32, ledger: &Ledger) -> Self {
        let mut column = Self { number, rows: Vec::new(), begins: Vec::new(), others: HashMap::new() };
        let values = || (0..ledger.rows()).map(|row| ledger.attribute(row, number) as usize);
        let largest = values().max().unwrap_or(0);
        if largest > 4 * ledger.rows() + RARE {
            (0..ledger.rows()).for_each(|row| column.enter(row, ledger));
            return column;
        }
        // Each count, two places behind its value, becomes the begin of the value behind, and when all are entered its own.
        let mut begins = vec![0; largest + 3];
        values().for_each(|value| begins[value + 2] += 1);
        // Zero is unset.
        begins[2] = 0;
        for at in 2..begins.len() {
            begins[at] += begins[at - 1];
        }
        column.rows.resize(begins[largest + 2] as usize, 0);
        for (row, value) in values().enumerate().filter(|&(_, value)| value > 0) {
            column.rows[begins[value + 1] as usize] = row as u32;
            begins[value + 1] += 1;
        }
        column.begins = begins;
        column
    }

    /// Enters a row under its value.
    fn enter(&mut self, row: usize, ledger: &Ledger) {
        let value = ledger.attribute(row, self.number);
        if value != 0 {
            self.others.entry(value).or_default().push(row as u32);
        }
    }

    /// The rows of a value, in two parts.
    #[inline]
    fn of(&self, value: u32) -> [&[u32]; 2] {
        let begins = self.begins.get(value as usize..).and_then(|begins| begins.first_chunk());
        let rows = begins.map_or(&[][..], |&[begin, end]| &self.rows[begin as usize..end as usize]);
        if self.others.is_empty() {
            return [rows, &[]];
        }
        [rows, self.others.get(&value).map_or(&[], Vec::as_slice)]
    }
}

impl Postings {
    /// Enters the attributes of these requirements.
    pub(super) fn prepare(&mut self, task: Task<'_>, requirements: &[usize], ledger: &Ledger) {
        for &requirement in requirements {
            if is_in(task, requirement) {
                self.prepare_attribute(task.table.requirement_subjects[requirement], ledger);
            }
        }
    }

    /// Enters an attribute.
    #[inline]
    pub(super) fn prepare_attribute(&mut self, attribute: u32, ledger: &Ledger) {
        if !self.columns.iter().any(|column| column.number == attribute) {
            self.columns.push(Column::new(attribute, ledger));
        }
    }

    /// Enters a row that is new or has new values.
    pub(super) fn add(&mut self, row: usize, ledger: &Ledger) {
        self.columns.iter_mut().for_each(|column| column.enter(row, ledger));
    }

    /// Whether no more than [`RARE`] rows have one of these values.
    pub(super) fn are_rare(&self, attribute: u32, values: &[u32]) -> bool {
        let mut rows = 0;
        values.iter().all(|&value| {
            rows += self.rows(attribute, value).map(<[u32]>::len).sum::<usize>();
            rows <= RARE
        })
    }

    /// The rows of a value of an attribute that is entered.
    fn rows(&self, attribute: u32, value: u32) -> impl Iterator<Item = &[u32]> {
        let column = self.columns.iter().find(move |column| column.number == attribute);
        column.into_iter().flat_map(move |column| column.of(value))
    }

    /// The requirement that the fewest rows can pass, if they are at most `limit`.
    pub(super) fn shortest(&self, task: Task<'_>, requirements: &[usize], limit: usize) -> Option<usize> {
        let inclusive = requirements.iter().filter(|&&requirement| is_in(task, requirement));
        let counted = inclusive.map(|&requirement| {
            let rows: usize = self.of(task, requirement).map(<[u32]>::len).sum();
            (rows, requirement)
        });
        counted.min().filter(|&(rows, _)| rows <= limit).map(|(_, requirement)| requirement)
    }

    /// The offer that a task gets, looked for among the rows that can pass one of its requirements.
    pub(super) fn choose<P: Policy>(
        &self,
        requirement: usize,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
    ) -> Option<(usize, f64)> {
        choose_of(self.of(task, requirement).flatten(), ledger, task, policy, ranking, |_| true)
    }

    /// The same, among those that a rule admits.
    pub(super) fn choose_among<P: Policy>(
        &self,
        requirement: usize,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
        admits: impl Fn(usize) -> bool,
    ) -> Option<(usize, f64)> {
        choose_of(self.of(task, requirement).flatten(), ledger, task, policy, ranking, admits)
    }

    /// The offer that a task gets among those that a rule admits and that have a value of an attribute which is entered.
    pub(super) fn choose_with<P: Policy>(
        &self,
        value: (u32, u32),
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
        admits: impl Fn(usize) -> bool,
    ) -> Option<(usize, f64)> {
        choose_of(self.rows(value.0, value.1).flatten(), ledger, task, policy, ranking, admits)
    }

    /// The rows under each value of a requirement.
    fn of<'a>(&'a self, task: Task<'a>, requirement: usize) -> impl Iterator<Item = &'a [u32]> {
        let attribute = task.table.requirement_subjects[requirement];
        let values = task.table.values(requirement).iter();
        values.flat_map(move |&value| self.rows(attribute, value))
    }
}

/// Whether a requirement asks for a value of a set.
fn is_in(task: Task<'_>, requirement: usize) -> bool {
    Kind::of(task.table.requirement_kinds[requirement]) == Kind::In
}

/// The offer that a task gets among some rows, in any order and some perhaps twice, that a rule admits.
fn choose_of<'a, P: Policy>(
    rows: impl Iterator<Item = &'a u32>,
    ledger: &Ledger,
    task: Task<'_>,
    policy: &P,
    ranking: &Ranking,
    admits: impl Fn(usize) -> bool,
) -> Option<(usize, f64)> {
    let mut best: Option<(f64, u32)> = None;
    for &row in rows {
        let Some(position) = ledger.position(row as usize) else { continue };
        if let Standing::Candidate(score) = task.standing(ledger, row as usize, policy, ranking)
            && best.is_none_or(|best| (score, position) < best)
            && admits(row as usize)
        {
            best = Some((score, position));
        }
    }
    best.map(|(score, position)| (ledger.list()[position as usize] as usize, score))
}
