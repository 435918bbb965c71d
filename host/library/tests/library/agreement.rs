//! The component and the reference give the same answer, bit for bit, on whatever they are given.

use std::sync::LazyLock;

use offermatch::{
    Breaker, Catalog, FallbackMatcher, Limits, Matcher, Matching, Mode, Offer, Offers, Pool, Requirement, Sample,
    Settings, Task, Tasks, Update, answer_digest, unplaced,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// The component, compiled once.
static COMPONENT: LazyLock<Matcher> =
    LazyLock::new(|| Matcher::bundled("best-fit").expect("the bundled matcher is a matcher"));

/// The component, which fails as soon as it has more than two tasks to tell of.
static SHORT_OF_WORDS: LazyLock<Matcher> = LazyLock::new(|| {
    Matcher::bundled_with("best-fit", &Limits { output_rows: Some(2), ..Limits::default() })
        .expect("the bundled matcher is a matcher")
});

/// Small numbers, so that ties are everywhere, and now and then the largest there is.
fn quantity() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..6_u64, 1 => Just(1 << 40), 1 => Just(u64::MAX)]
}

/// An attribute value; `x` is one that offers never have.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![Just(""), Just("a"), Just("b"), Just("x")].prop_map(str::to_owned)
}

fn requirement() -> impl Strategy<Value = Requirement> {
    let attribute = prop_oneof![Just("zone"), Just("gpu"), Just("unknown")];
    (attribute, vec(value(), 0..3), any::<bool>()).prop_map(|(attribute, values, excludes)| {
        if excludes { Requirement::not_in(attribute, values) } else { Requirement::is_in(attribute, values) }
    })
}

fn task() -> impl Strategy<Value = Task> {
    let devices = prop_oneof![4 => Just((0, 0)), 2 => (Just(0), 1..1000_u32), 2 => (1..3_u32, Just(0))];
    (quantity(), quantity(), vec(requirement(), 0..3), devices).prop_map(|(cpu, memory, requirements, devices)| Task {
        requirements,
        devices: devices.0,
        device_share: devices.1,
        ..Task::new("", [("cpu", cpu), ("memory", memory)])
    })
}

fn offer() -> impl Strategy<Value = Offer> {
    let free = prop_oneof![Just(1000), Just(0), 0..=1000_u32];
    let zone = prop_oneof![Just(""), Just("a"), Just("b")];
    (quantity(), quantity(), option::of(0..3_u64), zone, vec(free, 0..3)).prop_map(
        |(cpu, memory, more, zone, devices)| Offer {
            capacity: more.map(|more| ("cpu".to_owned(), cpu.saturating_add(more))).into_iter().collect(),
            attributes: vec![("zone".into(), zone.into()), ("gpu".into(), if cpu % 2 == 0 { "a" } else { "" }.into())],
            devices,
            ..Offer::new("", [("cpu", cpu), ("memory", memory)])
        },
    )
}

fn settings() -> impl Strategy<Value = Settings> {
    let mode = prop_oneof![Just(Mode::Exclusive), Just(Mode::Shared)];
    let weight = prop_oneof![Just(0.0), Just(1.0), Just(0.1), 0.0..10.0_f64];
    let max_score = prop_oneof![
        2 => Just(None), 2 => Just(Some(31.0)), 1 => Just(Some(0.0)), 1 => Just(Some(1.0)), 1 => (0.0..3.0_f64).prop_map(Some)
    ];
    (mode, max_score, option::of(weight), option::of(0..7_u64)).prop_map(|(mode, max_score, weight, scale)| Settings {
        mode,
        max_score,
        weights: weight.map(|weight| ("cpu".to_owned(), weight)).into_iter().collect(),
        scales: scale.map(|scale| ("memory".to_owned(), scale)).into_iter().collect(),
        ..Settings::default()
    })
}

/// What happens in one cycle: some offers leave, some change, some are added, tasks come.
#[derive(Debug, Clone)]
struct Cycle {
    removed: Vec<proptest::sample::Index>,
    changed: Vec<(proptest::sample::Index, Offer)>,
    added: Vec<Offer>,
    tasks: Vec<Task>,
}

fn cycle() -> impl Strategy<Value = Cycle> {
    let row = any::<proptest::sample::Index>;
    (vec(row(), 0..3), vec((row(), offer()), 0..3), vec(offer(), 0..3), vec(task(), 0..12))
        .prop_map(|(removed, changed, added, tasks)| Cycle { removed, changed, added, tasks })
}

