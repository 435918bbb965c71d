//! The slot: what it refuses, what it promotes, and what it goes back from.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::built;
use crate::scripted::{CONTRACT, Script, scripted, trapping};
use offermatch::{
    Catalog, Error, EventKind, FallbackMatcher, Limits, Manifest, Matcher, Matching, Mode, Offer, Offers, Pool,
    Recorder, Recording, Sample, Settings, Slot, Task, Tasks, Update, answer_digest,
};
use sha2::{Digest, Sha256};

/// A cycle.
fn tables() -> (Tasks, Offers) {
    "uniform:30x20:2".parse::<Sample>().unwrap().tables().unwrap()
}

/// Writes a component and a manifest that asks for it, with some of its text replaced.
fn manifest(folder: &Path, bytes: &[u8], name: &str, replace: &[(&str, &str)]) -> PathBuf {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(folder.join("candidate.wasm"), bytes).unwrap();
    let (version, policy) = if name == "liar" { ("0.2.0", "lies") } else { ("0.1.0", "best-fit") };
    let mut text = serde_json::json!({
        "matcher": name, "version": version, "policy": policy, "path": "candidate.wasm", "digest": format!("sha256:{digest}"),
    })
    .to_string();
    for (from, to) in replace {
        assert!(text.contains(from), "{from} is not in {text}");
        text = text.replace(from, to);
    }
    appears(folder, &text)
}

/// Writes the manifest of a folder so that nobody sees a part of it.
fn appears(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("manifest.json");
    std::fs::write(folder.join("new"), text).unwrap();
    std::fs::rename(folder.join("new"), &path).unwrap();
    path
}

/// A slot with the reference in use, and the case that it answers.
fn slot() -> Slot {
    let (tasks, offers) = tables();
    let (mut pool, recorder) = Recorder::open(&Matcher::reference(), &offers, &Settings::default()).unwrap();
    pool.assign(&tasks).unwrap();
    let case = Recording { name: "thirty".into(), ..recorder.recording() };
    Slot::with(Matcher::reference(), vec![case], Limits::default())
}

/// What the matcher in use answers.
fn answer(slot: &Slot) -> String {
    let (tasks, offers) = tables();
    answer_digest(&slot.match_tasks(&tasks, &offers, &Settings::default()).unwrap().assignments)
}

/// What has happened to the slot.
fn happened(slot: &Slot) -> String {
    let kinds: Vec<String> = slot.history().iter().map(|event| event.kind.to_string()).collect();
    kinds.join(" ")
}

#[test]
fn a_good_candidate_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let slot = slot();
    let before = answer(&slot);
    slot.swap(manifest(folder.path(), Matcher::bundled_bytes("best-fit").unwrap(), "offermatch-matcher", &[])).unwrap();
    assert_eq!(slot.current().description().name, "offermatch-matcher");
    assert_eq!(slot.previous().unwrap().description().name, "offermatch-reference");
    assert_eq!(answer(&slot), before);
    slot.rollback().unwrap();
    assert_eq!(happened(&slot), "loaded promoted rolled-back");
    assert_eq!(slot.rollback().unwrap_err().code(), "nothing-to-roll-back");
    assert_eq!(slot.current().description().name, "offermatch-reference");
}

#[test]
fn a_bad_candidate_leaves_the_one_in_use_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = Matcher::bundled_bytes("best-fit").unwrap();
    let named = "offermatch-matcher";
    let mut damaged = bytes.to_vec();
    damaged.truncate(bytes.len() / 2);
    let older = trapping(&CONTRACT.replace("@0.2.0;", "@0.0.9;"));
    let newer = trapping(&CONTRACT.replace("@0.2.0;", "@0.4.0;"));
    let liar = scripted(&Script::default());
    type Case<'a> = (&'a str, &'a [u8], &'a str, &'a [(&'a str, &'a str)]);
    let cases: [Case<'_>; 11] = [
        ("digest-mismatch", bytes, named, &[]),
        ("component-malformed", &damaged, named, &[]),
        ("contract-version", &older, named, &[]),
        ("contract-version", &newer, named, &[]),
        ("conformance-failed", &liar, "liar", &[]),
        ("manifest-malformed", bytes, "another", &[]),
        ("manifest-malformed", bytes, named, &[("0.1.0", "9.9.9")]),
        ("manifest-malformed", bytes, named, &[("best-fit", "worst-fit")]),
        ("manifest-malformed", bytes, named, &[("\"matcher\"", "\"mather\"")]),
        ("manifest-malformed", bytes, named, &[("}", "")]),
        ("component-unreadable", bytes, named, &[("candidate.wasm", "missing.wasm")]),
    ];
    for (code, bytes, name, replace) in cases {
        let slot = slot();
        let before = answer(&slot);
        let path = manifest(folder.path(), bytes, name, replace);
        if code == "digest-mismatch" {
            std::fs::write(folder.path().join("candidate.wasm"), [bytes, b"\0\x02\x01x"].concat()).unwrap();
        }
        let error = slot.swap(&path).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(slot.current().description().name, "offermatch-reference");
        assert_eq!(answer(&slot), before);
        let last = slot.history().pop().unwrap();
        assert_eq!(last.kind, EventKind::Refused);
        assert!(last.reason.starts_with(code), "{}", last.reason);
    }
}

