//! How the offers of a pool stand, beyond what the ledger keeps: what it takes to go on in another matcher.

use offermatch_core::{Changes, Mode, OfferTable, Settings, Shape};

use crate::error::Error;
use crate::pool::ledger::Ledger;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::table::tasks::WHOLE;

/// The place of a row that is not in the list.
const NOWHERE: u32 = u32::MAX;

/// How the offers of a pool stand.
#[derive(Debug)]
pub(super) struct Standing {
    /// How wide the columns are.
    shape: Shape,
    /// The settings, with the scales that the pool was opened with.
    settings: Settings,
    /// What there is in all: rows x dimensions.
    capacity: Vec<u64>,
    /// The rows in the list, in its order, which decides ties.
    list: Vec<u32>,
    /// Where each row is in the list.
    places: Vec<u32>,
}

impl Standing {
    /// How these offers stand in a pool that has just been opened.
    pub(super) fn new(shape: Shape, offers: &OfferTable, settings: &Settings) -> Self {
        let settings = Settings { scales: scales(shape, offers, settings), ..settings.clone() };
        let mut standing = Self { shape, settings, capacity: Vec::new(), list: Vec::new(), places: Vec::new() };
        standing.append(offers);
        standing
    }

    /// Writes down who has taken a task.
    pub(super) fn settle(&mut self, offers: &[u32]) {
        if self.settings.mode == Mode::Exclusive {
            offers.iter().for_each(|&row| self.unlist(row));
        }
    }

    /// Writes down changes that have been checked.
    pub(super) fn apply(&mut self, changes: &Changes) {
        changes.removed.iter().for_each(|&row| self.unlist(row));
        let width = self.shape.dimensions as usize;
        for (&row, capacity) in changes.changed_rows.iter().zip(capacities(&changes.changed).chunks(width.max(1))) {
            let row = row as usize;
            self.capacity[row * width..(row + 1) * width].copy_from_slice(capacity);
        }
        for &row in &changes.changed_rows {
            if self.places[row as usize] == NOWHERE {
                self.places[row as usize] = self.list.len() as u32;
                self.list.push(row);
            }
        }
        self.append(&changes.added);
    }

    /// The same pool in another matcher. The contract has all that it takes: the pool is opened, the list emptied, and
    /// filled again in its order.
    ///
    /// # Errors
    /// Those of [`Matching::open`].
    pub(super) fn session(&self, matcher: &dyn Matching, ledger: &Ledger) -> Result<Box<dyn Session>, Error> {
        let all: Vec<u32> = (0..self.places.len() as u32).collect();
        let offers = ledger.offers(&all, &self.capacity);
        let mut session = matcher.session(self.shape, &offers, &self.settings)?;
        if self.list != all {
            // A ledger of its own: the pool's stays as it is.
            let mut ledger = Ledger::new(self.shape, &offers, &self.settings);
            let changed = ledger.offers(&self.list, &self.capacity);
            session.update(&Changes { removed: all, ..Changes::default() }, &mut ledger)?;
            let changed_rows = self.list.clone();
            session.update(&Changes { changed_rows, changed, ..Changes::default() }, &mut ledger)?;
        }
        Ok(session)
    }

    /// Takes a row off the list, if it is there: the last one moves into its place.
    fn unlist(&mut self, row: u32) {
        let place = std::mem::replace(&mut self.places[row as usize], NOWHERE);
        if place == NOWHERE {
            return;
        }
        self.list.swap_remove(place as usize);
        if let Some(&moved) = self.list.get(place as usize) {
            self.places[moved as usize] = place;
        }
    }

    /// Puts offers at the end.
    fn append(&mut self, offers: &OfferTable) {
        self.capacity.extend_from_slice(capacities(offers));
        let (row, place) = (self.places.len() as u32, self.list.len() as u32);
        self.list.extend(row..row + offers.rows);
        self.places.extend(place..place + offers.rows);
    }
}

/// What the offers of a table have in all.
fn capacities(offers: &OfferTable) -> &[u64] {
    if offers.capacity.is_empty() { &offers.available } else { &offers.capacity }
}

/// The scales that a pool has: those given, else the largest capacity in each dimension.
fn scales(shape: Shape, offers: &OfferTable, settings: &Settings) -> Vec<u64> {
    let width = shape.dimensions as usize;
    let mut scales = vec![1; width + 1];
    for row in capacities(offers).chunks(width.max(1)) {
        scales.iter_mut().zip(row).for_each(|(scale, &capacity)| *scale = capacity.max(*scale));
    }
    let devices = offers.device_offsets.windows(2).map(|ends| u64::from(ends[1] - ends[0])).max();
    scales[width] = scales[width].max(devices.unwrap_or(0) * u64::from(WHOLE));
    scales.iter_mut().zip(&settings.scales).filter(|(_, given)| **given > 0).for_each(|(scale, given)| *scale = *given);
    scales
}
