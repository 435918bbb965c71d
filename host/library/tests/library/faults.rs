//! What is no JSON is refused as `tests/cases/json` says, which the Python host does likewise.

use offermatch::{Error, Format, Recording, parse_offers, parse_tasks};
use serde::Deserialize;

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
