//! Recordings: written, read back to the last bit, replayed, compared.

use crate::scripted::{Script, scripted};
use offermatch::{
    Catalog, Change, Matcher, Mode, Offer, Offers, Recorder, Recording, RunningTable, Sample, Settings, Step, Task,
    Tasks, Update,
};

/// The example of docs/recordings.md, with an answer that is right.
const EXAMPLE: &str = r#"{"format": "offermatch-recording/1",
 "name": "ties-first-in-list", "about": "why this recording is there", "group": "ties",
 "shape": {"dimensions": 1, "attributes": 0},
 "settings": {"mode": "exclusive", "max_score": 31.0, "weights": [], "scales": []},
 "offers": {"rows": 2, "available": [4000, 2000]},
 "steps": [
   {"assign": {"rows": 1, "demand": [1000]}, "answer": {"tasks": [0], "offers": [1], "scores": [0.25]}},
   {"update": {"removed": [0], "changed_rows": [], "changed": {"rows": 0}, "added": {"rows": 0}}, "answer": {}},
   {"explain": {"rows": 1, "demand": [1000]}, "answer": {"by_dimension": [0], "by_requirement": [], "by_devices": [0], "by_score": [0], "candidates": [0]}},
   {"assign": {"rows": 1, "demand": []}, "error": "column-length"}]}"#;

/// A recording of every kind of call on a pool of devices and attributes.
fn recorded() -> Recording {
    let (tasks, offers) = "devices:40x20:5".parse::<Sample>().unwrap().tables().unwrap();
    let settings = Settings { weights: vec![("cpu".into(), 0.1)], ..Settings::default() };
    let (mut pool, recorder) = Recorder::open(&Matcher::bundled("best-fit").unwrap(), &offers, &settings).unwrap();
    pool.assign(&tasks).unwrap();
    let added = Offers::new(&[Offer::new("spare", [("cpu", u64::MAX)])], pool.catalog()).unwrap();
    pool.update(&Update { removed: vec!["offer-3".into()], added: Some(added), ..Update::default() }).unwrap();
    pool.explain(&tasks).unwrap();
    recorder.recording()
}

#[test]
fn the_documented_example_is_answered() {
    let recording = Recording::parse(EXAMPLE, "example").unwrap();
    assert_eq!(
        (recording.name.as_str(), recording.group.as_str(), recording.steps.len()),
        ("ties-first-in-list", "ties", 4)
    );
    for matcher in [Matcher::reference(), Matcher::bundled("best-fit").unwrap()] {
        let replay = recording.replay(&matcher).unwrap();
        assert!(replay.is_same(), "{:?}", replay.differences);
    }
}

#[test]
fn a_recording_reads_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let recording = recorded();
    for name in ["cycle.recording.json", "cycle.recording.json.gz"] {
        let path = folder.path().join(name);
        recording.write(&path).unwrap();
        assert_eq!(Recording::read(&path).unwrap(), recording);
    }
    assert_eq!(Recording::read_all(folder.path()).unwrap().len(), 2);
    let (plain, packed) = ("cycle.recording.json", "cycle.recording.json.gz");
    let size = |name| std::fs::metadata(folder.path().join(name)).unwrap().len();
    assert!(size(packed) < size(plain) / 2);
}

#[test]
fn another_matcher_gives_the_recorded_answers() {
    let replay = recorded().replay(&Matcher::reference()).unwrap();
    assert_eq!((replay.steps, replay.differences), (3, vec![]));
}

#[test]
fn what_differs_is_told_task_by_task() {
    let recording = Recording::parse(EXAMPLE, "example").unwrap();
    let liar = Matcher::from_bytes(&scripted(&Script::default()), "liar.wasm").unwrap();
    let first = Recording { steps: recording.steps[..1].to_vec(), ..recording };
    let replay = first.replay(&liar).unwrap();
    let change = Change::Task { task: 0, before: Some((1, 0.25)), after: None };
    assert_eq!(replay.differences[0].change, change);
    assert_eq!(replay.differences[0].to_string(), "step 0, task 0: offer 1 at 0.25 -> not placed");
}

#[test]
fn a_matcher_that_lies_is_refused_whatever_is_recorded() {
    let script = Script { answer: (vec![0], vec![7], vec![0.25]), ..Script::default() };
    let liar = Matcher::from_bytes(&scripted(&script), "liar.wasm").unwrap();
    let error = Recording::parse(EXAMPLE, "example").unwrap().replay(&liar).unwrap_err();
    assert_eq!(error.code(), "answer-refused");
}

