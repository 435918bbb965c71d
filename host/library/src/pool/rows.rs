//! The rows of a pool by the names of its offers. Rows of offers that were removed are used again.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::table::names::Names;

/// The rows of a pool by name.
#[derive(Debug)]
pub(super) struct Rows {
    names: Names,
    /// The row of each name; made when it is first asked for.
    index: Option<HashMap<String, u32>>,
    /// Rows whose offers were removed, the one that has been free for longest first. Such as are in use again stand here too.
    free: VecDeque<u32>,
    is_free: HashSet<u32>,
}

impl Rows {
    /// One row for each name.
    pub(super) fn new(names: Names) -> Self {
        Self { names, index: None, free: VecDeque::new(), is_free: HashSet::new() }
    }

    /// The name in each row.
    pub(super) fn names(&self) -> &[String] {
        self.names.as_slice()
    }

    /// The row of each name.
    pub(super) fn index(&mut self) -> &HashMap<String, u32> {
        self.index.get_or_insert_with(|| self.names.index())
    }

    /// Rows for the first of these offers: the one an offer has had, or the one that has been free for longest; none of them
    /// is among the busy ones. Offers that come back stand in the list before new ones, so that from the first that needs a
    /// new row on all get one.
    pub(super) fn again(&mut self, names: &[String], busy: &HashSet<u32>) -> Vec<u32> {
        self.index();
        let index = self.index.as_ref();
        let own = |name: &String| index.and_then(|index| index.get(name)).copied().filter(|row| !busy.contains(row));
        let kept: HashSet<u32> = names.iter().filter_map(own).collect();
        let mut seen = HashSet::new();
        let mut free = self.free.iter().copied().filter(|row| {
            self.is_free.contains(row) && !busy.contains(row) && !kept.contains(row) && seen.insert(*row)
        });
        names.iter().map_while(|name| own(name).or_else(|| free.next())).collect()
    }

    /// Writes down an update that was applied: rows whose offers left, such as have one again, and the names of added offers,
    /// the first of which took these rows.
    pub(super) fn updated(&mut self, removed: &[u32], changed: &[u32], taken: &[u32], added: &[String]) {
        self.index();
        for row in changed.iter().chain(taken) {
            self.is_free.remove(row);
        }
        let Some(index) = &mut self.index else { return };
        for (row, name) in taken.iter().zip(added) {
            let before = self.names.replace(*row as usize, name.clone());
            if before != *name && index.get(&before) == Some(row) {
                index.remove(&before);
            }
            index.insert(name.clone(), *row);
        }
        let new = &added[taken.len()..];
        let first = self.names.as_slice().len() as u32;
        index.extend(new.iter().cloned().zip(first..));
        self.names.extend(new);
        let left = removed.iter().filter(|row| self.is_free.insert(**row));
        self.free.extend(left);
        if self.free.len() > 2 * self.is_free.len() + 16 {
            let mut seen = HashSet::new();
            self.free.retain(|row| self.is_free.contains(row) && seen.insert(*row));
        }
    }
}
