//! Offers as a table: names, a catalog, columns.

use std::ops::Range;

use offermatch_core::{OfferTable, Shape};

use crate::error::{Error, Place};
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::catalog::{Catalog, UNSET, distinct, listed};
use crate::table::groups::Occupants;
use crate::table::names::Names;
use crate::table::rows::{Group, Offer, Task, WHOLE, row_count};

/// Offers, listed in the order of their rows. Checked: every table of this type can be given to a matcher.
#[derive(Debug, Clone)]
pub struct Offers {
    /// What the columns are called.
    catalog: Catalog,
    /// What the rows are called.
    names: Names,
    table: OfferTable,
    occupants: Occupants,
}

impl Catalog {
    /// The catalog of these offers: their dimensions, attributes and measures, in the order in which they first appear. Where
    /// there are no offers, the dimensions are those of the tasks. Attributes that groups of tasks are placed by stand behind
    /// those of the offers.
    ///
    /// ```
    /// use offermatch::{Catalog, Offer};
    ///
    /// let catalog = Catalog::of(&[Offer::new("server-1", [("cpu", 48_000), ("memory", 1 << 40)])], &[]);
    /// assert_eq!(catalog.dimensions(), ["cpu", "memory"]);
    /// ```
    #[must_use]
    pub fn of(offers: &[Offer], tasks: &[Task]) -> Self {
        let offered = offers.iter().flat_map(|offer| offer.available.iter().chain(&offer.capacity));
        let asked = tasks.iter().filter(|_| offers.is_empty()).flat_map(|task| &task.demand);
        let dimensions = distinct(offered.chain(asked).map(|(dimension, _)| dimension.as_str()));
        Self::with_dimensions(dimensions, offers, tasks)
    }

    /// As [`Catalog::of`], with the dimensions given instead of those that appear.
    #[must_use]
    pub fn with_dimensions(dimensions: Vec<String>, offers: &[Offer], tasks: &[Task]) -> Self {
        let has = offers.iter().flat_map(|offer| &offer.attributes).map(|(attribute, _)| attribute.as_str());
        let grouped = tasks.iter().filter_map(|task| task.group.as_ref()).flat_map(Group::attributes);
        let measures = offers.iter().flat_map(|offer| &offer.measures).map(|(measure, _)| measure.as_str());
        Self::of_names(distinct(dimensions), distinct(has), distinct(grouped), distinct(measures))
    }
}

impl Offers {
    /// A table of these offers.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::DuplicateName`], [`Error::UnknownDimension`], [`Error::UnknownAttribute`],
    /// [`Error::CapacityExceeded`], [`Error::DevicesMalformed`], [`Error::MeasureMalformed`] and [`Error::TooManyRows`].
    ///
    /// ```
    /// use offermatch::{Catalog, Offer, Offers};
    ///
    /// let rows = [Offer::new("server-1", [("cpu", 48_000)])];
    /// let offers = Offers::new(&rows, &Catalog::of(&rows, &[]))?;
    /// assert_eq!(offers.len(), 1);
    ///
    /// let broken = [Offer { capacity: vec![("cpu".into(), 1000)], ..rows[0].clone() }];
    /// let error = Offers::new(&broken, offers.catalog()).unwrap_err();
    /// assert_eq!(error.code(), "capacity-exceeded");
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn new(rows: &[Offer], catalog: &Catalog) -> Result<Self, Error> {
        Self::from_source(rows, catalog, "offers")
    }

    /// As [`Offers::new`]; errors say that the rows came from `source`.
    ///
    /// # Errors
    /// As [`Offers::new`].
    pub fn from_source(rows: &[Offer], catalog: &Catalog, source: &str) -> Result<Self, Error> {
        Self::build(rows, catalog, source).or_else(|_| {
            let mut rows = Rows::from(rows.to_vec());
            let built = Self::leaving_out(&mut rows, catalog, source)?;
            rows.refuse().map(|_| built)
        })
    }

    /// As [`Offers::from_source`], without the rows that cannot be used, which are then left out of `rows` as well.
    ///
    /// # Errors
    /// What is wrong with the table and not with a row of it, such as [`Error::TooManyRows`].
    pub fn leaving_out(rows: &mut Rows<Offer>, catalog: &Catalog, source: &str) -> Result<Self, Error> {
        rows.leave_out(source, |offer| &offer.name, |rows| Self::build(rows, catalog, source))
    }

