//! The plain loop on a part of the tasks, for a fair estimate of all of them.
//!
//! Early tasks cost more than late ones, because the list shrinks or fills. So blocks of tasks are spread evenly over the
//! cycle and looped for, and what the tasks between them take is put into the pool from the known answer, as an update.

use std::time::Duration;

use anyhow::ensure;
use offermatch::{Assignments, Mode, OfferTable};
use offermatch_core::{Changes, Method};

use super::input::Input;
use super::measure::timed;
use super::native;

/// Blocks that are spread over the tasks at most.
const BLOCKS: usize = 100;
/// Thousandths of a whole device.
const WHOLE: u32 = 1000;

/// What the plain loop would take for all tasks, and the part of them that it was measured on.
pub(crate) struct Replay {
    /// The measured time, divided by the part.
    pub(crate) estimate: Duration,
    /// The part of the tasks.
    pub(crate) fraction: f64,
}

/// Loops for a part of the tasks, and checks each answer against the known one.
///
/// # Errors
/// When an answer differs.
pub(crate) fn reference(input: &Input, known: &Assignments, fraction: f64) -> anyhow::Result<Replay> {
    let tasks = input.tasks.len();
    let blocks = BLOCKS.min(tasks).max(1);
    let mut pool = native::open(input, Method::Reference)?;
    let mut offers = State::new(input);
    let mut answered = 0;
    let mut looked = 0;
    let mut spent = Duration::ZERO;
    for block in 0..blocks {
        let (begin, end) = (block * tasks / blocks, (block + 1) * tasks / blocks);
        let measured = (((end - begin) as f64 * fraction).round() as usize).clamp(1.min(end - begin), end - begin);
        let rows: Vec<u32> = (begin..begin + measured).map(|row| row as u32).collect();
        let part = input.tasks.select(&rows);
        let (time, answer) = timed(|| pool.assign(part.table()))?;
        spent += time;
        looked += measured;
        for (at, &task) in answer.tasks.iter().enumerate() {
            let found = (begin as u32 + task, answer.offers[at], answer.scores[at]);
            let expected =
                known.tasks.get(answered).map(|&task| (task, known.offers[answered], known.scores[answered]));
            ensure!(Some(found) == expected, "the loop gives {found:?}, the known answer is {expected:?}");
            offers.take(input, found.0, found.1);
            answered += 1;
        }
        let is_answered = |row: Option<&u32>, end: usize| row.is_some_and(|&row| (row as usize) < end);
        ensure!(!is_answered(known.tasks.get(answered), begin + measured), "the loop has left out a placed task");
        let mut touched = Vec::new();
        while is_answered(known.tasks.get(answered), end) {
            offers.take(input, known.tasks[answered], known.offers[answered]);
            touched.push(known.offers[answered]);
            answered += 1;
        }
        pool.update(&offers.changes(input, touched))?;
    }
    let fraction = if tasks == 0 { 1.0 } else { looked as f64 / tasks as f64 };
    Ok(Replay { estimate: spent.div_f64(fraction), fraction })
}

/// What the offers have left.
struct State {
    /// What is free: rows x dimensions.
    available: Vec<u64>,
    /// The free thousandths of each device, by offers.
    devices: Vec<Vec<u32>>,
}

impl State {
    /// All of it.
    fn new(input: &Input) -> Self {
        let table = input.offers.table();
        let devices = (0..input.offers.len()).map(|offer| table.devices.of(offer).to_vec()).collect();
        Self { available: table.available.clone(), devices }
    }

    /// Takes what a task uses in shared mode, as `docs/semantics.md` says.
    fn take(&mut self, input: &Input, task: u32, offer: u32) {
        let (task, offer) = (task as usize, offer as usize);
        let table = input.tasks.table();
        let width = input.tasks.catalog().dimensions().len();
        for at in 0..width {
            self.available[offer * width + at] -= table.demand[task * width + at];
        }
        let asked = table.devices(task);
        let free = &mut self.devices[offer];
        if asked >= WHOLE {
            let whole = free.iter_mut().filter(|free| **free == WHOLE);
            whole.take((asked / WHOLE) as usize).for_each(|free| *free = 0);
        } else if asked > 0
            && let Some(tightest) = free.iter_mut().filter(|free| **free >= asked).min_by_key(|free| **free)
        {
            *tightest -= asked;
        }
    }

    /// The offers that were taken, as changes of a pool: gone in exclusive mode, smaller in shared mode.
    fn changes(&self, input: &Input, mut taken: Vec<u32>) -> Changes {
        if input.settings.mode == Mode::Exclusive {
            return Changes { removed: taken, ..Changes::default() };
        }
        taken.sort_unstable();
        taken.dedup();
        let table = input.offers.table();
        let shape = native::shape(input);
        let (width, attributes) = (shape.dimensions as usize, shape.attributes as usize);
        let mut changed = OfferTable { rows: taken.len() as u32, ..OfferTable::default() };
        for offer in taken.iter().map(|&offer| offer as usize) {
            changed.available.extend_from_slice(&self.available[offer * width..(offer + 1) * width]);
            changed.attributes.extend_from_slice(&table.attributes[offer * attributes..(offer + 1) * attributes]);
            changed.devices.push(self.devices[offer].iter().copied());
        }
        Changes { changed_rows: taken, changed, ..Changes::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MODES;
    use super::super::input::Kind;
    use super::*;

    #[test]
    fn a_part_of_the_tasks_is_answered_as_all_of_them_are() {
        for kind in Kind::ALL {
            for mode in MODES {
                let input = Input::new(kind, 250, 180, mode).unwrap();
                let known = native::once(&input, Method::Reference).unwrap().1;
                for fraction in [0.3, 1.0] {
                    let replay = reference(&input, &known, fraction).unwrap();
                    assert!((replay.fraction - fraction).abs() < 0.2, "{kind} {mode}: {}", replay.fraction);
                }
            }
        }
    }

    #[test]
    fn a_wrong_answer_is_found() {
        let input = Input::new(Kind::Uniform, 50, 50, Mode::Shared).unwrap();
        let mut known = native::once(&input, Method::Reference).unwrap().1;
        known.offers[3] ^= 1;
        assert!(reference(&input, &known, 1.0).is_err());
    }
}
