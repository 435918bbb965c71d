//! What the rules of clusters cost, natively: the same tasks and offers with and without each rule, and by the plain loop.
//!
//! `cargo bench --package offermatch-core --bench rules` measures each side in turn and takes the least of several rounds.
//! `-- preempt` plans for tasks of high priority on full offers, `-- explain` explains, both beside the plain loop.
//! `-- count` (and `-- count large`) counts the instructions of one round of each side with valgrind instead, which other work on the machine does not change.
//! `-- loop` runs the plain loop too, `-- gangs` what has that in its name only, `-- large` takes a million tasks and 100,000 offers for measures and preferences, without the plain loop.
//! `--json FILE` writes the times of the rules, or of `preempt`, for machines.

use std::env;
use std::process::Command;
use std::time::{Duration, Instant};

use offermatch_core::{
    Assignments, BestFit, GroupTable, Kind, Method, Mode, OfferTable, Pool, RunningTable, Settings, Shape, TaskTable,
};

mod figures;

/// Zone, rack; and one measure.
const SHAPE: Shape = Shape { dimensions: 2, attributes: 2, measures: 1 };
/// The attribute of racks.
const RACK: u32 = 1;
/// Rounds of which the least counts.
const ROUNDS: usize = 5;

/// Numbers below a bound, always the same ones.
struct Numbers(u64);

impl Numbers {
    /// The next one: the generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
}

/// Offers of up to 48 cores and 192 units of memory, in 4 zones and 40 racks, with a measure.
fn offers(rows: u32) -> OfferTable {
    let mut numbers = Numbers(2);
    let mut table = OfferTable { rows, ..OfferTable::default() };
    for _ in 0..rows {
        let rack = numbers.below(40) as u32;
        table.available.extend([1 + numbers.below(48), 1 + numbers.below(192)]);
        table.attributes.extend([1 + rack / 10, 1 + rack]);
        table.measures.push(numbers.below(100) as f64);
    }
    table
}

/// Tasks of up to 8 cores and 32 units of memory, side by side `alike` of them.
fn tasks(rows: u32, alike: u32) -> TaskTable {
    let mut numbers = Numbers(1);
    let demand = (0..rows.div_ceil(alike)).flat_map(|_| {
        let asked = [1 + numbers.below(8), 1 + numbers.below(32)];
        std::iter::repeat_n(asked, alike as usize).flatten()
    });
    let demand = demand.take(rows as usize * 2).collect();
    TaskTable { rows, demand, ..TaskTable::default() }
}

/// The same tasks in gangs of a size, with rules: least, together, and limits.
fn grouped(
    mut table: TaskTable,
    size: u32,
    least: u32,
    together: Option<u32>,
    limits: &[(Option<u32>, u32)],
) -> TaskTable {
    let rows = table.rows.div_ceil(size);
    let number = |attribute: Option<u32>| attribute.map_or(0, |attribute| attribute + 1);
    table.group_of = (0..table.rows).map(|row| 1 + row / size).collect();
    table.groups = GroupTable {
        rows,
        least: vec![least; rows as usize],
        together: vec![number(together); rows as usize],
        limit_offsets: (0..=rows).map(|row| row * limits.len() as u32).collect(),
        limit_attributes: (0..rows).flat_map(|_| limits.iter().map(|limit| number(limit.0))).collect(),
        limit_counts: (0..rows).flat_map(|_| limits.iter().map(|limit| limit.1)).collect(),
        ..GroupTable::default()
    };
    table
}

/// The same tasks with a requirement each: what it asks, of which column, and its weight.
fn asking(mut table: TaskTable, kind: Kind, subject: u32, weight: f64) -> TaskTable {
    let mut numbers = Numbers(3);
    let of_attribute = matches!(kind, Kind::In | Kind::NotIn);
    let before = table.requirement_kinds.len() as u32 / table.rows.max(1);
    let old = table.clone();
    table.requirement_kinds.clear();
    table.requirement_subjects.clear();
    table.requirement_bounds.clear();
    table.requirement_weights.clear();
    table.values.clear();
    table.value_offsets = vec![0];
    for row in 0..table.rows {
        for at in (row * before..(row + 1) * before).map(|at| at as usize) {
            table.requirement_kinds.push(old.requirement_kinds[at]);
            table.requirement_subjects.push(old.requirement_subjects[at]);
            table.requirement_bounds.push(old.requirement_bounds[at]);
            table.requirement_weights.push(old.requirement_weights[at]);
            let set = old.value_offsets[at] as usize..old.value_offsets[at + 1] as usize;
            table.values.extend_from_slice(&old.values[set]);
            table.value_offsets.push(table.values.len() as u32);
        }
        table.requirement_kinds.push(kind as u32);
        table.requirement_subjects.push(subject);
        table.requirement_bounds.push(numbers.below(100) as f64);
        table.requirement_weights.push(weight);
        if of_attribute {
            table.values.push(1 + numbers.below(4) as u32);
        }
        table.value_offsets.push(table.values.len() as u32);
    }
    table.requirement_offsets = (0..=table.rows).map(|row| row * (before + 1)).collect();
    table
}

