//! Generated input, the same in every host, bit for bit.

use std::fmt;
use std::str::FromStr;

use offermatch_core::{OfferTable, TaskTable};

use crate::error::Error;
use crate::table::catalog::Catalog;
use crate::table::offers::Offers;
use crate::table::rows::{Offer, Requirement, Task};
use crate::table::tasks::Tasks;
use crate::visible::visible_name;

/// 2^30 bytes.
const GIB: u64 = 1 << 30;
/// Shapes of `realistic` tasks.
const SHAPES: u64 = 200;
/// Types of `realistic` offers.
const TYPES: u64 = 40;

/// What a sample is like.
///
/// Example: [`Sample`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleKind {
    /// Every task and every offer drawn on its own.
    Uniform,
    /// A few hundred shapes of tasks, a few dozen types of servers.
    Realistic,
    /// All tasks and all offers the same.
    Ties,
    /// Every task asks for more than any offer has.
    NothingFits,
    /// A quarter of the tasks have requirements.
    Constrained,
    /// Half of the tasks ask for devices, half of the offers have some.
    Devices,
}

/// Which sample to make: `KIND:TASKSxOFFERS[:SEED]`.
///
/// ```
/// let sample: offermatch::Sample = "uniform:3x2:7".parse()?;
/// let (tasks, offers) = sample.rows();
/// assert_eq!((tasks.len(), offers.len()), (3, 2));
/// assert_eq!(sample.to_string(), "uniform:3x2:7");
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// What it is like.
    pub kind: SampleKind,
    /// How many tasks.
    pub tasks: u32,
    /// How many offers.
    pub offers: u32,
    /// Where the random numbers begin.
    pub seed: u64,
}

/// The kinds and their names.
const KINDS: [(&str, SampleKind); 6] = [
    ("uniform", SampleKind::Uniform),
    ("realistic", SampleKind::Realistic),
    ("ties", SampleKind::Ties),
    ("nothing-fits", SampleKind::NothingFits),
    ("constrained", SampleKind::Constrained),
    ("devices", SampleKind::Devices),
];

impl fmt::Display for SampleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}x{}:{}", self.kind, self.tasks, self.offers, self.seed)
    }
}

impl FromStr for Sample {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::SettingMalformed {
            setting: "sample".to_owned(),
            message: format!("{} is not KIND:TASKSxOFFERS[:SEED]", visible_name(text)),
            hint: format!("such as uniform:1000x200:1; kinds are {}", KINDS.map(|(name, _)| name).join(", ")),
        })
    }
}

/// The sample that a text asks for.
fn parse(text: &str) -> Option<Sample> {
    let mut parts = text.split(':');
    let (kind, size, seed) = (parts.next()?, parts.next()?, parts.next().unwrap_or("1"));
    if parts.next().is_some() {
        return None;
    }
    let (tasks, offers) = size.split_once('x')?;
    let kind = KINDS.iter().find(|(name, _)| *name == kind)?.1;
    Some(Sample { kind, tasks: tasks.parse().ok()?, offers: offers.parse().ok()?, seed: seed.parse().ok()? })
}

impl Sample {
    /// The tasks and the offers.
    #[must_use]
    pub fn rows(&self) -> (Vec<Task>, Vec<Offer>) {
        let mut random = SplitMix64::new(self.seed);
        // Tasks come first, in row order, and then the offers: that is part of the definition.
        let shapes = self.shapes(&mut random);
        let tasks = (0..self.tasks).map(|row| self.task(row, &mut random, &shapes)).collect();
        let types = self.types(&mut random);
        let offers = (0..self.offers).map(|row| self.offer(row, &mut random, &types)).collect();
        (tasks, offers)
    }

    /// The tasks and the offers as tables. Where rows have nothing but names and quantities, no row is made on the way.
    ///
    /// # Errors
    /// [`Error::TooManyRows`].
    ///
    /// ```
    /// let sample: offermatch::Sample = "realistic:3x2".parse()?;
    /// let (tasks, offers) = sample.tables()?;
    /// assert_eq!(tasks.table().demand.len(), 6);
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn tables(&self) -> Result<(Tasks, Offers), Error> {
        if matches!(self.kind, SampleKind::Constrained | SampleKind::Devices) {
            let (tasks, offers) = self.rows();
            let catalog = Catalog::of(&offers, &tasks);
            return Ok((Tasks::new(&tasks, &catalog)?, Offers::new(&offers, &catalog)?));
        }
        let catalog = Catalog::new(["cpu", "memory"], [""; 0]);
        let names = |what: &str, rows| (0..rows).map(|row| format!("{what}-{row}")).collect();
        let mut random = SplitMix64::new(self.seed);
        let shapes = self.shapes(&mut random);
        let demand = (0..self.tasks).flat_map(|_| <[u64; 2]>::from(self.demand(&mut random, &shapes))).collect();
        let types = self.types(&mut random);
        let available = (0..self.offers).flat_map(|_| <[u64; 2]>::from(self.available(&mut random, &types))).collect();
        let tasks = TaskTable { rows: self.tasks, demand, ..TaskTable::default() };
        let offers = OfferTable { rows: self.offers, available, ..OfferTable::default() };
        let tasks = Tasks::from_columns(names("task", self.tasks), tasks, &catalog)?;
        Ok((tasks, Offers::from_columns(names("offer", self.offers), offers, &catalog)?))
    }

