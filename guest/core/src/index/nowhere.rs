//! Demands that are known to fit nowhere: whatever asks for no less fits nowhere either, as long as offers only shrink.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::requirements::Filter;

/// How many demands are remembered for the same requirements. More of them find more, but each task is compared with all.
const REMEMBERED: usize = 24;
/// For how many sets of requirements demands are remembered.
const SETS: usize = 1024;

/// Demands that fit no offer of the list.
#[derive(Debug, Clone, Default)]
pub(super) struct Nowhere {
    /// Those of tasks without requirements.
    plain: Refused,
    /// Those of tasks with requirements, by these.
    by_filters: HashMap<Vec<Filter>, Refused>,
    /// How often `plain` has got a demand or has been cleared.
    changes: u64,
}

/// Demands that fit no offer which passes the same requirements.
#[derive(Debug, Clone, Default)]
struct Refused {
    /// What each of them asks on every axis, one behind the other.
    demands: Vec<u64>,
    /// How many there are.
    count: usize,
    /// Which one is forgotten next.
    oldest: usize,
}

impl Refused {
    /// Whether a demand is nowhere below one of them.
    #[inline]
    fn covers(&self, demand: &[u64]) -> bool {
        let width = demand.len();
        (0..self.count).any(|at| covers(&self.demands[at * width..(at + 1) * width], demand))
    }

    /// Remembers a demand, and forgets those that it covers.
    fn add(&mut self, demand: &[u64]) {
        let width = demand.len();
        let mut kept = 0;
        for at in 0..self.count {
            if !covers(demand, &self.demands[at * width..(at + 1) * width]) {
                self.demands.copy_within(at * width..(at + 1) * width, kept * width);
                kept += 1;
            }
        }
        self.demands.truncate(kept * width);
        self.count = kept;
        if kept < REMEMBERED {
            self.count += 1;
            self.demands.extend_from_slice(demand);
        } else {
            self.oldest = (self.oldest + 1) % REMEMBERED;
            self.demands[self.oldest * width..(self.oldest + 1) * width].copy_from_slice(demand);
        }
    }
}

/// Whether a demand cannot fit where a refused one does not.
#[inline]
fn covers(refused: &[u64], demand: &[u64]) -> bool {
    refused.iter().zip(demand).all(|(refused, asked)| asked >= refused)
}

impl Nowhere {
    /// Whether a task is known to fit nowhere. `passed` is for this demand: how many changes there had been when it was last
    /// compared with demands of tasks without requirements, and one more.
    #[inline]
    pub(super) fn covers(&self, demand: &[u64], filters: &[Filter], passed: &mut u64) -> bool {
        if *passed != self.changes + 1 {
            if self.plain.covers(demand) {
                return true;
            }
            *passed = self.changes + 1;
        }
        !filters.is_empty() && self.covers_with(demand, filters)
    }

    /// The same for what is known of tasks with these requirements.
    fn covers_with(&self, demand: &[u64], filters: &[Filter]) -> bool {
        self.by_filters.get(filters).is_some_and(|refused| refused.covers(demand))
    }

    /// Remembers a task that fits nowhere.
    pub(super) fn add(&mut self, demand: &[u64], filters: &[Filter]) {
        if filters.is_empty() {
            self.changes += 1;
            return self.plain.add(demand);
        }
        if let Some(refused) = self.by_filters.get_mut(filters) {
            return refused.add(demand);
        }
        if self.by_filters.len() == SETS {
            self.by_filters.clear();
        }
        self.by_filters.entry(filters.to_vec()).or_default().add(demand);
    }

    /// Forgets everything: an offer has grown.
    pub(super) fn clear(&mut self) {
        *self = Self { changes: self.changes + 1, ..Self::default() };
    }
}
