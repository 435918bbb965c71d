//! Where the members of a group are, and where more of them may go.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use offermatch_core as model;

use super::offers::Offer;
use super::{Rules, span};

/// Where the members of a group are, and where more of them may go.
#[derive(Debug, Clone)]
pub(super) struct Group<R> {
    /// The attribute of which all members are to have one value.
    pub(super) together: Option<usize>,
    /// The values that they have to have; none where they may have any.
    values: Vec<u32>,
    /// The limits.
    limits: Vec<Limit>,
    /// How many run already.
    pub(super) occupants: u64,
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
    pub(super) fn new(offers: &[Offer], groups: &model::GroupTable, group: usize) -> Self {
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
            let offer = &offers[row as usize];
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

    /// The same where members have to have this value.
    pub(super) fn of_value(mut self, value: u32) -> Self {
        self.values = vec![value];
        self
    }

    /// Takes note of members on an offer.
    pub(super) fn add(&mut self, row: usize, offer: &Offer, members: u64) {
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
