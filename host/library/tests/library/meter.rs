//! What the application's own meter counts of matchers, fallbacks and slots.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;

use offermatch::{FallbackMatcher, Limits, Matcher, Matching, Sample, Settings, Slot};
use opentelemetry::global;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

/// Set in the process that counts.
const ALONE: &str = "OFFERMATCH_TEST_METER";
/// The test of this file.
const NAME: &str = "meter::matchers_fallbacks_and_slots_are_counted";

/// What was counted, by the name of the instrument and its attributes' values.
fn counted(exporter: &InMemoryMetricExporter) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let exported = exporter.get_finished_metrics().unwrap();
    for metric in exported.last().unwrap().scope_metrics().flat_map(|scope| scope.metrics()) {
        let mut count = |attributes: Vec<String>, number| {
            found.insert(format!("{} {}", metric.name(), attributes.join(" ")), number);
        };
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                for point in sum.data_points() {
                    count(point.attributes().map(|one| one.value.to_string()).collect(), point.value());
                }
            }
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                for point in histogram.data_points() {
                    count(point.attributes().map(|one| one.value.to_string()).collect(), point.count());
                }
            }
            other => panic!("{}: {other:?}", metric.name()),
        }
    }
    found
}

#[test]
fn matchers_fallbacks_and_slots_are_counted() {
    if env::var_os(ALONE).is_none() {
        // The meter is that of the process, and other tests would be counted, too.
        let program = env::current_exe().unwrap();
        let done = Command::new(program).args(["--exact", NAME]).env(ALONE, "1").output().unwrap();
        let told = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    let (tasks, offers) = "uniform:20x10:2".parse::<Sample>().unwrap().tables().unwrap();
    // What happens before there is a meter is counted by nobody.
    Matcher::reference().match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
    global::set_meter_provider(provider.clone());

    let tight = Limits { output_rows: Some(1), ..Limits::default() };
    let primary = Matcher::bundled_with("best-fit", &tight).unwrap();
    let matcher = FallbackMatcher::with(primary, Matcher::bundled("worst-fit").unwrap(), Default::default());
    let answer = matcher.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    assert_eq!(answer.assignments.tasks.len(), 10);
    let slot = Slot::new(Matcher::reference());
    slot.promote(Matcher::bundled("best-fit").unwrap(), 10);
    slot.match_tasks(&tasks, &offers, &Settings::default()).unwrap();
    slot.rollback().unwrap();

    provider.force_flush().unwrap();
    let (best, worst) = (Matcher::bundled("best-fit").unwrap(), Matcher::bundled("worst-fit").unwrap());
    let [best, worst] = [best, worst].map(|matcher| matcher.description().name.clone());
    let mut expected = BTreeMap::from([
        ("offermatch.match.fallbacks limit-output".to_owned(), 1),
        ("offermatch.slot.events promoted".to_owned(), 1),
        ("offermatch.slot.events rolled-back".to_owned(), 1),
    ]);
    for (name, policy) in [(best, "best-fit"), (worst, "worst-fit")] {
        expected.insert(format!("offermatch.match.duration {name} {policy}"), 1);
        expected.insert(format!("offermatch.match.tasks {name} {policy} placed"), 10);
        expected.insert(format!("offermatch.match.tasks {name} {policy} unplaced"), 10);
    }
    assert_eq!(counted(&exporter), expected);
}
