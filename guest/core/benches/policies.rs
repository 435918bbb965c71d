//! Every shipped policy beside best-fit, natively, in one run: `cargo bench --package offermatch-core --bench policies`. The answers are
//! those of the index; `tests/laws.rs` compares them with the plain loop.

use std::env;
use std::time::{Duration, Instant};

use offermatch_core::{Assignments, BestFit, Mode, Policy, Pool};

mod kinds;

use kinds::Input;

/// Tasks, and offers.
const ROWS: u32 = 20_000;
/// Rounds, of which the least counts; fewer where a round is long.
const ROUNDS: u32 = 7;
/// A round that is long.
const LONG: Duration = Duration::from_millis(500);
/// How many times best-fit a policy may take: on realistic inputs, and on uniform ones.
const TARGETS: [(&str, f64); 2] = [("realistic", 4.0), ("uniform", 12.0)];

/// One cycle, and what it takes.
fn cycle<P: Policy + Default>(input: &Input) -> (Duration, Assignments) {
    let begun = Instant::now();
    let pool = Pool::open(P::default(), input.shape, &input.offers, &input.settings);
    let answer = pool.and_then(|mut pool| pool.assign(&input.tasks)).expect("the tables are right");
    (begun.elapsed(), answer)
}

/// The least times of best-fit and of a policy, by turns, and the policy's answer.
fn measure<P: Policy + Default>(input: &Input) -> ([Duration; 2], Assignments) {
    let mut least = [Duration::MAX; 2];
    let mut last = Assignments::default();
    for _ in 0..ROUNDS {
        least[0] = least[0].min(cycle::<BestFit>(input).0);
        let (taken, answer) = cycle::<P>(input);
        least[1] = least[1].min(taken);
        last = answer;
        if taken > LONG && least[0] < LONG {
            break;
        }
    }
    (least, last)
}

fn main() {
    // Policies, kinds and modes: all of them where none is named.
    let wanted: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let kinds_wanted = TARGETS.iter().any(|(kind, _)| wanted.iter().any(|word| word == kind));
    let modes_wanted = wanted.iter().any(|word| word == "exclusive" || word == "shared");
    let policies_wanted = wanted.len()
        > wanted
            .iter()
            .filter(|word| TARGETS.iter().any(|(kind, _)| word == kind) || *word == "exclusive" || *word == "shared")
            .count();
    for (kind, target) in TARGETS {
        for mode in [Mode::Exclusive, Mode::Shared] {
            let is_named = |what: &str| wanted.iter().any(|word| word == what);
            if kinds_wanted && !is_named(kind) || modes_wanted && !is_named(&mode.to_string()) {
                continue;
            }
            let input = Input::new(kind, mode, (ROWS, ROWS)).expect("a kind");
            println!("\n{kind}, {mode}, {ROWS} x {ROWS}: at most {target} times best-fit");
            macro_rules! each {
                ($($policy:ty,)*) => {$(
                    if !policies_wanted || is_named(<$policy>::NAME) {
                        let ([best_fit, taken], answer) = measure::<$policy>(&input);
                        let times = taken.as_secs_f64() / best_fit.as_secs_f64();
                        let verdict = if times <= target { "reached" } else { "missed" };
                        let milliseconds = taken.as_secs_f64() * 1000.0;
                        let (name, placed) = (<$policy>::NAME, answer.tasks.len());
                        println!("  {name:<16}{milliseconds:>10.1} ms {times:>7.2} {verdict:<8}{placed:>8} placed");
                    }
                )*};
            }
            offermatch_policies::with_policies!(each);
        }
    }
}
