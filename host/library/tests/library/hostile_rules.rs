//! Matchers that ignore a rule of contract 0.3.0: what they answer is refused, and an honest one's is not.
//! `guest/build.sh hostile` builds them.

use crate::built;
use offermatch::{
    Catalog, Error, Group, Matcher, Mode, OFFER, Offer, Offers, Requirement, RunningTable, Settings, Task, Tasks,
};

/// The component of this name.
fn hostile(name: &str) -> Matcher {
    built::matcher(&format!("hostile/{name}.wasm"))
}

/// An offer of 4 cores in a rack of its own; a member of group gang runs on the first.
fn offer(name: &str) -> Offer {
    Offer {
        attributes: vec![("rack".into(), name.into())],
        measures: vec![("gpu".into(), 16.0)],
        occupants: if name == "a" { vec![("gang".into(), 1)] } else { vec![] },
        ..Offer::new(name, [("cpu", 4000)])
    }
}

/// Members of a group.
fn members(count: usize, group: &Group) -> Vec<Task> {
    let member = |row| Task { group: Some(group.clone()), ..Task::new(format!("member-{row}"), [("cpu", 1000)]) };
    (0..count).map(member).collect()
}

/// Places tasks on two offers, and says how many found a place.
fn placed(matcher: &Matcher, mode: Mode, tasks: &[Task]) -> Result<usize, Error> {
    let offers = [offer("a"), offer("b")];
    let catalog = Catalog::of(&offers, tasks);
    let settings = Settings { mode, ..Settings::default() };
    let mut pool = matcher.open(&Offers::new(&offers, &catalog)?, &settings)?;
    Ok(pool.assign(&Tasks::new(tasks, &catalog)?)?.assignments.tasks.len())
}

/// Asserts that an answer of a matcher is refused, and that an honest matcher places so many.
#[track_caller]
fn is_refused(name: &str, mode: Mode, tasks: &[Task], honest: usize) {
    let right = placed(&Matcher::bundled("best-fit").unwrap(), mode, tasks).unwrap();
    assert_eq!(right, honest, "an honest matcher");
    let error = placed(&hostile(name), mode, tasks).expect_err(name);
    assert_eq!(error.code(), "answer-refused", "{name}: {error}");
}

#[test]
fn groups_that_are_ignored() {
    let gang = Group { least: 4, ..Group::new("gang") };
    is_refused("ignore-groups", Mode::Exclusive, &members(4, &gang), 0);
    is_refused("ignore-least", Mode::Exclusive, &members(4, &gang), 0);
}

#[test]
fn groups_that_are_torn() {
    let gang = Group { least: 2, ..Group::new("pair") };
    is_refused("tear-groups", Mode::Exclusive, &members(2, &gang), 2);
}

#[test]
fn limits_and_occupants_that_are_ignored() {
    let apart = |name: &str| Group { at_most: vec![(OFFER.into(), 1)], ..Group::new(name) };
    is_refused("ignore-limits", Mode::Shared, &members(2, &apart("pair")), 2);
    is_refused("ignore-occupants", Mode::Shared, &members(1, &apart("gang")), 1);
}

#[test]
fn members_that_are_not_together() {
    let together = Group { together: Some("rack".into()), ..Group::new("pair") };
    is_refused("ignore-together", Mode::Exclusive, &members(2, &together), 1);
}

#[test]
fn measures_that_are_ignored() {
    let large = Task { requirements: vec![Requirement::at_least("gpu", 40.0)], ..Task::new("large", [("cpu", 1000)]) };
    is_refused("ignore-measures", Mode::Shared, &[large], 0);
}

#[test]
fn plans_that_break_a_rule() {
    for (name, tasks, running) in [
        ("victims-in-vain", 1, 0),
        ("victims-of-equal-priority", 1, 9),
        ("victims-twice", 2, 0),
        ("victims-without-room", 1, 0),
    ] {
        let offers = [Offer { capacity: vec![("cpu".into(), 4000)], ..Offer::new("a", [("cpu", 0)]) }];
        let tasks: Vec<Task> = (0..tasks).map(|row| Task::new(format!("task-{row}"), [("cpu", 2000)])).collect();
        let running = RunningTable {
            rows: 2,
            offers: vec![0, 0],
            priorities: vec![running; 2],
            starts: vec![5, 9],
            demand: vec![2000, 2000],
            ..RunningTable::default()
        };
        let plan = |matcher: &Matcher| {
            let catalog = Catalog::of(&offers, &tasks);
            let settings = Settings { mode: Mode::Shared, ..Settings::default() };
            let mut pool = matcher.open(&Offers::new(&offers, &catalog)?, &settings)?;
            pool.preempt(&Tasks::new(&tasks, &catalog)?, &vec![9; tasks.len()], &running)
        };
        plan(&Matcher::bundled("best-fit").unwrap()).unwrap();
        let error = plan(&hostile(name)).expect_err(name);
        assert_eq!(error.code(), "answer-refused", "{name}: {error}");
    }
}
