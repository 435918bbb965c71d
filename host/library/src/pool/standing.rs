//! How the offers of a pool stand, beyond what the ledger keeps: what it takes to go on in another matcher.

use offermatch_core::{Changes, Devices, Mode, OfferTable, Settings, Shape};

use crate::error::Error;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::table::rows::WHOLE;
use crate::table::settings::{PoolSettings, capacities, raise_scales, scales_of_opening};

/// The place of a row that is not in the list.
const NOWHERE: u32 = u32::MAX;

/// How the offers of a pool stand.
#[derive(Debug)]
pub(crate) struct Standing {
    /// How wide the columns are.
    shape: Shape,
    settings: PoolSettings,
    /// The scales as they are: those given, else the largest capacity that any offer has had, or had at opening where they
    /// do not grow; at least 1.
    scales: Vec<u64>,
    /// Whether an update raises scales that are not given, as the contract of the matcher has it that holds the pool.
    grows: bool,
    /// What there is in all: rows x dimensions.
    capacity: Vec<u64>,
    /// The rows in the list, in its order, which decides ties.
    list: Vec<u32>,
    /// Where each row is in the list.
    places: Vec<u32>,
}

impl Standing {
    /// How these offers stand in a pool that has just been opened in a matcher.
    pub(crate) fn new(shape: Shape, offers: &OfferTable, settings: &PoolSettings, matcher: &Matcher) -> Self {
        Self::opened(shape, offers, settings, !matcher.keeps_scales())
    }

    /// How these offers stand in a pool that has just been opened, where scales grow or do not.
    fn opened(shape: Shape, offers: &OfferTable, settings: &PoolSettings, grows: bool) -> Self {
        let mut standing = Self {
            shape,
            settings: settings.clone(),
            scales: scales_of_opening(shape, offers, &settings.columns.scales),
            grows,
            capacity: Vec::new(),
            list: Vec::new(),
            places: Vec::new(),
        };
        standing.append(offers);
        standing
    }

    /// Takes note of the matcher that holds the pool now, which decides whether scales grow.
    pub(crate) fn sits_in(&mut self, matcher: &Matcher) {
        self.grows = !matcher.keeps_scales();
    }

    /// Writes down who has taken a task.
    pub(crate) fn settle(&mut self, offers: &[u32]) {
        if self.settings.columns.mode == Mode::Exclusive {
            offers.iter().for_each(|&row| self.unlist(row));
        }
    }

    /// Writes down changes that have been checked.
    pub(crate) fn apply(&mut self, changes: &Changes) {
        if self.grows {
            self.raise(&changes.changed);
            self.raise(&changes.added);
        }
        if let Some(workload) = &changes.workload {
            self.settings.columns.workload = Some((**workload).clone());
        }
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

    /// Raises the scales that are not given to the capacities of these offers.
    fn raise(&mut self, offers: &OfferTable) {
        raise_scales(&mut self.scales, self.shape, offers, &self.settings.columns.scales);
    }

    /// The settings, with the scales as they are now: for a matcher that keeps those of opening.
    fn with_scales(&self) -> PoolSettings {
        let columns = Settings { scales: self.scales.clone(), ..self.settings.columns.clone() };
        PoolSettings { columns, ..self.settings.clone() }
    }

    /// What makes the same pool anew, in a matcher by whose contract scales grow or do not: what it is opened with, and then
    /// changed by. The contract has all that it takes. Offers that are not listed, or listed in another order than their
    /// rows, are taken off the list, and those of the list put back in its order. Where scales grow, and one was raised by an
    /// offer that has less now, the first offer is opened with as much, and put right as well.
    pub(crate) fn opening(&self, ledger: &Ledger, grows: bool) -> (OfferTable, PoolSettings, Vec<Changes>) {
        let all: Vec<u32> = (0..self.places.len() as u32).collect();
        let mut offers = ledger.offers(&all, &self.capacity);
        let settings = if grows { self.settings.clone() } else { self.with_scales() };
        let mut opened = Self::opened(self.shape, &offers, &self.settings, grows);
        let is_raised = grows && self.scales.iter().zip(&opened.scales).any(|(scale, opened)| scale > opened);
        if self.list == all && !is_raised {
            return (offers, settings, Vec::new());
        }
        if is_raised && !all.is_empty() {
            let width = self.shape.dimensions as usize;
            let given = |at: usize| self.settings.columns.scales.get(at).is_some_and(|&scale| scale > 0);
            for at in (0..width).filter(|&at| !given(at)) {
                offers.capacity[at] = offers.capacity[at].max(self.scales[at]);
            }
            if !given(width) {
                let largest = (self.scales[width] / u64::from(WHOLE)) as usize;
                let more = largest.saturating_sub(offers.devices.of(0).len());
                let mut devices = Devices::default();
                devices.push(offers.devices.of(0).iter().copied().chain(std::iter::repeat_n(0, more)));
                (1..all.len()).for_each(|row| devices.push(offers.devices.of(row).iter().copied()));
                offers.devices = devices;
            }
            opened = Self::opened(self.shape, &offers, &self.settings, grows);
            debug_assert!(
                self.scales.iter().zip(&opened.scales).all(|(scale, opened)| scale <= opened),
                "they come along"
            );
        }
        let removed = Changes { removed: all, ..Changes::default() };
        let changed = ledger.offers(&self.list, &self.capacity);
        let listed = Changes { changed_rows: self.list.clone(), changed, ..Changes::default() };
        (offers, settings, vec![removed, listed])
    }

    /// The same pool in another matcher; in one that stands in, without the parameters that it does not have.
    ///
    /// # Errors
    /// Those of [`Matching::open`].
    pub(crate) fn session(
        &mut self,
        matcher: &dyn Matching,
        ledger: &Ledger,
        stands_in: bool,
    ) -> Result<Box<dyn Session>, Error> {
        let grows = !matcher.matcher().keeps_scales();
        let (offers, settings, changes) = self.opening(ledger, grows);
        let settings = PoolSettings { is_lenient: stands_in, ..settings };
        let mut session = matcher.session(self.shape, &offers, &settings)?;
        // A ledger of its own: the pool's stays as it is.
        let mut ledger = Ledger::new(self.shape, &offers, &settings.columns);
        for changes in &changes {
            session.update(changes, &mut ledger)?;
        }
        self.grows = grows;
        if grows {
            // Those of offers that came while they did not grow.
            self.raise(&offers);
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
