//! What a pool holds: the values of every row, and the list of the rows that can be chosen.

use alloc::vec::Vec;
use core::ops::Range;

use crate::columns::Shape;
use crate::devices::{self, ChangingDevices, WHOLE};
use crate::table::{OfferTable, TaskTable};

/// The place of a row that is not in the list.
const UNLISTED: u32 = u32::MAX;

/// The values of every row that a pool has seen, and the list.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    /// The width of the columns.
    shape: Shape,
    /// What is free: `rows x dimensions`.
    available: Vec<u64>,
    /// What there is in all: `rows x dimensions`.
    capacity: Vec<u64>,
    /// Interned attribute values: `rows x attributes`.
    attributes: Vec<u32>,
    /// What is compared and not used up: `rows x measures`, NaN where unset.
    measures: Vec<f64>,
    /// The devices of each row.
    devices: ChangingDevices,
    /// The free thousandths of all devices of each row.
    free_devices: Vec<u64>,
    /// The rows that can be chosen, in the order that decides ties.
    list: Vec<u32>,
    /// Where each row stands in `list`.
    positions: Vec<u32>,
    /// The model of each row, for policies that look ahead; empty for others.
    models: Vec<u32>,
}

impl Ledger {
    /// A ledger of a checked table, listed in the order of its rows.
    pub(crate) fn new(shape: Shape, offers: &OfferTable) -> Self {
        let mut ledger = Self {
            shape,
            available: Vec::new(),
            capacity: Vec::new(),
            attributes: Vec::new(),
            measures: Vec::new(),
            devices: ChangingDevices::default(),
            free_devices: Vec::new(),
            list: Vec::new(),
            positions: Vec::new(),
            models: Vec::new(),
        };
        ledger.append(offers, 0..offers.rows as usize);
        ledger
    }

    /// The width of the columns.
    #[inline]
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Where a row stands in the list, if it does.
    #[inline]
    pub(crate) fn position(&self, row: usize) -> Option<u32> {
        Some(self.positions[row]).filter(|&position| position < UNLISTED)
    }

    /// How many rows there are, listed or not.
    #[inline]
    pub(crate) fn rows(&self) -> usize {
        self.positions.len()
    }

    /// The rows that can be chosen, in the order that decides ties.
    #[inline]
    pub(crate) fn list(&self) -> &[u32] {
        &self.list
    }

    /// What is free in each dimension.
    #[inline]
    pub(crate) fn available(&self, row: usize) -> &[u64] {
        let width = self.shape.dimensions as usize;
        &self.available[row * width..(row + 1) * width]
    }

    /// What there is in all in each dimension.
    #[inline]
    pub(crate) fn capacity(&self, row: usize) -> &[u64] {
        let width = self.shape.dimensions as usize;
        &self.capacity[row * width..(row + 1) * width]
    }

    /// What is free in each dimension of all rows, one behind the other.
    #[inline]
    pub(crate) fn available_of_all(&self) -> &[u64] {
        &self.available
    }

    /// What there is in all in each dimension of all rows, one behind the other.
    #[inline]
    pub(crate) fn capacity_of_all(&self) -> &[u64] {
        &self.capacity
    }

    /// The values of all attributes, zero where they are unset.
    #[inline]
    pub(crate) fn attributes(&self, row: usize) -> &[u32] {
        let width = self.shape.attributes as usize;
        &self.attributes[row * width..(row + 1) * width]
    }

    /// All measures, NaN where they are unset.
    #[inline]
    pub(crate) fn measures(&self, row: usize) -> &[f64] {
        let width = self.shape.measures as usize;
        &self.measures[row * width..(row + 1) * width]
    }

    /// The value of an attribute, zero where it is unset.
    #[inline]
    pub(crate) fn attribute(&self, row: usize, attribute: u32) -> u32 {
        self.attributes[row * self.shape.attributes as usize + attribute as usize]
    }

    /// A measure, NaN where it is unset.
    #[inline]
    pub(crate) fn measure(&self, row: usize, measure: u32) -> f64 {
        self.measures[row * self.shape.measures as usize + measure as usize]
    }

    /// Whether any row has a device.
    #[inline]
    pub(crate) fn has_devices(&self) -> bool {
        self.devices.count() > 0
    }

    /// The free thousandths of each device.
    #[inline]
    pub(crate) fn devices(&self, row: usize) -> &[u32] {
        self.devices.of(row)
    }

    /// The free thousandths of all devices together.
    #[inline]
    pub(crate) fn free_devices(&self, row: usize) -> u64 {
        self.free_devices[row]
    }

    /// The thousandths of all devices together, free or not.
    #[inline]
    pub(crate) fn device_capacity(&self, row: usize) -> u64 {
        self.devices(row).len() as u64 * u64::from(WHOLE)
    }

