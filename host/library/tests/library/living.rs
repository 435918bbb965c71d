//! Pools that live: rows are used again, offers come back under their names, and the pool tells what is left.

use offermatch::{Catalog, Error, Matcher, Mode, Offer, Offers, Pool, Settings, Task, Tasks, Update};

fn catalog() -> Catalog {
    Catalog::new(["cpu"], ["zone"])
}

fn offer(name: &str, cpu: u64) -> Offer {
    Offer::new(name, [("cpu", cpu)])
}

fn open(catalog: &Catalog, offers: &[Offer], mode: Mode) -> Pool {
    let settings = Settings { mode, scales: vec![("cpu".into(), 1000)], ..Settings::default() };
    Matcher::bundled("best-fit").unwrap().open(&Offers::new(offers, catalog).unwrap(), &settings).unwrap()
}

/// An update of these names and offers.
fn update(catalog: &Catalog, removed: &[&str], changed: &[Offer], added: &[Offer]) -> Update {
    let table = |rows: &[Offer]| Some(Offers::new(rows, catalog).unwrap());
    let removed = removed.iter().map(|name| (*name).to_owned()).collect();
    Update { removed, changed: table(changed), added: table(added), ..Update::default() }
}

/// The offers that tasks of these sizes get, by name.
fn placed(pool: &mut Pool, sizes: &[u64]) -> Vec<String> {
    let tasks: Vec<Task> =
        sizes.iter().zip(0..).map(|(&cpu, at)| Task::new(format!("t{at}"), [("cpu", cpu)])).collect();
    let answer = pool.assign(&Tasks::new(&tasks, pool.catalog()).unwrap()).unwrap().assignments;
    answer.offers.iter().map(|&row| pool.offers()[row as usize].clone()).collect()
}

#[test]
fn rows_of_removed_offers_are_used_again() {
    let catalog = catalog();
    let mut pool = open(&catalog, &[offer("a", 1), offer("b", 2)], Mode::Shared);
    let mut here = ["a".to_owned(), "b".to_owned()];
    for cycle in 0..100 {
        for (at, letter) in ["a", "b"].into_iter().enumerate() {
            // An offer that leaves cannot give its row to one that comes in the same update; the next one gets it.
            let name = format!("{cycle}-{letter}");
            pool.update(&update(&catalog, &[&here[at]], &[], &[offer(&name, 1)])).unwrap();
            here[at] = name;
        }
        assert_eq!(pool.listed(), 2);
        assert!(pool.offers().len() <= 3, "{:?}", pool.offers());
    }
    let told = pool.update(&update(&catalog, &["3-a"], &[], &[])).unwrap_err();
    assert_eq!(told.code(), "row-unknown", "the name of a row that is used again is forgotten");
}

#[test]
fn an_offer_that_comes_back_is_put_back_in_its_place_of_the_order() {
    let catalog = catalog();
    let mut pool = open(&catalog, &[offer("a", 4), offer("b", 4), offer("c", 4)], Mode::Shared);
    pool.update(&update(&catalog, &["a", "b"], &[], &[])).unwrap();
    assert!(!pool.is_listed("a") && pool.is_listed("c") && !pool.is_listed("nobody"));
    // Own row, a free row, then a new one: the order is that of the update, which decides ties.
    pool.update(&update(&catalog, &["c"], &[], &[offer("b", 4), offer("d", 4), offer("e", 4)])).unwrap();
    assert_eq!((pool.listed(), pool.offers()), (3, ["d", "b", "c", "e"].map(str::to_owned).as_slice()));
    assert_eq!(placed(&mut pool, &[4, 4, 4]), ["b", "d", "e"]);
    let error = pool.update(&update(&catalog, &[], &[], &[offer("e", 1)])).unwrap_err();
    assert!(matches!(error, Error::DuplicateName { .. }), "{error}");
    let error = pool.update(&update(&catalog, &[], &[offer("e", 1)], &[offer("e", 1)])).unwrap_err();
    assert!(matches!(error, Error::DuplicateName { .. }), "{error}");
    // Removed and added at once: a new row, as the old one is busy.
    pool.update(&update(&catalog, &["e"], &[], &[offer("e", 9)])).unwrap();
    assert_eq!(placed(&mut pool, &[9]), ["e"]);
    assert!(pool.is_listed("e"));
}

