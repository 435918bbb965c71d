//! What the host makes of components: those it serves, and those it refuses by name.

use crate::scripted::{CONTRACT, Script, scripted, trapping};
use offermatch::{
    Catalog, Error, Inspection, Matcher, Mode, Offer, Offers, Requirement, Settings, Task, Tasks, Update,
};

/// The error of bytes that are no matcher.
fn refused(bytes: &[u8]) -> Error {
    Matcher::from_bytes(bytes, "candidate.wasm").expect_err("this is no matcher")
}

/// Two tasks with a requirement, three offers of which one has a device.
fn tables() -> (Tasks, Offers) {
    let offer_rows = [
        Offer { attributes: vec![("zone".into(), "a".into())], ..Offer::new("large", [("cpu", 4000)]) },
        Offer { attributes: vec![("zone".into(), "b".into())], ..Offer::new("small", [("cpu", 1000)]) },
        Offer { devices: vec![600], ..Offer::new("gpu", [("cpu", 4000)]) },
    ];
    let task_rows = [
        Task { requirements: vec![Requirement::is_in("zone", ["a"])], ..Task::new("picky", [("cpu", 1000)]) },
        Task { device_share: 500, ..Task::new("shared", [("cpu", 1000)]) },
    ];
    let catalog = Catalog::of(&offer_rows, &task_rows);
    (Tasks::new(&task_rows, &catalog).unwrap(), Offers::new(&offer_rows, &catalog).unwrap())
}

/// What a matcher with this answer is told.
fn verdict_on(tasks: &[u32], offers: &[u32], scores: &[f64], mode: Mode) -> Result<(), Error> {
    let answer = (tasks.to_vec(), offers.to_vec(), scores.to_vec());
    let matcher = Matcher::from_bytes(&scripted(&Script { answer, ..Script::default() }), "liar.wasm").unwrap();
    let (task_table, offer_table) = tables();
    let settings = Settings { mode, max_score: Some(31.0), ..Settings::default() };
    matcher.match_tasks(&task_table, &offer_table, &settings).map(|_| ())
}

#[test]
fn the_bundled_matcher_is_served() {
    let matcher = Matcher::bundled("best-fit").unwrap();
    assert_eq!(matcher.description().contract, offermatch::CONTRACT);
    assert_eq!(matcher.description().policy, "best-fit");
    assert_eq!(matcher.description().modes, [Mode::Exclusive, Mode::Shared]);
    assert!(matcher.digest().unwrap().starts_with("sha256:"));
    assert!(matcher.size().unwrap() > 1000);
}

/// The interface of which tracing takes a type.
const CLOCK: &str = "wasi:clocks/wall-clock";

#[test]
fn the_bundled_matcher_imports_tracing_and_nothing_else() {
    let inspection = Inspection::bundled("best-fit").unwrap();
    let mut imports: Vec<(&str, Vec<&str>)> = inspection
        .imports
        .iter()
        // Of the clock only a type is used, and linkers write it under the patch version that they know.
        .map(|(name, items)| {
            (
                name.split_once("@0.2.").filter(|(name, _)| *name == CLOCK).map_or(name.as_str(), |(name, _)| name),
                items.iter().map(String::as_str).filter(|item| asks(item)).collect(),
            )
        })
        .collect();
    imports.sort_unstable();
    let expected = [
        (CLOCK, vec![]),
        ("wasi:otel/tracing@0.2.0-rc.2", vec!["on-start", "on-end", "outer-span-context"]),
        ("wasi:otel/types@0.2.0-rc.2", vec![]),
    ];
    assert_eq!(imports, expected);
    assert_eq!(inspection.world.as_deref(), Some("offermatch:matcher/matcher@0.3.0"));
    assert!(inspection.verdict.is_ok());
}

/// Whether an item of an interface is a function of the ones that a matcher might import.
fn asks(item: &str) -> bool {
    ["on-start", "on-end", "outer-span-context", "now", "resolution"].contains(&item)
}

