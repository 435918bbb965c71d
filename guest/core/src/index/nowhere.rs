//! Demands that are known to fit nowhere: whatever asks for no less fits nowhere either, as long as offers only shrink.

use alloc::vec::Vec;

use super::axes;

/// How many such demands are remembered. More of them find more, but each task is compared with all.
const REMEMBERED: usize = 24;

/// Demands that fit no offer of the list.
#[derive(Debug, Clone, Default)]
pub(super) struct Nowhere {
    /// The demands.
    refused: Vec<Refused>,
    /// Which one is forgotten next.
    oldest: usize,
}

/// A demand that fits no offer which passes these requirements.
#[derive(Debug, Clone)]
struct Refused {
    /// The bit rows of its requirements.
    requirements: Vec<usize>,
    /// What it asks on every axis.
    demand: Vec<u64>,
}

impl Refused {
    /// Whether a task with this demand and these requirements cannot fit if this one does not.
    fn covers(&self, demand: &[u64], requirements: &[usize]) -> bool {
        self.demand.iter().zip(demand).all(|(refused, asked)| asked >= refused)
            && (self.requirements.is_empty() || axes::equal(&self.requirements, requirements))
    }
}

impl Nowhere {
    /// Whether a task is known to fit nowhere.
    pub(super) fn covers(&self, demand: &[u64], requirements: &[usize]) -> bool {
        self.refused.iter().any(|refused| refused.covers(demand, requirements))
    }

    /// Remembers a task that fits nowhere.
    pub(super) fn add(&mut self, demand: &[u64], requirements: &[usize]) {
        let new = Refused { requirements: requirements.to_vec(), demand: demand.to_vec() };
        self.refused.retain(|refused| !new.covers(&refused.demand, &refused.requirements));
        if self.refused.len() < REMEMBERED {
            self.refused.push(new);
        } else {
            self.oldest = (self.oldest + 1) % REMEMBERED;
            self.refused[self.oldest] = new;
        }
    }

    /// Forgets everything: an offer has grown.
    pub(super) fn clear(&mut self) {
        self.refused.clear();
    }
}
