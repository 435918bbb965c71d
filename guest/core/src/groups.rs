//! Groups of tasks: what they ask together, and what their members have taken.

use alloc::vec::Vec;
use core::ops::Range;

use hashbrown::HashMap;

use crate::error::Error;
use crate::ledger::Ledger;
use crate::table::{MAX_ROWS, Shape, check_length, check_offsets, out_of_range, span};

/// What tasks ask together. The members of a group are placed when the turn of the first one comes, in their order. Plain
/// columns, checked with the task table that they belong to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupTable {
    /// How many groups.
    pub rows: u32,
    /// If fewer members than this find an offer, with those that run already, none is placed. Empty: zero each.
    pub least: Vec<u32>,
    /// The attribute, and one more, of which all members are to have one value; 0 for none. Empty: zero each.
    pub together: Vec<u32>,
    /// Where the limits of each group begin: `rows + 1` numbers. Empty: no group has one.
    pub limit_offsets: Vec<u32>,
    /// What each limit counts by: an attribute, and one more, or 0 for the offer itself.
    pub limit_attributes: Vec<u32>,
    /// How many members there may be on offers with one value, or on one offer. At least 1.
    pub limit_counts: Vec<u32>,
    /// The group of some members that run already.
    pub occupant_groups: Vec<u32>,
    /// The row of the offer that they run on.
    pub occupant_offers: Vec<u32>,
    /// How many they are.
    pub occupant_counts: Vec<u32>,
}

impl GroupTable {
    /// Checks all but the rows of offers. `group_of` is the column of the members.
    pub(crate) fn check(&self, shape: Shape, group_of: &[u32]) -> Result<(), Error> {
        let rows = u64::from(self.rows);
        if rows > MAX_ROWS {
            return Err(Error::TooManyRows { asked: rows, limit: MAX_ROWS });
        }
        for (column, numbers) in [("least", &self.least), ("together", &self.together)] {
            if !numbers.is_empty() {
                check_length(column, numbers.len(), rows)?;
            }
        }
        check_offsets("limit-offsets", &self.limit_offsets, rows, "limit-attributes", self.limit_attributes.len())?;
        check_length("limit-counts", self.limit_counts.len(), self.limit_attributes.len() as u64)?;
        for (column, numbers) in [("together", &self.together), ("limit-attributes", &self.limit_attributes)] {
            if let Some(at) = numbers.iter().position(|&attribute| attribute > shape.attributes) {
                return Err(out_of_range(column, at, numbers[at].into(), 0, shape.attributes.into()));
            }
        }
        if let Some(at) = self.limit_counts.iter().position(|&most| most == 0) {
            return Err(out_of_range("limit-counts", at, 0, 1, u32::MAX.into()));
        }
        check_length("occupant-offers", self.occupant_offers.len(), self.occupant_groups.len() as u64)?;
        check_length("occupant-counts", self.occupant_counts.len(), self.occupant_groups.len() as u64)?;
        if let Some(at) = self.occupant_groups.iter().position(|&group| group >= self.rows) {
            let most = rows.saturating_sub(1);
            return Err(out_of_range("occupant-groups", at, self.occupant_groups[at].into(), 0, most));
        }
        self.check_least(group_of)
    }

    /// Refuses a group that asks for more members than there are.
    fn check_least(&self, group_of: &[u32]) -> Result<(), Error> {
        if self.least.iter().all(|&least| least == 0) {
            return Ok(());
        }
        let mut sizes = alloc::vec![0_u64; self.rows as usize];
        group_of.iter().filter(|&&group| group > 0).for_each(|&group| sizes[group as usize - 1] += 1);
        for (&group, &count) in self.occupant_groups.iter().zip(&self.occupant_counts) {
            sizes[group as usize] += u64::from(count);
        }
        match self.least.iter().zip(&sizes).position(|(&least, &size)| u64::from(least) > size) {
            Some(at) => Err(out_of_range("least", at, self.least[at].into(), 0, sizes[at])),
            None => Ok(()),
        }
    }

