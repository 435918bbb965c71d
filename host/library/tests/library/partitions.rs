//! Partitions of a cycle: nothing connects them, nothing is lost, and on several threads they are answered as on one.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use offermatch::{
    Catalog, Group, Matcher, Matching, Mode, Offer, Offers, Partition, Requirement, Settings, Task, Tasks,
};
use proptest::prelude::*;

/// Values of the attributes `zone` and `kind`.
const VALUES: [&str; 4] = ["", "a", "b", "c"];

fn a_task() -> impl Strategy<Value = Task> {
    let requirement = (0..2_usize, prop::collection::vec(1..4_usize, 0..3), prop::bool::weighted(0.2));
    let requirement = requirement.prop_map(|(attribute, values, excludes)| {
        let attribute = ["zone", "kind"][attribute];
        let values = values.into_iter().map(|value| VALUES[value]);
        if excludes { Requirement::not_in(attribute, values) } else { Requirement::is_in(attribute, values) }
    });
    let group = prop::option::weighted(0.2, 0..3_u32);
    (1..5_u64, prop::collection::vec(requirement, 0..3), group).prop_map(|(cpu, requirements, group)| Task {
        requirements,
        group: group.map(|group| Group { least: group, ..Group::new(format!("group-{group}")) }),
        ..Task::new("", [("cpu", cpu)])
    })
}

fn an_offer() -> impl Strategy<Value = Offer> {
    (1..9_u64, 0..4_usize, 0..4_usize, prop::option::weighted(0.1, 0..3_u32)).prop_map(|(cpu, zone, kind, group)| {
        Offer {
            attributes: vec![("zone".into(), VALUES[zone].into()), ("kind".into(), VALUES[kind].into())],
            occupants: group.map(|group| (format!("group-{group}"), 2)).into_iter().collect(),
            ..Offer::new("", [("cpu", cpu)])
        }
    })
}

/// Whether an offer meets the requirements of a task, read from the rows.
fn meets(task: &Task, offer: &Offer) -> bool {
    task.requirements.iter().all(|requirement| {
        let (Requirement::In { attribute, values } | Requirement::NotIn { attribute, values }) = requirement else {
            unreachable!("no other requirement is drawn")
        };
        let value = &offer.attributes.iter().find(|(name, _)| name == attribute).expect("both are there").1;
        (!value.is_empty() && values.contains(value)) == matches!(requirement, Requirement::In { .. })
    })
}

fn named(mut tasks: Vec<Task>, mut offers: Vec<Offer>) -> (Vec<Task>, Vec<Offer>) {
    tasks.iter_mut().zip(0..).for_each(|(task, at)| task.name = format!("task-{at}"));
    offers.iter_mut().zip(0..).for_each(|(offer, at)| offer.name = format!("offer-{at}"));
    (tasks, offers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_connects_partitions_and_they_are_answered_as_the_whole(
        rows in (prop::collection::vec(a_task(), 0..25), prop::collection::vec(an_offer(), 0..15)),
        is_shared in any::<bool>(),
    ) {
        let (tasks, offers) = named(rows.0, rows.1);
        let catalog = Catalog::of(&offers, &tasks);
        let (asked, offered) = (Tasks::new(&tasks, &catalog).unwrap(), Offers::new(&offers, &catalog).unwrap());
        let parts = Partition::all(&asked, &offered);

        let placed: Vec<&String> = parts.iter().flat_map(|part| part.tasks.names()).collect();
        prop_assert_eq!(placed.len(), tasks.len());
        prop_assert_eq!(placed.into_iter().collect::<HashSet<_>>().len(), tasks.len());
        for part in &parts {
            let mine: HashSet<&String> = part.offers.names().iter().collect();
            for task in tasks.iter().filter(|task| part.tasks.names().contains(&task.name)) {
                for offer in offers.iter().filter(|offer| !mine.contains(&offer.name)) {
                    prop_assert!(!meets(task, offer), "{} may take {}", task.name, offer.name);
                }
                let others = tasks.iter().filter(|other| other.group.is_some() && other.group == task.group);
                for other in others {
                    prop_assert!(part.tasks.names().contains(&other.name), "{} and {}", task.name, other.name);
                }
            }
        }

        let mode = if is_shared { Mode::Shared } else { Mode::Exclusive };
        let settings = Settings { mode, ..Settings::default() };
        let matcher = Matcher::reference();
        // A group that is larger than its members is refused; in partitions as in the whole.
        let Ok(whole) = matcher.match_tasks(&asked, &offered, &settings) else { return Ok(()) };
        let settings = settings.with_scales_of(&offered).unwrap();
        let answers = matcher.match_partitions(&parts, &settings, NonZeroUsize::new(3).unwrap()).unwrap();
        let mut found: Vec<(&str, &str, u64)> = Vec::new();
        for (part, answer) in parts.iter().zip(&answers) {
            let alone = matcher.match_tasks(&part.tasks, &part.offers, &settings).unwrap();
            prop_assert_eq!(&alone.assignments, &answer.assignments);
            let found_here = &answer.assignments;
            found.extend(found_here.tasks.iter().zip(&found_here.offers).zip(&found_here.scores).map(
                |((&task, &offer), score)| {
                    let (task, offer) = (task as usize, offer as usize);
                    (part.tasks.names()[task].as_str(), part.offers.names()[offer].as_str(), score.to_bits())
                },
            ));
        }
        if is_shared {
            let whole = &whole.assignments;
            let mut expected: Vec<(&str, &str, u64)> = whole.tasks.iter().zip(&whole.offers).zip(&whole.scores).map(
                |((&task, &offer), score)| {
                    (tasks[task as usize].name.as_str(), offers[offer as usize].name.as_str(), score.to_bits())
                },
            ).collect();
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn the_first_partition_that_fails_is_the_error() {
    let task = |name: &str| Task {
        requirements: vec![Requirement::is_in("zone", [name])],
        group: Some(Group { least: 2, ..Group::new(name) }),
        ..Task::new(name, [("cpu", 1)])
    };
    let offer = |name: &str| Offer { attributes: vec![("zone".into(), name.into())], ..Offer::new(name, [("cpu", 4)]) };
    let tasks = ["a", "b"].map(task);
    let offers = ["a", "b"].map(offer);
    let catalog = Catalog::of(&offers, &tasks);
    let (tasks, offers) = (Tasks::new(&tasks, &catalog).unwrap(), Offers::new(&offers, &catalog).unwrap());
    let parts = Partition::all(&tasks, &offers);
    assert_eq!(parts.len(), 2);
    let matcher = Matcher::bundled("best-fit").unwrap();
    let error = matcher.match_partitions(&parts, &Settings::default(), NonZeroUsize::new(2).unwrap()).unwrap_err();
    assert_eq!(error.code(), "group-malformed");
    assert!(error.to_string().contains('a'), "{error}");
    assert!(matcher.match_partitions(&[], &Settings::default(), NonZeroUsize::MIN).unwrap().is_empty());
}