#[test]
fn opening_that_is_refused_is_recorded() {
    let text = EXAMPLE.replace("\"available\": [4000, 2000]", "\"available\": [4000]");
    let refused = text.replace("\"steps\"", "\"open_error\": \"column-length\", \"steps\"");
    assert!(Recording::parse(&refused, "example").unwrap().replay(&Matcher::reference()).unwrap().is_same());
    let replay = Recording::parse(&text, "example").unwrap().replay(&Matcher::bundled("best-fit").unwrap()).unwrap();
    assert_eq!(replay.differences[0].to_string(), "open, opened -> column-length");
}

#[test]
fn what_is_no_recording_is_refused() {
    for (from, to) in [
        ("offermatch-recording/1", "offermatch-recording/3"),
        ("\"rows\": 2", "\"rows\": -2"),
        ("\"answer\": {}", "\"anser\": {}"),
        ("{\"removed\"", "{\"remove\""),
        ("\"error\": \"column-length\"", "\"error\": 5"),
        ("]}", ""),
    ] {
        let error = Recording::parse(&EXAMPLE.replace(from, to), "example").unwrap_err();
        assert_eq!(error.code(), "file-malformed", "{to}");
    }
}

#[test]
fn quantities_and_scores_are_kept_to_the_last_bit() {
    let mut recording = Recording::parse(EXAMPLE, "example").unwrap();
    recording.offers.available = vec![u64::MAX, (1 << 53) + 1];
    if let Step::Assign { answer: Ok(answer), .. } = &mut recording.steps[0] {
        answer.scores = vec![0.1 + 0.2];
    }
    assert_eq!(Recording::parse(&recording.to_json(), "text").unwrap(), recording);
}

#[test]
fn a_pool_that_plans_is_replayed_with_the_plan() {
    let catalog = Catalog::new(["cpu"], [""; 0]);
    let capacity = vec![("cpu".to_owned(), 4)];
    let offer = Offer { capacity, ..Offer::new("a", [("cpu", 0)]) };
    let offers = Offers::new(&[offer], &catalog).unwrap();
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let (mut pool, recorder) = Recorder::open(&Matcher::bundled("best-fit").unwrap(), &offers, &settings).unwrap();
    let running = RunningTable {
        rows: 2,
        offers: vec![0, 0],
        priorities: vec![-1, -1],
        starts: vec![1, 2],
        demand: vec![2, 2],
        ..RunningTable::default()
    };
    let tasks = Tasks::new(&[Task::new("t", [("cpu", 2)])], &catalog).unwrap();
    let plan = pool.preempt(&tasks, &[0], &running).unwrap();
    assert_eq!((&plan.offers[..], &plan.victims[..]), (&[0][..], &[1][..]));
    let mut recording = Recording::parse(&recorder.recording().to_json(), "text").unwrap();
    assert_eq!(recording, recorder.recording());
    assert!(recording.replay(&Matcher::reference()).unwrap().is_same());
    let Step::Preempt { answer: Ok(recorded), .. } = &mut recording.steps[0] else { panic!("{recording:?}") };
    recorded.victims = vec![0];
    let replay = recording.replay(&Matcher::reference()).unwrap();
    let told: Vec<String> = replay.differences.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["step 0, victims: [0] -> [1]"]);
    let before = recording.to_json().replace("recording/2", "recording/1").replace("null", "31.0");
    assert_eq!(Recording::parse(&before, "text").unwrap_err().code(), "file-malformed");
}

#[test]
fn parameters_that_a_matcher_takes_since_a_recording_have_their_defaults() {
    let (tasks, offers) = "uniform:20x10:3".parse::<Sample>().unwrap().tables().unwrap();
    let strand = Matcher::bundled("strand").unwrap();
    let [own, .., last] = &strand.description().parameters[..] else { panic!("{:?}", strand.description()) };
    let settings = Settings { parameters: vec![(own.name.clone(), own.minimum)], ..Settings::default() };
    let (mut pool, recorder) = Recorder::open(&strand, &offers, &settings).unwrap();
    pool.assign(&tasks).unwrap();
    let mut recording = recorder.recording();
    assert_eq!(recording.settings.parameters.pop(), Some(last.default));
    let before = Recording::parse(&recording.to_json(), "text").unwrap();
    assert!(before.replay(&strand).unwrap().is_same());
    recording.settings.parameters.extend([own.maximum; 2]);
    let replay = recording.replay(&strand).unwrap();
    assert_eq!(replay.differences[0].to_string(), "open, opened -> column-length");
}
