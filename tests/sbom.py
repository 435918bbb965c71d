"""What `make supply-chain` says is in wheel, crate and component, which is asked for by name: nothing more, nothing less."""

import json
from pathlib import Path

SBOM = Path(__file__).parent.parent / "target" / "sbom"


def listed(name):
    """Return what a bill of materials is of, and the names that it lists."""
    bill = json.loads((SBOM / f"{name}.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    return bill["metadata"]["component"]["name"], {one["name"] for one in bill["components"]}


def test_the_wheel_brings_one_dependency_and_no_tool_that_built_it():
    assert listed("wheel") == ("offermatch", {"wasmtime"})


def test_the_component_has_its_core_and_no_host():
    of, names = listed("component")
    assert of == "offermatch-matcher"
    assert {"offermatch-core", "offermatch-kit", "wit-bindgen"} <= names
    assert not {"wasmtime", "offermatch"} & names


def test_the_crate_has_the_engine_and_no_program():
    of, names = listed("crate")
    assert of == "offermatch"
    assert {"offermatch-core", "wasmtime"} <= names
    assert not {"clap", "indicatif", "io-uring", "proptest"} & names
