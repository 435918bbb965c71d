//! A matcher that something stands behind: every kind of failure ends in the fallback's answer.

use std::sync::Mutex;

use crate::built;
use crate::scripted::{Script, scripted};
use offermatch::{
    Answer, Breaker, Error, FallbackMatcher, Limits, Matcher, Matching, Mode, OfferTable, Offers, PoolSettings,
    Recorder, Sample, Session, Settings, Shape, Step, Tasks, Update,
};

/// A cycle.
fn tables() -> (Tasks, Offers) {
    "uniform:20x10:2".parse::<Sample>().unwrap().tables().unwrap()
}

/// A matcher that fails while it is told to.
struct Moody(Mutex<Vec<bool>>);

impl Matching for Moody {
    fn matcher(&self) -> Matcher {
        Matcher::bundled("best-fit").unwrap()
    }

    fn match_tasks(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        if self.0.lock().unwrap().remove(0) {
            return Err(Error::MatcherTrapped { matcher: "moody".into(), call: "assign", reason: "in a mood".into() });
        }
        Matcher::bundled("best-fit")?.match_tasks(tasks, offers, settings)
    }

    fn session(&self, shape: Shape, offers: &OfferTable, settings: &PoolSettings) -> Result<Box<dyn Session>, Error> {
        Matcher::bundled("best-fit")?.session(shape, offers, settings)
    }
}

#[test]
fn every_failure_of_a_component_ends_in_the_right_answer() {
    let (tasks, offers) = tables();
    let right = Matcher::reference().match_tasks(&tasks, &offers, &Settings::default()).unwrap().assignments;
    let lie = (vec![0], vec![99], vec![0.5]);
    let bytes = Matcher::bundled_bytes("best-fit").unwrap();
    let tight = |limits| Matcher::from_bytes_with(bytes, "tight", &limits).unwrap();
    let primaries = [
        (
            "matcher-trapped",
            Matcher::from_bytes(&scripted(&Script { traps: true, ..Script::default() }), "trap").unwrap(),
        ),
        (
            "answer-refused",
            Matcher::from_bytes(&scripted(&Script { answer: lie, ..Script::default() }), "liar").unwrap(),
        ),
        ("limit-fuel", tight(Limits { fuel: Some(20_000), ..Limits::default() })),
        ("limit-output", tight(Limits { output_rows: Some(1), ..Limits::default() })),
    ];
    for (code, primary) in primaries {
        let matcher = FallbackMatcher::new(primary);
        let answer = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
        assert_eq!(answer.assignments, right, "{code}");
        assert_eq!(answer.matcher.description().name, "offermatch-reference");
        assert_eq!(answer.fallback_reason.unwrap().code, code);
        assert_eq!(matcher.fallbacks()[code], 1);
    }
}

#[test]
fn a_primary_that_answers_is_not_replaced() {
    let (tasks, offers) = tables();
    let matcher = FallbackMatcher::new(Matcher::bundled("best-fit").unwrap());
    let answer = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    assert_eq!(answer.matcher.description().name, "offermatch-matcher");
    assert_eq!(answer.fallback_reason, None);
    assert!(matcher.fallbacks().is_empty());
}

#[test]
fn a_mistake_in_the_input_is_nobodys_failure() {
    let (tasks, offers) = tables();
    let matcher = FallbackMatcher::new(Matcher::bundled("best-fit").unwrap());
    let settings = Settings { max_score: Some(f64::NAN), ..Settings::default() };
    assert_eq!(matcher.match_tasks(&tasks, &offers, &settings).unwrap_err().code(), "setting-malformed");
    assert!(matcher.fallbacks().is_empty());
}

#[test]
fn what_only_the_primary_refuses_is_its_failure() {
    let (tasks, offers) = tables();
    let shared_only =
        Matcher::from_bytes(&scripted(&Script { shared_only: true, ..Script::default() }), "half").unwrap();
    let matcher = FallbackMatcher::new(shared_only);
    let answer = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    assert_eq!(answer.fallback_reason.unwrap().code, "setting-malformed");
    let pool = matcher.open(&offers, &Settings::default()).unwrap();
    assert_eq!(pool.matcher().description().name, "offermatch-reference");
    assert_eq!(matcher.fallbacks()["setting-malformed"], 2);
}

#[test]
fn a_mistake_asked_of_a_pool_leaves_it_in_the_primary() {
    let (tasks, offers) = tables();
    let matcher = FallbackMatcher::new(Matcher::bundled("best-fit").unwrap());
    let mut pool = matcher.open(&offers, &Settings::default()).unwrap();
    let unknown = Update { removed: vec!["nobody".into()], ..Update::default() };
    assert_eq!(pool.update(&unknown).unwrap_err().code(), "row-unknown");
    assert_eq!(pool.assign(&tables().0).unwrap_err().code(), "foreign-table");
    assert_eq!(pool.assign(&tasks).unwrap().matcher.description().name, "offermatch-matcher");
    assert!(matcher.fallbacks().is_empty());
}