#[test]
fn a_failure_on_probation_goes_back_and_the_cycle_is_answered() {
    let slot = slot();
    let before = answer(&slot);
    let traps = Matcher::from_bytes(&scripted(&Script { traps: true, ..Script::default() }), "trap.wasm").unwrap();
    slot.promote(traps.clone(), 10);
    assert_eq!(answer(&slot), before);
    assert_eq!(slot.current().description().name, "offermatch-reference");
    let last = slot.history().pop().unwrap();
    assert_eq!(last.kind, EventKind::RolledBack);
    assert!(last.matcher.starts_with("liar "), "the one that left: {}", last.matcher);
    assert!(last.reason.contains("unreachable"), "{}", last.reason);

    slot.promote(traps, 0);
    let (tasks, offers) = tables();
    let error = slot.match_tasks(&tasks, &offers, &Settings::default()).unwrap_err();
    assert_eq!(error.code(), "matcher-trapped", "no probation, no way back but by hand");
}

#[test]
fn a_probation_that_is_over_is_told_and_no_failure_goes_back_after_it() {
    let slot = slot();
    slot.promote(Matcher::bundled("best-fit").unwrap(), 2);
    answer(&slot);
    assert_eq!(happened(&slot), "promoted");
    answer(&slot);
    answer(&slot);
    assert_eq!(happened(&slot), "promoted confirmed");
}

#[test]
fn what_only_the_new_one_refuses_is_its_failure_on_probation() {
    let slot = slot();
    let before = answer(&slot);
    let picky =
        Matcher::from_bytes(&scripted(&Script { shared_only: true, ..Script::default() }), "picky.wasm").unwrap();
    slot.promote(picky, 10);
    assert_eq!(answer(&slot), before);
    assert_eq!(slot.current().description().name, "offermatch-reference");
    let last = slot.history().pop().unwrap();
    assert_eq!(last.kind, EventKind::RolledBack);
    assert!(last.reason.contains("exclusive"), "{}", last.reason);
}

#[test]
fn a_pool_that_fails_on_probation_takes_the_slot_back_and_goes_on() {
    let (tasks, offers) = tables();
    let traps = Script { traps: true, ..Script::default() };
    let lies = Script { answer: (vec![7000], vec![0], vec![0.5]), ..Script::default() };
    for (script, code) in [(traps, "matcher-trapped"), (lies, "answer-refused")] {
        let bad = Matcher::from_bytes(&scripted(&script), "new.wasm").unwrap();
        let slot = slot();
        slot.promote(bad.clone(), 10);
        let mut pool = slot.open(&offers, &Settings::default()).unwrap();
        let found = pool.assign(&tasks).unwrap();
        assert_eq!(happened(&slot), "promoted rolled-back");
        assert_eq!(answer_digest(&found.assignments), answer(&slot));
        assert_eq!((pool.matcher().description().name.as_str(), found.remarks), ("offermatch-reference", Vec::new()));

        // Where there is no probation, the pool is lost, with the code of what it was lost by.
        let mut pool = Slot::new(bad).open(&offers, &Settings::default()).unwrap();
        for _ in 0..2 {
            assert_eq!(pool.assign(&tasks).unwrap_err().code(), code);
        }
        assert!(matches!(pool.assign(&tasks), Err(Error::PoolLost { .. })));
    }
}

