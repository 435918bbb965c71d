//! Laws of policies without a bound, and of those that look ahead: known scores change no answer, calls may be cut anywhere,
//! and the formulas are those of `docs/policies.md`.

mod stories;

use offermatch_core::{
    Allowed, BestFit, Demand, Devices, Leftover, Method, Mode, Model, OfferTable, Outlook, Policy, Pool, Ranking,
    Settings, Shape, State, TaskTable, TypicalTask,
};
use offermatch_policies::{Fragmentation, Strand};
use proptest::prelude::*;

use stories::{Step, Story, bound_tasks, clusters, crowded, parameters, story};

/// A policy of which nothing is known: the roomiest offer.
#[derive(Debug, Clone, Default)]
struct Roomiest;

impl Policy for Roomiest {
    const NAME: &'static str = "roomiest";

    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        1.0 / (1.0 + BestFit.score(ranking, demand, offer))
    }
}

fn open<P: Policy + Default>(story: &Story, method: Method, used_first: bool) -> Pool<P> {
    let parameters = parameters::<P>(used_first);
    let settings = Settings { max_score: None, parameters, ..story.settings.clone() };
    Pool::open(P::default(), story.shape, &story.offers, &settings).expect("a valid pool").with_method(method)
}

/// Runs a story with known scores and with the plain loop.
fn compare<P: Policy + Default>(story: &Story, used_first: bool) -> Result<(), TestCaseError> {
    let [mut known, mut plain] =
        [Method::Automatic, Method::Reference].map(|method| open::<P>(story, method, used_first));
    for (at, step) in story.steps.iter().enumerate() {
        match step {
            Step::Assign(tasks) => {
                let expected = plain.assign(tasks).expect("valid tasks");
                prop_assert_eq!(known.assign(tasks).expect("valid tasks"), expected, "step {}", at);
                if tasks.rows.is_multiple_of(5) {
                    let expected = plain.explain(tasks).expect("valid tasks");
                    prop_assert_eq!(known.explain(tasks).expect("valid tasks"), expected, "step {}, explain", at);
                }
            }
            Step::Update(changes) => {
                prop_assert_eq!(known.update(changes), plain.update(changes), "step {}", at);
            }
        }
    }
    Ok(())
}

/// The rows of a table from one on, and so many.
fn rows(table: &TaskTable, from: usize, count: usize, width: usize) -> TaskTable {
    let mut part = TaskTable {
        rows: count as u32,
        demand: table.demand[from * width..(from + count) * width].to_vec(),
        value_offsets: vec![0],
        requirement_offsets: vec![0],
        ..TaskTable::default()
    };
    if !table.devices.is_empty() {
        part.devices = table.devices[from..from + count].to_vec();
    }
    for row in from..from + count {
        let requirements = match table.requirement_offsets.get(row..row + 2) {
            Some(ends) => ends[0] as usize..ends[1] as usize,
            None => 0..0,
        };
        for at in requirements {
            part.requirement_kinds.push(table.requirement_kinds[at]);
            part.requirement_subjects.push(table.requirement_subjects[at]);
            part.requirement_bounds.extend(table.requirement_bounds.get(at));
            part.requirement_weights.extend(table.requirement_weights.get(at));
            let set = table.value_offsets[at] as usize..table.value_offsets[at + 1] as usize;
            part.values.extend_from_slice(&table.values[set]);
            part.value_offsets.push(part.values.len() as u32);
        }
        part.requirement_offsets.push(part.requirement_kinds.len() as u32);
    }
    part
}

