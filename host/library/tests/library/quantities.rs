//! What people write becomes what `tests/cases/quantities` says.

use std::path::Path;

use offermatch::{Error, Format, Reader, Unit, Units, parse_quantity};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    dimension: String,
    #[serde(default)]
    units: std::collections::BTreeMap<String, String>,
    #[serde(borrow)]
    given: &'a RawValue,
    smallest: Option<u64>,
    error: Option<String>,
    hint: Option<String>,
    why: String,
}

impl Case<'_> {
    /// Compares what was read with what the case says.
    fn check(&self, read: Result<u64, Error>) {
        let shown = format!("{} {} ({})", self.dimension, self.given, self.why);
        match (read, self.smallest) {
            (Ok(found), expected) => assert_eq!(Some(found), expected, "{shown}"),
            (Err(error), None) => {
                assert_eq!(Some(error.code()), self.error.as_deref(), "{shown}: {error}");
                assert_eq!(Some(error.hint()), self.hint.as_deref(), "{shown}: {error}");
            }
            (Err(error), Some(_)) => panic!("{shown}: {error}"),
        }
    }
}

#[test]
fn a_quantity_is_what_the_case_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/quantities");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for case in serde_json::from_str::<Vec<Case<'_>>>(&text).unwrap() {
            count += 1;
            let units = Units::new(&case.units).unwrap();
            let first = |reader: &Reader, text: &str| Ok(reader.parse_tasks(text, "tasks")?[0].demand[0].1);
            let key = serde_json::to_string(&case.dimension).unwrap();
            let json = format!(r#"[{{"name": "t", "demand": {{{key}: {}}}}}]"#, case.given);
            case.check(first(&Reader { format: Format::Json, units: units.clone() }, &json));
            let declared = serde_json::to_string(&case.units).unwrap();
            let own = format!(r#"{{"units": {declared}, "tasks": {json}}}"#);
            case.check(first(&Reader { format: Format::Json, ..Reader::default() }, &own));
            let Ok(written) = serde_json::from_str::<String>(case.given.get()) else { continue };
            case.check(
                parse_quantity(&written, units.of(&case.dimension))
                    .map_err(|error| Error::Quantity { place: Box::default(), error }),
            );
            if written.is_empty() {
                continue;
            }
            let mut csv = csv::Writer::from_writer(Vec::new());
            let unit = case.units.values().map(|unit| format!("[{unit}]")).collect::<String>();
            csv.write_record(["name", &format!("demand.{}{unit}", case.dimension)]).unwrap();
            csv.write_record(["t", &written]).unwrap();
            let csv = String::from_utf8(csv.into_inner().unwrap()).unwrap();
            case.check(first(&Reader { format: Format::Csv, ..Reader::default() }, &csv));
        }
    }
    assert!(count >= 200, "only {count} cases");
}

#[test]
fn a_unit_that_is_none_and_a_dimension_that_is_none_are_refused() {
    assert_eq!(Units::new([("cpu", "furlongs")]).unwrap_err().code(), "setting-malformed");
    assert_eq!(Units::new([("cpu", "0.5")]).unwrap_err().code(), "setting-malformed");
    let units = Units::new([("cpuu", "cores")]).unwrap();
    assert_eq!(units.check(["cpu", "memory"]).unwrap_err().code(), "setting-malformed");
    assert!(units.check(["cpuu"]).is_ok());
    assert_eq!(units.of("cpu"), Unit::CORES);
}