#[test]
fn a_pool_follows_the_breaker() {
    let (tasks, offers) = tables();
    let tight = Matcher::bundled_with("best-fit", &Limits { output_rows: Some(1), ..Limits::default() }).unwrap();
    let matcher = FallbackMatcher::with(tight, Matcher::reference(), Breaker { failures: 2, cooldown_cycles: 2 });
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let mut pool = matcher.open(&offers, &settings).unwrap();
    let one = tasks.select(&[0]);
    let asked = [&tasks, &tasks, &one, &one, &one, &one];
    let codes = asked.map(|tasks| pool.assign(tasks).unwrap().fallback_reason.map_or("primary", |reason| reason.code));
    let (failed, waiting) = ("limit-output", "breaker-open");
    assert_eq!(codes, [failed, failed, waiting, waiting, "primary", "primary"]);
    assert_eq!(matcher.fallbacks(), [(waiting, 2), (failed, 2)].into());
}

#[test]
fn what_either_of_them_answers_is_recorded_and_answered_again() {
    let (tasks, offers) = tables();
    let tight = Matcher::bundled_with("best-fit", &Limits { output_rows: Some(1), ..Limits::default() }).unwrap();
    let matcher = FallbackMatcher::with(tight, Matcher::reference(), Breaker { failures: 1, cooldown_cycles: 1 });
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let (mut pool, recorder) = Recorder::open(&matcher, &offers, &settings).unwrap();
    let one = tasks.select(&[0]);
    let answers = [&one, &tasks, &one, &one].map(|tasks| pool.assign(tasks).unwrap());
    let codes = answers.each_ref().map(|answer| answer.fallback_reason.as_ref().map(|reason| reason.code));
    assert_eq!(codes, [None, Some("limit-output"), Some("breaker-open"), None]);
    let recording = recorder.recording();
    let recorded: usize = recording.steps.iter().filter(|step| matches!(step, Step::Assign { .. })).count();
    assert_eq!(recorded, 4, "{:?}", recording.steps);
    // The answers are those of the rules, whichever of the two gave them.
    for matcher in [Matcher::reference(), Matcher::bundled("best-fit").unwrap()] {
        let replay = recording.replay(&matcher).unwrap();
        assert!(replay.is_same(), "{:?}", replay.differences);
    }
}

#[test]
fn the_breaker_opens_probes_and_closes() {
    let (tasks, offers) = tables();
    // Two failures open it; three cycles later a probe fails; three cycles later a probe succeeds.
    let moods = vec![true, true, true, false, false];
    let breaker = Breaker { failures: 2, cooldown_cycles: 3 };
    let matcher = FallbackMatcher::with(Moody(Mutex::new(moods)), Matcher::reference(), breaker);
    let mut codes = Vec::new();
    let mut open = Vec::new();
    for _ in 0..12 {
        let answer = matcher.match_tasks(&tasks, &offers, &Settings::default());
        let Ok(answer) = answer else { break };
        codes.push(answer.fallback_reason.map_or("primary", |reason| reason.code));
        open.push(matcher.is_open());
        if codes.len() == 11 {
            break;
        }
    }
    let trapped = "matcher-trapped";
    let waiting = "breaker-open";
    assert_eq!(
        codes,
        [trapped, trapped, waiting, waiting, waiting, trapped, waiting, waiting, waiting, "primary", "primary"]
    );
    assert_eq!(open, [false, true, true, true, true, true, true, true, true, false, false]);
    assert_eq!(matcher.fallbacks()[waiting], 6);
}

#[test]
fn the_reference_behind_a_matcher_is_of_its_contract() {
    let before = built::matcher("matcher-0.2.0.wasm");
    let hurried = Matcher::from_bytes_with(
        &std::fs::read(built::path("matcher-0.2.0.wasm")).unwrap(),
        "matcher-0.2.0.wasm",
        &Limits { fuel: Some(20_000), ..Limits::default() },
    )
    .unwrap();
    let (tasks, offers) = "uniform:200x100".parse::<Sample>().unwrap().tables().unwrap();
    for (primary, contract) in [(hurried, "0.2.0"), (Matcher::bundled("best-fit").unwrap(), "0.3.0")] {
        let matcher = FallbackMatcher::new(primary);
        let answer = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
        assert_eq!(answer.matcher.description().contract, contract);
    }
    // It explains as that one does.
    let offers = |matcher: &Matcher| matcher.open(&offers, &Settings::default()).unwrap().explain(&tasks).unwrap();
    assert_eq!(offers(&Matcher::reference_of("0.2.0")).counts(), offers(&before).counts());
}
