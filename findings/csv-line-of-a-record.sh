#!/usr/bin/env bash
# Packages: csv 1.4.0 (crates.io), with Rust 1.95 from the machine; pandas 3.1.1 (PyPI) and the csv module of CPython 3.11.
# Guess: three readers that say on which line a record with a cell too many stands mean the line on which it begins, whatever ends the lines and whatever stands before it.
# Seen: they agree where lines end in \n and no cell has an end of line in it. The crate means the line on which it begins to look: where lines end in \r\n, that is the line of the record before, and empty lines just before a record do not count; \r alone ends no line for it. pandas counts an end of line within a cell as none. CPython's line_num is the line on which the record ends.
# Why it matters: tables of tasks come from spreadsheets and Windows, whose lines end in \r\n. Who goes to the line that an error names corrects the row above.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "lines"
edition = "2021"

[dependencies]
csv = "=1.4.0"
TOML
cat > src/main.rs <<'RUST'
fn main() {
    for path in std::env::args().skip(1) {
        let error = csv::Reader::from_path(path).unwrap().records().find_map(Result::err).unwrap();
        println!("{}", error.position().unwrap().line());
    }
}
RUST
cat > lines.py <<'PYTHON'
import csv
import re
import subprocess

import pandas

TABLES = {
    "\\n": ("name,cpu\na,1\nb,1,9\n", 3),
    "\\r\\n": ("name,cpu\r\na,1\r\nb,1,9\r\n", 3),
    "\\r": ("name,cpu\ra,1\rb,1,9\r", 3),
    "empty lines before the first row": ("name,cpu\n\n\na,1\nb,1,9\n", 5),
    "empty lines behind it": ("name,cpu\na,1\n\n\nb,1,9\n", 5),
    "a cell of three lines before it": ('name,cpu\n"a\n\nx",1\nb,1,9\n', 5),
    "a cell of three lines in it": ('name,cpu\na,1\n"b\n\nx",1,9\n', 3),
}
for number, (text, _) in enumerate(TABLES.values()):
    with open(f"{number}.csv", "w", newline="") as file:
        file.write(text)
paths = [f"{number}.csv" for number in range(len(TABLES))]
crate = subprocess.run(["target/debug/lines", *paths], check=True, capture_output=True, text=True).stdout.split()
for path, rust, (name, (_, right)) in zip(paths, crate, TABLES.items()):
    with open(path, newline="") as file:
        reader = csv.reader(file)
        cpython = next(reader.line_num for row in reader if len(row) == 3)
    try:
        pandas.read_csv(path)
    except pandas.errors.ParserError as error:
        frame = re.search(r"in line (\d+)", str(error))[1]
    print(f"{name}: begins on line {right}, crate {rust}, CPython {cpython}, pandas {frame}")
PYTHON
CARGO_BUILD_JOBS=1 cargo build --quiet
venv/bin/python lines.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
\n: begins on line 3, crate 3, CPython 3, pandas 3
\r\n: begins on line 3, crate 2, CPython 3, pandas 3
\r: begins on line 3, crate 1, CPython 3, pandas 3
empty lines before the first row: begins on line 5, crate 5, CPython 5, pandas 5
empty lines behind it: begins on line 5, crate 3, CPython 5, pandas 5
a cell of three lines before it: begins on line 5, crate 5, CPython 5, pandas 3
a cell of three lines in it: begins on line 3, crate 3, CPython 5, pandas 3
END
