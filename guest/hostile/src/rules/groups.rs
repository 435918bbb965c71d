//! Groups of tasks.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use offermatch_core as model;

use super::pool::{Offer, RulesPool};
use super::{Rules, span};

/// Where the members of a group are, and where more of them may go.
#[derive(Debug, Clone)]
pub(super) struct Group<R> {
    /// The attribute of which all members are to have one value.
    together: Option<usize>,
    /// The values that they have to have; none where they may have any.
    values: Vec<u32>,
    /// The limits.
    limits: Vec<Limit>,
    /// How many run already.
    occupants: u64,
    rules: PhantomData<R>,
}

/// No more than so many members in one place.
#[derive(Debug, Clone)]
struct Limit {
    /// The attribute that tells places apart, or the offer itself.
    attribute: Option<usize>,
    /// How many there may be.
    most: u64,
    /// How many there are, by value.
    counts: Vec<(u32, u64)>,
}

impl<R: Rules> Group<R> {
    /// A group with its occupants.
    pub(super) fn new(pool: &RulesPool<R>, groups: &model::GroupTable, group: usize) -> Self {
        let attribute = |number: u32| number.checked_sub(1).map(|attribute| attribute as usize);
        let limit = |at: usize| Limit {
            attribute: attribute(groups.limit_attributes[at]),
            most: groups.limit_counts[at].into(),
            counts: Vec::new(),
        };
        let mut of = Self {
            together: groups.together.get(group).copied().and_then(attribute),
            values: Vec::new(),
            limits: span(&groups.limit_offsets, group).map(limit).collect(),
            occupants: 0,
            rules: PhantomData,
        };
        for (at, &row) in groups.occupant_offers.iter().enumerate() {
            let count = R::occupants(groups.occupant_counts[at]);
            if groups.occupant_groups[at] as usize != group || count == 0 {
                continue;
            }
            let offer = &pool.offers[row as usize];
            of.occupants += u64::from(count);
            of.add(row as usize, offer, count.into());
            if let Some(value) = of.together.map(|attribute| offer.attributes[attribute])
                && value != 0
                && !of.values.contains(&value)
            {
                of.values.push(value);
            }
        }
        of
    }

    /// The value that an offer counts under, if it has one.
    fn value(attribute: Option<usize>, row: usize, offer: &Offer) -> Option<u32> {
        attribute.map_or(Some(row as u32), |attribute| Some(offer.attributes[attribute]).filter(|&value| value != 0))
    }

    /// Takes note of members on an offer.
    fn add(&mut self, row: usize, offer: &Offer, members: u64) {
        for Limit { attribute, counts, .. } in &mut self.limits {
            let Some(value) = Self::value(*attribute, row, offer) else { continue };
            match counts.iter_mut().find(|(counted, _)| *counted == value) {
                Some((_, count)) => *count += members,
                None => counts.push((value, members)),
            }
        }
    }

    /// Whether an offer has a value that members may have.
    pub(super) fn is_together(&self, offer: &Offer) -> bool {
        self.together.is_none_or(|attribute| {
            let value = offer.attributes[attribute];
            value != 0 && (self.values.is_empty() || self.values.contains(&value))
        })
    }

    /// Whether each limit admits another member to an offer.
    pub(super) fn limits(&self, row: usize, offer: &Offer) -> Vec<bool> {
        let admits = |Limit { attribute, most, counts }: &Limit| {
            Self::value(*attribute, row, offer).is_some_and(|value| {
                let counted = counts.iter().find(|(counted, _)| *counted == value);
                R::admits(counted.map_or(0, |&(_, count)| count), *most)
            })
        };
        self.limits.iter().map(admits).collect()
    }

    /// Whether another member may go to an offer.
    pub(super) fn admits(&self, row: usize, offer: &Offer) -> bool {
        self.is_together(offer) && self.limits(row, offer).iter().all(|&admits| admits)
    }
}

impl<R: Rules> RulesPool<R> {
    /// Places the members of a group, or none of them.
    pub(super) fn place_group(&mut self, tasks: &model::TaskTable, group: usize) -> Vec<(usize, usize, f64)> {
        let (after, placed) = self.try_group(tasks, group);
        let occupants = Group::new(self, &tasks.groups, group).occupants;
        let least = tasks.groups.least.get(group).copied().unwrap_or(0);
        if !R::enough(placed.len() as u64 + occupants, least.into()) {
            return Vec::new();
        }
        *self = after;
        placed
    }

    /// The pool with as many members as find an offer, and who they are.
    pub(super) fn try_group(&self, tasks: &model::TaskTable, group: usize) -> (Self, Vec<(usize, usize, f64)>) {
        let of = Group::new(self, &tasks.groups, group);
        let Some(attribute) = of.together else { return self.try_members(tasks, group, of) };
        let mut best = (self.clone(), Vec::new());
        let mut best_sum = f64::INFINITY;
        let mut tried = vec![0];
        for &row in &self.list {
            let value = self.offers[row].attributes[attribute];
            if tried.contains(&value) || !of.is_together(&self.offers[row]) {
                continue;
            }
            tried.push(value);
            let found = self.try_members(tasks, group, Group { values: vec![value], ..of.clone() });
            let sum = found.1.iter().fold(0.0, |sum, (_, _, score)| sum + score);
            if R::better_together((found.1.len(), sum), (best.1.len(), best_sum)) {
                (best, best_sum) = (found, sum);
            }
        }
        best
    }

    /// The same where a group may have no other value.
    fn try_members(
        &self,
        tasks: &model::TaskTable,
        group: usize,
        mut of: Group<R>,
    ) -> (Self, Vec<(usize, usize, f64)>) {
        let mut pool = self.clone();
        let mut placed = Vec::new();
        let members = tasks.group_of.iter().enumerate().filter(|&(_, &number)| number as usize == group + 1);
        for (task, _) in members {
            if let Some(found) = pool.place(tasks, task, Some(&of)) {
                of.add(found.1, &pool.offers[found.1], 1);
                placed.push(found);
            }
        }
        (pool, placed)
    }
}
