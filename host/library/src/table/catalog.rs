//! What the numbers in columns stand for: dimensions, attributes, attribute values and measures by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use offermatch_core::Shape;

use crate::error::{Error, Place};
use crate::remedy;
use crate::table::rows::DEVICES;

/// The number of an unset attribute value.
pub(crate) const UNSET: u32 = 0;

/// The names behind the numbers of some tables. Tables that meet in one pool share one catalog.
///
/// Dimensions, attributes and measures are fixed when the catalog is made, because they are the widths of columns. Values are numbered
/// as they come: whoever builds a table may add some. A clone is the same catalog.
///
/// ```
/// let catalog = offermatch::Catalog::new(["cpu", "memory"], ["zone"]);
/// assert_eq!(catalog.dimensions(), ["cpu", "memory"]);
/// ```
#[derive(Debug, Clone)]
pub struct Catalog {
    /// What all clones share.
    inner: Arc<Inner>,
}

/// What all clones of a catalog share.
#[derive(Debug)]
struct Inner {
    /// Dimension names, in column order.
    dimensions: Vec<String>,
    /// Attribute names, in column order.
    attributes: Vec<String>,
    /// The attributes that no offer has, and that have a column because groups of tasks are placed by them.
    unset: Vec<String>,
    /// Measure names, in column order.
    measures: Vec<String>,
    /// Numbers of attribute values, from 1.
    values: Mutex<HashMap<String, u32>>,
}

impl Catalog {
    /// A catalog of these dimensions and attributes, without measures. A name given twice counts once.
    pub fn new<D, A>(dimensions: D, attributes: A) -> Self
    where
        D: IntoIterator<Item: Into<String>>,
        A: IntoIterator<Item: Into<String>>,
    {
        Self::with_measures(dimensions, attributes, [""; 0])
    }

    /// A catalog of these dimensions, attributes and measures. A name given twice counts once.
    ///
    /// ```
    /// let catalog = offermatch::Catalog::with_measures(["cpu"], ["zone"], ["gpu_memory", "price"]);
    /// assert_eq!(catalog.measures(), ["gpu_memory", "price"]);
    /// ```
    pub fn with_measures<D, A, M>(dimensions: D, attributes: A, measures: M) -> Self
    where
        D: IntoIterator<Item: Into<String>>,
        A: IntoIterator<Item: Into<String>>,
        M: IntoIterator<Item: Into<String>>,
    {
        Self::of_names(distinct(dimensions), distinct(attributes), Vec::new(), distinct(measures))
    }

    /// A catalog of these dimensions, attributes and measures, and of attributes that no offer has.
    pub(super) fn of_names(
        dimensions: Vec<String>,
        mut attributes: Vec<String>,
        mut unset: Vec<String>,
        measures: Vec<String>,
    ) -> Self {
        unset.retain(|name| !attributes.contains(name));
        attributes.extend_from_slice(&unset);
        Self { inner: Arc::new(Inner { dimensions, attributes, unset, measures, values: Mutex::new(HashMap::new()) }) }
    }

    /// The dimension names, in column order.
    #[must_use]
    pub fn dimensions(&self) -> &[String] {
        &self.inner.dimensions
    }

    /// The attribute names, in column order.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.inner.attributes
    }

    /// The measure names, in column order.
    #[must_use]
    pub fn measures(&self) -> &[String] {
        &self.inner.measures
    }

    /// The number of an attribute value; a new one where it has none. The empty value is 0, which is unset.
    ///
    /// # Panics
    /// With more than four billion values.
    #[must_use]
    pub fn value(&self, value: &str) -> u32 {
        if value.is_empty() {
            return UNSET;
        }
        // A thread that panicked while it held the lock has left a map that is still whole.
        let mut values = self.inner.values.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = values.get(value) {
            return number;
        }
        let number = u32::try_from(values.len() + 1).expect("more than 2^32 attribute values");
        values.insert(value.to_owned(), number);
        number
    }

    /// The number of a dimension.
    pub(crate) fn dimension(&self, name: &str) -> Option<usize> {
        self.inner.dimensions.iter().position(|known| known == name)
    }

    /// The number of a dimension that a row names at a place.
    pub(super) fn dimension_at(&self, name: &str, place: impl Fn() -> Place) -> Result<usize, Error> {
        refuse_devices(name, &place)?;
        self.dimension(name).ok_or_else(|| Error::UnknownDimension {
            place: Box::new(place()),
            reason: format!("no offer has this dimension; the dimensions are {}", listed(self.dimensions())),
            hint: remedy::DIMENSION,
        })
    }

    /// The number of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<usize> {
        self.inner.attributes.iter().position(|known| known == name)
    }

    /// Whether offers have an attribute, or may have it.
    pub(super) fn is_offered(&self, name: &str) -> bool {
        self.attribute(name).is_some() && !self.inner.unset.iter().any(|unset| unset == name)
    }

    /// The attributes that offers have, or may have.
    pub(super) fn offered(&self) -> Vec<String> {
        self.inner.attributes.iter().filter(|name| self.is_offered(name)).cloned().collect()
    }

    /// The number of a measure.
    pub(crate) fn measure(&self, name: &str) -> Option<usize> {
        self.inner.measures.iter().position(|known| known == name)
    }

    /// How wide the columns are. There is at least one attribute, unset in every offer, for requirements about attributes
    /// that no offer has.
    pub(crate) fn shape(&self) -> Shape {
        let width = |names: &[String]| u32::try_from(names.len()).expect("more than 2^32 columns");
        Shape {
            dimensions: width(&self.inner.dimensions),
            attributes: width(&self.inner.attributes).max(1),
            measures: width(&self.inner.measures),
        }
    }

    /// Whether this is the very same catalog.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

/// The distinct names, in the order in which they first appear.
pub(crate) fn distinct(names: impl IntoIterator<Item: Into<String>>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let name = name.into();
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Refuses a dimension that is called as the devices are, which have columns of their own.
pub(crate) fn refuse_devices(dimension: &str, place: impl FnOnce() -> Place) -> Result<(), Error> {
    if dimension != DEVICES {
        return Ok(());
    }
    let reason = format!("{DEVICES:?} is no dimension, but the name of the devices");
    Err(Error::UnknownDimension { place: Box::new(place()), reason, hint: remedy::DIMENSION_DEVICES })
}

/// Names as an error shows them.
pub(crate) fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