    /// Checks that occupants run on rows that a pool has.
    pub(crate) fn check_occupants(&self, rows: usize) -> Result<(), Error> {
        match self.occupant_offers.iter().position(|&row| row as usize >= rows) {
            Some(at) => {
                let most = (rows as u64).saturating_sub(1);
                Err(out_of_range("occupant-offers", at, self.occupant_offers[at].into(), 0, most))
            }
            None => Ok(()),
        }
    }

    /// How many members a group needs at least.
    pub(crate) fn least(&self, group: usize) -> u64 {
        self.least.get(group).copied().unwrap_or(0).into()
    }

    /// The attribute of which all members are to have one value.
    pub(crate) fn together(&self, group: usize) -> Option<u32> {
        self.together.get(group).copied().unwrap_or(0).checked_sub(1)
    }

    /// The limits of a group, as positions in the columns.
    pub(crate) fn limits(&self, group: usize) -> Range<usize> {
        span(&self.limit_offsets, group)
    }

    /// The attributes that some rule is about.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = u32> {
        self.together.iter().chain(&self.limit_attributes).filter_map(|&attribute| attribute.checked_sub(1))
    }

    /// The members that run already, by group: rows and how many run there.
    pub(crate) fn occupants(&self) -> Occupants {
        let mut of: Vec<(u32, u32, u32)> = Vec::with_capacity(self.occupant_groups.len());
        for at in 0..self.occupant_groups.len() {
            if self.occupant_counts[at] > 0 {
                of.push((self.occupant_groups[at], self.occupant_offers[at], self.occupant_counts[at]));
            }
        }
        of.sort_unstable_by_key(|&(group, row, _)| (group, row));
        Occupants(of)
    }
}

/// The members that run already: group, row of the offer, and how many, in the order of the groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Occupants(Vec<(u32, u32, u32)>);

impl Occupants {
    /// Those of a group.
    pub(crate) fn of(&self, group: usize) -> &[(u32, u32, u32)] {
        let begin = self.0.partition_point(|&(other, _, _)| (other as usize) < group);
        let end = self.0.partition_point(|&(other, _, _)| other as usize <= group);
        &self.0[begin..end]
    }
}

/// Where the members of one group may go, given those that are there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    /// The limits.
    limits: Vec<Limit>,
    /// The attribute of which all members are to have one value.
    together: Option<u32>,
    /// The values that members have to have; none where they may have any but unset.
    pub(crate) values: Vec<u32>,
    /// How many run already.
    pub(crate) occupants: u64,
}

/// The rule of a limit: no more than so many members on offers with one value.
#[derive(Debug, Clone, Default)]
struct Limit {
    /// The attribute, or the offer itself.
    attribute: Option<u32>,
    /// How many there may be.
    most: u64,
    /// How many there are, by value or by row.
    counts: HashMap<u32, u64>,
    /// The values, or rows, that have as many as there may be.
    full: Vec<u32>,
}

impl Limit {
    /// The value that an offer counts under, if it has one.
    fn value(&self, ledger: &Ledger, row: usize) -> Option<u32> {
        match self.attribute {
            None => Some(row as u32),
            Some(attribute) => Some(ledger.attribute(row, attribute)).filter(|&value| value != 0),
        }
    }

    /// Whether another member may go to an offer.
    fn admits(&self, ledger: &Ledger, row: usize) -> bool {
        self.value(ledger, row).is_some_and(|value| self.counts.get(&value).is_none_or(|&count| count < self.most))
    }
}