/// Runs a story with whole tables and with tables that are cut up, each part explained before it is placed.
fn cut<P: Policy + Default>(story: &Story, piece: usize, used_first: bool) -> Result<(), TestCaseError> {
    let [mut whole, mut pieces] = [(); 2].map(|()| open::<P>(story, Method::Automatic, used_first));
    let width = story.shape.dimensions as usize;
    for step in &story.steps {
        match step {
            Step::Assign(tasks) if tasks.group_of.is_empty() => {
                let expected = whole.assign(tasks).expect("valid tasks");
                let (mut offers, mut scores) = (Vec::new(), Vec::new());
                for from in (0..tasks.rows as usize).step_by(piece) {
                    let part = rows(tasks, from, piece.min(tasks.rows as usize - from), width);
                    pieces.explain(&part).expect("valid tasks");
                    let answer = pieces.assign(&part).expect("valid tasks");
                    offers.extend(answer.offers);
                    scores.extend(answer.scores);
                }
                prop_assert_eq!((offers, scores), (expected.offers, expected.scores));
            }
            Step::Assign(_) => return Ok(()),
            Step::Update(changes) => {
                prop_assert_eq!(whole.update(changes), pieces.update(changes));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn known_scores_change_no_answer(story in story(), used_first: bool) {
        compare::<Roomiest>(&story, used_first)?;
        compare::<Strand>(&story, used_first)?;
        compare::<Fragmentation>(&story, used_first)?;
    }

    #[test]
    fn known_scores_change_no_answer_where_offers_are_alike(
        story in prop_oneof![clusters(), crowded(), bound_tasks()],
        used_first: bool,
    ) {
        compare::<Roomiest>(&story, used_first)?;
        compare::<Strand>(&story, used_first)?;
        compare::<Fragmentation>(&story, used_first)?;
    }

    #[test]
    fn calls_may_be_cut_anywhere(story in story(), piece in 1..9_usize, used_first: bool) {
        cut::<Strand>(&story, piece, used_first)?;
        cut::<Fragmentation>(&story, piece, used_first)?;
    }

    #[test]
    fn potentials_are_those_of_the_formulas(outlook in outlook(), state in state()) {
        let mut strand = Strand::default();
        strand.look_ahead(&outlook);
        strand.set(&[0.5, 0.5]);
        let mut fragmentation = Fragmentation::default();
        fragmentation.look_ahead(&outlook);
        let (available, devices, model) = state;
        let offer = State { available: &available, capacity: &available, devices: &devices, model };
        let (fragments, stranded) = by_the_formulas(&outlook, offer);
        prop_assert!((fragmentation.potential(offer) - fragments).abs() < 1e-6);
        prop_assert!((strand.potential(offer) - (0.5 * fragments + stranded)).abs() < 1e-6);
    }
}

/// A task is explained by the kinds that are known, and is one of them once it was to be placed.
#[test]
fn an_explanation_speaks_of_the_tasks_before() {
    let shape = Shape { dimensions: 0, attributes: 0, measures: 0 };
    let offers =
        OfferTable { rows: 1, devices: Devices { offsets: vec![0, 1], free: vec![1000] }, ..OfferTable::default() };
    // What is left of the device serves no task of this kind: the score is 58, and 50 while no kind is known.
    let tasks = TaskTable { rows: 1, devices: vec![700], ..TaskTable::default() };
    let settings = Settings { mode: Mode::Shared, max_score: Some(55.0), ..Settings::default() };
    for method in [Method::Automatic, Method::Reference] {
        let pool = Pool::open(Fragmentation::default(), shape, &offers, &settings).expect("a valid pool");
        let mut pool = pool.with_method(method);
        let explained = |pool: &mut Pool<Fragmentation>| {
            let counts = pool.explain(&tasks).expect("a valid task");
            (counts.candidates[0], counts.score_fails[0])
        };
        assert_eq!(explained(&mut pool), (1, 0));
        assert_eq!(explained(&mut pool), (1, 0), "explaining teaches nothing");
        assert_eq!(pool.assign(&tasks).expect("a valid task").tasks, []);
        assert_eq!(explained(&mut pool), (0, 1));
    }
}

/// Fragmentation, and what is stranded, as docs/policies.md has them: kind by kind, device by device.
fn by_the_formulas(outlook: &Outlook, offer: State<'_>) -> (f64, f64) {
    let model = &outlook.models[offer.model as usize];
    let free: f64 = offer.devices.iter().copied().map(f64::from).sum();
    let asking = || outlook.tasks.iter().filter(|task| task.devices > 0);
    let weights: f64 = asking().map(|task| task.share / f64::from(task.devices)).sum();
    let (mut fragments, mut stranded) = (0.0, 0.0);
    for task in &outlook.tasks {
        let (each, count) = if task.devices < 1000 { (task.devices, 1) } else { (1000, task.devices / 1000) };
        let serving = offer.devices.iter().filter(|&&free| free >= each).count() as u32;
        let fits = task.demand.iter().zip(offer.available).all(|(asked, free)| asked <= free);
        let allowed = task.allows(outlook, model);
        let small: f64 = offer.devices.iter().filter(|&&free| free < each).copied().map(f64::from).sum();
        let usable = task.devices > 0 && allowed && fits && serving >= count;
        fragments += task.share * if usable { small } else { free };
        if task.devices > 0 {
            let whole = offer.devices.iter().filter(|&&free| free == 1000).count() as u32 / count;
            let parts: u32 = offer.devices.iter().map(|free| free / each).sum();
            let mut copies = u64::from(if each == 1000 { whole } else { parts });
            for (asked, free) in task.demand.iter().zip(offer.available).filter(|(asked, _)| **asked > 0) {
                copies = copies.min(free / asked);
            }
            let used = if allowed { copies as f64 * f64::from(task.devices) } else { 0.0 };
            stranded += task.share / f64::from(task.devices) / weights * (free - used);
        }
    }
    (fragments, stranded)
}

fn outlook() -> impl Strategy<Value = Outlook> {
    let devices = prop_oneof![Just(0_u32), 1..1000_u32, (1..5_u32).prop_map(|count| 1000 * count)];
    let allowed = prop_oneof![Just(None), (any::<bool>(), 1..3_u32).prop_map(Some)];
    let kinds = proptest::collection::vec((proptest::collection::vec(0..9_u64, 2), devices, allowed, 1..9_u32), 1..12);
    kinds.prop_map(|kinds| {
        let all: u32 = kinds.iter().map(|(.., share)| share).sum();
        let task = |(demand, devices, allowed, share): (Vec<u64>, u32, Option<(bool, u32)>, u32)| TypicalTask {
            demand,
            devices,
            allowed: allowed
                .map(|(excludes, value)| Allowed { attribute: 3, excludes, values: vec![value] })
                .into_iter()
                .collect(),
            share: f64::from(share) / f64::from(all),
        };
        let models = (0..4).map(|value| Model { values: vec![value], devices: 8 * u64::from(value) }).collect();
        Outlook { tasks: kinds.into_iter().map(task).collect(), attributes: vec![3], models }
    })
}

fn state() -> impl Strategy<Value = (Vec<u64>, Vec<u32>, u32)> {
    let free = prop_oneof![Just(1000_u32), Just(0), 0..=1000_u32];
    (proptest::collection::vec(0..40_u64, 2), proptest::collection::vec(free, 0..9), 0..4_u32).prop_map(
        |(available, mut devices, model)| {
            devices.sort_unstable();
            (available, devices, model)
        },
    )
}
