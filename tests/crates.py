"""The crates as crates.io would get them: what they hold, and that a program elsewhere builds with them and runs.

`make crates` runs this: it compiles the library anew, which takes minutes.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

from test_crates import PUBLISHED

from conftest import ROOT


def test_a_crate_holds_no_more_than_it_needs() -> None:
    for name in PUBLISHED:
        with tarfile.open(packaged(name)) as crate:
            inside = {member.name.partition("/")[2] for member in crate}
        assert {"Cargo.toml", "README.md"} <= inside
        assert not [path for path in inside if path.startswith("target/")]
        if name == "offermatch":
            assert {"policies/best-fit.wasm", "policies/strand.wasm", "wit/matcher.wit"} <= inside


def packaged(name: str) -> Path:
    found = sorted((ROOT / "target" / "package").glob(f"{name}-[0-9]*.crate"))
    assert len(found) == 1, f"target/package has {len(found)} crates {name}: run `make crates`"
    return found[0]


PROGRAM = """
fn main() {
    let matcher = offermatch::Matcher::bundled("strand").expect("it comes with the crate");
    let rows = [offermatch::Offer::new("a", [("cpu", 2000)])];
    let tasks = [offermatch::Task::new("t", [("cpu", 1000)])];
    let catalog = offermatch::Catalog::of(&rows, &tasks);
    let offers = offermatch::Offers::new(&rows, &catalog).expect("it is an offer");
    let tasks = offermatch::Tasks::new(&tasks, &catalog).expect("it is a task");
    let answer = matcher.match_tasks(&tasks, &offers, &offermatch::Settings::default()).expect("it matches");
    println!("{} {}", matcher.description().policy, answer.assignments.tasks.len());
    let error = offermatch::Matcher::load("oci://localhost:1/a:1").expect_err("nobody listens there");
    println!("{} {}", error.code(), error.hint());
    let reader = offermatch::Reader { format: offermatch::Format::Kubernetes, ..Default::default() };
    std::fs::write("pods.yaml", "kind: PodList").expect("there is room");
    let error = reader.read_tables("pods.yaml", "pods.yaml").expect_err("it has no parser of YAML");
    println!("{} {}", error.code(), error.hint());
}
"""


def test_a_program_elsewhere_builds_with_the_packaged_crates(tmp_path: Path) -> None:
    """It is built beside the project's own, for what both depend on to be built once; so it asks for the same features."""
    for name in PUBLISHED:
        with tarfile.open(packaged(name)) as crate:
            crate.extractall(tmp_path, filter="data")
    patches = "".join(
        f'{name} = {{ path = "../{packaged(name).name.removesuffix(".crate")}" }}\n' for name in PUBLISHED[::2]
    )
    own = tmp_path / "own"
    (own / "src").mkdir(parents=True)
    (own / "src" / "main.rs").write_text(PROGRAM)
    features = '["opentelemetry-0-33", "parallel-compilation", "wasi"]'
    (own / "Cargo.toml").write_text(
        '[package]\nname = "own"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
        f'[dependencies]\noffermatch = {{ version = "0.1.0", features = {features} }}\n\n[patch.crates-io]\n{patches}'
    )
    (own / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
    done = subprocess.run(
        ["cargo", "run", "--release", "--quiet", "--offline"],
        cwd=own,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    matched, *refused = done.stdout.splitlines()
    assert matched == "strand 1"
    said = "feature-missing build the program with the feature"
    assert [text[: len(said)] for text in refused] == [said] * 2
