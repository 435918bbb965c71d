//! Tasks and offers as people think of them: one value each. Hosts that already have columns do not need them.

use crate::error::Error;

/// The name of the free device thousandths among weights and scales.
pub const DEVICES: &str = "devices";

/// Thousandths of a whole device.
pub(crate) const WHOLE: u32 = 1000;

/// Work to be placed.
///
/// ```
/// use offermatch::{Requirement, Task};
///
/// let task = Task {
///     devices: 1,
///     requirements: vec![Requirement::is_in("gpu", ["V100", "T4"]), Requirement::at_most("price", 2.5)],
///     ..Task::new("render-1", [("cpu", 2000), ("memory", 4 << 30)])
/// };
/// assert_eq!(task.demand[0], ("cpu".to_owned(), 2000));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Task {
    /// Its name, one of a kind among the tasks of a table.
    pub name: String,
    /// What it asks in each dimension, in the smallest unit. A dimension left out is 0.
    pub demand: Vec<(String, u64)>,
    /// Conditions on attributes and measures, all of which must hold.
    pub requirements: Vec<Requirement>,
    /// Conditions that cost something where they do not hold.
    pub preferences: Vec<Preference>,
    /// The group that it belongs to.
    pub group: Option<Group>,
    /// Whole devices asked.
    pub devices: u32,
    /// Thousandths asked of one device, 1 to 999, or 0 for none. Not together with `devices`.
    pub device_share: u32,
}

impl Task {
    /// A task without requirements and devices.
    pub fn new<S: Into<String>>(name: impl Into<String>, demand: impl IntoIterator<Item = (S, u64)>) -> Self {
        Self { name: name.into(), demand: named(demand), ..Self::default() }
    }
}

/// A condition on one attribute or one measure of an offer.
///
/// ```
/// use offermatch::Requirement;
///
/// let requirement = Requirement::at_least("gpu_memory", 40e9);
/// assert_eq!(requirement, Requirement::AtLeast { measure: "gpu_memory".into(), bound: 40e9 });
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Requirement {
    /// The attribute has a value of the set. The empty value is unset, which is in no set.
    In {
        /// The attribute.
        attribute: String,
        /// The set of values.
        values: Vec<String>,
    },
    /// The attribute is unset, or has a value that is not in the set.
    NotIn {
        /// The attribute.
        attribute: String,
        /// The set of values.
        values: Vec<String>,
    },
    /// The measure is set, and at least the bound.
    AtLeast {
        /// The measure.
        measure: String,
        /// The least it may be; not NaN.
        bound: f64,
    },
    /// The measure is set, and at most the bound.
    AtMost {
        /// The measure.
        measure: String,
        /// The most it may be; not NaN.
        bound: f64,
    },
}

