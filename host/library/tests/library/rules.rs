//! Measures, preferences, groups, workloads and parameters by their names, in rows and in files.

use crate::built;
use offermatch::{
    Bound, Catalog, Error, Format, Group, Matcher, Mode, OFFER, Offer, Offers, Pool, Preference, Reader, Requirement,
    Settings, Task, TaskTable, Tasks, Units, Update, parse_offers, parse_tasks,
};

/// Both that serve all rules: the reference and a component of contract 0.3.0.
fn matchers() -> [Matcher; 2] {
    [Matcher::reference(), built::matcher("matcher.wasm")]
}

fn shared() -> Settings {
    Settings { mode: Mode::Shared, ..Settings::default() }
}

/// A pool of these offers, with a catalog for these tasks.
fn open(matcher: &Matcher, offers: &[Offer], tasks: &[Task]) -> Pool {
    let catalog = Catalog::of(offers, tasks);
    matcher.open(&Offers::new(offers, &catalog).unwrap(), &shared()).unwrap()
}

/// Which offer each task gets.
fn placed(pool: &mut Pool, tasks: &[Task]) -> Result<Vec<(String, String)>, Error> {
    let table = Tasks::new(tasks, pool.catalog())?;
    let answer = pool.assign(&table)?.assignments;
    let names = answer.tasks.iter().zip(&answer.offers);
    Ok(names
        .map(|(&task, &offer)| (table.names()[task as usize].clone(), pool.offers()[offer as usize].clone()))
        .collect())
}

/// The same as pairs of text.
fn is_placed(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<(&str, &str)> = found.iter().map(|(task, offer)| (task.as_str(), offer.as_str())).collect();
    assert_eq!(found, expected);
}

fn offer(name: &str, zone: &str, memory: Option<f64>) -> Offer {
    Offer {
        attributes: vec![("zone".into(), zone.into())],
        measures: memory.map(|memory| ("gpu_memory".to_owned(), memory)).into_iter().collect(),
        ..Offer::new(name, [("cpu", 4000)])
    }
}

fn task(name: &str) -> Task {
    Task::new(name, [("cpu", 1000)])
}

fn gang(group: &Group, size: usize) -> Vec<Task> {
    (0..size).map(|at| Task { group: Some(group.clone()), ..task(&format!("{}-{at}", group.name)) }).collect()
}

#[test]
fn a_measure_is_compared_and_an_unset_one_serves_no_bound() {
    let offers = [offer("small", "a", Some(16e9)), offer("large", "a", Some(80e9)), offer("none", "a", None)];
    let ask = |name: &str, requirement| Task { requirements: vec![requirement], ..task(name) };
    let tasks = [
        ask("most", Requirement::at_most("gpu_memory", 40e9)),
        ask("least", Requirement::at_least("gpu_memory", 40e9)),
        ask("any", Requirement::at_most("gpu_memory", f64::INFINITY)),
        ask("unknown", Requirement::at_least("price", f64::NEG_INFINITY)),
    ];
    for matcher in matchers() {
        let mut pool = open(&matcher, &offers, &tasks);
        let found = placed(&mut pool, &tasks).unwrap();
        is_placed(&found, &[("most", "small"), ("least", "large"), ("any", "small")]);
        let why = pool.explain(&Tasks::new(&tasks[2..], pool.catalog()).unwrap()).unwrap();
        let why = why.iter().nth(1).unwrap();
        assert_eq!((why.by_requirement[0].fails, why.candidates, why.capable), (3, 0, Some(0)));
        let remedies = why.remedies(&tasks[3], &Units::default());
        assert_eq!(
            remedies,
            ["3 offers lack only price at least -inf", "no offer in the list could hold it, even if it were empty"]
        );

        let lost = Offer { measures: vec![], ..offers[1].clone() };
        let changed = Some(Offers::new(&[lost], pool.catalog()).unwrap());
        pool.update(&Update { changed, ..Update::default() }).unwrap();
        is_placed(&placed(&mut pool, &tasks[1..2]).unwrap(), &[]);
        let priced = [Offer { measures: vec![("price".into(), 1.0)], ..offer("new", "a", None) }];
        let error = Offers::new(&priced, pool.catalog()).unwrap_err();
        assert_eq!(error.code(), "measure-malformed");
        assert!(
            error.to_string().starts_with("offers, row 0 (new), measures.price: 1: the pool was not opened"),
            "{error}"
        );
    }
}

