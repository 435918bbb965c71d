//! What is no JSON is refused as `tests/cases/json` says, which the Python host does likewise.

use offermatch::{Error, Format, Recording, parse_offers, parse_tasks};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    json: Option<String>,
    jsonl: Option<String>,
    line: usize,
    column: usize,
    message: String,
    hint: String,
}

#[test]
fn a_text_that_is_no_json_is_refused_as_the_case_says() {
    let cases = include_str!("../../../../tests/cases/json/faults.json");
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() > 70);
    for Case { case, json, jsonl, line, column, message, hint } in cases {
        let check = |error: Error| {
            let said = (error.code(), error.to_string(), error.hint().to_owned());
            let expected = format!("file, line {line}, column {column}: {message}");
            assert_eq!(said, ("file-malformed", expected, hint.clone()), "{case}");
        };
        if let Some(text) = &json {
            check(Recording::parse(text, "file").unwrap_err());
        }
        let (text, format) =
            json.map(|text| (text, Format::Json)).or(jsonl.map(|text| (text, Format::JsonLines))).unwrap();
        check(parse_tasks(&text, format, "file").unwrap_err());
        check(parse_offers(&text, format, "file").unwrap_err());
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    case: String,
    table: String,
    rows: Value,
    code: String,
    place: String,
    hint: String,
}

#[test]
fn a_value_of_the_wrong_type_is_refused_as_the_case_says() {
    let shapes = include_str!("../../../../tests/cases/json/shapes.json");
    let shapes: Vec<Shape> = serde_json::from_str(shapes).unwrap();
    assert!(shapes.len() > 50);
    for Shape { case, table, rows, code, place, hint } in shapes {
        let (text, source) = (rows.to_string(), format!("{table}.json"));
        let error = if table == "tasks" {
            parse_tasks(&text, Format::Json, &source).map(drop).unwrap_err()
        } else {
            parse_offers(&text, Format::Json, &source).map(drop).unwrap_err()
        };
        assert_eq!((error.code(), error.hint()), (code.as_str(), hint.as_str()), "{case}: {error}");
        assert!(error.to_string().starts_with(&format!("{place}: ")), "{case}: {error}");
    }
}
