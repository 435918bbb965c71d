//! What a pool holds by the rules but for groups, whatever its policy: the values of every row, and the list with its order.
//!
//! The rules are those of `docs/semantics.md`, written here once more, plainly, because the list and its order are what the
//! host's ledger does not keep.

use offermatch_core::{Changes, Kind, Mode, OfferTable, Shape, TaskTable};

use crate::table::catalog::UNSET;
use crate::table::rows::WHOLE;

/// Preferences that cost less keep every score below those that no policy's score reaches.
const DEAR: f64 = 1e299;

/// The values of one offer. Offers with the same values are the same to every policy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// What is free in each dimension.
    available: Vec<u64>,
    /// What there is in all in each dimension.
    capacity: Vec<u64>,
    attributes: Vec<u32>,
    /// Measures; none where unset.
    measures: Vec<Option<u64>>,
    /// The free thousandths of each device.
    devices: Vec<u32>,
}

/// What one task asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    table: &'a TaskTable,
    /// The row in it.
    row: usize,
}

/// A check that an offer fails, whatever the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// Too little in this dimension.
    Dimension(usize),
    /// This requirement of the task, counted from 0, does not hold.
    Requirement(usize),
    /// The devices do not serve.
    Devices,
}

/// What a pool holds.
#[derive(Debug, Clone)]
pub(super) struct Book {
    /// How wide the tables are.
    shape: Shape,
    /// What happens to an offer that takes a task.
    mode: Mode,
    /// Every row that was ever there.
    rows: Vec<Row>,
    /// The rows that can be chosen, in the order that decides ties.
    list: Vec<usize>,
    /// Where each row stands in the list.
    positions: Vec<Option<usize>>,
}

impl<'a> Asked<'a> {
    /// A row of a table that has been checked.
    pub(super) fn new(table: &'a TaskTable, row: usize) -> Self {
        Self { table, row }
    }

    /// The positions of its requirements in the table's columns.
    pub(super) fn requirements(&self) -> std::ops::Range<usize> {
        self.table.requirements(self.row)
    }

    /// What a requirement costs where it does not hold; infinite unless it is a preference.
    fn weight(&self, requirement: usize) -> f64 {
        self.table.requirement_weights.get(requirement).copied().unwrap_or(f64::INFINITY)
    }

    /// What it asks in each dimension.
    fn demand(&self, width: usize) -> &'a [u64] {
        &self.table.demand[self.row * width..(self.row + 1) * width]
    }

    /// The device thousandths it asks.
    fn thousandths(&self) -> u32 {
        self.table.devices(self.row)
    }
}

impl Book {
    /// A book of a table that has been checked.
    pub(super) fn new(shape: Shape, mode: Mode, offers: &OfferTable) -> Self {
        let mut book = Self { shape, mode, rows: Vec::new(), list: Vec::new(), positions: Vec::new() };
        book.append(offers);
        book
    }

    /// The list.
    pub(super) fn list(&self) -> &[usize] {
        &self.list
    }

    /// Where a row stands in the list, if it does.
    pub(super) fn position(&self, row: usize) -> Option<usize> {
        self.positions.get(row).copied().flatten()
    }

    /// What a row has too little of in a dimension.
    pub(super) fn missing(&self, asked: Asked<'_>, row: usize, dimension: usize) -> u64 {
        asked.demand(self.shape.dimensions as usize)[dimension].saturating_sub(self.rows[row].available[dimension])
    }

    /// The checks that a row fails for a task, in their order; where there is none, the policy decides.
    pub(super) fn failed(&self, asked: Asked<'_>, row: usize) -> Vec<Failed> {
        let (offer, table) = (&self.rows[row], asked.table);
        let dimensions = 0..self.shape.dimensions as usize;
        let mut failed: Vec<Failed> =
            dimensions.filter(|&at| self.missing(asked, row, at) > 0).map(Failed::Dimension).collect();
        for (number, requirement) in asked.requirements().enumerate() {
            if asked.weight(requirement) == f64::INFINITY && !holds(table, requirement, offer) {
                failed.push(Failed::Requirement(number));
            }
        }
        let thousandths = asked.thousandths();
        let serve = if thousandths < WHOLE {
            thousandths == 0 || offer.devices.iter().any(|&free| free >= thousandths)
        } else {
            offer.devices.iter().filter(|&&free| free == WHOLE).count() >= (thousandths / WHOLE) as usize
        };
        if !serve {
            failed.push(Failed::Devices);
        }
        failed
    }

    /// The numbers of the preferences of a task that do not hold of a row.
    pub(super) fn not_preferred(&self, asked: Asked<'_>, row: usize) -> Vec<usize> {
        let mut numbered = asked.requirements().enumerate().collect::<Vec<_>>();
        numbered.retain(|&(_, at)| asked.weight(at) < f64::INFINITY && !holds(asked.table, at, &self.rows[row]));
        numbered.into_iter().map(|(number, _)| number).collect()
    }