/// By the contract, the column of where sets begin may be left out where no set has a value.
#[test]
fn columns_of_sets_may_be_left_out() {
    let [zoned, plain] = [offer("zoned", "a", None), Offer::new("plain", [("cpu", 4000)])];
    let catalog = Catalog::of(&[zoned.clone(), plain.clone()], &[]);
    let offers = Offers::new(&[zoned, plain], &catalog).unwrap();
    let table = |value_offsets| {
        let names = ["in no zone", "not in no zone"].map(str::to_owned).to_vec();
        let table = TaskTable {
            rows: 2,
            demand: vec![1000; 2 * catalog.dimensions().len()],
            requirement_offsets: vec![0, 1, 2],
            requirement_kinds: vec![0, 1],
            requirement_subjects: vec![0, 0],
            value_offsets,
            ..TaskTable::default()
        };
        Tasks::from_columns(names, table, &catalog).unwrap()
    };
    let (left_out, given) = (table(Vec::new()), table(vec![0, 0, 0]));
    for matcher in matchers() {
        let ask = |tasks: &Tasks| {
            let mut pool = matcher.open(&offers, &shared()).unwrap();
            let candidates = pool.explain(tasks).unwrap().counts().candidates().to_vec();
            (candidates, pool.assign(tasks).unwrap().assignments)
        };
        let (candidates, answer) = ask(&left_out);
        assert_eq!((candidates.as_slice(), answer.tasks.as_slice()), ([0, 2].as_slice(), [1].as_slice()));
        assert_eq!((candidates, answer), ask(&given));
        assert_eq!(ask(&left_out.select(&[1, 0])), ask(&given.select(&[1, 0])));
    }
    for tasks in [&left_out, &given] {
        assert_eq!(Bound::of(tasks, &offers, Mode::Shared).tasks, 1);
    }
}

#[test]
fn a_preference_costs_its_weight_and_keeps_nobody_away() {
    let offers = [offer("north", "a", None), offer("south", "b", None)];
    let prefers = |zone: &str| {
        let preference = Preference::new(Requirement::is_in("zone", [zone]), 0.5);
        Task { preferences: vec![preference], ..task(zone) }
    };
    let tasks = [prefers("b"), prefers("c")];
    for matcher in matchers() {
        let mut pool = open(&matcher, &offers, &tasks);
        let table = Tasks::new(&tasks, pool.catalog()).unwrap();
        let answer = pool.assign(&table).unwrap().assignments;
        assert_eq!((answer.offers, answer.scores), (vec![1, 1], vec![0.75, 0.5 + 0.5]));
    }
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let preference = Preference::new(Requirement::is_in("zone", ["a"]), weight);
        let broken = [Task { preferences: vec![preference], ..task("t") }];
        let error = Tasks::new(&broken, &Catalog::of(&offers, &broken)).unwrap_err();
        assert_eq!(error.code(), "preference-malformed");
        assert!(error.to_string().starts_with("tasks, row 0 (t), preferences.0.weight: "), "{error}");
    }
    let broken = [Task { requirements: vec![Requirement::at_most("price", f64::NAN)], ..task("t") }];
    let error = Tasks::new(&broken, &Catalog::of(&offers, &broken)).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("measure-malformed", "tasks, row 0 (t), requirements.0.at_most: NaN: not a number")
    );
}

