//! One test for each hostile component of `guest/hostile`: what it is told, that the host is alive, that its memory is
//! back, and that the next call is answered right. `guest/build.sh hostile` builds the components.

use std::path::PathBuf;
use std::time::Duration;

use offermatch::{
    Answer, Catalog, Error, FallbackMatcher, Limits, Matcher, Matching, Mode, Offer, Offers, Requirement, Settings,
    Task, Tasks, Update,
};

/// Limits that are soon reached.
fn tight() -> Limits {
    Limits { memory_bytes: 32 << 20, table_elements: 10_000, call_milliseconds: Some(200), ..Limits::default() }
}

/// The component of this name.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/hostile/{name}.wasm"))
}

/// The matcher of this name, or why there is none.
fn load(name: &str) -> Result<Matcher, Error> {
    assert!(path(name).is_file(), "{name} is missing: run `guest/build.sh hostile`");
    // Who does something else than spin must not run out of time before it, however busy this machine is.
    let call_milliseconds = if name.starts_with("spin-") { tight().call_milliseconds } else { Some(15_000) };
    Matcher::load_with(path(name), &Limits { call_milliseconds, ..tight() })
}

/// Tasks with a requirement and with devices; offers enough for all of them.
fn tables() -> (Tasks, Offers) {
    let offer_rows: Vec<Offer> = (0..20_u64)
        .map(|row| Offer {
            attributes: vec![("zone".into(), if row % 2 == 0 { "a" } else { "b" }.into())],
            devices: if row < 15 { vec![] } else { vec![1000] },
            ..Offer::new(format!("offer-{row}"), [("cpu", 1000 + 100 * row)])
        })
        .collect();
    let task_rows: Vec<Task> = (0..10_u64)
        .map(|row| Task {
            requirements: if row == 1 { vec![Requirement::is_in("zone", ["a"])] } else { vec![] },
            devices: u32::from(row == 2),
            ..Task::new(format!("task-{row}"), [("cpu", 700)])
        })
        .collect();
    let catalog = Catalog::of(&offer_rows, &task_rows);
    (Tasks::new(&task_rows, &catalog).unwrap(), Offers::new(&offer_rows, &catalog).unwrap())
}

/// What every matcher has to answer to the tables.
fn right_answer(settings: &Settings) -> Answer {
    let (tasks, offers) = tables();
    Matcher::reference().match_tasks(&tasks, &offers, settings).unwrap()
}

/// An honest matcher still answers right, and so does a fresh pool of the hostile one when it is asked for nothing evil.
fn the_next_call_is_right() {
    let (tasks, offers) = tables();
    let settings = Settings::default();
    let answer = Matcher::bundled("best-fit").unwrap().match_tasks(&tasks, &offers, &settings).unwrap();
    assert_eq!(answer.assignments, right_answer(&settings).assignments);
}

/// Opens, assigns, updates and explains with a component of this name.
fn use_in(name: &str, mode: Mode) -> Result<Answer, Error> {
    let matcher = load(name)?;
    let (tasks, offers) = tables();
    let settings = Settings { mode, ..Settings::default() };
    let answer = matcher.match_tasks(&tasks, &offers, &settings)?;
    let mut pool = matcher.open(&offers, &settings)?;
    pool.assign(&tasks)?;
    let spare = Offers::new(&[Offer::new("spare", [("cpu", 9000)])], pool.catalog()).unwrap();
    pool.update(&Update { added: Some(spare), ..Update::default() })?;
    pool.explain(&tasks)?;
    Ok(answer)
}

/// Asserts that a component fails with this code and these words, and that nobody else suffers.
#[track_caller]
fn fails(name: &str, code: &str, words: &[&str]) {
    fails_in(name, Mode::Exclusive, code, words);
}

/// As [`fails`], in a mode.
#[track_caller]
fn fails_in(name: &str, mode: Mode, code: &str, words: &[&str]) {
    let begin = std::time::Instant::now();
    let error = use_in(name, mode).expect_err(name);
    assert_eq!(error.code(), code, "{name}: {error}");
    for word in words {
        assert!(error.to_string().contains(word), "{name}: {word:?} is not in: {error}");
    }
    assert!(error.to_string().len() < 10_000, "{name}: a message of {} bytes", error.to_string().len());
    assert!(begin.elapsed() < Duration::from_secs(20), "{name} took {:?}", begin.elapsed());
    the_next_call_is_right();
}

/// Asserts that a component is of use here.
#[track_caller]
fn answers_right(name: &str) {
    for mode in [Mode::Exclusive, Mode::Shared] {
        let settings = Settings { mode, ..Settings::default() };
        let answer = use_in(name, mode).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answer.assignments, right_answer(&settings).assignments, "{name}");
    }
    the_next_call_is_right();
}

/// One test for each component that fails.
macro_rules! hostile {
    ($($test:ident: $name:literal => $code:literal, [$($word:literal),*];)*) => {
        $(#[test]
        fn $test() {
            fails($name, $code, &[$($word),*]);
        })*
    };
}

