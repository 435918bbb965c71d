//! Where the members of a group may go, given those that are placed.

use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::groups::{GroupTable, Occupants};
use crate::ledger::Ledger;

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

    /// Whether there is no limit.
    pub(crate) fn have_no_limits(&self) -> bool {
        self.limits.is_empty()
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
        self.is_together(ledger, row) && self.are_within_limits(ledger, row)
    }

    /// Whether another member on an offer would be within the limits.
    #[inline]
    pub(crate) fn are_within_limits(&self, ledger: &Ledger, row: usize) -> bool {
        self.limits.iter().all(|limit| limit.admits(ledger, row))
    }

    /// Whether an offer has a value that members may have.
    #[inline]
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

    /// Takes note that a member of whom note was taken is not on an offer.
    pub(crate) fn remove(&mut self, ledger: &Ledger, row: usize) {
        for limit in &mut self.limits {
            let Some(value) = limit.value(ledger, row) else { continue };
            let Some(count) = limit.counts.get_mut(&value) else { continue };
            *count -= 1;
            if *count + 1 == limit.most {
                limit.full.retain(|&full| full != value);
            }
        }
    }

    /// Takes note that members have to have this value and no other.
    pub(crate) fn have_to_have(&mut self, value: u32) {
        self.values.clear();
        self.values.push(value);
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