    /// Whether the preferences that do not hold cost so much that the score of a row may not be finite.
    pub(super) fn is_dear(&self, asked: Asked<'_>, row: usize) -> bool {
        let first = asked.requirements().start;
        let broken = self.not_preferred(asked, row).into_iter();
        broken.map(|number| asked.weight(first + number)).sum::<f64>() >= DEAR
    }

    /// The first feasible row of the list whose score is finite, whatever the policy.
    pub(super) fn feasible(&self, asked: Asked<'_>) -> Option<usize> {
        self.list.iter().copied().find(|&row| self.failed(asked, row).is_empty() && !self.is_dear(asked, row))
    }

    /// The first row of the list that has the same values as a listed one and stands before it.
    pub(super) fn twin_before(&self, row: usize) -> Option<usize> {
        let before = &self.list[..self.position(row)?];
        before.iter().copied().find(|&other| self.rows[other] == self.rows[row])
    }

    /// Gives a task to a listed row that is feasible for it.
    pub(super) fn place(&mut self, asked: Asked<'_>, row: usize) {
        if self.mode == Mode::Exclusive {
            self.unlist(row);
            return;
        }
        let demand = asked.demand(self.shape.dimensions as usize);
        let offer = &mut self.rows[row];
        offer.available.iter_mut().zip(demand).for_each(|(available, demand)| *available -= demand);
        let thousandths = asked.thousandths();
        if thousandths >= WHOLE {
            let whole = offer.devices.iter_mut().filter(|free| **free == WHOLE);
            whole.take((thousandths / WHOLE) as usize).for_each(|free| *free = 0);
        } else if thousandths > 0
            && let Some(tightest) = offer.devices.iter_mut().filter(|free| **free >= thousandths).min()
        {
            *tightest -= thousandths;
        }
    }

    /// Applies changes that have been checked.
    pub(super) fn apply(&mut self, changes: &Changes) {
        for &row in &changes.removed {
            self.unlist(row as usize);
        }
        for (row, new) in changes.changed_rows.iter().zip(self.rows_of(&changes.changed)) {
            let row = *row as usize;
            self.rows[row] = new;
            if self.positions[row].is_none() {
                self.positions[row] = Some(self.list.len());
                self.list.push(row);
            }
        }
        self.append(&changes.added);
    }

    /// Takes a row out of the list, if it is there: the last one moves into its place.
    fn unlist(&mut self, row: usize) {
        let Some(position) = self.positions[row].take() else { return };
        self.list.swap_remove(position);
        if let Some(&moved) = self.list.get(position) {
            self.positions[moved] = Some(position);
        }
    }

    /// Puts offers at the end of the list.
    fn append(&mut self, offers: &OfferTable) {
        let (row, place) = (self.rows.len(), self.list.len());
        self.rows.extend(self.rows_of(offers));
        for added in 0..self.rows.len() - row {
            self.list.push(row + added);
            self.positions.push(Some(place + added));
        }
    }

    /// The rows of a table.
    fn rows_of(&self, offers: &OfferTable) -> Vec<Row> {
        let (width, attributes) = (self.shape.dimensions as usize, self.shape.attributes as usize);
        let capacity = if offers.capacity.is_empty() { &offers.available } else { &offers.capacity };
        let measured = self.shape.measures as usize;
        let measures = |row: usize| match offers.measures.get(row * measured..(row + 1) * measured) {
            Some(found) => found.iter().map(|measure| (!measure.is_nan()).then(|| measure.to_bits())).collect(),
            None => vec![None; measured],
        };
        let rows = (0..offers.rows as usize).map(|row| Row {
            available: offers.available[row * width..(row + 1) * width].to_vec(),
            capacity: capacity[row * width..(row + 1) * width].to_vec(),
            attributes: offers.attributes[row * attributes..(row + 1) * attributes].to_vec(),
            measures: measures(row),
            devices: offers.devices.of(row).to_vec(),
        });
        rows.collect()
    }
}

/// Whether a requirement holds of an offer.
fn holds(table: &TaskTable, requirement: usize, offer: &Row) -> bool {
    let (kind, subject) = (table.requirement_kinds[requirement], table.requirement_subjects[requirement] as usize);
    if kind == Kind::In as u32 || kind == Kind::NotIn as u32 {
        let value = offer.attributes[subject];
        let is_in = value != UNSET && table.values(requirement).contains(&value);
        return is_in == (kind == Kind::In as u32);
    }
    let Some(measure) = offer.measures[subject].map(f64::from_bits) else { return false };
    let bound = table.requirement_bounds[requirement];
    if kind == Kind::AtLeast as u32 { measure >= bound } else { measure <= bound }
}
