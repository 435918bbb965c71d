//! Pools of valid and of broken tables. The bytes seed the random numbers that `stories` draws from.

use offermatch_core::{BestFit, Changes, Error, Method, OfferTable, Pool, TaskTable};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::stories::{Step, Story, bound_tasks, clusters, crowded, story};

/// The index answers as the plain loop does, bit for bit.
pub(crate) fn stories(bytes: &[u8]) {
    if let Some(story) = drawn(bytes) {
        live_alike(&story);
    }
}

/// Tables of which some numbers and lengths are broken are refused alike, and leave the pool as it was.
pub(crate) fn tables(bytes: &[u8]) {
    // The first bytes break, the others draw.
    let (breaks, rest) = bytes.split_at(bytes.len().min(24));
    let Some(mut story) = drawn(rest) else { return };
    for three in breaks.chunks_exact(6) {
        let [place, column, at, how, high, low] = three else { continue };
        let value =
            u32::from_le_bytes([*low, *high, 0, 0]).wrapping_mul(if how.is_multiple_of(2) { 1 } else { 65_537 });
        let broken = Break { column: *column, at: (*at).into(), how: how % 4, value };
        let steps = story.steps.len() + 2;
        match usize::from(*place) % steps {
            0 => broken.offers(&mut story.offers),
            1 => broken.settings(&mut story),
            step => match &mut story.steps[step - 2] {
                Step::Assign(tasks) => broken.tasks(tasks),
                Step::Update(changes) => broken.changes(changes),
            },
        }
    }
    live_alike(&story);
}

/// The story that these bytes draw.
fn drawn(bytes: &[u8]) -> Option<Story> {
    let (kind, bytes) = bytes.split_first()?;
    let mut seed = [0; 32];
    seed.iter_mut().zip(bytes).for_each(|(seed, byte)| *seed = *byte);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let tree = match kind % 8 {
        0 => bound_tasks().new_tree(&mut runner).map(|tree| tree.current()),
        1 => crowded().new_tree(&mut runner).map(|tree| tree.current()),
        2 => clusters().new_tree(&mut runner).map(|tree| tree.current()),
        _ => story().new_tree(&mut runner).map(|tree| tree.current()),
    };
    tree.ok()
}

/// Runs a story with the index and with the plain loop, and compares all that is answered and refused.
fn live_alike(story: &Story) {
    // Rows without a column cost memory, not bytes.
    if story.offers.rows > 1 << 12 {
        return;
    }
    let open = |method| {
        let pool = Pool::open(BestFit, story.shape, &story.offers, &story.settings)?;
        Ok::<_, Error>(pool.with_method(method))
    };
    let (mut indexed, mut looped) = match (open(Method::Index), open(Method::Reference)) {
        (Ok(indexed), Ok(looped)) => (indexed, looped),
        (refused, again) => return assert_same(refused.err(), again.err()),
    };
    for step in &story.steps {
        match step {
            Step::Assign(tasks) if tasks.rows <= 1 << 12 => {
                let before = looped.explain(tasks);
                let found = looped.assign(tasks);
                assert_eq!(indexed.assign(tasks), found);
                match found {
                    Ok(_) => assert_eq!(indexed.explain(tasks), looped.explain(tasks)),
                    Err(refused) => assert_eq!(before, Err(refused), "explaining refuses what placing refuses"),
                }
            }
            Step::Update(changes) if changes.added.rows <= 1 << 12 && changes.changed.rows <= 1 << 12 => {
                assert_eq!(indexed.update(changes), looped.update(changes));
            }
            Step::Assign(_) | Step::Update(_) => {}
        }
    }
    // Whatever was refused before, the pools are still alike.
    let empty = TaskTable { rows: 3, demand: vec![0; 3 * story.shape.dimensions as usize], ..TaskTable::default() };
    assert_eq!(indexed.explain(&empty), looped.explain(&empty));
    assert_eq!(indexed.assign(&empty), looped.assign(&empty));
}

/// Compares two refusals; a NaN that was refused is no other NaN.
fn assert_same(one: Option<Error>, other: Option<Error>) {
    assert!(one.is_some());
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

/// One thing that is broken.
struct Break {
    /// In which column.
    column: u8,
    /// Where in it.
    at: usize,
    /// Set, cut, grow, or set to the largest.
    how: u8,
    /// To what.
    value: u32,
}

impl Break {
    fn column<T: Copy + Default>(&self, column: &mut Vec<T>, value: T, largest: T) {
        match self.how {
            0 if !column.is_empty() => {
                let at = self.at % column.len();
                column[at] = value;
            }
            1 => column.truncate(self.at),
            2 => column.push(value),
            _ if !column.is_empty() => {
                let at = self.at % column.len();
                column[at] = largest;
            }
            _ => {}
        }
    }

    fn short(&self, column: &mut Vec<u32>) {
        self.column(column, self.value, u32::MAX);
    }

    fn long(&self, column: &mut Vec<u64>) {
        self.column(column, self.value.into(), u64::MAX);
    }

    fn offers(&self, table: &mut OfferTable) {
        match self.column % 6 {
            0 => table.rows = self.value,
            1 => self.long(&mut table.available),
            2 => self.long(&mut table.capacity),
            3 => self.short(&mut table.attributes),
            4 => self.short(&mut table.devices.offsets),
            _ => self.short(&mut table.devices.free),
        }
    }

    fn tasks(&self, table: &mut TaskTable) {
        match self.column % 8 {
            0 => table.rows = self.value,
            1 => self.long(&mut table.demand),
            2 => self.short(&mut table.devices),
            3 => self.short(&mut table.requirement_offsets),
            4 => self.short(&mut table.requirement_subjects),
            5 => self.column(&mut table.requirement_kinds, self.value % 5, 1),
            6 => self.short(&mut table.value_offsets),
            _ => self.short(&mut table.values),
        }
    }

    fn changes(&self, changes: &mut Changes) {
        match self.column % 16 {
            0..2 => self.short(&mut changes.removed),
            2..4 => self.short(&mut changes.changed_rows),
            4..10 => self.offers(&mut changes.changed),
            _ => self.offers(&mut changes.added),
        }
    }

    fn settings(&self, story: &mut Story) {
        let odd = [f64::NAN, f64::INFINITY, -1.0, -0.0, f64::MAX, f64::MIN_POSITIVE][self.at % 6];
        match self.column % 4 {
            0 => story.settings.max_score = Some(odd),
            1 => self.column(&mut story.settings.weights, odd, f64::MAX),
            2 => self.long(&mut story.settings.scales),
            _ => story.shape.dimensions = self.value % 5,
        }
    }
}
