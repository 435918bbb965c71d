//! What a benchmark writes for machines: rows, to the file that `--json` names. Cargo runs a benchmark in the folder of its package, so
//! give a whole path.

use std::{env, fs};

/// The words of the command line, and the file.
pub(crate) fn words() -> (Vec<String>, Option<String>) {
    let (mut words, mut file, mut given) = (Vec::new(), None, env::args().skip(1));
    while let Some(word) = given.next() {
        match word.as_str() {
            "--json" => file = Some(given.next().expect("--json names a file")),
            // Such as `--bench`, which Cargo adds.
            _ if word.starts_with('-') => {}
            _ => words.push(word),
        }
    }
    (words, file)
}

/// A row: what is measured, and how many times.
pub(crate) fn row(texts: &[(&str, &str)], times: f64) -> String {
    let texts: String = texts.iter().map(|(key, text)| format!("{key:?}: {text:?}, ")).collect();
    format!("{{{texts}\"times\": {times}}}")
}

/// Writes the rows where a file is named.
pub(crate) fn write(file: Option<String>, rows: &[String]) {
    if let Some(file) = file {
        fs::write(file, format!("{{\"rows\": [\n{}\n]}}\n", rows.join(",\n"))).expect("the file can be written");
    }
}