#[test]
fn a_group_is_placed_together_spread_or_not_at_all() {
    let offers = [offer("a1", "a", None), offer("b1", "b", None), offer("b2", "b", None)];
    for matcher in matchers() {
        let together = gang(&Group { least: 8, together: Some("zone".into()), ..Group::new("train") }, 8);
        let mut pool = open(&matcher, &offers, &together);
        let found = placed(&mut pool, &together).unwrap();
        assert_eq!(found.len(), 8);
        assert!(found.iter().all(|(_, offer)| offer.starts_with('b')), "{found:?}");

        let many = gang(&Group { least: 9, together: Some("zone".into()), ..Group::new("train") }, 9);
        let mut pool = open(&matcher, &offers, &many);
        let table = Tasks::new(&many, pool.catalog()).unwrap();
        let answer = pool.assign(&table).unwrap();
        assert!(answer.assignments.tasks.is_empty());
        let why = pool.explain_unplaced(&table, &answer.assignments).unwrap();
        let first = why.iter().next().unwrap();
        assert_eq!(first.members.unwrap().placed, 8);
        let remedies = first.remedies(&many[0], &Units::default());
        assert_eq!(remedies, ["8 of the 9 members that group train needs find an offer"]);

        let spread = gang(&Group { at_most: vec![("zone".into(), 2), (OFFER.into(), 1)], ..Group::new("web") }, 4);
        let mut pool = open(&matcher, &offers, &spread);
        let table = Tasks::new(&spread, pool.catalog()).unwrap();
        let answer = pool.assign(&table).unwrap();
        assert_eq!(answer.assignments.offers, [0, 1, 2]);
        let why = pool.explain_unplaced(&table, &answer.assignments).unwrap();
        let last = why.iter().next().unwrap();
        assert_eq!((last.task, last.by_limit[0].fails, last.by_limit[1].fails), ("web-3", 2, 3));
        assert_eq!(last.remedies(&spread[3], &Units::default()), ["1 offer lacks only room under at most 1 an offer"]);
    }
}

#[test]
fn those_who_run_already_count() {
    let spread = Group { at_most: vec![(OFFER.into(), 1)], ..Group::new("web") };
    let occupied = Offer { occupants: vec![("web".into(), 1), ("other".into(), 7)], ..offer("a", "a", None) };
    let offers = [occupied, offer("b", "a", None)];
    let one = gang(&spread, 1);
    for matcher in matchers() {
        let mut pool = open(&matcher, &offers, &one);
        is_placed(&placed(&mut pool, &one).unwrap(), &[("web-0", "b")]);
        // A pool does not remember whom it placed: an update of their offer tells.
        is_placed(&placed(&mut pool, &one).unwrap(), &[("web-0", "b")]);
        pool.set_occupants("web", &[("b", 1)]).unwrap();
        is_placed(&placed(&mut pool, &one).unwrap(), &[("web-0", "a")]);
        assert_eq!(pool.set_occupants("web", &[("c", 1)]).unwrap_err().code(), "row-unknown");
        let added = Offer { occupants: vec![("web".into(), 1)], ..offer("c", "a", None) };
        let changed = Offer { occupants: vec![("web".into(), 1)], ..offer("a", "a", None) };
        let table = |offer: Offer| Some(Offers::new(&[offer], pool.catalog()).unwrap());
        let update = Update { changed: table(changed), added: table(added), ..Update::default() };
        pool.update(&update).unwrap();
        is_placed(&placed(&mut pool, &one).unwrap(), &[]);
        let gang_of_two = gang(&Group { least: 3, ..Group::new("web") }, 1);
        is_placed(&placed(&mut pool, &gang_of_two).unwrap(), &[("web-0", "b")]);
        pool.update(&Update { removed: vec!["c".into()], ..Update::default() }).unwrap();
        is_placed(&placed(&mut pool, &gang_of_two).unwrap(), &[("web-0", "b")]);
        pool.update(&Update { removed: vec!["a".into()], ..Update::default() }).unwrap();
        let error = placed(&mut pool, &gang_of_two).unwrap_err();
        assert_eq!(error.code(), "group-malformed");
        let reason = "tasks, row 0 (web-0), group.least: at least 3 of web, which has 1 members here and 1 that run";
        assert_eq!(error.to_string(), reason);
    }
}