/// One round: opening a pool and assigning. By its name, callgrind knows what to count.
#[unsafe(no_mangle)]
#[inline(never)]
fn round(offers: &OfferTable, tasks: &TaskTable, mode: Mode, method: Method) -> (Duration, Assignments) {
    let settings = Settings { mode, ..Settings::default() };
    let start = Instant::now();
    let pool = Pool::open(BestFit, SHAPE, offers, &settings).expect("the table is right");
    let answer = pool.with_method(method).assign(tasks).expect("the table is right");
    (start.elapsed(), answer)
}

/// The least time of several rounds.
fn least(offers: &OfferTable, tasks: &TaskTable, mode: Mode) -> (Duration, Assignments) {
    let mut best = round(offers, tasks, mode, Method::Automatic);
    for _ in 1..ROUNDS {
        best.0 = best.0.min(round(offers, tasks, mode, Method::Automatic).0);
    }
    best
}

/// Measures a rule beside the same input without it, and, if asked, beside the plain loop; returns how many times as long it takes.
fn compare(name: &str, offers: &OfferTable, (plain, ruled): (&TaskTable, &TaskTable), mode: Mode, looped: bool) -> f64 {
    let (without, _) = least(offers, plain, mode);
    let (with, answer) = least(offers, ruled, mode);
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    print!("{name:<44} {mode:<9} {:>8.1} ms, without {:>7.1} ms: {ratio:>5.2} times", ms(with), ms(without));
    print!(", {} of {} placed", answer.tasks.len(), ruled.rows);
    if looped {
        let (reference, same) = round(offers, ruled, mode, Method::Reference);
        assert!(same == answer, "the plain loop answers otherwise");
        print!(", the plain loop {:.0} ms: {:.0} times", ms(reference), reference.as_secs_f64() / with.as_secs_f64());
    }
    println!();
    ratio
}

/// Millions of instructions of the one round that this program runs for some words.
fn counted(words: &[&str]) -> f64 {
    let program = env::current_exe().expect("a program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=round"])
        .arg(program)
        .arg("once")
        .args(words)
        .output()
        .expect("valgrind runs: on Debian, apt-get install valgrind");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse::<f64>().ok());
    count.unwrap_or_else(|| panic!("valgrind counts nothing: {said}")) / 1e6
}

/// Plans for 1,000 tasks of high priority on 5,000 full offers with 100,000 running tasks of five priorities; returns how many times as long the plain loop takes.
fn preempt() -> f64 {
    let (count, each) = (5_000_u32, 20_u32);
    let mut numbers = Numbers(5);
    let mut offers = OfferTable { rows: count, ..OfferTable::default() };
    let mut running = RunningTable { rows: count * each, ..RunningTable::default() };
    for offer in 0..count {
        let mut capacity = [numbers.below(2), numbers.below(4)];
        offers.available.extend(capacity);
        for _ in 0..each {
            let used = [1 + numbers.below(4), 1 + numbers.below(16)];
            (0..2).for_each(|at| capacity[at] += used[at]);
            running.demand.extend(used);
            running.offers.push(offer);
            running.priorities.push(numbers.below(5) as i32);
            running.starts.push(numbers.below(1 << 20));
        }
        offers.capacity.extend(capacity);
        let rack = numbers.below(40) as u32;
        offers.attributes.extend([1 + rack / 10, 1 + rack]);
    }
    let tasks = tasks(1_000, 1);
    let priorities = vec![10; 1_000];
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let plan = |method| {
        let pool = Pool::open(BestFit, SHAPE, &offers, &settings).expect("the table is right");
        let mut pool = pool.with_method(method);
        let start = Instant::now();
        let plan = pool.preempt(&tasks, &priorities, &running).expect("the tables are right");
        (start.elapsed(), plan)
    };
    let (time, found) = (0..ROUNDS).map(|_| plan(Method::Automatic)).min_by_key(|(time, _)| *time).expect("a round");
    let (reference, same) = plan(Method::Reference);
    assert!(same == found, "the plain loop plans otherwise");
    let times = reference.as_secs_f64() / time.as_secs_f64();
    println!(
        "1,000 tasks on 5,000 full offers with 100,000 running: {:.1} ms, the plain loop {:.0} ms: {times:.0} times, {} placed, {} victims",
        ms(time),
        ms(reference),
        found.tasks.len(),
        found.victims.len(),
    );
    times
}

/// Explains 2,000 tasks, with requirements and groups, on 5,000 offers.
fn explain() {
    let offers = offers(5_000);
    let plain = tasks(2_000, 1);
    let asked = asking(plain.clone(), Kind::AtLeast, 0, f64::INFINITY);
    for (name, tasks) in [
        ("no requirement", plain.clone()),
        ("a measure that is required", asked),
        ("groups of 4, together, at most 1 an offer", grouped(plain, 4, 0, Some(RACK), &[(None, 1)])),
    ] {
        let explained = |method| {
            let pool = Pool::open(BestFit, SHAPE, &offers, &Settings::default()).expect("the table is right");
            let mut pool = pool.with_method(method);
            let start = Instant::now();
            let counts = pool.explain(&tasks).expect("the tasks are right");
            (start.elapsed(), counts)
        };
        let (time, found) =
            (0..ROUNDS).map(|_| explained(Method::Automatic)).min_by_key(|(time, _)| *time).expect("a round");
        let (reference, same) = explained(Method::Reference);
        assert!(same == found, "the plain loop explains otherwise");
        println!(
            "2,000 tasks explained on 5,000 offers, {name}: {:.1} ms, the plain loop {:.0} ms: {:.0} times",
            ms(time),
            ms(reference),
            reference.as_secs_f64() / time.as_secs_f64(),
        );
    }
}

