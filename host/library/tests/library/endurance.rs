//! Very many hostile calls and broken components, in one process whose memory stays flat and below twice the limit.
//!
//! `cargo test --release --package offermatch --test library endurance -- --ignored --nocapture` prints what it took.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::scripted::{Script, scripted};
use offermatch::{Cache, Catalog, Error, Limits, Matcher, Mode, Offer, Offers, Settings, Task, Tasks};

const CALLS: usize = 20_000;
const MUTANTS: usize = 2_000;
/// Bytes by which memory may grow in the second half; in the first, the instances of every matcher find their places.
const FLAT: u64 = 16 << 20;

fn limits(name: &str) -> Limits {
    let endless = name.starts_with("spin-") || name == "wasi-stdout";
    let call_milliseconds = Some(if endless { 50 } else { 5000 });
    Limits { memory_bytes: 256 << 20, call_milliseconds, ..Limits::default() }
}

/// The number of bytes behind a word in the system's account of this process.
fn status(word: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(word)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Numbers that are the same in each run (xorshift, Marsaglia 2003).
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

/// Bytes that are nearly those of a component.
fn mutant(bytes: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut found = bytes.to_vec();
    for _ in 0..[1, 1, 1, 2, 5][draw.below(5)] {
        let at = draw.below(found.len());
        let end = (at + 1 + draw.below(40)).min(found.len());
        match draw.below(20) {
            0..12 => found[at] ^= 1 << draw.below(8),
            12..15 => found[at] = draw.below(256) as u8,
            15..17 => drop(found.drain(at..end)),
            17..19 => {
                let again = found[at..end].to_vec();
                found.splice(at..at, again);
            }
            _ => found.truncate(at.max(1)),
        }
    }
    found
}

/// Goes through steps, each of which ends in an error's code or in none; how they ended.
fn endured(what: &str, number: usize, mut step: impl FnMut(usize) -> Result<(), Error>) {
    let (mut ended, mut first) = (BTreeMap::<&str, usize>::new(), 0);
    for at in 0..number {
        let code = step(at).err().map_or("answered", |error| error.code());
        *ended.entry(code).or_default() += 1;
        if at == number / 2 {
            first = status("VmRSS:");
        }
    }
    let last = status("VmRSS:");
    println!("{number} {what}: memory {} to {} MiB, {ended:?}", first >> 20, last >> 20);
    assert!(last < first + FLAT, "memory grew from {first} to {last} bytes");
}

#[test]
#[ignore = "takes a minute: `make endurance` runs it"]
fn memory_stays_flat_and_below_twice_the_limit() {
    let tasks: Vec<Task> = (0..5).map(|row| Task::new(format!("task-{row}"), [("cpu", 700)])).collect();
    let offers: Vec<Offer> = (0..8_u64).map(|row| Offer::new(format!("offer-{row}"), [("cpu", 1000 + row)])).collect();
    let catalog = Catalog::of(&offers, &tasks);
    let (tasks, offers) = (Tasks::new(&tasks, &catalog).unwrap(), Offers::new(&offers, &catalog).unwrap());
    let modes = [Mode::Exclusive, Mode::Shared];
    let settings = modes.map(|mode| Settings { mode, ..Settings::default() });
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/hostile");
    let mut matchers = Vec::new();
    for file in std::fs::read_dir(&folder).expect("the misbehaving components: run `guest/build.sh hostile`").flatten()
    {
        let name = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // Some are refused when they are loaded.
        matchers.extend(Matcher::load_with(file.path(), &limits(&name)).map(|matcher| (name, matcher)));
    }
    let (heavy, light): (Vec<_>, Vec<_>) = matchers.into_iter().partition(|(name, _)| {
        ["million-", "wasi-stdout", "huge-text", "spin-", "allocate", "grow-tables"]
            .iter()
            .any(|one| name.starts_with(one))
    });
    assert!(light.len() > 20, "{} misbehaving components", light.len());
    endured("hostile calls", CALLS, |at| {
        let some = if at % 100 == 99 { &heavy } else { &light };
        let (_, matcher) = &some[at / 2 % some.len()];
        matcher.match_tasks(&tasks, &offers, &settings[at % 2]).map(drop)
    });
    let bytes = scripted(&Script::default());
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    endured("mutants", MUTANTS, |_| {
        let matcher = Matcher::from_bytes_cached(&mutant(&bytes, &mut draw), "a mutant", &Cache::off())?;
        matcher.match_tasks(&tasks, &offers, &settings[1]).map(drop)
    });
    let (peak, twice) = (status("VmHWM:"), 2 * limits("").memory_bytes);
    println!("peak {} MiB of {} MiB, twice the limit", peak >> 20, twice >> 20);
    assert!(peak < twice);
}