#[test]
fn groups_that_cannot_be_are_refused_by_place() {
    let offers = [offer("a", "a", None)];
    let catalog = Catalog::of(&offers, &[]);
    let refused = |groups: &[Group]| {
        let rows: Vec<Task> = groups
            .iter()
            .zip(0..)
            .map(|(group, at)| Task { group: Some(group.clone()), ..task(&format!("t{at}")) })
            .collect();
        let error = Tasks::new(&rows, &catalog).unwrap_err();
        assert_eq!(error.code(), "group-malformed");
        error.to_string()
    };
    let of = |least| Group { least, ..Group::new("g") };
    assert_eq!(refused(&[Group::new("g"), of(2), of(3)]), "tasks, row 2 (t2), group: g is another group in row 1");
    assert_eq!(refused(&[Group::default()]), "tasks, row 0 (t0), group: a group needs a name");
    let limited = |by: &str, most| Group { at_most: vec![(by.into(), most)], ..Group::new("g") };
    assert_eq!(
        refused(&[limited("zone", 0)]),
        "tasks, row 0 (t0), group.at_most.zone: 0 is not within 1 to 4294967295"
    );
    let unknown = "the pool was not opened with the attribute rack; its attributes are zone";
    assert_eq!(refused(&[limited("rack", 1)]), format!("tasks, row 0 (t0), group.at_most.rack: {unknown}"));
    let together = Group { together: Some("rack".into()), ..Group::new("g") };
    assert_eq!(refused(std::slice::from_ref(&together)), format!("tasks, row 0 (t0), group.together: {unknown}"));
    for matcher in matchers() {
        // With a catalog that knows what tasks ask, nothing is placed.
        let mut pool = open(&matcher, &offers, &gang(&together, 1));
        is_placed(&placed(&mut pool, &gang(&together, 1)).unwrap(), &[]);
        let why = pool.explain(&Tasks::new(&gang(&together, 1), pool.catalog()).unwrap()).unwrap();
        let why = why.iter().next().unwrap();
        assert_eq!(why.by_together.unwrap().fails, 1);
        assert_eq!(
            why.remedies(&gang(&together, 1)[0], &Units::default())[0],
            "1 offer lacks only rack of the group's members"
        );
    }
}

#[test]
fn a_matcher_that_does_not_serve_a_rule_says_so_by_name() {
    let matcher = built::matcher("matcher-0.2.0.wasm");
    let plain = [offer("a", "a", None)];
    let measured = [offer("a", "a", Some(1.0))];
    let catalog = Catalog::of(&measured, &[]);
    let error = matcher.open(&Offers::new(&measured, &catalog).unwrap(), &shared()).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().ends_with("does not serve the rule measures")),
        ("rule-unserved", true)
    );
    let workload = Settings { workload: Some(vec![(task("t"), 1.0)]), ..shared() };
    let offers = Offers::new(&plain, &Catalog::of(&plain, &[])).unwrap();
    assert!(matcher.open(&offers, &workload).unwrap_err().to_string().ends_with("the rule workload"));
    let mut pool = matcher.open(&offers, &shared()).unwrap();
    let preference = Preference::new(Requirement::is_in("zone", ["a"]), 1.0);
    let prefers = [Task { preferences: vec![preference], ..task("t") }];
    assert!(placed(&mut pool, &prefers).unwrap_err().to_string().ends_with("the rule preferences"));
    assert!(placed(&mut pool, &gang(&Group::new("g"), 1)).unwrap_err().to_string().ends_with("the rule groups"));
    is_placed(&placed(&mut pool, &[task("t")]).unwrap(), &[("t", "a")]);
    let unknown = Settings { parameters: vec![("alpha".into(), 1.0)], ..shared() };
    let error = matcher.open(&offers, &unknown).unwrap_err();
    assert_eq!((error.code(), error.hint()), ("parameter-unknown", "it takes none"));
}

#[test]
fn a_workload_is_checked_by_row() {
    let offers = [offer("a", "a", None)];
    let catalog = Catalog::of(&offers, &[]);
    let refused = |workload: Vec<(Task, f64)>| {
        let error = Settings { workload: Some(workload), ..shared() }.columns(&catalog).unwrap_err();
        assert_eq!(error.code(), "workload-malformed");
        error.to_string()
    };
    for share in [-1.0, f64::NAN, f64::INFINITY] {
        let told = refused(vec![(task("s"), 1.0), (task("t"), share)]);
        assert_eq!(told, format!("workload, row 1 (t), share: the share {share} is not a finite number of 0 or more"));
    }
    assert_eq!(refused(vec![(task("t"), 0.0)]), "workload: the shares add up to 0");
    let grouped = gang(&Group::new("g"), 1).remove(0);
    assert_eq!(refused(vec![(grouped, 1.0)]), "workload, row 0 (g-0), group: a typical task belongs to no group");
    for matcher in matchers() {
        let settings = Settings { workload: Some(vec![(task("t"), 1.0)]), ..shared() };
        let mut pool = matcher.open(&Offers::new(&offers, &catalog).unwrap(), &settings).unwrap();
        let workload = Some(vec![(task("u"), 2.0)]);
        pool.update(&Update { workload, ..Update::default() }).unwrap();
        let workload = Some(vec![(task("u"), 0.0)]);
        assert_eq!(pool.update(&Update { workload, ..Update::default() }).unwrap_err().code(), "workload-malformed");
        is_placed(&placed(&mut pool, &[task("t")]).unwrap(), &[("t", "a")]);
    }
}