hostile! {
    spinning_in_describe: "spin-describe" => "limit-time", ["in describe ran for", "call_milliseconds is 200"];
    spinning_in_open: "spin-open" => "limit-time", ["in open ran for", "call_milliseconds is 200"];
    spinning_in_assign: "spin-assign" => "limit-time", ["in assign ran for", "call_milliseconds is 200"];
    spinning_in_update: "spin-update" => "limit-time", ["in update ran for", "call_milliseconds is 200"];
    spinning_in_explain: "spin-explain" => "limit-time", ["in explain ran for", "call_milliseconds is 200"];
    spinning_in_its_start: "spin-start" => "limit-time", ["call_milliseconds is 200"];
    recursing: "recurse" => "matcher-trapped", ["call stack exhausted"];
    allocating: "allocate" => "limit-memory", ["bytes of memory", "memory_bytes is 33554432"];
    growing_tables: "grow-tables" => "limit-table", ["table elements", "table_elements is 10000"];
    trapping: "trap" => "matcher-trapped", ["trapped in assign", "unreachable"];
    trapping_in_describe: "trap-describe" => "matcher-trapped", ["trapped in describe"];
    panicking_at_length: "wasi-panic" => "matcher-trapped", ["standard error: ", "bytes in all"];
    naming_rows_out_of_range: "rows-out-of-range" => "answer-refused", ["the offer row is not below 20"];
    placing_a_task_twice: "same-task-twice" => "answer-refused", ["comes twice"];
    taking_an_exclusive_offer_twice: "exclusive-twice" => "answer-refused", ["the offer is not in the list"];
    ignoring_requirements: "ignore-requirements" => "answer-refused", ["requirement 0 does not hold"];
    ignoring_devices: "ignore-devices" => "answer-refused", ["device thousandths asked"];
    scoring_nan: "nan-scores" => "answer-refused", ["score NaN"];
    explaining_wrongly: "wrong-explanations" => "answer-refused", ["leave 12 offers of the 11"];
    answering_with_a_million_assignments: "million-assignments" => "limit-output",
        ["answered with 1000000 rows", "output_rows is 10"];
    answering_with_a_million_reasons: "million-reasons" => "limit-output", ["answered with 1000000 rows"];
    refusing_at_length: "huge-text" => "limit-output", ["1200000 bytes of text", "output_text_bytes is 65536"];
    being_of_another_world: "wrong-world" => "wrong-world", ["other:thing/greeting@1.0.0"];
    being_of_a_newer_contract: "newer-contract" => "contract-version", ["0.4.0", "0.2.0 and 0.3.0"];
    claiming_a_newer_contract: "claims-newer-contract" => "contract-version", ["0.4.0", "0.2.0 and 0.3.0"];
    flooding_standard_output: "wasi-stdout" => "matcher-trapped", ["standard output: ", "bytes in all", "flooded"];
    exiting: "wasi-exit" => "matcher-trapped", ["it exited with status 0", "I am leaving"];
}

#[test]
fn over_committing() {
    fails_in("over-commit", Mode::Shared, "answer-refused", &["asked of", "available in dimension 0"]);
}

#[test]
fn an_honest_matcher_is_served() {
    answers_right("honest");
}

#[test]
fn a_matcher_with_a_standard_library_is_served() {
    answers_right("wasi-honest");
}

#[test]
fn files_are_not_there() {
    answers_right("wasi-files");
    assert!(!std::path::Path::new("/tmp/loot").exists());
}

#[test]
fn the_environment_is_empty() {
    answers_right("wasi-environment");
}

#[test]
fn nobody_is_reached_over_the_network() {
    answers_right("wasi-network");
}

#[test]
fn clocks_stand_still_and_nobody_waits_for_them() {
    answers_right("wasi-clocks");
}

#[test]
fn chance_is_the_same_every_time() {
    let (tasks, offers) = tables();
    let cycle = || load("wasi-random").unwrap().match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    let answers: Vec<Answer> = (0..3).map(|_| cycle()).collect();
    assert!(answers.iter().all(|answer| answer.assignments == answers[0].assignments));
    the_next_call_is_right();
}

#[test]
fn a_matcher_of_moods_is_held_to_the_tables() {
    // It leaves out tasks, more at every call: each answer holds, and whether it is the best is not the host's to say.
    let (tasks, offers) = tables();
    let mut pool = load("capricious").unwrap().open(&offers, &Settings::default()).unwrap();
    let first = pool.assign(&tasks).unwrap().assignments;
    let second = pool.assign(&tasks).unwrap().assignments;
    assert!(first.tasks.len() < 10 && second.tasks.len() < first.tasks.len());
    the_next_call_is_right();
}

#[test]
fn another_policy_is_valid() {
    let matcher = load("first-fit").unwrap();
    assert_eq!(matcher.description().policy, "first-fit");
    let (tasks, offers) = tables();
    let answer = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    assert_eq!(answer.assignments.tasks.len(), 10);
    assert_ne!(answer.assignments, right_answer(&Settings::default()).assignments);
}