/// Tasks with names.
fn tasks(rows: &[Task], catalog: &Catalog) -> Tasks {
    let named = rows.iter().enumerate().map(|(at, task)| Task { name: format!("task-{at}"), ..task.clone() });
    Tasks::new(&named.collect::<Vec<_>>(), catalog).unwrap()
}

/// Offers with names, counted from `first`.
fn offers(rows: &[Offer], first: usize, catalog: &Catalog) -> Offers {
    let named =
        rows.iter().enumerate().map(|(at, offer)| Offer { name: format!("offer-{}", first + at), ..offer.clone() });
    Offers::new(&named.collect::<Vec<_>>(), catalog).unwrap()
}

/// The first number behind those in these names.
fn first_free(names: &[String]) -> usize {
    let numbers = names.iter().map(|name| name.trim_start_matches("offer-").parse::<usize>().unwrap());
    numbers.max().map_or(0, |last| last + 1)
}

/// A cycle's changes as an update of a pool with these offers, each named once.
fn update(cycle: &Cycle, pool: &Pool) -> Update {
    let names = pool.offers();
    let mut named: Vec<String> = Vec::new();
    let mut fresh = |index: &proptest::sample::Index| {
        let name = (!names.is_empty()).then(|| index.get(names).clone())?;
        (!named.contains(&name)).then(|| named.push(name.clone())).map(|()| name)
    };
    let removed = cycle.removed.iter().filter_map(&mut fresh).collect();
    let changed =
        cycle.changed.iter().filter_map(|(row, offer)| fresh(row).map(|name| Offer { name, ..offer.clone() }));
    let changed: Vec<Offer> = changed.collect();
    Update {
        removed,
        changed: Some(Offers::new(&changed, pool.catalog()).unwrap()),
        // Rows are used again, so that their number tells no name that is free.
        added: Some(offers(&cycle.added, first_free(names), pool.catalog())),
        ..Update::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn prop_component_answers_as_the_reference_does(
        rows in vec(offer(), 0..12),
        settings in settings(),
        cycles in vec(cycle(), 1..4),
    ) {
        let catalog = Catalog::new(["cpu", "memory"], ["zone", "gpu"]);
        let table = offers(&rows, 0, &catalog);
        let mut component = COMPONENT.open(&table, &settings).unwrap();
        let mut reference = Matcher::reference().open(&table, &settings).unwrap();
        for cycle in &cycles {
            let tasks = tasks(&cycle.tasks, &catalog);
            let counts = component.explain(&tasks).unwrap();
            let expected = reference.explain(&tasks).unwrap();
            prop_assert_eq!(counts.counts(), expected.counts(), "explained alike");
            let answer = component.assign(&tasks).unwrap().assignments;
            let expected = reference.assign(&tasks).unwrap().assignments;
            prop_assert_eq!(&answer, &expected, "placed alike");
            prop_assert_eq!(answer_digest(&answer), answer_digest(&expected), "to the last bit");
            let update = update(cycle, &reference);
            component.update(&update).unwrap();
            reference.update(&update).unwrap();
            prop_assert_eq!(component.listed(), reference.listed(), "the same offers are left");
        }
    }

    #[test]
    fn prop_a_pool_that_falls_back_and_returns_answers_as_the_reference_does(
        rows in vec(offer(), 0..12),
        settings in settings(),
        cycles in vec(cycle(), 1..6),
    ) {
        let catalog = Catalog::new(["cpu", "memory"], ["zone", "gpu"]);
        let table = offers(&rows, 0, &catalog);
        let breaker = Breaker { failures: 2, cooldown_cycles: 1 };
        let matcher = FallbackMatcher::with(SHORT_OF_WORDS.clone(), Matcher::reference(), breaker);
        let mut pool = matcher.open(&table, &settings).unwrap();
        let mut reference = Matcher::reference().open(&table, &settings).unwrap();
        for cycle in &cycles {
            let tasks = tasks(&cycle.tasks, &catalog);
            let answer = pool.assign(&tasks).unwrap();
            let expected = reference.assign(&tasks).unwrap().assignments;
            prop_assert_eq!(&answer.assignments, &expected, "placed alike");
            prop_assert_eq!(answer.fallback_reason.is_some(), answer.matcher.digest().is_none(), "it says who answered");
            prop_assert!(expected.tasks.len() <= 2 || answer.fallback_reason.is_some(), "too long for the primary");
            let counts = pool.explain(&tasks).unwrap();
            let expected = reference.explain(&tasks).unwrap();
            prop_assert_eq!(counts.counts(), expected.counts(), "explained alike");
            let update = update(cycle, &reference);
            pool.update(&update).unwrap();
            reference.update(&update).unwrap();
            prop_assert_eq!(pool.listed(), reference.listed(), "the same offers are left");
        }
    }

    #[test]
    fn prop_a_task_is_placed_or_unplaced(placed in proptest::collection::btree_set(0..40_u32, 0..20)) {
        let placed: Vec<u32> = placed.into_iter().collect();
        let count = placed.len();
        let assignments = offermatch::Assignments { offers: vec![0; count], scores: vec![0.0; count], tasks: placed };
        let rest = unplaced(&assignments, 40);
        prop_assert_eq!(count + rest.len(), 40);
        prop_assert!(rest.iter().all(|row| !assignments.tasks.contains(row)));
    }
}

#[test]
fn samples_are_answered_as_the_reference_does() {
    for kind in ["uniform", "realistic", "ties", "nothing-fits", "constrained", "devices"] {
        for mode in [Mode::Exclusive, Mode::Shared] {
            let sample: Sample = format!("{kind}:400x300:7").parse().unwrap();
            let (task_rows, offer_rows) = sample.rows();
            let catalog = Catalog::of(&offer_rows, &task_rows);
            let tasks = Tasks::new(&task_rows, &catalog).unwrap();
            let offers = Offers::new(&offer_rows, &catalog).unwrap();
            let settings = Settings { mode, ..Settings::default() };
            let answer = COMPONENT.match_tasks(&tasks, &offers, &settings).unwrap();
            let expected = Matcher::reference().match_tasks(&tasks, &offers, &settings).unwrap();
            assert_eq!(answer.assignments, expected.assignments, "{sample} {mode}");
        }
    }
}

#[test]
fn a_selection_of_tasks_is_explained_as_in_the_whole() {
    let sample: Sample = "constrained:60x20:3".parse().unwrap();
    let (task_rows, offer_rows) = sample.rows();
    let catalog = Catalog::of(&offer_rows, &task_rows);
    let tasks = Tasks::new(&task_rows, &catalog).unwrap();
    let mut pool = COMPONENT.open(&Offers::new(&offer_rows, &catalog).unwrap(), &Settings::default()).unwrap();
    let rows: Vec<u32> = (0..60).step_by(7).collect();
    let whole = pool.explain(&tasks).unwrap();
    let part = pool.explain(&tasks.select(&rows)).unwrap();
    let whole: Vec<_> = whole.iter().collect();
    for (explanation, &row) in part.iter().zip(&rows) {
        assert_eq!(explanation, whole[row as usize]);
    }
}

#[test]
fn empty_tables_have_an_empty_answer() {
    let catalog = Catalog::new(["cpu"], ["zone"]);
    let (no_tasks, no_offers) = (Tasks::new(&[], &catalog).unwrap(), Offers::new(&[], &catalog).unwrap());
    let one_task = Tasks::new(&[Task::new("t", [("cpu", 1)])], &catalog).unwrap();
    let one_offer = Offers::new(&[Offer::new("o", [("cpu", 0)])], &catalog).unwrap();
    for (tasks, offers) in
        [(&no_tasks, &no_offers), (&one_task, &no_offers), (&no_tasks, &one_offer), (&one_task, &one_offer)]
    {
        let answer = COMPONENT.match_tasks(tasks, offers, &Settings::default()).unwrap();
        assert!(answer.assignments.tasks.is_empty());
    }
    let nothing_asked = Tasks::new(&[Task::new("t", [("cpu", 0)])], &catalog).unwrap();
    let answer = COMPONENT.match_tasks(&nothing_asked, &one_offer, &Settings::default()).unwrap();
    assert_eq!(answer.assignments.scores, [0.0], "zero asked of zero capacity fits");
}

#[test]
fn tables_without_dimensions_match() {
    let catalog = Catalog::new([""; 0], [""; 0]);
    let tasks = Tasks::new(&[Task::new("t", [("", 0); 0])], &catalog).unwrap();
    let offers = Offers::new(&[Offer::new("o", [("", 0); 0])], &catalog).unwrap();
    let answer = COMPONENT.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    assert_eq!(answer.assignments.offers, [0]);
}

#[test]
fn a_pool_moves_to_another_thread() {
    let catalog = Catalog::new(["cpu"], [""; 0]);
    let offers = Offers::new(&[Offer::new("o", [("cpu", 10)])], &catalog).unwrap();
    let tasks = Tasks::new(&[Task::new("t", [("cpu", 1)])], &catalog).unwrap();
    let mut pool = COMPONENT.open(&offers, &Settings::default()).unwrap();
    let placed = std::thread::spawn(move || pool.assign(&tasks).unwrap().assignments.tasks.len()).join().unwrap();
    assert_eq!(placed, 1);
}