impl Members {
    /// A group, with its occupants and nobody else.
    pub(crate) fn new(table: &GroupTable, group: usize, occupants: &Occupants, ledger: &Ledger) -> Self {
        let limit = |at: usize| Limit {
            attribute: table.limit_attributes[at].checked_sub(1),
            most: table.limit_counts[at].into(),
            counts: HashMap::new(),
            full: Vec::new(),
        };
        let limits = table.limits(group).map(limit).collect();
        let mut members = Self { limits, together: table.together(group), values: Vec::new(), occupants: 0 };
        for &(_, row, count) in occupants.of(group) {
            members.occupants += u64::from(count);
            members.count(ledger, row as usize, count.into());
            if let Some(attribute) = members.together {
                let value = ledger.attribute(row as usize, attribute);
                if value != 0 && !members.values.contains(&value) {
                    members.values.push(value);
                }
            }
        }
        members
    }

    /// Whether there is no rule.
    pub(crate) fn admit_all(&self) -> bool {
        self.limits.is_empty() && self.together.is_none()
    }

    /// The attribute of which all members are to have one value.
    pub(crate) fn together(&self) -> Option<u32> {
        self.together
    }

    /// Whether each of the limits, in order, admits another member to an offer.
    pub(crate) fn limits<'a>(&'a self, ledger: &'a Ledger, row: usize) -> impl Iterator<Item = bool> + 'a {
        self.limits.iter().map(move |limit| limit.admits(ledger, row))
    }

    /// Whether another member may go to an offer.
    pub(crate) fn admit(&self, ledger: &Ledger, row: usize) -> bool {
        self.is_together(ledger, row) && self.limits.iter().all(|limit| limit.admits(ledger, row))
    }

    /// Whether an offer has a value that members may have.
    pub(crate) fn is_together(&self, ledger: &Ledger, row: usize) -> bool {
        self.together.is_none_or(|attribute| {
            let value = ledger.attribute(row, attribute);
            value != 0 && (self.values.is_empty() || self.values.contains(&value))
        })
    }

    /// Takes note of a member on an offer.
    pub(crate) fn add(&mut self, ledger: &Ledger, row: usize) {
        self.count(ledger, row, 1);
    }

    /// Counts members on an offer.
    fn count(&mut self, ledger: &Ledger, row: usize, members: u64) {
        for limit in &mut self.limits {
            if let Some(value) = limit.value(ledger, row) {
                let count = limit.counts.entry(value).or_insert(0);
                let was_full = *count >= limit.most;
                *count += members;
                if *count >= limit.most && !was_full {
                    limit.full.push(value);
                }
            }
        }
    }

    /// The attribute and the value of every limit by attribute that is reached.
    pub(crate) fn full(&self) -> impl Iterator<Item = (u32, u32)> {
        let by_attribute = self.limits.iter().filter_map(|limit| Some((limit.attribute?, &limit.full)));
        by_attribute.flat_map(|(attribute, full)| full.iter().map(move |&value| (attribute, value)))
    }

    /// The attribute of each limit, or the offer itself, and the values, or rows, where it is reached.
    pub(crate) fn full_by_limit(&self) -> impl Iterator<Item = (Option<u32>, &[u32])> {
        self.limits.iter().map(|limit| (limit.attribute, limit.full.as_slice()))
    }

    /// The attributes of which an offer has to have a value.
    pub(crate) fn counted_by(&self) -> impl Iterator<Item = u32> {
        self.limits.iter().filter_map(|limit| limit.attribute)
    }

    /// Whether another member may go to offers like this one, as far as their attributes say.
    pub(crate) fn admit_attributes(&self, ledger: &Ledger, row: usize) -> bool {
        let mut limits = self.limits.iter().filter(|limit| limit.attribute.is_some());
        self.is_together(ledger, row) && limits.all(|limit| limit.admits(ledger, row))
    }

    /// Whether another member may go to just this offer, whose attributes are known to be right.
    pub(crate) fn admit_offer(&self, ledger: &Ledger, row: usize) -> bool {
        let mut limits = self.limits.iter().filter(|limit| limit.attribute.is_none());
        limits.all(|limit| limit.admits(ledger, row))
    }
}
