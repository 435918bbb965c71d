//! Tasks and offers as people think of them: one value each. Hosts that already have columns do not need them.

/// Work to be placed.
///
/// ```
/// use offermatch::{Requirement, Task};
///
/// let task = Task {
///     devices: 1,
///     requirements: vec![Requirement::is_in("gpu", ["V100", "T4"])],
///     ..Task::new("render-1", [("cpu", 2000), ("memory", 4 << 30)])
/// };
/// assert_eq!(task.demand[0], ("cpu".to_owned(), 2000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// Its name, one of a kind among the tasks of a table.
    pub name: String,
    /// What it asks in each dimension, in the smallest unit. A dimension left out is 0.
    pub demand: Vec<(String, u64)>,
    /// Conditions on attributes, all of which must hold.
    pub requirements: Vec<Requirement>,
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

/// A condition on one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The attribute.
    pub attribute: String,
    /// The set of values. The empty value is unset, which is in no set.
    pub values: Vec<String>,
    /// Whether the offer's value must NOT be in the set.
    pub excludes: bool,
}

impl Requirement {
    /// The requirement that the attribute is one of the values.
    pub fn is_in<S: Into<String>>(attribute: impl Into<String>, values: impl IntoIterator<Item = S>) -> Self {
        Self { attribute: attribute.into(), values: values.into_iter().map(Into::into).collect(), excludes: false }
    }

    /// The requirement that the attribute is unset or none of the values.
    pub fn not_in<S: Into<String>>(attribute: impl Into<String>, values: impl IntoIterator<Item = S>) -> Self {
        Self { excludes: true, ..Self::is_in(attribute, values) }
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