    /// The table of rows, or the first of their errors.
    fn build(rows: &[Offer], catalog: &Catalog, source: &str) -> Result<Self, Error> {
        let names = Names::new(rows.iter().map(|offer| offer.name.clone()).collect(), source)?;
        let shape = catalog.shape();
        let mut table = OfferTable {
            rows: row_count(rows.len())?,
            available: vec![0; rows.len() * shape.dimensions as usize],
            attributes: vec![0; rows.len() * shape.attributes as usize],
            ..OfferTable::default()
        };
        for (row, offer) in rows.iter().enumerate() {
            fill(&mut table.available, row, &offer.available, catalog, "available", &offer.name, source)?;
            for (attribute, value) in &offer.attributes {
                let Some(column) = catalog.attribute(attribute) else {
                    let place = place(source, row, &offer.name, format!("attribute.{attribute}"));
                    return Err(Error::UnknownAttribute { place, known: listed(catalog.attributes()) });
                };
                table.attributes[row * shape.attributes as usize + column] = catalog.value(value);
            }
        }
        if rows.iter().any(|offer| !offer.capacity.is_empty()) {
            table.capacity = table.available.clone();
            for (row, offer) in rows.iter().enumerate() {
                fill(&mut table.capacity, row, &offer.capacity, catalog, "capacity", &offer.name, source)?;
            }
            check_capacity(&table, rows, catalog, source)?;
        }
        if rows.iter().any(|offer| !offer.devices.is_empty()) {
            push_devices(&mut table, rows, source)?;
        }
        push_measures(&mut table, rows, catalog, source)?;
        Ok(Self { catalog: catalog.clone(), names, table, occupants: Occupants::of(rows, source)? })
    }

    /// A table of columns that are already there. Attribute values are numbered by [`Catalog::value`].
    ///
    /// # Errors
    /// [`Error::ColumnLength`], [`Error::DuplicateName`], [`Error::MissingColumn`], [`Error::CapacityExceeded`],
    /// [`Error::DevicesMalformed`] and [`Error::TooManyRows`].
    pub fn from_columns(names: Vec<String>, mut table: OfferTable, catalog: &Catalog) -> Result<Self, Error> {
        crate::table::columns::check_names(&names, table.rows)?;
        let known = catalog.attributes().len();
        crate::table::columns::check_length("attributes", table.attributes.len(), names.len() * known)?;
        if known == 0 {
            table.attributes = vec![UNSET; names.len()];
        }
        table.check(catalog.shape()).map_err(|error| crate::table::columns::refused(error, "offers"))?;
        let names = Names::new(names, "offers")?;
        Ok(Self { catalog: catalog.clone(), names, table, occupants: Occupants::default() })
    }

    /// How many offers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.rows as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names, by row.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.names.as_slice()
    }

    /// The columns, as they go to the matcher: where the catalog has no attributes, with one that every offer has unset.
    #[must_use]
    pub fn table(&self) -> &OfferTable {
        &self.table
    }

    /// What the columns are called.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// A table of some of the rows, in the order given.
    ///
    /// # Panics
    /// When a row is not below [`Offers::len`], or given twice.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        let mut table = OfferTable::default();
        let mut occupants = Occupants::default();
        for (&row, at) in rows.iter().zip(0..) {
            append(&mut table, &self.table, row as usize..row as usize + 1, self.catalog.shape());
            occupants.replace(at, self.occupants.on(row));
        }
        let names = rows.iter().map(|&row| self.names.as_slice()[row as usize].clone()).collect();
        let names = Names::new(names, "offers").expect("a row twice");
        Self { catalog: self.catalog.clone(), names, table, occupants }
    }

    /// Who runs on the offers, by row.
    pub(crate) fn occupants(&self) -> &Occupants {
        &self.occupants
    }

    /// The names, for a pool to keep.
    pub(crate) fn shared_names(&self) -> &Names {
        &self.names
    }
}

