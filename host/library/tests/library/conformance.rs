//! The conformance cases on the bundled component and on the reference, and wrong matchers that they catch.
//! `guest/build.sh hostile` builds the wrong ones.

use std::path::PathBuf;

use crate::built;
use offermatch::{Level, Matcher, Report, Skips, Suite, Trial};

/// What is found by the cases of one group, or of all.
fn judged(matcher: &Matcher, group: &str, generated: u64) -> Report {
    let mut suite = Suite::shipped().unwrap();
    suite.groups.retain(|found| group.is_empty() || found.name == group);
    assert!(!suite.is_empty(), "{group} is not a group");
    suite.judge(matcher, &Trial { generated, ..Trial::default() }, &mut |_, _| {})
}

/// A component of `guest/hostile`.
fn hostile(name: &str) -> Matcher {
    built::matcher(&format!("hostile/{name}.wasm"))
}

/// Groups whose wrong matchers follow another policy, though not best-fit.
const RANKED: [&str; 1] = ["weights"];

/// One test for each group: the component and the reference answer as worked out, and the wrong matcher is caught.
macro_rules! groups {
    ($($test:ident: $group:literal, $wrong:literal;)*) => {
        $(#[test]
        fn $test() {
            for matcher in [Matcher::bundled("best-fit").unwrap(), Matcher::reference()] {
                let report = judged(&matcher, $group, 0);
                assert_eq!(report.level, Some(Level::Reference), "{}", report.to_text());
            }
            let report = judged(&hostile($wrong), $group, 0);
            assert_eq!(report.level, RANKED.contains(&$group).then_some(Level::Contract), "{}", report.to_text());
            assert!(!report.conforms);
        })*

        #[test]
        fn every_group_has_a_test() {
            let named: Vec<String> = Suite::shipped().unwrap().groups.into_iter().map(|group| group.name).collect();
            assert_eq!(named, [$($group),*]);
        }
    };
}

groups! {
    capacity: "capacity", "wrong-capacity";
    dimensions: "dimensions", "wrong-dimensions";
    ties: "ties", "wrong-ties";
    shared: "shared", "wrong-shared";
    requirements: "requirements", "wrong-requirements";
    devices: "devices", "wrong-devices";
    max_score: "max-score", "wrong-max-score";
    weights: "weights", "wrong-weights";
    explain: "explain", "wrong-explain";
    updates: "updates", "wrong-updates";
    integers: "integers", "wrong-integers";
    sizes: "sizes", "wrong-sizes";
    errors: "errors", "wrong-errors";
    measures: "measures", "wrong-measures";
    preferences: "preferences", "wrong-preferences";
    least: "least", "wrong-least";
    together: "together", "wrong-together";
    limits: "limits", "wrong-limits";
    occupants: "occupants", "wrong-occupants";
    preemption: "preemption", "wrong-preemption";
    scales: "scales", "wrong-scales";
    explanations: "explanations", "wrong-explanations";
    refusals: "refusals", "wrong-errors";
}

#[test]
fn generated_cases_are_answered_as_by_the_reference() {
    let report = judged(&Matcher::bundled("best-fit").unwrap(), "capacity", 3000);
    assert_eq!(report.level, Some(Level::Reference), "{}", report.to_text());
}

#[test]
fn a_policy_that_looks_ahead_is_not_compared_with_its_own_scores() {
    let report = judged(&Matcher::bundled("strand").unwrap(), "", 40);
    assert_eq!((report.level, report.own_scores), (Some(Level::Contract), false));
    assert!(report.to_text().contains("its scores hang on more than the task and the offer"));
}

#[test]
fn thousands_of_calls_have_to_do_with_the_memory_of_a_few_dozen() {
    let suite = Suite { groups: Vec::new() };
    let trial = Trial { generated: 0, endurance: 1000, ..Trial::default() };
    for (name, case) in [("change-description", "description"), ("keep-memory", "memory")] {
        let report = suite.judge(&hostile(name), &trial, &mut |_, _| {});
        let failed: Vec<&str> = report.groups[0].failures.iter().map(|failure| failure.case.as_str()).collect();
        assert_eq!((failed, report.level), (vec![case], None));
    }
    let report = suite.judge(&Matcher::bundled("best-fit").unwrap(), &trial, &mut |_, _| {});
    assert_eq!(report.level, Some(Level::Reference), "{}", report.to_text());
}

#[test]
fn two_builds_that_answer_differently_are_caught() {
    let mut suite = Suite::shipped().unwrap();
    suite.groups.retain(|group| group.name == "ties");
    let one = Matcher::bundled("first-fit").unwrap();
    let against = |other: &Matcher| {
        let trial = Trial { generated: 20, against: Some(other.clone()), ..Trial::default() };
        suite.judge(&one, &trial, &mut |_, _| {})
    };
    assert_eq!(against(&one).level, Some(Level::Contract));
    let found = against(&Matcher::bundled("worst-fit").unwrap());
    assert_eq!(found.level, None);
    let mut failures = found.groups.iter().flat_map(|group| &group.failures);
    assert!(failures.any(|failure| failure.what.ends_with(", of the other build")));
}

#[test]
fn another_policy_conforms_to_the_contract() {
    let report = judged(&hostile("first-fit"), "", 100);
    assert_eq!((report.level, report.asked, report.conforms), (Some(Level::Contract), Level::Contract, true));
    assert_eq!(report.verdict, "conforms to the contract; policy first-fit, not the reference");
}

#[test]
fn the_loop_behind_the_wrong_matchers_is_right() {
    assert_eq!(judged(&hostile("by-the-rules"), "", 100).level, Some(Level::Reference));
}

#[test]
fn every_file_of_cases_is_shipped() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let (mut found, mut shipped) = (Suite::read(folder).unwrap().groups, Suite::shipped().unwrap().groups);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    shipped.sort_by(|one, other| one.name.cmp(&other.name));
    let names = |groups: &[offermatch::CaseGroup]| {
        groups.iter().map(|group| (group.name.clone(), group.cases.len())).collect::<Vec<_>>()
    };
    assert_eq!(names(&found), names(&shipped));
    assert!(shipped.iter().map(|group| group.cases.len()).sum::<usize>() >= 400);
}

#[test]
fn what_is_skipped_is_shown() {
    let suite = Suite::shipped().unwrap().quick();
    let skips = Skips::parse("ties/*  are of no matter here\n", "skip.txt").unwrap();
    let report = suite.judge(&Matcher::reference(), &Trial { generated: 0, skips, ..Trial::default() }, &mut |_, _| {});
    let ties = report.groups.iter().find(|group| group.group == "ties").unwrap();
    assert_eq!(ties.skipped.len() as u64, ties.cases);
    assert!(report.to_text().contains("skipped  ties/swap-remove: are of no matter here"));
    assert!(report.to_junit().contains(r#"<skipped message="are of no matter here"/>"#));
}