const TASKS_JSON: &str = r#"[
  {"name": "t", "demand": {"cpu": 1}, "requirements": [{"attribute": "zone", "not_in": ["c"]}, {"measure": "gpu_memory", "at_least": 40e9}, {"measure": "price", "at_most": 2.5}],
   "preferences": [{"attribute": "zone", "in": ["a", "b"], "weight": 0.5}, {"measure": "price", "at_most": "inf", "weight": 2}],
   "group": {"name": "train", "least": 1, "together": "zone", "at_most": {"zone": 2, "offer": 1}}},
  {"name": "u", "group": "train"}]"#;
const TASKS_CSV: &str = "name,demand.cpu,requires.zone,at_least.gpu_memory,at_most.price,prefers.zone,prefers_at_most.price,\
    prefers_weight.zone,prefers_weight.price,group,group.least,group.together,group.at_most.zone,group.at_most.offer\n\
    t,1,!c, 40e9 ,2.5,a|b,inf,0.5,2,train,1,zone,2,1\nu,,,,,,,9,,train,,,,\n";

#[test]
fn files_say_what_rows_say() {
    let expected = [
        Task {
            requirements: vec![
                Requirement::not_in("zone", ["c"]),
                Requirement::at_least("gpu_memory", 40e9),
                Requirement::at_most("price", 2.5),
            ],
            preferences: vec![
                Preference::new(Requirement::is_in("zone", ["a", "b"]), 0.5),
                Preference::new(Requirement::at_most("price", f64::INFINITY), 2.0),
            ],
            group: Some(Group {
                name: "train".into(),
                least: 1,
                together: Some("zone".into()),
                at_most: vec![("zone".into(), 2), (OFFER.into(), 1)],
            }),
            ..task("t")
        },
        Task { group: Some(Group::new("train")), ..Task::new("u", [("", 0); 0]) },
    ];
    assert_eq!(parse_tasks(TASKS_JSON, Format::Json, "tasks").unwrap(), expected);
    assert_eq!(parse_tasks(TASKS_CSV, Format::Csv, "tasks").unwrap(), expected);
    let measured = [Offer {
        measures: vec![("gpu_memory".into(), 80e9), ("price".into(), f64::NEG_INFINITY)],
        occupants: vec![("train".into(), 3)],
        ..Offer::new("a", [("cpu", 4000)])
    }];
    let json = r#"[{"name": "a", "available": {"cpu": 4}, "measures": {"gpu_memory": 80e9, "price": "-inf", "age": null}, "occupants": {"train": 3}}]"#;
    assert_eq!(parse_offers(json, Format::Json, "offers").unwrap(), measured);
    let csv = "name,available.cpu,measure.gpu_memory,measure.price,measure.age,occupants.train\na,4,80e9,-inf,,3\n";
    assert_eq!(parse_offers(csv, Format::Csv, "offers").unwrap(), measured);
}