    /// The shapes that tasks are picked from; none where every task is drawn on its own.
    fn shapes(&self, random: &mut SplitMix64) -> Vec<(u64, u64)> {
        let count = if self.kind == SampleKind::Realistic { SHAPES } else { 0 };
        (0..count).map(|_| (250 * (1 + random.below(64)), (1 << 28) * (1 + random.below(256)))).collect()
    }

    /// The types that offers are picked from; none where every offer is drawn on its own.
    fn types(&self, random: &mut SplitMix64) -> Vec<(u64, u64)> {
        let count = if self.kind == SampleKind::Realistic { TYPES } else { 0 };
        (0..count).map(|_| (1000 * (8 + 4 * random.below(23)), GIB * (16 + 8 * random.below(47)))).collect()
    }

    /// The cpu and the memory that a task asks.
    fn demand(&self, random: &mut SplitMix64, shapes: &[(u64, u64)]) -> (u64, u64) {
        match self.kind {
            SampleKind::Realistic => shapes[random.below(SHAPES) as usize],
            SampleKind::Ties => (1000, GIB),
            SampleKind::NothingFits => (1000 * (49 + random.below(16)), GIB * (1 + random.below(64))),
            _ => (1000 * (1 + random.below(16)), GIB * (1 + random.below(64))),
        }
    }

    /// The cpu and the memory that an offer has.
    fn available(&self, random: &mut SplitMix64, types: &[(u64, u64)]) -> (u64, u64) {
        match self.kind {
            SampleKind::Realistic => types[random.below(TYPES) as usize],
            SampleKind::Ties => (16_000, 64 * GIB),
            _ => (1000 * (1 + random.below(48)), GIB * (1 + random.below(192))),
        }
    }

    /// One task.
    fn task(&self, row: u32, random: &mut SplitMix64, shapes: &[(u64, u64)]) -> Task {
        let (cpu, memory) = self.demand(random, shapes);
        let mut task = Task::new(format!("task-{row}"), [("cpu", cpu), ("memory", memory)]);
        match self.kind {
            SampleKind::Constrained if random.below(4) == 0 => {
                let mut zones = vec![zone(random), zone(random)];
                zones.dedup();
                task.requirements.push(Requirement::is_in("zone", zones));
                if random.below(2) == 0 {
                    task.requirements.push(Requirement::not_in("gpu", [gpu(random)]));
                }
            }
            SampleKind::Devices => match random.below(8) {
                0..=3 => {}
                4 | 5 => task.device_share = 50 * (1 + random.below(19) as u32),
                _ => task.devices = 1 + random.below(4) as u32,
            },
            _ => {}
        }
        task
    }

    /// One offer.
    fn offer(&self, row: u32, random: &mut SplitMix64, types: &[(u64, u64)]) -> Offer {
        let (cpu, memory) = self.available(random, types);
        let mut offer = Offer::new(format!("offer-{row}"), [("cpu", cpu), ("memory", memory)]);
        match self.kind {
            SampleKind::Constrained => {
                offer.attributes.push(("zone".to_owned(), zone(random)));
                let gpu = if random.below(2) == 0 { gpu(random) } else { String::new() };
                offer.attributes.push(("gpu".to_owned(), gpu));
            }
            SampleKind::Devices if random.below(2) == 0 => {
                offer.devices = vec![1000; 1 + random.below(8) as usize];
            }
            _ => {}
        }
        offer
    }
}

/// A value of the attribute `zone`.
fn zone(random: &mut SplitMix64) -> String {
    format!("z{}", random.below(8))
}

/// A value of the attribute `gpu`.
fn gpu(random: &mut SplitMix64) -> String {
    format!("g{}", random.below(4))
}

/// The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    /// The generator of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`: the high 64 bits of the product.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut random = SplitMix64::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], expected);
    }

    #[test]
    fn every_kind_is_made_and_named() {
        for (name, kind) in KINDS {
            let sample: Sample = format!("{name}:20x10").parse().unwrap();
            assert_eq!(sample, Sample { kind, tasks: 20, offers: 10, seed: 1 });
            let (tasks, offers) = sample.rows();
            assert_eq!((tasks.len(), offers.len()), (20, 10), "{name}");
            let catalog = Catalog::of(&offers, &tasks);
            let (task_table, offer_table) = sample.tables().unwrap();
            assert_eq!(task_table.table(), Tasks::new(&tasks, &catalog).unwrap().table(), "{name}");
            assert_eq!(offer_table.table(), Offers::new(&offers, &catalog).unwrap().table(), "{name}");
            assert_eq!(offer_table.names(), offers.iter().map(|offer| offer.name.clone()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_no_sample_is_refused() {
        for text in ["", "uniform", "uniform:3", "uniform:3x", "other:3x3", "uniform:3x3:-1", "uniform:3x3:1:1"] {
            assert_eq!(text.parse::<Sample>().unwrap_err().code(), "setting-malformed", "{text}");
        }
    }
}