#[test]
fn fuel_ends_a_call_at_the_same_cost_everywhere() {
    let limits = Limits { fuel: Some(2_000_000), call_milliseconds: Some(20_000), ..Limits::default() };
    let matcher = Matcher::load_with(path("spin-assign"), &limits).unwrap();
    let (tasks, offers) = tables();
    let error = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap_err();
    assert_eq!(error.code(), "limit-fuel", "{error}");
    assert!(error.to_string().contains("the limit fuel is 2000000"), "{error}");
    let honest = Matcher::load_with(path("honest"), &limits).unwrap();
    let answer = honest.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    assert_eq!(answer.assignments, right_answer(&Settings::default()).assignments);
}

#[test]
fn without_a_limit_of_time_fuel_still_ends_a_call_and_answers_are_the_same() {
    let untimed = Limits { call_milliseconds: None, ..Limits::default() };
    let matcher = Matcher::load_with(path("spin-assign"), &Limits { fuel: Some(2_000_000), ..untimed }).unwrap();
    let (tasks, offers) = tables();
    let error = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap_err();
    assert_eq!(error.code(), "limit-fuel", "{error}");
    let honest = Matcher::load_with(path("honest"), &untimed).unwrap();
    let answer = honest.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    assert_eq!(answer.assignments, right_answer(&Settings::default()).assignments);
}

#[test]
fn an_answer_of_more_rows_than_allowed_is_refused() {
    let limits = Limits { output_rows: Some(3), ..Limits::default() };
    let (tasks, offers) = tables();
    let matcher = Matcher::load_with(path("honest"), &limits).unwrap();
    let error = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap_err();
    assert_eq!(error.code(), "limit-output");
    assert!(error.to_string().contains("answered with 10 rows; the limit output_rows is 3"), "{error}");
}

#[test]
fn a_standard_library_works_inside_an_asynchronous_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { answers_right("wasi-honest") });
}

/// Asserts that a pool of this component, with a fallback behind it, answers as the reference does, and why it does.
#[track_caller]
fn falls_back_in(name: &str, mode: Mode, code: &str) {
    let settings = Settings { mode, ..Settings::default() };
    let (tasks, offers) = tables();
    let matcher = FallbackMatcher::new(load(name).unwrap());
    let mut pool = matcher.open(&offers, &settings).unwrap();
    let mut right = Matcher::reference().open(&offers, &settings).unwrap();
    for round in 0..3 {
        let answer = pool.assign(&tasks).unwrap();
        assert_eq!(answer.assignments, right.assign(&tasks).unwrap().assignments, "{name}, round {round}");
        let update = Update {
            removed: vec!["offer-19".into()],
            changed: Some(Offers::new(&[Offer::new("offer-3", [("cpu", 800)])], pool.catalog()).unwrap()),
            added: Some(Offers::new(&[Offer::new(format!("spare-{round}"), [("cpu", 9000)])], pool.catalog()).unwrap()),
            ..Update::default()
        };
        pool.update(&update).unwrap();
        right.update(&update).unwrap();
        assert_eq!(pool.explain(&tasks).unwrap().counts(), right.explain(&tasks).unwrap().counts(), "{name}");
    }
    assert!(matcher.fallbacks()[code] >= 1, "{name}: {:?}", matcher.fallbacks());
}

#[test]
fn a_pool_whose_matcher_fails_goes_on_in_the_fallback() {
    for (name, code) in [
        ("allocate", "limit-memory"),
        ("exclusive-twice", "answer-refused"),
        ("million-assignments", "limit-output"),
        ("nan-scores", "answer-refused"),
        ("recurse", "matcher-trapped"),
        ("same-task-twice", "answer-refused"),
        ("spin-assign", "limit-time"),
        ("spin-explain", "limit-time"),
        ("spin-open", "limit-time"),
        ("spin-update", "limit-time"),
        ("trap", "matcher-trapped"),
        ("wasi-exit", "matcher-trapped"),
        ("wrong-explanations", "answer-refused"),
    ] {
        falls_back_in(name, Mode::Exclusive, code);
    }
    // Some of its tasks fit before one does not.
    falls_back_in("over-commit", Mode::Shared, "answer-refused");
}

/// Bytes of this process that are in memory.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_hostile_calls_leave_no_trace() {
    let names = [
        "trap",
        "recurse",
        "allocate",
        "nan-scores",
        "same-task-twice",
        "rows-out-of-range",
        "wasi-exit",
        "wasi-panic",
    ];
    let limits = Limits { memory_bytes: 4 << 20, ..tight() };
    let matchers: Vec<Matcher> = names.iter().map(|name| Matcher::load_with(path(name), &limits).unwrap()).collect();
    let (tasks, offers) = tables();
    let round = |calls: usize| {
        for call in 0..calls {
            let matcher = &matchers[call % matchers.len()];
            matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap_err();
        }
    };
    round(1000);
    let before = resident();
    round(10_000);
    let after = resident();
    assert!(after < before + before / 20, "resident memory went from {before} to {after} bytes");
    the_next_call_is_right();
}
