//! Groups of tasks: what they ask together, and which of their members run already.

use alloc::vec::Vec;
use core::ops::Range;

use crate::columns::{MAX_ROWS, Shape, check_length, check_offsets, out_of_range, span};
use crate::error::Error;

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
