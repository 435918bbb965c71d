//! Every shipped policy beside best-fit, natively, in one run: `cargo bench --package offermatch-core --bench policies`, with `--json FILE`
//! for machines. The answers are those of the index; `tests/laws.rs` compares them with the plain loop.

use std::time::{Duration, Instant};

use offermatch_core::{Assignments, BestFit, Mode, Policy, Pool};

mod figures;
mod kinds;

use kinds::Input;

/// Tasks, and offers.
const ROWS: u32 = 20_000;
/// Rounds, of which the least counts; fewer where a round is long.
const ROUNDS: u32 = 7;
/// A round that is long.
const LONG: Duration = Duration::from_millis(500);
/// Kinds of input.
const KINDS: [&str; 2] = ["realistic", "uniform"];

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
    let (wanted, file) = figures::words();
    let is_named = |what: &str| wanted.iter().any(|word| word == what);
    let kinds_wanted = KINDS.into_iter().any(is_named);
    let modes_wanted = is_named("exclusive") || is_named("shared");
    let is_policy = |word: &str| !KINDS.contains(&word) && word != "exclusive" && word != "shared";
    let policies_wanted = wanted.iter().any(|word| is_policy(word));
    let mut rows = Vec::new();
    for kind in KINDS {
        for mode in [Mode::Exclusive, Mode::Shared] {
            if kinds_wanted && !is_named(kind) || modes_wanted && !is_named(&mode.to_string()) {
                continue;
            }
            let input = Input::new(kind, mode, (ROWS, ROWS)).expect("a kind");
            println!("\n{kind}, {mode}, {ROWS} x {ROWS}, and times best-fit");
            macro_rules! each {
                ($($policy:ty,)*) => {$(
                    if !policies_wanted || is_named(<$policy>::NAME) {
                        let ([best_fit, taken], answer) = measure::<$policy>(&input);
                        let times = taken.as_secs_f64() / best_fit.as_secs_f64();
                        let milliseconds = taken.as_secs_f64() * 1000.0;
                        let (name, placed) = (<$policy>::NAME, answer.tasks.len());
                        println!("  {name:<16}{milliseconds:>10.1} ms {times:>7.2}{placed:>8} placed");
                        rows.push(figures::row(&[("policy", name), ("kind", kind), ("mode", &mode.to_string())], times));
                    }
                )*};
            }
            offermatch_policies::with_policies!(each);
        }
    }
    figures::write(file, &rows);
}
