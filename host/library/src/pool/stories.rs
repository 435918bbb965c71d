//! The component and the reference answer alike, through verified sessions, on random stories with every
//! rule mixed.

use std::path::Path;

use offermatch_core::{Changes, GroupTable, Mode, OfferTable, RunningTable, Settings, Shape, TaskTable};

use crate::limits::Limits;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::sample::SplitMix64;

const SHAPE: Shape = Shape { dimensions: 2, attributes: 2, measures: 1 };
/// How many stories are told.
const STORIES: u64 = 3000;

/// Offers with few values, so that ties and full values are everywhere.
fn offers(random: &mut SplitMix64, rows: u32) -> OfferTable {
    let mut table = OfferTable { rows, ..OfferTable::default() };
    for _ in 0..rows {
        for _ in 0..2 {
            let free = random.below(6);
            table.available.push(free);
            table.capacity.push(free + random.below(6));
        }
        table.attributes.extend([random.below(4) as u32, random.below(3) as u32]);
        table.measures.push([f64::NAN, 0.0, 1.5, -2.0, f64::INFINITY][random.below(5) as usize]);
        let devices = random.below(3);
        table.devices.push((0..devices).map(|_| [1000, 500, 0][random.below(3) as usize]));
    }
    table
}

/// Tasks with requirements and preferences of every kind, in groups with every rule.
fn tasks(random: &mut SplitMix64, rows: u32, known: u32, grouped: bool) -> TaskTable {
    let mut table = TaskTable { rows, requirement_offsets: vec![0], value_offsets: vec![0], ..TaskTable::default() };
    let groups = if grouped { random.below(4) as u32 } else { 0 };
    for _ in 0..rows {
        table.demand.extend([random.below(4), random.below(4)]);
        table.devices.push([0, 0, 300, 1000][random.below(4) as usize]);
        for _ in 0..random.below(3) {
            let kind = random.below(4) as u32;
            table.requirement_kinds.push(kind);
            table.requirement_subjects.push(if kind < 2 { random.below(2) as u32 } else { 0 });
            table.requirement_bounds.push([-2.0, 0.0, 1.5][random.below(3) as usize]);
            table.requirement_weights.push([f64::INFINITY, 0.0, 0.25, 3.0][random.below(4) as usize]);
            for _ in 0..if kind < 2 { random.below(3) } else { 0 } {
                table.values.push(1 + random.below(3) as u32);
            }
            table.value_offsets.push(table.values.len() as u32);
        }
        table.requirement_offsets.push(table.requirement_kinds.len() as u32);
        table.group_of.push(random.below(u64::from(groups) + 1) as u32);
    }
    let mut of = GroupTable { rows: groups, limit_offsets: vec![0], ..GroupTable::default() };
    for group in 0..groups {
        let mut size = table.group_of.iter().filter(|&&member| member == group + 1).count() as u64;
        for _ in 0..if known > 0 { random.below(3) } else { 0 } {
            let count = random.below(2);
            of.occupant_groups.push(group);
            of.occupant_offers.push(random.below(known.into()) as u32);
            of.occupant_counts.push(count as u32);
            size += count;
        }
        of.least.push(random.below(size + 1) as u32);
        of.together.push(random.below(3) as u32);
        for _ in 0..random.below(3) {
            of.limit_attributes.push(random.below(3) as u32);
            of.limit_counts.push(1 + random.below(3) as u32);
        }
        of.limit_offsets.push(of.limit_attributes.len() as u32);
    }
    table.groups = of;
    table
}

/// Running tasks that fit beside what the offers of an untouched pool have free.
fn running(random: &mut SplitMix64, offers: &OfferTable) -> RunningTable {
    let mut table = RunningTable::default();
    let mut room: Vec<u64> = offers.capacity.iter().zip(&offers.available).map(|(has, free)| has - free).collect();
    for offer in 0..offers.rows {
        for _ in 0..random.below(3) {
            table.rows += 1;
            table.offers.push(offer);
            table.priorities.push(random.below(4) as i32 - 1);
            table.starts.push(random.below(3));
            for dimension in 0..2 {
                let left = &mut room[offer as usize * 2 + dimension];
                let used = random.below(*left + 1);
                *left -= used;
                table.demand.push(used);
            }
        }
    }
    table
}

