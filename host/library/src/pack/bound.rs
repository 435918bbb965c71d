//! How many offers are needed at least.

use super::problem::Problem;

/// A lower bound on the number of offers for the tasks but some.
///
/// For each dimension alone: what is asked in all, taken from the largest offers first, and the bound L2 of S. Martello and
/// P. Toth, "Lower bounds and reduction procedures for the bin packing problem", 1990, with the largest offer.
pub(super) fn lower_bound(problem: &Problem, unplaced: &[usize]) -> u128 {
    if unplaced.len() == problem.demands.len() {
        return 0;
    }
    let mut left_out = vec![false; problem.demands.len()];
    unplaced.iter().for_each(|&task| left_out[task] = true);
    let dimensions = problem.kinds.first().map_or(0, |kind| kind.capacity.len());
    let of = |dimension: usize| {
        let rows = problem.demands.iter().zip(&left_out).filter(|(_, left_out)| !**left_out);
        let asked: Vec<u64> = rows.map(|(demand, _)| demand[dimension]).filter(|&asked| asked > 0).collect();
        if asked.is_empty() {
            0
        } else {
            by_volume(problem, dimension, &asked).max(martello_toth(problem, dimension, asked))
        }
    };
    (0..dimensions).map(of).max().unwrap_or(0).max(1)
}

fn by_volume(problem: &Problem, dimension: usize, asked: &[u64]) -> u128 {
    let mut asked: u128 = asked.iter().copied().map(u128::from).sum();
    let mut kinds: Vec<(u128, Option<u128>)> = problem
        .kinds
        .iter()
        .map(|kind| (kind.capacity[dimension].into(), kind.most.map(|most| most as u128)))
        .collect();
    kinds.sort_by_key(|(capacity, _)| std::cmp::Reverse(*capacity));
    let mut used = 0;
    for (capacity, most) in kinds.into_iter().take_while(|(capacity, _)| *capacity > 0) {
        let needed = asked.div_ceil(capacity);
        match most {
            Some(most) if needed > most => {
                used += most;
                asked -= most * capacity;
            }
            _ => return used + needed,
        }
    }
    used
}

/// Large ones need an offer each; those between have it with none of these, and what is small fills what they leave.
fn martello_toth(problem: &Problem, dimension: usize, mut asked: Vec<u64>) -> u128 {
    asked.sort_unstable();
    let capacity = problem.kinds.iter().map(|kind| u128::from(kind.capacity[dimension])).max().unwrap_or(0);
    let asked: Vec<u128> = asked.into_iter().map(u128::from).collect();
    let middle = asked.partition_point(|&one| 2 * one <= capacity);
    let (small, large) = asked.split_at(middle);
    let mut best = large.len() as u128;
    for (at, &least) in small.iter().enumerate() {
        if at > 0 && small[at - 1] == least {
            continue;
        }
        let between = &large[..large.partition_point(|&one| one <= capacity - least)];
        let room = between.len() as u128 * capacity - between.iter().sum::<u128>();
        let more = small[at..].iter().sum::<u128>().saturating_sub(room);
        best = best.max(large.len() as u128 + more.div_ceil(capacity));
    }
    best
}