#[test]
fn upsert_changes_those_that_are_there_and_adds_the_others() {
    let catalog = catalog();
    let mut pool = open(&catalog, &[offer("a", 2), offer("b", 2)], Mode::Exclusive);
    assert_eq!(placed(&mut pool, &[2]), ["a"]);
    // The taken one comes back, behind the one that is there.
    pool.upsert(&Offers::new(&[offer("a", 2), offer("b", 2), offer("c", 2)], &catalog).unwrap()).unwrap();
    assert_eq!((pool.listed(), pool.offers().len()), (3, 3));
    assert_eq!(placed(&mut pool, &[2, 2, 2]), ["b", "c", "a"]);
}

#[test]
fn rows_used_again_answer_as_new_pools_do() {
    let catalog = catalog();
    let mut random = 1_u64;
    let mut below = |bound: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % bound
    };
    for story in 0..100 {
        // What stands in the list, in its order.
        let mut list: Vec<Offer> = Vec::new();
        let mut pool = open(&catalog, &[], Mode::Shared);
        for cycle in 0..12 {
            let removed: Vec<String> = list.iter().filter(|_| below(3) == 0).map(|offer| offer.name.clone()).collect();
            let added: Vec<Offer> = (0..below(4))
                .map(|at| Offer {
                    devices: vec![1000; below(4) as usize],
                    ..offer(&format!("o{}", if below(2) == 0 { at } else { 10 * cycle + 100 + at }), below(8))
                })
                .filter(|new| !list.iter().any(|offer| offer.name == new.name))
                .collect();
            let names: Vec<&str> = removed.iter().map(String::as_str).collect();
            pool.update(&update(&catalog, &names, &[], &added)).unwrap();
            // By swap-remove, as the contract has it.
            for name in &removed {
                let at = list.iter().position(|offer| offer.name == *name).unwrap();
                list.swap_remove(at);
            }
            list.extend(added);
            let sizes: Vec<u64> = (0..below(4)).map(|_| below(6)).collect();
            let mut fresh = open(&catalog, &list, Mode::Shared);
            assert_eq!(placed(&mut pool, &sizes), placed(&mut fresh, &sizes), "story {story}, cycle {cycle}");
            for left in fresh.left() {
                let at = list.iter().position(|offer| offer.name == left.name).unwrap();
                list[at] = left;
            }
            let mut mine: Vec<Offer> = pool.left().collect();
            mine.sort_by(|one, other| one.name.cmp(&other.name));
            let mut theirs = list.clone();
            theirs.sort_by(|one, other| one.name.cmp(&other.name));
            assert_eq!(mine, theirs, "story {story}, cycle {cycle}");
        }
    }
}

#[test]
fn an_answer_tells_which_devices_tasks_get() {
    let catalog = catalog();
    let rows = [Offer { devices: vec![1000, 400, 1000], ..offer("a", 9) }];
    let tasks = [
        Task { device_share: 300, ..Task::new("share", [("cpu", 1)]) },
        Task::new("none", [("cpu", 1)]),
        Task { devices: 2, ..Task::new("whole", [("cpu", 1)]) },
    ];
    let mut pool = open(&catalog, &rows, Mode::Shared);
    let answer = pool.assign(&Tasks::new(&tasks, &catalog).unwrap()).unwrap();
    assert_eq!(answer.devices, [(0, vec![(1, 300)]), (2, vec![(0, 1000), (2, 1000)])]);
    assert_eq!(pool.left().next().unwrap().devices, [0, 100, 0]);
    let mut pool = open(&catalog, &rows, Mode::Exclusive);
    let answer = pool.assign(&Tasks::new(&tasks[2..], &catalog).unwrap()).unwrap();
    assert_eq!(answer.devices, [(0, vec![(0, 1000), (2, 1000)])]);
}
