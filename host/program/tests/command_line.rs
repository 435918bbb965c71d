//! The program: data on standard output, errors on standard error, exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use offermatch::{Assignments, Recording, Step};
use serde_json::Value;

/// Runs the program.
fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offermatch-host")).args(arguments).output().expect("the program was built")
}

/// What the program prints when it succeeds.
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What the program complains of when it fails.
fn complaint(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    assert!(output.stdout.is_empty(), "nothing is printed on failure");
    String::from_utf8(output.stderr).unwrap()
}

/// The two files of docs/formats.md.
fn files(folder: &Path) -> (PathBuf, PathBuf) {
    let (tasks, offers) = (folder.join("tasks.json"), folder.join("offers.csv"));
    let rows = r#"[{"name": "render-1", "demand": {"cpu": "2 cores", "memory": "4GiB"}, "devices": 1,
        "requirements": [{"attribute": "gpu", "in": ["V100", "T4"]}]},
        {"name": "render-2", "demand": {"cpu": "500m"}, "device_share": 460}]"#;
    std::fs::write(&tasks, rows).unwrap();
    std::fs::write(
        &offers,
        "name,available.cpu,available.memory,attribute.gpu,devices\nserver-1,48 cores,180GiB,V100,1\n",
    )
    .unwrap();
    (tasks, offers)
}

#[test]
fn match_says_where_the_time_went_where_that_is_asked() {
    let plain: Value = serde_json::from_str(&printed(&["match", "--sample", "uniform:30x20"])).unwrap();
    assert!(plain.get("timings_ms").is_none());
    let text = printed(&["match", "--sample", "uniform:30x20", "--timings"]);
    let timed: Value = serde_json::from_str(&text).unwrap();
    for stage in ["read", "columns", "load", "open", "assign", "verify", "explain"] {
        assert!(timed["timings_ms"][stage].as_f64().is_some_and(|time| time >= 0.0), "{stage}: {text}");
    }
}

#[test]
fn match_prints_one_json_object() {
    let folder = tempfile::tempdir().unwrap();
    let (tasks, offers) = files(folder.path());
    let arguments = [
        "match",
        "--tasks",
        tasks.to_str().unwrap(),
        "--offers",
        offers.to_str().unwrap(),
        "--mode",
        "shared",
        "--explain",
    ];
    let text = printed(&arguments);
    let keys = ["matcher", "mode", "tasks", "offers", "placed", "assignments", "unplaced", "answer_digest"];
    let places: Vec<usize> = keys.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "keys come in the order of the document");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["placed"], 1);
    assert_eq!(answer["assignments"][0]["task"], "render-1");
    assert_eq!(answer["assignments"][0]["offer"], "server-1");
    let expected = serde_json::json!({
        "task": "render-2", "offers": 1, "by_dimension": {"cpu": 0, "memory": 0}, "by_requirement": [],
        "by_devices": 1, "by_score": 0, "candidates": 0, "capable": 1,
        "checks": {
            "cpu": {"fails": 0, "alone": 0, "missing": 0},
            "memory": {"fails": 0, "alone": 0, "missing": 0},
            "devices": {"fails": 1, "alone": 1, "missing": 460},
            "score": {"fails": 0, "alone": 0, "missing": 0.0},
            "together": {"fails": 0, "alone": 0, "missing": 0},
        },
        "remedies": ["1 offer lacks only devices: 460 thousandths more would be enough for the nearest"],
    });
    assert_eq!(answer["unplaced"][0], expected);
}

#[test]
fn match_prints_csv() {
    let text = printed(&["match", "--sample", "ties:3x2", "--output", "csv"]);
    assert_eq!(text, "task,offer,score\ntask-0,offer-0,1.921875\ntask-1,offer-1,1.921875\n");
}

