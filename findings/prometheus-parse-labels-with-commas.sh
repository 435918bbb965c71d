#!/usr/bin/env bash
# Packages: prometheus-parse 0.2.5 (crates.io), with Rust 1.95 from the machine; prometheus_client 0.26.0 (PyPI).
# Guess: two parsers of Prometheus' text format read the same labels from the lines that a client library has written.
# Seen: the crate cuts the value of a label at its first comma: nodes="n[1-2,4]" is n[1-2. A label with an equals sign in its value is gone, so is a whole sample with a closing brace in one, and neither is an error. An escaped quote keeps its backslash. The Python parser reads back what was written.
# Why it matters: host lists, lists of GPUs and the demands of jobs have commas and equals signs. Samples of different nodes become one series that is there twice, or have no labels.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check prometheus_client==0.26.0
cat > write.py <<'PY'
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

registry = CollectorRegistry()
gauge = Gauge("jobs", "Jobs.", ["partition", "of"], registry=registry)
for number, of in enumerate(["n[1-2,4]", "n[1-2,5]", "mem=4G", "{a}", 'the "big" one', "gpu:a100:4(S:0-1)"]):
    gauge.labels("main", of).set(number)
text = generate_latest(registry).decode()
open("metrics.txt", "w").write(text)
for family in text_string_to_metric_families(text):
    for sample in family.samples:
        print("python:", sample.labels["of"], sample.value)
PY
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "labels"
edition = "2021"

[dependencies]
prometheus-parse = "=0.2.5"
TOML
cat > src/main.rs <<'RUST'
fn main() {
    let text = std::fs::read_to_string("metrics.txt").unwrap();
    let scrape = prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
    for sample in scrape.samples {
        println!("rust: {} {:?}", sample.labels.get("of").unwrap_or("no such label"), sample.value);
    }
}
RUST
{
    venv/bin/python write.py
    CARGO_BUILD_JOBS=1 cargo run --quiet
} > seen.txt
cat seen.txt
diff seen.txt - <<'END'
python: n[1-2,4] 0.0
python: n[1-2,5] 1.0
python: mem=4G 2.0
python: {a} 3.0
python: the "big" one 4.0
python: gpu:a100:4(S:0-1) 5.0
rust: n[1-2 Gauge(0.0)
rust: n[1-2 Gauge(1.0)
rust: no such label Gauge(2.0)
rust: the \"big\" one Gauge(4.0)
rust: gpu:a100:4(S:0-1) Gauge(5.0)
END