/// A million tasks without rules, and with a measure and a preference each.
fn million() -> (TaskTable, TaskTable) {
    let plain = tasks(1_000_000, 1);
    let ruled = asking(asking(plain.clone(), Kind::AtLeast, 0, f64::INFINITY), Kind::In, 0, 0.5);
    (plain, ruled)
}

/// Places a million tasks on 100,000 offers.
fn large() {
    let (offers, (plain, ruled)) = (offers(100_000), million());
    for mode in [Mode::Exclusive, Mode::Shared] {
        compare("a measure and a preference a task", &offers, (&plain, &ruled), mode, false);
    }
}

/// Milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The rules, each with the tasks for whom it holds.
fn rules(plain: &TaskTable) -> [(&'static str, TaskTable); 8] {
    let plain = || plain.clone();
    [
        ("gangs of 4, together on 40 racks", grouped(plain(), 4, 4, Some(RACK), &[])),
        ("gangs of 4, all or nothing", grouped(plain(), 4, 4, None, &[])),
        ("groups of 4, at most 1 an offer", grouped(plain(), 4, 0, None, &[(None, 1)])),
        ("groups of 20, at most 5 a zone", grouped(plain(), 20, 0, None, &[(Some(0), 5)])),
        ("groups of 100, at most 3 a rack", grouped(plain(), 100, 0, None, &[(Some(RACK), 3)])),
        ("a preferred zone a task", asking(plain(), Kind::In, 0, 0.5)),
        ("a measure that is preferred", asking(plain(), Kind::AtLeast, 0, 0.5)),
        ("a measure that is required", asking(plain(), Kind::AtLeast, 0, f64::INFINITY)),
    ]
}

/// Runs the one round that is counted: a rule or none for tasks so many of which are alike, or for a million tasks.
fn once(rule: &str, alike: &str, mode: &str) {
    let mode = if mode == Mode::Shared.to_string() { Mode::Shared } else { Mode::Exclusive };
    if alike == "large" {
        let (plain, ruled) = million();
        round(&offers(100_000), if rule == "none" { &plain } else { &ruled }, mode, Method::Automatic);
        return;
    }
    let plain = tasks(20_000, alike.parse().expect("a number"));
    let ruled = rules(&plain).into_iter().find(|(name, _)| *name == rule);
    round(&offers(5_000), &ruled.map_or(plain, |(_, tasks)| tasks), mode, Method::Automatic);
}

/// Counts a round with a rule, and one without.
fn count(name: &str, alike: &str, mode: Mode) {
    let mode = mode.to_string();
    let (with, without) = (counted(&[name, alike, &mode]), counted(&["none", alike, &mode]));
    let ratio = with / without;
    println!("{name:<34} {mode:<9} {with:>8.1} million, without {without:>7.1}: {ratio:>5.2} times");
}

fn main() {
    let (words, file) = figures::words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_timed = !["explain", "large", "count"].iter().any(|word| words.contains(word));
    assert!(is_timed || file.is_none(), "--json takes the times of the rules, or of preempt: leave it out here");
    match words[..] {
        ["preempt"] => return figures::write(file, &[figures::row(&[], preempt())]),
        ["explain"] => return explain(),
        ["large"] => return large(),
        ["count", "large"] => {
            return [Mode::Exclusive, Mode::Shared]
                .into_iter()
                .for_each(|mode| count("a measure and a preference a task", "large", mode));
        }
        ["once", rule, alike, mode] => return once(rule, alike, mode),
        _ => {}
    }
    let [looped, counts] = ["loop", "count"].map(|word| words.contains(&word));
    let only = words.iter().find(|word| !["loop", "count"].contains(word));
    let offers = offers(5_000);
    let mut rows = Vec::new();
    for alike in [4, 1] {
        let plain = tasks(20_000, alike);
        println!("20,000 tasks, {alike} alike side by side, 5,000 offers");
        for (name, ruled) in rules(&plain).iter().filter(|(name, _)| only.is_none_or(|only| name.contains(only))) {
            for mode in [Mode::Shared, Mode::Exclusive] {
                if counts {
                    count(name, &alike.to_string(), mode);
                } else {
                    let times = compare(name, &offers, (&plain, ruled), mode, looped && mode == Mode::Shared);
                    let texts = [("rule", *name), ("alike", &alike.to_string()), ("mode", &mode.to_string())];
                    rows.push(figures::row(&texts, times));
                }
            }
        }
    }
    figures::write(file, &rows);
}
