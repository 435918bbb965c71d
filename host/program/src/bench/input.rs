//! Inputs: the samples of `docs/formats.md`, and kinds that are made to be hard for an index.

use std::fmt;

use offermatch::{Catalog, Mode, Offer, Offers, Requirement, Sample, SampleKind, Settings, Task, Tasks};

/// 2^30 bytes.
const GIB: u64 = 1 << 30;

/// What is matched, and how.
pub(crate) struct Input {
    pub(crate) tasks: Tasks,
    pub(crate) offers: Offers,
    pub(crate) settings: Settings,
}

/// What an input is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Every task and every offer drawn on its own.
    Uniform,
    /// A few hundred shapes of tasks, a few dozen types of servers.
    Realistic,
    /// All tasks and all offers the same.
    Ties,
    /// All offers the same but for an attribute, so that all scores are tied; a quarter of the tasks ask about it.
    TiesTold,
    /// Weights of zero: all scores are 0.
    ZeroWeights,
    /// Every task asks for more than any offer has.
    NothingFits,
    /// Every offer falls short of every task in one dimension or the other, by a little.
    NothingFitsNarrowly,
    /// What an offer has more of in one dimension it has less of in the other: all keys are nearly one.
    Opposed,
    /// One task and one offer are a million times larger than the others.
    Outlier,
    /// A quarter of the tasks have requirements.
    Constrained,
    /// Every task requires two attribute values that no offer has together.
    NeverMeet,
    /// Every task requires one offer by its name.
    Bound,
    /// Half of the tasks ask for devices, half of the offers have some.
    Devices,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Uniform,
        Self::Realistic,
        Self::Ties,
        Self::TiesTold,
        Self::ZeroWeights,
        Self::NothingFits,
        Self::NothingFitsNarrowly,
        Self::Opposed,
        Self::Outlier,
        Self::Constrained,
        Self::NeverMeet,
        Self::Bound,
        Self::Devices,
    ];

    /// The sample that it is, or is made from.
    fn sample(self) -> SampleKind {
        match self {
            Self::Realistic => SampleKind::Realistic,
            Self::Ties | Self::TiesTold => SampleKind::Ties,
            Self::NothingFits => SampleKind::NothingFits,
            Self::Constrained => SampleKind::Constrained,
            Self::Devices => SampleKind::Devices,
            _ => SampleKind::Uniform,
        }
    }

    /// Whether it is more than a sample.
    fn is_adapted(self) -> bool {
        !matches!(
            self,
            Self::Uniform | Self::Realistic | Self::Ties | Self::NothingFits | Self::Constrained | Self::Devices
        )
    }

    /// Makes a sample into this kind.
    fn adapt(self, tasks: &mut [Task], offers: &mut [Offer]) {
        match self {
            Self::TiesTold => {
                for (at, offer) in offers.iter_mut().enumerate() {
                    offer.attributes = vec![("host".to_owned(), offer.name.clone()), rack(at)];
                }
                for (at, task) in tasks.iter_mut().enumerate().filter(|(at, _)| at % 4 == 0) {
                    let (attribute, value) = rack(at);
                    task.requirements.push(Requirement::is_in(attribute, [value]));
                }
            }
            Self::NothingFitsNarrowly => {
                // All tasks lie on one falling line, and all offers on one below it, a byte and a thousandth of a core.
                for task in tasks {
                    let cpu = task.demand[0].1 * 3;
                    set(&mut task.demand, cpu + 1, memory_beside(cpu) + 1);
                }
                for offer in offers {
                    let cpu = offer.available[0].1;
                    set(&mut offer.available, cpu, memory_beside(cpu));
                }
            }
            Self::Opposed => {
                for (at, offer) in offers.iter_mut().enumerate() {
                    let cpu = offer.available[0].1 + at as u64 % 1000;
                    set(&mut offer.available, cpu, memory_beside(cpu));
                }
            }
            Self::Outlier => {
                if let Some(task) = tasks.first_mut() {
                    set(&mut task.demand, 1 << 40, 1 << 60);
                }
                if let Some(offer) = offers.last_mut() {
                    set(&mut offer.available, 1 << 42, 1 << 62);
                }
            }
            Self::NeverMeet => {
                for (at, offer) in offers.iter_mut().enumerate() {
                    let (zone, gpu) = (at % 8, at % 8);
                    offer.attributes = vec![zone_is(zone), gpu_is(gpu)];
                }
                for (at, task) in tasks.iter_mut().enumerate() {
                    let (zone, gpu) = (zone_is(at % 8), gpu_is((at + 1 + at / 8 % 7) % 8));
                    task.requirements = vec![Requirement::is_in(zone.0, [zone.1]), Requirement::is_in(gpu.0, [gpu.1])];
                }
            }
            Self::Bound => {
                for offer in offers.iter_mut() {
                    offer.attributes = vec![("host".to_owned(), offer.name.clone())];
                }
                for (at, task) in tasks.iter_mut().enumerate() {
                    // A step that is prime to every size here: neighbours in one table are far apart in the other.
                    if let Some(offer) = offers.get(at * 7919 % offers.len().max(1)) {
                        task.requirements = vec![Requirement::is_in("host", [offer.name.as_str()])];
                    }
                }
            }
            _ => {}
        }
    }
}