#[test]
fn what_is_no_component_is_malformed() {
    let component = scripted(&Script::default());
    let mut damaged = component.clone();
    damaged[component.len() / 2..].fill(0xff);
    let core = wat::parse_str("(module)").unwrap();
    let cases: [(&[u8], &str); 7] = [
        (b"", "it is empty"),
        (b"\0as", "it is not WebAssembly"),
        (b"\0asm", "it ends after 4 bytes"),
        (b"(component)", "it is not WebAssembly"),
        (&core, "it is a core module"),
        (&component[..component.len() / 2], ""),
        (&damaged, ""),
    ];
    for (bytes, reason) in cases {
        let error = refused(bytes);
        assert_eq!(error.code(), "component-malformed", "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn another_world_is_refused_by_name() {
    let error = refused(&trapping("package other:thing@1.0.0; interface i { f: func(); } world w { export i; }"));
    assert_eq!(error.code(), "wrong-world");
    assert!(error.to_string().contains("it exports other:thing/i@1.0.0"), "{error}");
    let error = refused(&wat::parse_str("(component)").unwrap());
    assert!(error.to_string().contains("it exports nothing"), "{error}");
}

#[test]
fn an_import_is_refused_by_name() {
    let curious = CONTRACT
        .replace("world matcher {", "interface secrets { read: func() -> string; } world matcher { import secrets;");
    let error = refused(&trapping(&curious));
    assert_eq!(error.code(), "wrong-world");
    assert!(error.to_string().contains("imports offermatch:matcher/secrets@0.2.0"), "{error}");
}

#[test]
fn an_interface_of_the_right_name_and_another_shape_is_refused() {
    let changed = CONTRACT.replace("update: func(changes: changes) -> result<_, error>;", "renew: func();");
    let error = refused(&trapping(&changed));
    assert_eq!(error.code(), "wrong-world");
    assert!(error.to_string().contains("update"), "{error}");
}

#[test]
fn another_contract_version_is_refused_by_number() {
    for version in ["0.1.0", "0.2.1", "0.3.1", "1.0.0", "0.0.9"] {
        let error = refused(&trapping(&CONTRACT.replace("@0.2.0;", &format!("@{version};"))));
        assert_eq!(error.code(), "contract-version");
        let expected = format!("candidate.wasm speaks contract {version}; this host serves 0.2.0 and 0.3.0");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_claim_of_another_contract_version_is_refused() {
    for (claims, found) in [("0.4.0", "0.4.0"), ("0.3.0", "0.3.0 by its description and 0.2.0 by its exports")] {
        let error = refused(&scripted(&Script { claims, ..Script::default() }));
        assert_eq!(error.code(), "contract-version");
        assert!(error.to_string().contains(&format!("speaks contract {found};")), "{error}");
    }
}

#[test]
fn a_matcher_that_cannot_describe_itself_is_refused() {
    let error = refused(&trapping(CONTRACT));
    assert_eq!(error.code(), "matcher-trapped");
    assert!(error.to_string().contains("trapped in describe"), "{error}");
}

#[test]
fn a_trap_loses_the_pool_and_nothing_else() {
    let matcher = Matcher::from_bytes(&scripted(&Script { traps: true, ..Script::default() }), "trap.wasm").unwrap();
    let (tasks, offers) = tables();
    let mut pool = matcher.open(&offers, &Settings::default()).unwrap();
    let error = pool.assign(&tasks).unwrap_err();
    assert_eq!(error.code(), "matcher-trapped");
    assert!(error.to_string().contains("unreachable"), "{error}");
    assert!(matches!(pool.assign(&tasks), Err(Error::PoolLost { call: "assign", .. })));
    assert!(matches!(pool.explain(&tasks), Err(Error::PoolLost { .. })));
    assert!(matches!(pool.update(&Update::default()), Err(Error::PoolLost { .. })));
    assert!(matcher.open(&offers, &Settings::default()).is_ok(), "a new pool can be opened");
}

#[test]
fn an_answer_that_holds_is_taken() {
    verdict_on(&[], &[], &[], Mode::Exclusive).unwrap();
    verdict_on(&[0, 1], &[0, 2], &[0.5, 1.0], Mode::Exclusive).unwrap();
    verdict_on(&[0, 1], &[0, 2], &[0.5, 1.0], Mode::Shared).unwrap();
}

/// A lie: what the host says to it, then task rows, offer rows and scores.
type Lie = (&'static str, &'static [u32], &'static [u32], &'static [f64]);

#[test]
fn a_lie_is_refused() {
    let lies: [Lie; 11] = [
        ("task row 2 is not below 2", &[2], &[0], &[0.5]),
        ("task row 0 comes twice", &[0, 0], &[0, 0], &[0.5, 0.5]),
        ("task row 0 comes twice, or too late", &[1, 0], &[2, 0], &[0.5, 0.5]),
        ("the offer row is not below 3", &[0], &[3], &[0.5]),
        ("the offer row is not below 3", &[0], &[u32::MAX], &[0.5]),
        ("requirement 0 does not hold", &[0], &[1], &[0.5]),
        ("500 device thousandths asked of devices with [] free", &[1], &[0], &[0.5]),
        ("placed at score NaN", &[0], &[0], &[f64::NAN]),
        ("placed at score 31", &[0], &[0], &[31.0]),
        ("placed at score -inf", &[0], &[0], &[f64::NEG_INFINITY]),
        ("are not columns of one length", &[0, 1], &[0], &[0.5]),
    ];
    for (reason, tasks, offers, scores) in lies {
        let error = verdict_on(tasks, offers, scores, Mode::Exclusive).expect_err(reason);
        assert_eq!(error.code(), "answer-refused");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn an_offer_is_never_given_beyond_its_capacity() {
    let offer_rows = [Offer { devices: vec![1000], ..Offer::new("only", [("cpu", 1500)]) }];
    let task_rows = [
        Task { device_share: 600, ..Task::new("first", [("cpu", 1000)]) },
        Task { device_share: 600, ..Task::new("second", [("cpu", 500)]) },
        Task::new("third", [("cpu", 1000)]),
    ];
    let catalog = Catalog::of(&offer_rows, &task_rows);
    let (tasks, offers) = (Tasks::new(&task_rows, &catalog).unwrap(), Offers::new(&offer_rows, &catalog).unwrap());
    for (placed, mode, reason) in [
        (vec![0, 1], Mode::Shared, "600 device thousandths asked of devices with [400] free"),
        (vec![0, 2], Mode::Shared, "1000 asked of 500 available in dimension 0"),
        (vec![0, 2], Mode::Exclusive, "the offer is not in the list"),
    ] {
        let answer = (placed, vec![0, 0], vec![0.0, 0.0]);
        let matcher = Matcher::from_bytes(&scripted(&Script { answer, ..Script::default() }), "liar.wasm").unwrap();
        let settings = Settings { mode, ..Settings::default() };
        let mut pool = matcher.open(&offers, &settings).unwrap();
        let error = pool.assign(&tasks).unwrap_err();
        assert_eq!(error.code(), "answer-refused");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(matches!(pool.assign(&tasks), Err(Error::PoolLost { .. })));
    }
}

#[test]
fn counts_that_do_not_fit_are_refused() {
    let matcher = Matcher::from_bytes(&scripted(&Script::default()), "liar.wasm").unwrap();
    let (tasks, offers) = tables();
    let error = matcher.open(&offers, &Settings::default()).unwrap().explain(&tasks).unwrap_err();
    assert_eq!(error.code(), "answer-refused");
    assert!(error.to_string().contains("column by-dimension has 0 counts, not 2"), "{error}");
}

#[test]
fn a_refusal_without_ground_is_refused() {
    let script = Script { refuses_updates: true, ..Script::default() };
    let matcher = Matcher::from_bytes(&scripted(&script), "liar.wasm").unwrap();
    let (_, offers) = tables();
    let error = matcher.open(&offers, &Settings::default()).unwrap().update(&Update::default()).unwrap_err();
    assert_eq!(error.code(), "answer-refused", "{error}");
}

#[test]
fn a_mode_that_a_matcher_does_not_have_is_not_asked_of_it() {
    let script = Script { shared_only: true, ..Script::default() };
    let matcher = Matcher::from_bytes(&scripted(&script), "shared.wasm").unwrap();
    let (_, offers) = tables();
    let error = matcher.open(&offers, &Settings::default()).unwrap_err();
    assert_eq!(error.code(), "setting-malformed");
    assert!(error.to_string().starts_with("mode: liar does not have the mode exclusive"), "{error}");
    matcher.open(&offers, &Settings { mode: Mode::Shared, ..Settings::default() }).unwrap();
}

#[test]
fn a_matcher_serves_many_threads() {
    let matcher = Matcher::bundled("best-fit").unwrap();
    let (tasks, offers) = tables();
    let expected = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap().assignments;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let answer = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
                    assert_eq!(answer.assignments, expected);
                }
            });
        }
    });
}

#[test]
fn an_inspection_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.wasm");
    std::fs::write(&path, trapping("package other:thing; interface i { f: func(); } world w { import i; export i; }"))
        .unwrap();
    let inspection = Inspection::of(&path).unwrap();
    assert_eq!(inspection.imports, [("other:thing/i".to_owned(), vec!["f".to_owned()])]);
    assert_eq!(inspection.exports, inspection.imports);
    assert_eq!((inspection.world, inspection.contract), (None, None));
    assert_eq!(inspection.verdict.unwrap_err().code(), "wrong-world");
}

#[test]
fn a_description_that_does_not_hold_is_refused_by_name() {
    let changes = Script { changes_name: true, ..Script::default() };
    let nameless = Script { is_nameless: true, ..Script::default() };
    for (script, reason) in [
        (changes, "its description: it is another one when it is asked again"),
        (nameless, "its description: its name is empty"),
    ] {
        let error = Matcher::from_bytes(&scripted(&script), "new.wasm").unwrap_err();
        assert_eq!(error.code(), "answer-refused");
        assert_eq!(error.to_string(), format!("the answer of matcher new.wasm is refused: {reason}"));
    }
    assert!(Matcher::from_bytes(&scripted(&Script::default()), "new.wasm").is_ok());
}