#[test]
fn a_pool_moves_to_the_matcher_that_was_promoted_with_its_offers_as_they_stand() {
    let catalog = Catalog::new(["cpu"], [""; 0]);
    let offers = |rows: &[(&str, u64)]| {
        let rows: Vec<Offer> = rows.iter().map(|&(name, cpu)| Offer::new(name, [("cpu", cpu)])).collect();
        Offers::new(&rows, &catalog).unwrap()
    };
    let tasks = |size: u64| Tasks::new(&[Task::new("t", [("cpu", size)])], &catalog).unwrap();
    let before = built::matcher("matcher-0.2.0.wasm");
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let opened = offers(&[("a", 8), ("b", 4), ("c", 6)]);
    let slot = Slot::new(Matcher::reference());
    let mut pool = slot.open(&opened, &settings).unwrap();
    let mut plain = Matcher::reference().open(&opened, &settings).unwrap();
    let mut sizes = [3, 2, 1, 4, 2, 1, 2].into_iter();
    let mut cycle = |pool: &mut Pool, plain: &mut Pool, name: &str| {
        let size = sizes.next().unwrap();
        let (found, expected) = (pool.assign(&tasks(size)).unwrap(), plain.assign(&tasks(size)).unwrap());
        assert_eq!((found.assignments, found.remarks), (expected.assignments, Vec::new()), "{size} by {name}");
        assert_eq!(found.matcher.description().contract, name);
    };
    cycle(&mut pool, &mut plain, "0.3.0");
    // A scale that grew comes along, and so does the order of the list.
    for pool in [&mut pool, &mut plain] {
        let update = Update { removed: vec!["a".into()], added: Some(offers(&[("d", 16)])), ..Update::default() };
        pool.update(&update).unwrap();
        pool.update(&Update { changed: Some(offers(&[("d", 5), ("a", 7)])), ..Update::default() }).unwrap();
    }
    slot.promote(before.clone(), 2);
    cycle(&mut pool, &mut plain, "0.2.0");
    cycle(&mut pool, &mut plain, "0.2.0");
    assert_eq!(happened(&slot), "promoted confirmed");
    slot.rollback().unwrap();
    cycle(&mut pool, &mut plain, "0.3.0");
    cycle(&mut pool, &mut plain, "0.3.0");
}

#[test]
fn a_pool_that_cannot_move_stays_and_says_so() {
    let (tasks, offers) = tables();
    let picky =
        Matcher::from_bytes(&scripted(&Script { shared_only: true, ..Script::default() }), "picky.wasm").unwrap();
    let slot = Slot::new(Matcher::reference());
    let mut pool = slot.open(&offers, &Settings::default()).unwrap();
    slot.promote(picky, 10);
    let answer = pool.assign(&tasks).unwrap();
    let said = format!("the pool stays with offermatch-reference {}: liar 0.2.0: ", env!("CARGO_PKG_VERSION"));
    assert!(answer.remarks[0].starts_with(&said), "{:?}", answer.remarks);
    assert_eq!(answer.matcher.description().name, "offermatch-reference");
    slot.rollback().unwrap();
    assert_eq!(pool.assign(&tasks).unwrap().remarks, [""; 0]);
}

#[test]
fn cycles_of_a_pool_count_for_the_probation() {
    let (tasks, offers) = tables();
    let slot = slot();
    slot.promote(Matcher::bundled("best-fit").unwrap(), 2);
    let mut pool = slot.open(&offers, &Settings::default()).unwrap();
    pool.assign(&tasks).unwrap();
    assert_eq!(happened(&slot), "promoted");
    pool.assign(&tasks).unwrap();
    pool.assign(&tasks).unwrap();
    assert_eq!(happened(&slot), "promoted confirmed");
}

#[test]
fn a_pool_that_was_lost_goes_on_in_the_matcher_that_is_promoted() {
    let (tasks, offers) = tables();
    let traps = Matcher::from_bytes(&scripted(&Script { traps: true, ..Script::default() }), "trap.wasm").unwrap();
    let slot = Slot::new(traps);
    let mut pool = slot.open(&offers, &Settings::default()).unwrap();
    pool.assign(&tasks).unwrap_err();
    slot.promote(Matcher::reference(), 10);
    assert_eq!(answer_digest(&pool.assign(&tasks).unwrap().assignments), answer(&slot));
    assert_eq!(happened(&slot), "promoted");
}