/// The place of a value in a row.
fn place(source: &str, row: usize, name: &str, column: String) -> Box<Place> {
    Box::new(Place { source: source.to_owned(), row: Some(row), name: Some(name.to_owned()), column })
}

/// Writes the quantities of one row into a matrix.
fn fill(
    matrix: &mut [u64],
    row: usize,
    quantities: &[(String, u64)],
    catalog: &Catalog,
    column: &str,
    name: &str,
    source: &str,
) -> Result<(), Error> {
    let dimensions = catalog.dimensions().len();
    for (dimension, quantity) in quantities {
        let at = catalog.dimension_at(dimension, || *place(source, row, name, format!("{column}.{dimension}")))?;
        matrix[row * dimensions + at] = *quantity;
    }
    Ok(())
}

/// Refuses an offer that has more available than its capacity.
fn check_capacity(table: &OfferTable, rows: &[Offer], catalog: &Catalog, source: &str) -> Result<(), Error> {
    let Some(at) = table.available.iter().zip(&table.capacity).position(|(available, capacity)| available > capacity)
    else {
        return Ok(());
    };
    let dimensions = catalog.dimensions();
    let (row, dimension) = (at / dimensions.len(), at % dimensions.len());
    Err(Error::CapacityExceeded {
        place: place(source, row, &rows[row].name, format!("available.{}", dimensions[dimension])),
        available: table.available[at],
        capacity: table.capacity[at],
    })
}

/// Adds the device columns.
fn push_devices(table: &mut OfferTable, rows: &[Offer], source: &str) -> Result<(), Error> {
    row_count(rows.iter().map(|offer| offer.devices.len()).sum())?;
    for (row, offer) in rows.iter().enumerate() {
        if let Some(free) = offer.devices.iter().find(|&&free| free > WHOLE) {
            return Err(Error::DevicesMalformed {
                place: place(source, row, &offer.name, "devices".to_owned()),
                reason: format!("{free} free thousandths cannot be"),
                hint: remedy::FREE_THOUSANDTHS,
            });
        }
        table.devices.push(offer.devices.iter().copied());
    }
    Ok(())
}

/// Adds rows of a table to another one of the same shape, whose columns are then all there.
pub(crate) fn append(to: &mut OfferTable, from: &OfferTable, rows: Range<usize>, shape: Shape) {
    let cells = |width: u32| rows.start * width as usize..rows.end * width as usize;
    let capacity = if from.capacity.is_empty() { &from.available } else { &from.capacity };
    to.available.extend_from_slice(&from.available[cells(shape.dimensions)]);
    to.capacity.extend_from_slice(&capacity[cells(shape.dimensions)]);
    to.attributes.extend_from_slice(&from.attributes[cells(shape.attributes)]);
    if from.measures.is_empty() {
        to.measures.extend(cells(shape.measures).map(|_| f64::NAN));
    } else {
        to.measures.extend_from_slice(&from.measures[cells(shape.measures)]);
    }
    for row in rows.clone() {
        to.devices.push(from.devices.of(row).iter().copied());
    }
    to.rows += rows.len() as u32;
}

/// Adds the column of measures.
fn push_measures(table: &mut OfferTable, rows: &[Offer], catalog: &Catalog, source: &str) -> Result<(), Error> {
    let width = catalog.measures().len();
    if rows.iter().all(|offer| offer.measures.is_empty()) {
        return Ok(());
    }
    table.measures = vec![f64::NAN; rows.len() * width];
    for (row, offer) in rows.iter().enumerate() {
        for (measure, value) in &offer.measures {
            let malformed = |reason: String, hint| Error::MeasureMalformed {
                place: place(source, row, &offer.name, format!("measures.{measure}")),
                value: value.to_string(),
                reason,
                hint,
            };
            let known = || {
                format!("the pool was not opened with this measure; its measures are {}", listed(catalog.measures()))
            };
            let column = catalog
                .measure(measure)
                .ok_or_else(|| malformed(known(), "name every measure when the pool is opened, or open a new pool"))?;
            if value.is_nan() {
                return Err(malformed("not a number".to_owned(), remedy::MEASURE));
            }
            table.measures[row * width + column] = *value;
        }
    }
    Ok(())
}