#[test]
fn mistakes_in_files_are_told_by_place() {
    let reader = |format| Reader { format, ..Reader::default() };
    let told = |error: Error| format!("{}: {error}", error.code());
    for (fields, expected) in [
        (
            r#""requirements": [{"measure": "m", "at_least": true}]"#,
            "measure-malformed: tasks, row 0 (t), requirements.0.at_least: true: not a number",
        ),
        (
            r#""requirements": [{"measure": "m", "at_least": "nan"}]"#,
            "measure-malformed: tasks, row 0 (t), requirements.0.at_least: nan: not a number",
        ),
        (r#""requirements": [{"measure": "m"}]"#, "missing-column: tasks, row 0 (t), requirements.0.at_least: missing"),
        (r#""requirements": [{"in": []}]"#, "missing-column: tasks, row 0 (t), requirements.0.attribute: missing"),
        (
            r#""preferences": [{"attribute": "zone", "in": ["a"]}]"#,
            "missing-column: tasks, row 0 (t), preferences.0.weight: missing",
        ),
        (
            r#""preferences": [{"attribute": "zone", "in": ["a"], "weight": -1}]"#,
            "preference-malformed: tasks, row 0 (t), preferences.0.weight: -1 is not a finite number of 0 or more",
        ),
        (r#""group": """#, "group-malformed: tasks, row 0 (t), group: a group needs a name"),
        (
            r#""group": {"name": "g", "least": 3.0}"#,
            "group-malformed: tasks, row 0 (t), group.least: 3.0 is not a whole number within 0 to 4294967295",
        ),
        (
            r#""group": {"name": "g", "at_most": {"zone": 0}}"#,
            "group-malformed: tasks, row 0 (t), group.at_most.zone: 0 is not a whole number within 1 to 4294967295",
        ),
    ] {
        let text = format!(r#"[{{"name": "t", {fields}}}]"#);
        assert_eq!(told(reader(Format::Json).parse_tasks(&text, "tasks").unwrap_err()), expected);
    }
    for fields in [
        r#""requirements": [{"measure": "m", "at_least": 1, "at_most": 2}]"#,
        r#""requirements": [{"measure": "m", "in": ["a"]}]"#,
        r#""requirements": [{"attribute": "a", "in": ["a"], "weight": 1}]"#,
        r#""requirements": [{"attribute": "a", "measure": "m", "in": ["a"]}]"#,
        r#""group": {"name": "g", "most": 1}"#,
    ] {
        let text = format!(r#"[{{"name": "t", {fields}}}]"#);
        assert_eq!(reader(Format::Json).parse_tasks(&text, "tasks").unwrap_err().code(), "unknown-column", "{fields}");
    }
    for (csv, expected) in [
        ("name,at_least.m\nt,x\n", "measure-malformed: tasks, row 0 (t), at_least.m: x: not a number"),
        ("name,prefers.zone\nt,a\n", "missing-column: tasks, row 0 (t), prefers_weight.zone: missing"),
        ("name,group.least\nt,2\n", "group-malformed: tasks, row 0 (t), group: a group needs a name"),
        (
            "name,group,group.least\nt,g,+2\n",
            "group-malformed: tasks, row 0 (t), group.least: +2 is not a whole number within 0 to 4294967295",
        ),
    ] {
        assert_eq!(told(reader(Format::Csv).parse_tasks(csv, "tasks").unwrap_err()), expected);
    }
    for csv in ["name,prefers_weight.zone\nt,1\n", "name,group.most\nt,1\n", "name,prefers.\nt,1\n"] {
        assert_eq!(reader(Format::Csv).parse_tasks(csv, "tasks").unwrap_err().code(), "unknown-column", "{csv}");
    }
    for (row, expected) in [
        (r#""measures": {"m": "many"}"#, "measure-malformed: offers, row 0 (o), measures.m: many: not a number"),
        (
            r#""occupants": {"g": -1}"#,
            "group-malformed: offers, row 0 (o), occupants.g: -1 is not a whole number within 0 to 4294967295",
        ),
    ] {
        let text = format!(r#"[{{"name": "o", {row}}}]"#);
        assert_eq!(told(reader(Format::Json).parse_offers(&text, "offers").unwrap_err()), expected);
    }
    let workload = r#"[{"name": "t", "share": "x"}]"#;
    let error = reader(Format::Json).parse_workload(workload, "w").unwrap_err();
    assert_eq!(told(error), "workload-malformed: w, row 0 (t), share: x is not a finite number of 0 or more");
    let error = reader(Format::Csv).parse_workload("name\nt\n", "w").unwrap_err();
    assert_eq!(told(error), "missing-column: w, row 0 (t), share: missing");
}