    /// The model of a row, for policies that look ahead.
    #[inline]
    pub(crate) fn model(&self, row: usize) -> u32 {
        self.models.get(row).copied().unwrap_or(0)
    }

    /// Gives each row a model.
    pub(crate) fn set_models(&mut self, models: Vec<u32>) {
        self.models = models;
    }

    /// Writes down all of a row that decides how it stands to tasks: devices in the order of what is free, since which of them
    /// serves makes no difference.
    pub(crate) fn key(&self, row: usize, key: &mut Vec<u64>) {
        key.clear();
        key.extend_from_slice(self.available(row));
        key.extend_from_slice(self.capacity(row));
        key.extend(self.attributes(row).iter().copied().map(u64::from));
        key.extend(self.measures(row).iter().map(|measure| measure.to_bits()));
        let devices = key.len();
        key.extend(self.devices(row).iter().copied().map(u64::from));
        key[devices..].sort_unstable();
    }

    /// Takes a listed row out of the list: the last one moves into its place. Returns the row that has moved, with its
    /// new place.
    pub(crate) fn unlist(&mut self, row: usize) -> Option<(usize, u32)> {
        let position = core::mem::replace(&mut self.positions[row], UNLISTED);
        self.list.swap_remove(position as usize);
        let moved = *self.list.get(position as usize)? as usize;
        self.positions[moved] = position;
        Some((moved, position))
    }

    /// Subtracts what a feasible task asks.
    pub(crate) fn take(&mut self, row: usize, tasks: &TaskTable, task: usize) {
        let width = self.shape.dimensions as usize;
        let demand = &tasks.demand[task * width..(task + 1) * width];
        for (available, demand) in self.available[row * width..(row + 1) * width].iter_mut().zip(demand) {
            *available -= demand;
        }
        let asked = tasks.devices(task);
        devices::take(self.devices.of_mut(row), asked);
        self.free_devices[row] -= u64::from(asked);
    }

    /// Adds rows of a checked table at the end of the list. They get the next row numbers.
    pub(crate) fn append(&mut self, offers: &OfferTable, rows: Range<usize>) {
        let width = self.shape.dimensions as usize;
        let cells = rows.start * width..rows.end * width;
        let capacity = if offers.capacity.is_empty() { &offers.available } else { &offers.capacity };
        self.available.extend_from_slice(&offers.available[cells.clone()]);
        self.capacity.extend_from_slice(&capacity[cells]);
        let width = self.shape.attributes as usize;
        self.attributes.extend_from_slice(&offers.attributes[rows.start * width..rows.end * width]);
        let width = self.shape.measures as usize;
        if offers.measures.is_empty() {
            self.measures.resize(self.measures.len() + rows.len() * width, f64::NAN);
        } else {
            self.measures.extend_from_slice(&offers.measures[rows.start * width..rows.end * width]);
        }

        self.devices.append(&offers.devices, rows.clone());
        if offers.devices.free.is_empty() {
            self.free_devices.resize(self.free_devices.len() + rows.len(), 0);
        } else {
            self.free_devices.extend(rows.clone().map(|row| free_thousandths(offers.devices.of(row))));
        }
        let (row, place) = (self.positions.len() as u32, self.list.len() as u32);
        self.list.extend(row..row + rows.len() as u32);
        self.positions.extend(place..place + rows.len() as u32);
    }

    /// Gives a row the values of one row of a checked table. A row that had left the list comes back at its end.
    pub(crate) fn replace(&mut self, row: usize, offers: &OfferTable, from: usize) {
        let width = self.shape.dimensions as usize;
        let (to, new) = (row * width..(row + 1) * width, from * width..(from + 1) * width);
        let capacity = if offers.capacity.is_empty() { &offers.available } else { &offers.capacity };
        self.available[to.clone()].copy_from_slice(&offers.available[new.clone()]);
        self.capacity[to].copy_from_slice(&capacity[new]);
        let width = self.shape.attributes as usize;
        let attributes = &offers.attributes[from * width..(from + 1) * width];
        self.attributes[row * width..(row + 1) * width].copy_from_slice(attributes);
        let width = self.shape.measures as usize;
        let measures = &mut self.measures[row * width..(row + 1) * width];
        match offers.measures.get(from * width..(from + 1) * width) {
            Some(new) => measures.copy_from_slice(new),
            None => measures.fill(f64::NAN),
        }
        let free = offers.devices.of(from);
        self.devices.replace(row, free);
        self.free_devices[row] = free_thousandths(free);
        if self.positions[row] == UNLISTED {
            self.positions[row] = self.list.len() as u32;
            self.list.push(row as u32);
        }
    }
}

/// The free thousandths of devices together.
fn free_thousandths(free: &[u32]) -> u64 {
    free.iter().copied().map(u64::from).sum()
}
