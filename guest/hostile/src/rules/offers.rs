//! Offers, one by one.

use alloc::vec;
use alloc::vec::Vec;

use offermatch_core as model;

/// One offer.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// What is free in each dimension.
    pub(super) available: Vec<u64>,
    /// What there is in all.
    pub(super) capacity: Vec<u64>,
    /// Attribute values.
    pub(super) attributes: Vec<u32>,
    /// Measures.
    pub(super) measures: Vec<f64>,
    /// The free thousandths of each device.
    pub(super) devices: Vec<u32>,
}

/// The offers of a checked table.
pub(super) fn rows(shape: model::Shape, table: &model::OfferTable) -> Vec<Offer> {
    let part = |width: u32, row: usize| row * width as usize..(row + 1) * width as usize;
    let capacity = if table.capacity.is_empty() { &table.available } else { &table.capacity };
    let measures = |row| match table.measures.get(part(shape.measures, row)) {
        Some(measures) => measures.to_vec(),
        None => vec![f64::NAN; shape.measures as usize],
    };
    let offers = (0..table.rows as usize).map(|row| Offer {
        available: table.available[part(shape.dimensions, row)].to_vec(),
        capacity: capacity[part(shape.dimensions, row)].to_vec(),
        attributes: table.attributes[part(shape.attributes, row)].to_vec(),
        measures: measures(row),
        devices: table.devices.of(row).to_vec(),
    });
    offers.collect()
}