/// Sets both quantities.
fn set(quantities: &mut [(String, u64)], cpu: u64, memory: u64) {
    quantities[0].1 = cpu;
    quantities[1].1 = memory;
}

/// The less cpu, the more memory: the two are worth the same in sum.
fn memory_beside(cpu: u64) -> u64 {
    200 * GIB - cpu * (GIB / 1000 * 4)
}

/// One of 100 racks.
fn rack(at: usize) -> (String, String) {
    ("rack".to_owned(), format!("r{}", at % 100))
}

/// An attribute value.
fn zone_is(at: usize) -> (String, String) {
    ("zone".to_owned(), format!("z{at}"))
}

/// An attribute value.
fn gpu_is(at: usize) -> (String, String) {
    ("gpu".to_owned(), format!("g{at}"))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uniform => "uniform",
            Self::Realistic => "realistic",
            Self::Ties => "all the same",
            Self::TiesTold => "all scores tied, attributes differ",
            Self::ZeroWeights => "weights of zero",
            Self::NothingFits => "nothing fits, plainly",
            Self::NothingFitsNarrowly => "nothing fits, narrowly",
            Self::Opposed => "dimensions against each other",
            Self::Outlier => "one giant outlier",
            Self::Constrained => "a quarter constrained",
            Self::NeverMeet => "attributes that never meet",
            Self::Bound => "every task bound to one host",
            Self::Devices => "devices",
        })
    }
}

impl Input {
    /// An input of a kind.
    ///
    /// # Errors
    /// None but those of tables.
    pub(crate) fn new(kind: Kind, tasks: u32, offers: u32, mode: Mode) -> anyhow::Result<Self> {
        let sample = Sample { kind: kind.sample(), tasks, offers, seed: 1 };
        if !kind.is_adapted() {
            let (tasks, offers) = sample.tables()?;
            return Ok(Self { tasks, offers, settings: Settings { mode, ..Settings::default() } });
        }
        let (mut task_rows, mut offer_rows) = sample.rows();
        kind.adapt(&mut task_rows, &mut offer_rows);
        let catalog = Catalog::of(&offer_rows, &task_rows);
        let zero = |name: &str| (name.to_owned(), 0.0);
        let weights = if kind == Kind::ZeroWeights { vec![zero("cpu"), zero("memory")] } else { Vec::new() };
        Ok(Self {
            tasks: Tasks::new(&task_rows, &catalog)?,
            offers: Offers::new(&offer_rows, &catalog)?,
            settings: Settings { mode, weights, ..Settings::default() },
        })
    }

    /// The same tables in another mode.
    pub(crate) fn in_mode(&self, mode: Mode) -> Self {
        let settings = Settings { mode, ..self.settings.clone() };
        Self { tasks: self.tasks.clone(), offers: self.offers.clone(), settings }
    }

    /// Tasks and offers, as a table shows them.
    pub(crate) fn size(&self) -> String {
        let count = |number: usize| super::report::grouped(number as f64);
        format!("{} x {}", count(self.tasks.len()), count(self.offers.len()))
    }
}

#[cfg(test)]
mod tests {
    use offermatch_core::Method;

    use super::super::native;
    use super::*;

    /// How many of 300 tasks are placed on 200 offers.
    fn placed(kind: Kind, mode: Mode) -> usize {
        native::once(&Input::new(kind, 300, 200, mode).unwrap(), Method::Reference).unwrap().1.tasks.len()
    }

    #[test]
    fn kinds_are_what_they_say() {
        for kind in [Kind::NothingFits, Kind::NothingFitsNarrowly, Kind::NeverMeet] {
            assert_eq!(placed(kind, Mode::Shared), 0, "{kind}");
        }
        for kind in Kind::ALL {
            let expected = matches!(kind, Kind::NothingFits | Kind::NothingFitsNarrowly | Kind::NeverMeet);
            assert_eq!(placed(kind, Mode::Exclusive) == 0, expected, "{kind}");
        }
        let input = Input::new(Kind::ZeroWeights, 30, 20, Mode::Exclusive).unwrap();
        let answer = native::once(&input, Method::Reference).unwrap().1;
        assert!(answer.scores.iter().all(|&score| score == 0.0));
    }
}