#[test]
fn match_prints_a_summary() {
    let text = printed(&["match", "--sample", "nothing-fits:30x20", "--output", "summary", "--explain"]);
    assert!(text.starts_with("0 of 30 tasks placed on 0 of 20 offers, exclusive, by "), "{text}");
    for part in ["open: ", "assign: ", "verify: ", "cpu ", "memory ", "mostly too little cpu"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_component_and_the_reference_answer_alike() {
    for settings in
        [&["--mode", "shared"][..], &["--weight", "cpu=0.5", "--scale", "memory=256GiB", "--max-score", "2"]]
    {
        let digest = |matcher| {
            let sample = ["match", "--sample", "devices:300x200:3", "--matcher", matcher];
            let answer: Value = serde_json::from_str(&printed(&[&sample, settings].concat())).unwrap();
            answer["answer_digest"].clone()
        };
        assert_eq!(digest("bundled"), digest("reference"));
    }
}

#[test]
fn dimensions_can_be_named() {
    let text = printed(&["match", "--sample", "ties:1x1", "--dimensions", "memory,cpu,disk", "--explain"]);
    assert!(text.contains("\"placed\":1"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let (tasks, offers) = (folder.path().join("tasks.csv"), folder.path().join("offers.csv"));
    std::fs::write(&tasks, "name,demand.cpu\na,1\n").unwrap();
    std::fs::write(&offers, "name,available.disk,available.cpu\no,5,5\n").unwrap();
    let files = ["match", "--tasks", tasks.to_str().unwrap(), "--offers", offers.to_str().unwrap(), "--explain"];
    let text = printed(&[&files[..], &["--dimensions", "cpu"]].concat());
    assert!(text.contains("\"score\":0.8"), "a dimension that is not named does not count: {text}");
    let text = complaint(&[&files[..], &["--dimensions", "disk"]].concat(), 1);
    assert!(text.starts_with("error[unknown-dimension]: "), "{text}");
}

#[test]
fn a_mistake_is_told_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (_, offers) = files(folder.path());
    let tasks = folder.path().join("tasks.csv");
    std::fs::write(&tasks, "name,demand.cpu\nrender-4,-5\n").unwrap();
    let text = complaint(&["match", "--tasks", tasks.to_str().unwrap(), "--offers", offers.to_str().unwrap()], 1);
    let expected = format!(
        "error[quantity-negative]: {}, row 0 (render-4), demand.cpu: -5 is below 0\nhint: write cores as 2",
        tasks.display()
    );
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn each_failure_leaves_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.wasm");
    std::fs::write(&text, "no component").unwrap();
    let text = text.to_str().unwrap();
    let sample = ["match", "--sample", "ties:1x1"];
    let cases: [(&[&str], &str); 7] = [
        (&["match", "--tasks", "missing.json", "--offers", "missing.json"], "file-unreadable"),
        (&[&sample[..], &["--matcher", "missing.wasm"]].concat(), "component-unreadable"),
        (&[&sample[..], &["--matcher", text]].concat(), "component-malformed"),
        (&[&sample[..], &["--max-score", "-1"]].concat(), "setting-malformed"),
        (&[&sample[..], &["--weight", "disk=1"]].concat(), "setting-malformed"),
        (&[&sample[..], &["--scale", "cpu=1.5m"]].concat(), "setting-malformed"),
        (&["inspect", text], "component-malformed"),
    ];
    for (arguments, code) in cases {
        let told = complaint(arguments, 1);
        assert!(told.starts_with(&format!("error[{code}]: ")), "{told}");
        assert!(told.contains("\nhint: "), "{told}");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error_with_a_code() {
    let hint = "hint: name a place that can be written to\n";
    let quick = ["conformance", "--quick", "--generated", "0", "--json", "nowhere/report.json"];
    let told = complaint(&quick, 1);
    assert!(told.starts_with("error[file-unwritable]: nowhere/report.json cannot be written: "), "{told}");
    assert!(told.ends_with(hint), "{told}");
    let program = Command::new(env!("CARGO_BIN_EXE_offermatch-host"))
        .args(["match", "--sample", "uniform:2x2"])
        .stdout(std::fs::File::create("/dev/full").unwrap())
        .output()
        .unwrap();
    let told = String::from_utf8(program.stderr).unwrap();
    assert_eq!(program.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error[file-unwritable]: standard output cannot be written: No space left"), "{told}");
    assert!(told.ends_with(hint), "{told}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_recorded_to_and_stays_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.recording.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reading = pipe.clone();
    let read = std::thread::spawn(move || std::fs::read(reading).unwrap());
    printed(&["match", "--sample", "ties:2x2", "--record", pipe.to_str().unwrap()]);
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&std::fs::metadata(&pipe).unwrap().file_type()));
    let recorded: Value = serde_json::from_slice(&read.join().unwrap()).unwrap();
    assert_eq!(recorded["steps"].as_array().unwrap().len(), 1);
}

#[test]
fn wrong_usage_leaves_with_two() {
    for arguments in [
        &[][..],
        &["match"],
        &["match", "--tasks", "tasks.json"],
        &["match", "--sample", "uniform"],
        &["match", "--sample", "ties:1x1", "--tasks", "tasks.json", "--offers", "offers.json"],
        &["match", "--sample", "ties:1x1", "--mode", "both"],
        &["match", "--sample", "ties:1x1", "--weight", "cpu"],
        &["fly"],
    ] {
        complaint(arguments, 2);
    }
}

#[test]
fn a_command_of_another_program_is_named_with_that_program() {
    for (command, program) in [
        ("submit", "offermatch, which"),
        ("doctor", "offermatch, which"),
        ("stage", "offermatch-stage SOURCE... TARGET"),
    ] {
        let text = complaint(&[command, "a", "b"], 2);
        assert!(text.contains(&format!("{command} is a command of another program: {program}")), "{text}");
    }
    assert!(complaint(&["mach"], 2).contains("'match'"));
}

#[test]
fn help_teaches() {
    let text = printed(&["match", "--help"]);
    for part in ["Examples:", "--sample", "feasible", "offermatch-host match --tasks tasks.json"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn inspect_prints_one_json_object() {
    let found: Value = serde_json::from_str(&printed(&["inspect", "--json"])).unwrap();
    assert_eq!(found["contract"], "0.3.0");
    assert!(found["imports"].as_array().unwrap().contains(&"wasi:otel/tracing@0.2.0-rc.2".into()));
    assert!(found["exports"].as_array().unwrap().contains(&"offermatch:matcher/matching@0.3.0".into()));
    assert_eq!(found["description"]["modes"], serde_json::json!(["exclusive", "shared"]));
    assert_eq!(found["refused"], Value::Null);
    assert!(printed(&["inspect"]).contains("imports   wasi:"));
}

#[test]
fn bench_prints_a_table_or_json() {
    let text = printed(&["bench", "talk", "--quick"]);
    assert!(text.contains("native loop, 1 thread") && text.contains("component, from Rust"), "{text}");
    let figures: Value = serde_json::from_str(&printed(&["bench", "update", "--quick", "--json", "-"])).unwrap();
    assert_eq!((&figures["bench"], &figures["machine"]["quick"]), (&"update".into(), &true.into()));
    assert!(figures["rows"][0]["total_ms"].as_f64().unwrap() > 0.0);
    complaint(&["bench", "talk", "--fraction", "0"], 2);
}

#[test]
fn the_cache_is_where_the_environment_says() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let inspect = |value: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch-host"));
        assert!(command.args(["inspect"]).env("OFFERMATCH_CACHE", value).output().unwrap().status.success());
    };
    inspect(Path::new("off"));
    assert!(!cache.exists());
    for _ in 0..2 {
        inspect(&cache);
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
    }
}

#[test]
fn what_is_recorded_is_replayed_and_what_differs_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cycle.recording.json.gz");
    let path = file.to_str().unwrap();
    printed(&["match", "--sample", "nothing-fits:50x40:2", "--explain", "--record", path]);
    let text = printed(&["replay", path, "--matcher", "reference"]);
    assert!(text.starts_with("0 of 1 recordings differ with offermatch-reference"), "{text}");

    let mut recording = Recording::read(&file).unwrap();
    let Step::Assign { answer, .. } = &mut recording.steps[0] else { panic!("{recording:?}") };
    *answer = Ok(Assignments { tasks: vec![7], offers: vec![3], scores: vec![0.5] });
    recording.write(&file).unwrap();
    let output = run(&["replay", path]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("task 7: offer 3 at 0.5 -> not placed"), "{text}");
    assert!(output.stderr.is_empty());
}