impl Requirement {
    /// The requirement that the attribute is one of the values.
    pub fn is_in<S: Into<String>>(attribute: impl Into<String>, values: impl IntoIterator<Item = S>) -> Self {
        Self::In { attribute: attribute.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// The requirement that the attribute is unset or none of the values.
    pub fn not_in<S: Into<String>>(attribute: impl Into<String>, values: impl IntoIterator<Item = S>) -> Self {
        Self::NotIn { attribute: attribute.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// The requirement that the measure is set and not below the bound.
    pub fn at_least(measure: impl Into<String>, bound: f64) -> Self {
        Self::AtLeast { measure: measure.into(), bound }
    }

    /// The requirement that the measure is set and not above the bound.
    pub fn at_most(measure: impl Into<String>, bound: f64) -> Self {
        Self::AtMost { measure: measure.into(), bound }
    }
}

/// A condition that an offer may fail: then the weight is added to its score, of which the lowest wins.
///
/// ```
/// use offermatch::{Preference, Requirement, Task};
///
/// let near = Preference::new(Requirement::is_in("zone", ["a"]), 0.5);
/// let task = Task { preferences: vec![near], ..Task::new("render-1", [("cpu", 2000)]) };
/// assert_eq!(task.preferences[0].weight, 0.5);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Preference {
    /// What is preferred.
    pub requirement: Requirement,
    /// What is added to the score of an offer for which it does not hold: finite, 0 or more.
    pub weight: f64,
}

impl Preference {
    /// The preference for this, at this weight.
    #[must_use]
    pub fn new(requirement: Requirement, weight: f64) -> Self {
        Self { requirement, weight }
    }
}

/// What in [`Group::at_most`] stands for the offer itself, and not for an attribute.
pub const OFFER: &str = "offer";

/// Tasks that are placed together. Its members bear the same group, or only its name: a group without rules.
///
/// ```
/// use offermatch::{Group, OFFER, Task};
///
/// let gang = Group {
///     least: 2,
///     together: Some("rack".into()),
///     at_most: vec![("zone".into(), 2), (OFFER.into(), 1)],
///     ..Group::new("train")
/// };
/// let first = Task { group: Some(gang), ..Task::new("train-1", [("cpu", 2000)]) };
/// let second = Task { group: Some(Group::new("train")), ..Task::new("train-2", [("cpu", 2000)]) };
/// assert_eq!(first.group.unwrap().name, second.group.unwrap().name);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// If fewer members than this find an offer, with those that run already, none is placed. 0 and 1 ask nothing.
    pub least: u32,
    /// The attribute of which the offers of all members have one value.
    pub together: Option<String>,
    /// How many members there may be on offers with one value of an attribute, or on one [`OFFER`]; at least 1.
    pub at_most: Vec<(String, u32)>,
}

impl Group {
    /// A group without rules, or the name of one whose rules another member bears.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The attributes that its members are placed by.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        let limited = self.at_most.iter().map(|(attribute, _)| attribute.as_str()).filter(|name| *name != OFFER);
        self.together.as_deref().into_iter().chain(limited)
    }

    /// Whether it says no more than its name.
    pub(crate) fn is_name_only(&self) -> bool {
        *self == Self::new(self.name.as_str())
    }
}

/// A server, or a part of one, that can take tasks.
///
/// ```
/// let offer = offermatch::Offer {
///     attributes: vec![("gpu".into(), "V100".into())],
///     devices: vec![1000, 540],
///     ..offermatch::Offer::new("server-1", [("cpu", 48_000)])
/// };
/// assert!(offer.capacity.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offer {
    /// Its name, one of a kind among the offers of a pool.
    pub name: String,
    /// What is free in each dimension, in the smallest unit. A dimension left out is 0.
    pub available: Vec<(String, u64)>,
    /// What there is in all. A dimension left out is what is available.
    pub capacity: Vec<(String, u64)>,
    /// Attributes and their values. An attribute left out, or the empty value, is unset.
    pub attributes: Vec<(String, String)>,
    /// The free thousandths of each device, 0 to 1000.
    pub devices: Vec<u32>,
    /// Numbers that are compared and not used up, such as the memory of a GPU or a price; not NaN. One left out is unset.
    pub measures: Vec<(String, f64)>,
    /// How many members of a group run on it already, by the name of the group.
    pub occupants: Vec<(String, u32)>,
}

impl Offer {
    /// An offer of which everything is free, without attributes and devices.
    pub fn new<S: Into<String>>(name: impl Into<String>, available: impl IntoIterator<Item = (S, u64)>) -> Self {
        Self { name: name.into(), available: named(available), ..Self::default() }
    }
}

/// Quantities with owned names.
fn named<S: Into<String>>(quantities: impl IntoIterator<Item = (S, u64)>) -> Vec<(String, u64)> {
    quantities.into_iter().map(|(dimension, quantity)| (dimension.into(), quantity)).collect()
}

/// A length as a column of numbers has it.
pub(crate) fn row_count(rows: usize) -> Result<u32, Error> {
    u32::try_from(rows).map_err(|_| Error::TooManyRows { asked: rows as u64, limit: u32::MAX.into() })
}
