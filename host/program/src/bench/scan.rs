//! The talk's loop in Rust, as somebody would write it who knows the language and has no index: rows are structs, and every
//! task scans the offers that are left.

use std::time::Duration;

use rayon::prelude::*;

use super::input::Input;
use super::measure::timed;

/// A score has to be below this, as in the talk.
const MAX_SCORE: f64 = 31.0;
/// Offers that one thread scans at least: sharing out fewer costs more than it saves.
const SHARE: usize = 512;

/// Something with a name, cpu and memory: a task or an offer.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    name: String,
    /// Millicores.
    cpu: u64,
    /// Bytes.
    memory: u64,
}

/// What the loop is given.
pub(crate) struct Rows {
    /// The tasks, in order.
    tasks: Vec<Item>,
    offers: Vec<Item>,
    /// What the leftovers of cpu and memory are divided by.
    scales: (f64, f64),
}

/// A task and the offer that it got.
pub(crate) struct Match {
    pub(crate) task: String,
    pub(crate) offer: String,
    pub(crate) score: f64,
    /// Which task it is.
    row: usize,
    /// Where in the list the offer stood.
    position: usize,
}

impl Rows {
    /// The rows of an input that has no more than cpu and memory.
    pub(crate) fn of(input: &Input) -> Self {
        let items = |names: &[String], columns: &[u64]| -> Vec<Item> {
            let rows = names.iter().zip(columns.chunks_exact(2));
            rows.map(|(name, row)| Item { name: name.clone(), cpu: row[0], memory: row[1] }).collect()
        };
        let offers = items(input.offers.names(), &input.offers.table().available);
        let largest = |of: fn(&Item) -> u64| offers.iter().map(of).max().unwrap_or(0).max(1) as f64;
        let scales = (largest(|offer| offer.cpu), largest(|offer| offer.memory));
        Self { tasks: items(input.tasks.names(), &input.tasks.table().demand), offers, scales }
    }

    /// Whether an offer has what a task asks.
    #[inline]
    fn fits(task: &Item, offer: &Item) -> bool {
        task.cpu <= offer.cpu && task.memory <= offer.memory
    }

    /// The score of an offer that fits, the tightest being the lowest.
    #[inline]
    fn score(&self, task: &Item, offer: &Item) -> f64 {
        (offer.cpu - task.cpu) as f64 / self.scales.0 + (offer.memory - task.memory) as f64 / self.scales.1
    }

    /// Matches on one thread: how long that takes, and who takes what.
    pub(crate) fn on_one_thread(&self) -> (Duration, Vec<Match>) {
        self.matched(|task, offers| {
            let mut best: Option<(usize, f64)> = None;
            for (position, offer) in offers.iter().enumerate() {
                if Self::fits(task, offer) {
                    let score = self.score(task, offer);
                    if score < best.map_or(MAX_SCORE, |(_, lowest)| lowest) {
                        best = Some((position, score));
                    }
                }
            }
            best
        })
    }

    /// Matches on all threads, which share the scan of each task: how long that takes, and who takes what.
    pub(crate) fn on_all_threads(&self) -> (Duration, Vec<Match>) {
        self.matched(|task, offers| {
            let feasible =
                offers.par_iter().with_min_len(SHARE).enumerate().filter(|(_, offer)| Self::fits(task, offer));
            let scored = feasible.map(|(position, offer)| (position, self.score(task, offer)));
            // The first of equals, as on one thread.
            let best = scored.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            best.filter(|&(_, score)| score < MAX_SCORE)
        })
    }

    /// Gives each task the offer that `best` finds, and takes that out of the list.
    fn matched(&self, best: impl Fn(&Item, &[Item]) -> Option<(usize, f64)>) -> (Duration, Vec<Match>) {
        let mut offers = self.offers.clone();
        let run = || {
            let mut matches = Vec::new();
            for (row, task) in self.tasks.iter().enumerate() {
                if let Some((position, score)) = best(task, &offers) {
                    let offer = offers.swap_remove(position);
                    matches.push(Match { task: task.name.clone(), offer: offer.name, score, row, position });
                }
            }
            Ok::<_, std::convert::Infallible>(matches)
        };
        timed(run).expect("it cannot fail")
    }

    /// How long the fit checks of a cycle take on one thread: the same offers are checked, and none is scored.
    pub(crate) fn fit_checks(&self, matches: &[Match]) -> Duration {
        let mut offers = self.offers.clone();
        let mut matches = matches.iter().peekable();
        let run = || {
            let mut fitting = 0_usize;
            for (row, task) in self.tasks.iter().enumerate() {
                fitting += offers.iter().filter(|offer| Self::fits(task, offer)).count();
                if let Some(found) = matches.next_if(|found| found.row == row) {
                    offers.swap_remove(found.position);
                }
            }
            Ok::<_, std::convert::Infallible>(std::hint::black_box(fitting))
        };
        timed(run).expect("it cannot fail").0
    }

    /// How long the fit checks of a cycle take on all threads.
    pub(crate) fn fit_checks_on_all_threads(&self, matches: &[Match]) -> Duration {
        let mut offers = self.offers.clone();
        let mut matches = matches.iter().peekable();
        let run = || {
            let mut fitting = 0_usize;
            for (row, task) in self.tasks.iter().enumerate() {
                fitting += offers.par_iter().with_min_len(SHARE).filter(|offer| Self::fits(task, offer)).count();
                if let Some(found) = matches.next_if(|found| found.row == row) {
                    offers.swap_remove(found.position);
                }
            }
            Ok::<_, std::convert::Infallible>(std::hint::black_box(fitting))
        };
        timed(run).expect("it cannot fail").0
    }

    /// Refuses an answer that is not the one known.
    ///
    /// # Errors
    /// When they differ.
    pub(crate) fn check(matches: &[Match], input: &Input, known: &offermatch::Assignments) -> anyhow::Result<()> {
        let (tasks, offers) = (input.tasks.names(), input.offers.names());
        let expected = known.tasks.iter().zip(&known.offers).zip(&known.scores);
        let equal = matches.len() == known.tasks.len()
            && matches.iter().zip(expected).all(|(found, ((&task, &offer), &score))| {
                (&found.task, &found.offer) == (&tasks[task as usize], &offers[offer as usize]) && found.score == score
            });
        anyhow::ensure!(equal, "the talk's loop and the component differ, so that their times cannot be compared");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use offermatch::Mode;
    use offermatch_core::Method;

    use super::super::input::Kind;
    use super::super::native;
    use super::*;

    #[test]
    fn the_talks_loop_answers_as_the_reference_does() {
        for kind in [Kind::Uniform, Kind::Realistic, Kind::Ties, Kind::NothingFits] {
            let input = Input::new(kind, 700, 1500, Mode::Exclusive).unwrap();
            let known = native::once(&input, Method::Reference).unwrap().1;
            let rows = Rows::of(&input);
            let (_, matches) = rows.on_one_thread();
            Rows::check(&matches, &input, &known).unwrap();
            Rows::check(&rows.on_all_threads().1, &input, &known).unwrap();
            rows.fit_checks(&matches);
            if let Some(fewer) = matches.len().checked_sub(1) {
                assert!(Rows::check(&matches[..fewer], &input, &known).is_err(), "{kind}: a task is missing");
            }
        }
    }
}