/// One story; what it was about comes with the panic of a difference.
fn story(component: &Matcher, reference: &Matcher, seed: u64) {
    let mut random = SplitMix64::new(seed);
    let mode = if random.below(2) == 0 { Mode::Exclusive } else { Mode::Shared };
    let max_score = [None, Some(31.0), Some(1.0)][random.below(3) as usize];
    let settings = Settings { mode, max_score, ..Settings::default() };
    let rows = random.below(10) as u32;
    let table = offers(&mut random, rows);
    let mut sides = [component, reference].map(|matcher| {
        (matcher.session(SHAPE, &table, &settings.clone().into()).unwrap(), Ledger::new(SHAPE, &table, &settings))
    });
    if mode == Mode::Shared {
        let running = running(&mut random, &table);
        let wanted = 1 + random.below(5) as u32;
        let asked = tasks(&mut random, wanted, 0, false);
        let priorities: Vec<i32> = (0..asked.rows).map(|_| random.below(4) as i32).collect();
        let [one, two] = &mut sides;
        let plan = one.0.preempt(&asked, &priorities, &running, &one.1).unwrap();
        assert_eq!(plan, two.0.preempt(&asked, &priorities, &running, &two.1).unwrap(), "story {seed}");
    }
    let mut known = rows;
    for _ in 0..3 {
        let wanted = random.below(9) as u32;
        let asked = tasks(&mut random, wanted, known, true);
        let [one, two] = &mut sides;
        let counts = one.0.explain(&asked, &one.1).unwrap();
        let expected = two.0.explain(&asked, &two.1).unwrap();
        assert!(counts.agree(&expected), "story {seed}: {counts:?} {expected:?}");
        let placed = one.0.assign(&asked, &mut one.1).unwrap().assignments;
        assert_eq!(placed, two.0.assign(&asked, &mut two.1).unwrap().assignments, "story {seed}");
        let changed_rows: Vec<u32> = (0..known).filter(|_| random.below(4) == 0).collect();
        let changed = offers(&mut random, changed_rows.len() as u32);
        let more = random.below(3) as u32;
        let changes = Changes { changed_rows, changed, added: offers(&mut random, more), ..Changes::default() };
        known += more;
        for (session, ledger) in &mut sides {
            session.update(&changes, ledger).unwrap();
        }
    }
}

#[test]
fn the_component_and_the_reference_answer_alike_with_every_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/matcher.wasm");
    let component = Matcher::load_with(&path, &Limits::default()).expect("guest/build.sh matcher has made it");
    let reference = Matcher::reference();
    (0..STORIES).for_each(|seed| story(&component, &reference, seed));
}

#[test]
fn a_group_that_does_not_hold_is_refused() {
    let table = OfferTable {
        rows: 3,
        available: vec![9; 6],
        attributes: vec![1, 0, 1, 0, 2, 0],
        measures: vec![1.0, 2.0, f64::NAN],
        ..OfferTable::default()
    };
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let asked = TaskTable {
        rows: 2,
        demand: vec![1; 4],
        requirement_offsets: vec![0, 0, 1],
        requirement_kinds: vec![2],
        requirement_subjects: vec![0],
        requirement_bounds: vec![2.0],
        value_offsets: vec![0, 0],
        group_of: vec![1, 1],
        groups: GroupTable {
            rows: 1,
            least: vec![2],
            together: vec![1],
            limit_offsets: vec![0, 1],
            limit_attributes: vec![0],
            limit_counts: vec![1],
            ..GroupTable::default()
        },
        ..TaskTable::default()
    };
    let occupied = TaskTable {
        groups: GroupTable {
            least: vec![0],
            occupant_groups: vec![0],
            occupant_offers: vec![2],
            occupant_counts: vec![1],
            ..asked.groups.clone()
        },
        ..asked.clone()
    };
    let lies: [(&TaskTable, &[u32], &[u32], &str); 6] = [
        (&asked, &[0], &[0], "group row 0: 1 members have an offer, and 2 is the least"),
        (&asked, &[0, 1], &[0, 2], "group row 0: its members are not together on one value of attribute 0"),
        (&asked, &[0, 1], &[1, 1], "group row 0: 2 members where limit 0 is 1, with that of offer row 1"),
        (&asked, &[0, 1], &[1, 0], "task row 1 on offer row 0: requirement 0 does not hold"),
        (&occupied, &[0], &[0], "group row 0: its members are away from those that run, by attribute 0"),
        (&occupied, &[0], &[2], "group row 0: 2 members where limit 0 is 1, with that of offer row 2"),
    ];
    for (asked, tasks, offers, reason) in lies {
        let mut ledger = Ledger::new(SHAPE, &table, &settings);
        let scores = vec![0.5; tasks.len()];
        let answer = offermatch_core::Assignments { tasks: tasks.to_vec(), offers: offers.to_vec(), scores };
        assert_eq!(ledger.settle(asked, &answer), Err(reason.to_owned()));
    }
    let answer = offermatch_core::Assignments { tasks: vec![0, 1], offers: vec![0, 1], scores: vec![0.5, 0.5] };
    Ledger::new(SHAPE, &table, &settings).settle(&asked, &answer).unwrap();
}
