//! Bad input is a typed error that names the place, the value and the remedy.

use offermatch::{
    Catalog, Devices, Error, Format, Matcher, Offer, OfferTable, Offers, Requirement, Settings, Task, TaskTable, Tasks,
    Update, parse_offers, parse_tasks, read_tasks,
};

/// The code and the message of an error, checked to have a hint.
fn told(error: &Error) -> (&'static str, String) {
    assert!(!error.hint().is_empty());
    (error.code(), error.to_string())
}

/// What JSON tasks come to.
fn json_tasks(text: &str) -> Result<Vec<Task>, Error> {
    parse_tasks(text, Format::Json, "tasks.json")
}

/// What JSON offers come to.
fn json_offers(text: &str) -> Result<Vec<Offer>, Error> {
    parse_offers(text, Format::Json, "offers.json")
}

#[test]
fn quantities_in_json() {
    for (quantity, code, what) in [
        ("-5", "quantity-negative", "-5 is below 0"),
        ("0.0005", "quantity-fractional", "0.0005 is not a whole number of millicores"),
        ("\"0.0001 cores\"", "quantity-fractional", "0.0001 cores is not a whole number"),
        ("\"inf\"", "quantity-not-finite", "inf is not finite"),
        ("18446744073709551616", "quantity-too-large", "18446744073709551616 is too large"),
        ("1e400", "quantity-too-large", "1e400 is too large"),
        ("\"5 parsecs\"", "quantity-unknown-unit", "5 parsecs has the unknown unit parsecs"),
        ("true", "quantity-malformed", "true is not a quantity"),
        ("[1]", "quantity-malformed", "[1] is not a quantity"),
        ("null", "quantity-malformed", "null is not a quantity"),
        ("\"many\"", "quantity-malformed", "many is not a quantity"),
    ] {
        let text = format!(r#"[{{"name": "a"}}, {{"name": "render-4", "demand": {{"cpu": {quantity}}}}}]"#);
        let (found, message) = told(&json_tasks(&text).unwrap_err());
        assert_eq!(found, code, "{quantity}");
        let place = "tasks.json, row 1 (render-4), demand.cpu: ";
        assert!(message.starts_with(&format!("{place}{what}")), "{message}");
    }
}

#[test]
fn quantities_in_json_are_exact() {
    let text = r#"[{"name": "a", "demand": {"x": 18446744073709551615, "y": 9007199254740993, "z": 1e3, "w": "7"}}]"#;
    let demand = &json_tasks(text).unwrap()[0].demand;
    assert_eq!(demand.iter().map(|(_, quantity)| *quantity).collect::<Vec<_>>(), [u64::MAX, (1 << 53) + 1, 1000, 7]);
}

#[test]
fn json_that_is_not_as_it_should_be() {
    for (text, code, what) in [
        ("", "file-malformed", "tasks.json, line 1, column 1: expected a value, but the file ends"),
        (
            "[{\"name\": \"a\"},\n {\"name\": ]",
            "file-malformed",
            "tasks.json, line 2, column 11: expected a value, found ]",
        ),
        ("{}", "file-malformed", "tasks.json, line 1, column 1: not an array"),
        ("[\n 5]", "file-malformed", "tasks.json, row 0: 5 is not an object"),
        (r#"[{"name": 5}]"#, "file-malformed", "tasks.json, row 0, name: 5 is not text"),
        (r#"[{"name": "a", "demand": []}]"#, "file-malformed", "row 0 (a), demand: [] is not an object"),
        (r#"[{"name": "a", "demand": {"cpu": NaN}}]"#, "file-malformed", "column 34: expected a value, found NaN"),
        (r#"[{"name": "a", "demand": {"cpu": 1, "cpu": 2}}]"#, "file-malformed", "the key cpu stands twice"),
        (r#"[{"demand": {}}]"#, "missing-column", "tasks.json, row 0, name: missing"),
        (r#"[{"name": ""}]"#, "missing-column", "tasks.json, row 0, name: missing"),
        (r#"[{"name": "a", "demnad": {}}]"#, "unknown-column", "tasks.json, row 0 (a), demnad: unknown"),
        (r#"[{"name": "a", "requirements": [{"in": ["x"]}]}]"#, "missing-column", "requirements.0.attribute: missing"),
        (r#"[{"name": "a", "requirements": [{"attribute": "z"}]}]"#, "missing-column", "requirements.0.in: missing"),
        (r#"[{"name": "a", "requirements": [{"attribute": "z", "out": []}]}]"#, "unknown-column", "requirements.0.out"),
        (
            r#"[{"name": "a", "requirements": [{"attribute": "z", "in": [], "not_in": []}]}]"#,
            "unknown-column",
            "requirements.0.not_in",
        ),
        (
            r#"[{"name": "a", "requirements": [{"attribute": "z", "in": [5]}]}]"#,
            "file-malformed",
            "requirements.0.in: [5] is not a list",
        ),
        (
            r#"[{"name": "a", "device_share": 1000}]"#,
            "devices-malformed",
            "row 0 (a), device_share: a share of 1000 cannot be",
        ),
        (
            r#"[{"name": "a", "devices": 4294968}]"#,
            "devices-malformed",
            "row 0 (a), devices: 4294968 devices cannot be",
        ),
        (r#"[{"name": "a", "devices": -1}]"#, "quantity-negative", "row 0 (a), devices: -1 is below 0"),
    ] {
        let (found, message) = told(&json_tasks(text).unwrap_err());
        assert_eq!(found, code, "{text}: {message}");
        assert!(message.contains(what), "{text}: {message}");
    }
    let error = json_offers(r#"[{"name": "a", "devices": [1000, 1001]}]"#).unwrap_err();
    assert_eq!(told(&error).0, "devices-malformed");
}

#[test]
fn csv_that_is_not_as_it_should_be() {
    for (text, code, what) in [
        ("", "missing-column", "tasks.csv, line 1, name: missing"),
        ("demand.cpu\n5\n", "missing-column", "tasks.csv, line 1, name: missing"),
        ("name,demnad.cpu\na,5\n", "unknown-column", "tasks.csv, line 1, demnad.cpu: unknown; known are name, demand."),
        ("name,demand.\na,5\n", "unknown-column", "demand.: unknown"),
        ("name,name\na,b\n", "file-malformed", "tasks.csv, line 1: the column name stands twice"),
        ("name,demand.cpu\na,5\nb\n", "file-malformed", "tasks.csv, line 3: 1 cells stand under 2 columns"),
        ("name,demand.cpu\na,5\nb,-5\n", "quantity-negative", "tasks.csv, row 1 (b), demand.cpu: -5 is below 0"),
        ("name,demand.cpu\na,0.0005\n", "quantity-fractional", "row 0 (a), demand.cpu: 0.0005"),
        ("name,demand.cpu[cores],demand.cpu[millicores]\n", "file-malformed", "cpu is in cores and in millicores"),
        ("name,demand.cpu[furlongs]\n", "setting-malformed", "unit of cpu"),
        (
            "name,requires.gpu\na,nan\n",
            "file-malformed",
            "row 0 (a), requires.gpu: nan is how a missing number is written",
        ),
        ("\nname\na\n", "missing-column", "tasks.csv, line 1, name: missing"),
        ("name\n\"a\"b\n", "file-malformed", "tasks.csv, line 2: a quoted cell does not end"),
        ("name\na\n\"b\n", "file-malformed", "tasks.csv, line 3: a quoted cell does not end"),
        ("name,devices\na,x\n", "quantity-malformed", "row 0 (a), devices: x is not a quantity"),
        ("name,device_share\na,1000\n", "devices-malformed", "row 0 (a), device_share: a share of 1000"),
    ] {
        let (found, message) = told(&parse_tasks(text, Format::Csv, "tasks.csv").unwrap_err());
        assert_eq!(found, code, "{text}: {message}");
        assert!(message.contains(what), "{text}: {message}");
    }
}

#[test]
fn a_csv_cell_has_its_limit() {
    let text = |characters: usize| format!("name,demand.slots\n{},1\n", "ä".repeat(characters));
    assert_eq!(parse_tasks(&text(131_072), Format::Csv, "tasks.csv").unwrap().len(), 1);
    let (code, message) = told(&parse_tasks(&text(131_073), Format::Csv, "tasks.csv").unwrap_err());
    assert_eq!(code, "file-malformed");
    assert!(message.ends_with("a cell has more than 131072 characters"), "{message}");
}

#[test]
fn csv_cells_can_be_quoted() {
    let text = "name,demand.cpu\r\n\"a, \"\"b\"\"\",\"1e3\"\r\n\r\n\"two\nlines\",5\"\r\n";
    let error = parse_tasks(text, Format::Csv, "tasks.csv").unwrap_err();
    assert_eq!(told(&error).1, "tasks.csv, row 1 (two\\nlines), demand.cpu: 5\" is not a quantity");
    let tasks = parse_tasks(&text.replace("5\"", "5"), Format::Csv, "tasks.csv").unwrap();
    assert_eq!(tasks[0], Task::new("a, \"b\"", [("cpu", 1_000_000)]));
    assert_eq!(tasks[1].name, "two\nlines");
}

#[test]
fn openb_that_is_not_as_it_should_be() {
    let header = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n";
    for (row, code) in [
        ("a,-1,1,0,0,", "quantity-negative"),
        ("a,1,18446744073709551615,0,0,", "quantity-too-large"),
        ("a,1,1,2,500,", "devices-malformed"),
        ("a,1,1,0,500,", "devices-malformed"),
        ("a,1,1,1,1500,", "devices-malformed"),
        ("a,1,1,1,0,", "devices-malformed"),
    ] {
        assert_eq!(told(&parse_tasks(&format!("{header}{row}\n"), Format::Openb, "pods").unwrap_err()).0, code);
    }
    assert_eq!(told(&parse_offers("sn,cpu_milli\n", Format::Openb, "nodes").unwrap_err()).0, "missing-column");
}

#[test]
fn openb_is_read_as_it_is() {
    let pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\n\
        a,12000,16384,1,1000,,LS\nb,6000,12288,1,460,V100M16|V100M32,BE\nc,1,1,0,0,,BE\n";
    let tasks = parse_tasks(pods, Format::Openb, "pods").unwrap();
    assert_eq!(tasks[0], Task { devices: 1, ..Task::new("a", [("cpu", 12_000), ("memory", 16_384 << 20)]) });
    assert_eq!((tasks[1].device_share, tasks[1].devices), (460, 0));
    assert_eq!(tasks[1].requirements, [Requirement::is_in("model", ["V100M16", "V100M32"])]);
    assert_eq!((tasks[2].device_share, tasks[2].devices), (0, 0));
    let without_models = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,0,0\n";
    assert!(parse_tasks(without_models, Format::Openb, "pods").unwrap()[0].requirements.is_empty());
    let nodes = parse_offers("sn,cpu_milli,memory_mib,gpu,model\nn,1,1,2,P100\n", Format::Openb, "nodes").unwrap();
    assert_eq!(nodes[0].devices, [1000, 1000]);
    assert_eq!(nodes[0].attributes, [("model".to_owned(), "P100".to_owned())]);
}

#[test]
fn csv_and_json_say_the_same() {
    let json = r#"[{"name": "s", "available": {"cpu": "48 cores"}, "capacity": {"cpu": 50},
        "attributes": {"gpu": "V100", "zone": null}, "devices": [1000, 540]}, {"name": "t", "devices": 2}]"#;
    let csv = "name,available.cpu,capacity.cpu,attribute.gpu,attribute.zone,devices\n\
        s,48 cores,50,V100,,1000|540\nt,,,,,2\n";
    let (json, csv) = (json_offers(json).unwrap(), parse_offers(csv, Format::Csv, "offers").unwrap());
    let catalog = Catalog::of(&json, &[]);
    let tables = [&json, &csv].map(|rows| Offers::new(rows, &catalog).unwrap().table().clone());
    assert_eq!(tables[0], tables[1]);

    let json = r#"[{"name": "a", "demand": {"cpu": 0.5}, "device_share": 460,
        "requirements": [{"attribute": "gpu", "in": ["V100", "T4"]}, {"attribute": "zone", "not_in": ["c"]}]}]"#;
    let csv = "name,demand.cpu,device_share,devices,requires.gpu,requires.zone\na,500m,460,, V100 | T4 , ! c \n";
    assert_eq!(json_tasks(json).unwrap(), parse_tasks(csv, Format::Csv, "tasks").unwrap());
}

#[test]
fn tables_that_do_not_fit() {
    let catalog = Catalog::new(["cpu", "memory"], ["zone"]);
    let cases: [(Result<(), Error>, &str, &str); 7] = [
        (
            Tasks::new(&[Task::new("a", [("cpu", 1)]), Task::new("a", [("cpu", 1)])], &catalog).map(drop),
            "duplicate-name",
            "tasks, row 1 (a), name: the name of row 0 again",
        ),
        (
            Tasks::new(&[Task::new("a", [("gpu", 1)])], &catalog).map(drop),
            "unknown-dimension",
            "tasks, row 0 (a), demand.gpu: no offer has this dimension; the dimensions are cpu, memory",
        ),
        (
            Tasks::new(&[Task { devices: 1, device_share: 5, ..Task::new("a", [("cpu", 1)]) }], &catalog).map(drop),
            "devices-malformed",
            "tasks, row 0 (a), devices: 1 devices and a share of 5 cannot be",
        ),
        (
            Offers::new(&[Offer { capacity: vec![("cpu".into(), 1)], ..Offer::new("o", [("cpu", 2)]) }], &catalog)
                .map(drop),
            "capacity-exceeded",
            "offers, row 0 (o), available.cpu: 2 available is above the capacity of 1",
        ),
        (
            Offers::new(&[Offer { devices: vec![1001], ..Offer::new("o", [("cpu", 2)]) }], &catalog).map(drop),
            "devices-malformed",
            "offers, row 0 (o), devices: 1001 free thousandths cannot be",
        ),
        (
            Offers::new(
                &[Offer { attributes: vec![("gpu".into(), "a".into())], ..Offer::new("o", [("cpu", 2)]) }],
                &catalog,
            )
            .map(drop),
            "unknown-attribute",
            "offers, row 0 (o), attribute.gpu: ",
        ),
        (
            Offers::new(&[Offer::new("", [("cpu", 2)])], &catalog).map(drop),
            "missing-column",
            "offers, row 0, name: missing",
        ),
    ];
    for (result, code, what) in cases {
        let (found, message) = told(&result.unwrap_err());
        assert_eq!(found, code);
        assert!(message.starts_with(what), "{message}");
    }
}

#[test]
fn columns_that_do_not_fit() {
    let catalog = Catalog::new(["cpu"], ["zone"]);
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let good = TaskTable { rows: 2, demand: vec![1, 2], ..TaskTable::default() };
    let tasks = |table: TaskTable| Tasks::from_columns(names(), table, &catalog).map(drop);
    let offers = |table: OfferTable| Offers::from_columns(names(), table, &catalog).map(drop);
    let good_offers = OfferTable { rows: 2, available: vec![5, 6], attributes: vec![0, 1], ..OfferTable::default() };
    assert!(tasks(good.clone()).is_ok() && offers(good_offers.clone()).is_ok());
    for (result, code) in [
        (tasks(TaskTable { rows: 3, ..good.clone() }), "column-length"),
        (tasks(TaskTable { demand: vec![1], ..good.clone() }), "column-length"),
        (tasks(TaskTable { devices: vec![0, 1500], ..good.clone() }), "devices-malformed"),
        (
            tasks(TaskTable {
                requirement_offsets: vec![0, 1, 1],
                requirement_subjects: vec![1],
                requirement_kinds: vec![0],
                value_offsets: vec![0, 0],
                ..good.clone()
            }),
            "value-out-of-range",
        ),
        (offers(OfferTable { attributes: vec![], ..good_offers.clone() }), "column-length"),
        (offers(OfferTable { capacity: vec![5, 5], ..good_offers.clone() }), "capacity-exceeded"),
        (
            offers(OfferTable { devices: Devices { offsets: vec![0, 1, 1], free: vec![1001] }, ..good_offers }),
            "devices-malformed",
        ),
    ] {
        assert_eq!(told(&result.unwrap_err()).0, code);
    }
}

#[test]
fn settings_that_cannot_be_used() {
    let catalog = Catalog::new(["cpu"], ["zone"]);
    let offers = Offers::new(&[], &catalog).unwrap();
    for settings in [
        Settings { max_score: Some(-1.0), ..Settings::default() },
        Settings { max_score: Some(f64::NAN), ..Settings::default() },
        Settings { weights: vec![("cpu".into(), f64::INFINITY)], ..Settings::default() },
        Settings { weights: vec![("gpu".into(), 1.0)], ..Settings::default() },
        Settings { scales: vec![("gpu".into(), 1)], ..Settings::default() },
    ] {
        assert_eq!(told(&Matcher::reference().open(&offers, &settings).unwrap_err()).0, "setting-malformed");
    }
}

#[test]
fn updates_that_cannot_be_applied() {
    let catalog = Catalog::new(["cpu"], ["zone"]);
    let rows = |names: &[&str]| names.iter().map(|name| Offer::new(*name, [("cpu", 4)])).collect::<Vec<_>>();
    let table = |names: &[&str]| Offers::new(&rows(names), &catalog).unwrap();
    let mut pool = Matcher::bundled("best-fit").unwrap().open(&table(&["a", "b"]), &Settings::default()).unwrap();
    for (update, code) in [
        (Update { removed: vec!["c".into()], ..Update::default() }, "row-unknown"),
        (Update { changed: Some(table(&["c"])), ..Update::default() }, "row-unknown"),
        (Update { removed: vec!["a".into(), "a".into()], ..Update::default() }, "row-repeated"),
        (Update { removed: vec!["a".into()], changed: Some(table(&["a"])), ..Update::default() }, "row-repeated"),
        (Update { added: Some(table(&["b"])), ..Update::default() }, "duplicate-name"),
        (
            Update {
                added: Some(Offers::new(&rows(&["c"]), &Catalog::new(["cpu"], ["zone"])).unwrap()),
                ..Update::default()
            },
            "foreign-table",
        ),
    ] {
        assert_eq!(told(&pool.update(&update).unwrap_err()).0, code);
    }
    let foreign = Tasks::new(&[], &Catalog::new(["cpu"], ["zone"])).unwrap();
    assert_eq!(told(&pool.assign(&foreign).unwrap_err()).0, "foreign-table");
    assert_eq!(pool.listed(), 2, "a refused call leaves the pool as it was");
    let (changed, added) = (Some(table(&["b"])), Some(table(&["c"])));
    let update = Update { removed: vec!["a".into()], changed, added, ..Update::default() };
    pool.update(&update).unwrap();
    assert_eq!((pool.listed(), pool.offers().len()), (2, 3));
    pool.update(&Update { removed: vec!["c".into()], ..Update::default() }).unwrap();
    assert_eq!(pool.listed(), 1, "an added offer is known by its name");
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (path, format) in [(path("missing.json"), Format::Auto), (folder.path().to_owned(), Format::Csv)] {
        assert_eq!(told(&read_tasks(path, format).unwrap_err()).0, "file-unreadable");
    }
    std::fs::write(path("latin.csv"), b"name\nM\xfcller\n").unwrap();
    let (code, message) = told(&read_tasks(path("latin.csv"), Format::Auto).unwrap_err());
    assert_eq!(code, "file-malformed");
    assert!(message.ends_with("line 2, column 2: not UTF-8"), "{message}");
    std::fs::write(path("tasks.txt"), "name\n").unwrap();
    assert_eq!(told(&read_tasks(path("tasks.txt"), Format::Auto).unwrap_err()).0, "file-malformed");
    assert!(read_tasks(path("tasks.txt"), Format::Csv).unwrap().is_empty());
    std::fs::write(path("marked.csv"), "\u{feff}name\na\n").unwrap();
    assert_eq!(read_tasks(path("marked.csv"), Format::Auto).unwrap()[0].name, "a");
    assert_eq!(told(&Matcher::load(path("missing.wasm")).unwrap_err()).0, "component-unreadable");
}

#[test]
fn a_text_of_no_said_format_is_known_by_its_look() {
    assert_eq!(parse_tasks(" [{\"name\": \"a\"}]", Format::Auto, "t").unwrap()[0].name, "a");
    assert_eq!(parse_tasks("name\na\n", Format::Auto, "t").unwrap()[0].name, "a");
}