#[test]
fn a_pool_that_only_the_new_one_refuses_is_opened_in_the_one_before() {
    let (tasks, offers) = tables();
    let picky =
        Matcher::from_bytes(&scripted(&Script { shared_only: true, ..Script::default() }), "picky.wasm").unwrap();
    let slot = slot();
    slot.promote(picky, 10);
    let mut pool = slot.open(&offers, &Settings::default()).unwrap();
    assert_eq!(happened(&slot), "promoted rolled-back");
    assert_eq!(answer_digest(&pool.assign(&tasks).unwrap().assignments), answer(&slot));
}

#[test]
fn a_pool_with_a_slot_and_a_fallback_takes_the_slot_back_and_goes_on() {
    let (tasks, offers) = tables();
    let traps = Matcher::from_bytes(&scripted(&Script { traps: true, ..Script::default() }), "trap.wasm").unwrap();
    let slot = Slot::new(Matcher::bundled("best-fit").unwrap());
    slot.promote(traps, 10);
    let mut pool = FallbackMatcher::new(slot.clone()).open(&offers, &Settings::default()).unwrap();
    let mut reference = Matcher::reference().open(&offers, &Settings::default()).unwrap();
    for _ in 0..2 {
        let answer = pool.assign(&tasks).unwrap();
        assert_eq!((answer.matcher.description().name.as_str(), answer.fallback_reason), ("offermatch-matcher", None));
        assert_eq!(answer_digest(&answer.assignments), answer_digest(&reference.assign(&tasks).unwrap().assignments));
    }
    assert_eq!(happened(&slot), "promoted rolled-back");
}

#[test]
fn a_shadow_that_agrees_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = manifest(
        folder.path(),
        Matcher::bundled_bytes("best-fit").unwrap(),
        "offermatch-matcher",
        &[("}", ",\"shadow_cycles\":3}")],
    );
    let slot = slot();
    slot.swap(&path).unwrap();
    assert_eq!(slot.current().description().name, "offermatch-reference", "not yet");
    until(|| {
        answer(&slot);
        slot.current().description().name == "offermatch-matcher"
    });
    let report = slot.shadow_report().unwrap();
    assert!(report.is_same());
    assert_eq!((report.cycles, report.different, report.failed), (3, 0, 0));
    assert_eq!(report.placed.0, report.placed.1);
    assert_eq!(happened(&slot), "loaded shadowed promoted");
}

#[test]
fn a_shadow_that_differs_is_refused() {
    let slot = slot();
    let nobody = Matcher::from_bytes(&scripted(&Script::default()), "nobody.wasm").unwrap();
    slot.shadow(nobody, 2, Some(10)).unwrap();
    until(|| {
        answer(&slot);
        slot.history().last().is_some_and(|event| event.kind == EventKind::Refused)
    });
    assert_eq!(slot.current().description().name, "offermatch-reference");
    assert!(slot.history().last().unwrap().reason.starts_with("shadow-differs"));
    assert_eq!(slot.shadow_report().unwrap().different, 1);
}

#[test]
fn a_candidate_in_shadow_is_given_up_where_another_is_wanted_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = Matcher::bundled_bytes("best-fit").unwrap();
    let path = manifest(folder.path(), bytes, "offermatch-matcher", &[("}", ",\"shadow_cycles\":1}")]);
    for then in ["promoted", "rolled-back", "wanted", "followed"] {
        let slot = slot();
        slot.promote(Matcher::bundled("first-fit").unwrap(), 0);
        slot.swap(&path).unwrap();
        match then {
            "promoted" => slot.promote(Matcher::reference(), 0),
            "rolled-back" => slot.rollback().unwrap(),
            "wanted" => {
                let digest = slot.current().digest().unwrap().to_owned();
                slot.follow(&Manifest { digest, ..Manifest::read(&path).unwrap() }).unwrap();
            }
            _ => slot.shadow(slot.current(), 2, None).unwrap(),
        }
        let then = if matches!(then, "promoted" | "rolled-back") { then } else { "" };
        let before = happened(&slot);
        assert_eq!(before, format!("promoted loaded {then}").trim_end());
        answer(&slot);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!((happened(&slot), slot.shadow_report()), (before, None));
    }
}

