//! For each attribute value the rows that have it: for requirements that are too many to have a bit row each, such as tasks
//! that are bound to one server by its name.

use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::feasible::{Standing, Task};
use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};
use crate::table::Kind;

/// Rows by attribute value. Attributes are entered when a task first asks for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Postings {
    /// The attributes that are entered.
    attributes: Vec<u32>,
    /// The rows that have, or once had, a value: whoever reads them checks the row.
    rows: HashMap<(u32, u32), Vec<u32>>,
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
    pub(super) fn prepare_attribute(&mut self, attribute: u32, ledger: &Ledger) {
        if !self.attributes.contains(&attribute) {
            self.attributes.push(attribute);
            (0..ledger.rows()).for_each(|row| self.enter(row, attribute, ledger));
        }
    }

    /// Enters a row that is new or has new values.
    pub(super) fn add(&mut self, row: usize, ledger: &Ledger) {
        for at in 0..self.attributes.len() {
            self.enter(row, self.attributes[at], ledger);
        }
    }

    /// Enters a row under its value of an attribute.
    fn enter(&mut self, row: usize, attribute: u32, ledger: &Ledger) {
        let value = ledger.attribute(row, attribute);
        if value != 0 {
            self.rows.entry((attribute, value)).or_default().push(row as u32);
        }
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
        choose_of(self.rows.get(&value).into_iter().flatten(), ledger, task, policy, ranking, admits)
    }

    /// The rows under each value of a requirement.
    fn of<'a>(&'a self, task: Task<'a>, requirement: usize) -> impl Iterator<Item = &'a [u32]> {
        let attribute = task.table.requirement_subjects[requirement];
        let values = task.table.values(requirement).iter();
        values.filter_map(move |&value| self.rows.get(&(attribute, value)).map(Vec::as_slice))
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