#[test]
fn a_watched_component_of_the_same_age_is_another_where_its_length_or_its_inode_is() {
    let folder = tempfile::tempdir().unwrap();
    let slot = slot();
    let bytes = Matcher::bundled_bytes("best-fit").unwrap();
    let age = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let (new, place) = (folder.path().join("new.wasm"), folder.path().join("candidate.wasm"));
    let component = |bytes: &[u8]| {
        std::fs::write(&new, bytes).unwrap();
        std::fs::File::options().write(true).open(&new).unwrap().set_modified(age).unwrap();
        std::fs::rename(&new, &place).unwrap();
    };
    manifest(folder.path(), bytes, "offermatch-matcher", &[]);
    component(b"not yet");
    let watch = slot.watch(folder.path(), Duration::from_millis(5)).unwrap();
    until(|| happened(&slot) == "refused");
    component(bytes);
    until(|| happened(&slot) == "refused loaded promoted");
    drop(watch);
}

#[test]
fn a_watched_directory_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let slot = slot();
    let watch = slot.watch(folder.path(), Duration::from_millis(20)).unwrap();
    appears(folder.path(), "{\"matcher\": ");
    until(|| slot.history().last().is_some_and(|event| event.kind == EventKind::Refused));
    manifest(folder.path(), Matcher::bundled_bytes("best-fit").unwrap(), "offermatch-matcher", &[]);
    until(|| slot.current().description().name == "offermatch-matcher");
    drop(watch);
    assert_eq!(happened(&slot), "refused loaded promoted", "what does not change is not tried again");
}

#[test]
fn a_watched_manifest_that_goes_and_comes_back_takes_nothing_from_the_slot() {
    let folder = tempfile::tempdir().unwrap();
    let slot = slot();
    let before = answer(&slot);
    let watch = slot.watch(folder.path(), Duration::from_millis(5)).unwrap();
    let bytes = Matcher::bundled_bytes("best-fit").unwrap();
    let path = manifest(folder.path(), bytes, "offermatch-matcher", &[]);
    until(|| happened(&slot) == "loaded promoted");
    std::fs::remove_file(&path).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!((happened(&slot).as_str(), answer(&slot)), ("loaded promoted", before), "what was promoted stays");
    // The same again is nothing new, and what is new is looked at.
    manifest(folder.path(), bytes, "offermatch-matcher", &[]);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(happened(&slot), "loaded promoted");
    std::fs::remove_file(&path).unwrap();
    appears(folder.path(), "{}");
    until(|| happened(&slot) == "loaded promoted refused");
    drop(watch);
    assert_eq!(slot.current().description().name, "offermatch-matcher");
}

#[test]
fn a_manifest_is_read_as_documented() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let text = format!(
        r#"{{"matcher": "m", "version": "1.2.3", "policy": "p", "path": "m.wasm", "digest": "{digest}", "shadow_cycles": 5}}"#
    );
    let manifest = Manifest::parse(&text, Path::new("folder/manifest.json")).unwrap();
    assert_eq!(manifest.path, Path::new("folder/m.wasm"));
    assert_eq!((manifest.shadow_cycles, manifest.probation_cycles), (5, 10));
}

#[test]
fn no_call_is_lost_or_mixed_while_the_matcher_is_swapped() {
    let (tasks, offers) = tables();
    let slot = Slot::new(Matcher::reference());
    let nobody = Matcher::from_bytes(&scripted(&Script::default()), "nobody.wasm").unwrap();
    let honest = Matcher::bundled("best-fit").unwrap();
    let right = honest.match_tasks(&tasks, &offers, &Settings::default()).unwrap().assignments;
    slot.promote(honest.clone(), 0);
    let end = Instant::now() + Duration::from_millis(600);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while Instant::now() < end {
                    let answer = slot.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
                    match answer.matcher.description().name.as_str() {
                        "liar" => assert!(answer.assignments.tasks.is_empty()),
                        _ => assert_eq!(answer.assignments, right),
                    }
                }
            });
        }
        while Instant::now() < end {
            slot.promote(nobody.clone(), 10);
            std::thread::sleep(Duration::from_millis(5));
            slot.promote(honest.clone(), 10);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
}

/// Waits until something holds.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(20), "it does not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}
