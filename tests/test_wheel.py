"""The wheel and the sdist: what is in them, and that they work where nothing else is, no Rust toolchain and no checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from conftest import ROOT

BUILT = ROOT / "target" / "wheel"
BUILDER = ROOT / "target" / "wheel-venv" / "bin" / "python"


def _built(ending: str, folder: Path = BUILT) -> Path:
    found = sorted(folder.glob(f"offermatch-*{ending}"))
    assert len(found) == 1, f"{folder} has {len(found)} files *{ending}: run `make wheel`"
    return found[0]


def _build(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [BUILDER, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, source]
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_what_the_wheel_holds() -> None:
    wheel = _built("-py3-none-any.whl")
    assert wheel.stat().st_size < 1_500_000
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = HeaderParser().parsestr(archive.read(metadata).decode())
    assert {"offermatch/matcher.wasm", "offermatch/policies.tar.xz", "offermatch/py.typed"} <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert said["License-Expression"] == "Apache-2.0"
    urls = dict(url.split(", ") for url in said.get_all("Project-URL", []))
    assert {"Homepage", "Documentation", "Changelog", "Issues"} == set(urls)
    relative = [link for link in re.findall(r"\]\(([^)]+)\)", said.get_payload()) if not link.startswith("https://")]
    assert relative == [], "links of the package index lead nowhere unless they are absolute"


def test_the_licence_is_that_of_the_project() -> None:
    assert (ROOT / "python-host" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_a_wheel_of_the_sdist_is_the_wheel_byte_for_byte(tmp_path: Path) -> None:
    with tarfile.open(_built(".tar.gz")) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    built = _build(source, tmp_path / "out")
    assert built.returncode == 0, built.stderr
    assert _built(".whl", tmp_path / "out").read_bytes() == _built(".whl").read_bytes()


def test_a_source_without_the_component_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with tarfile.open(_built(".tar.gz")) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    (source / "src" / "offermatch" / "matcher.wasm").unlink()
    refused = _build(source, tmp_path / "out")
    assert refused.returncode != 0
    assert "matcher.wasm is missing" in refused.stderr + refused.stdout
    assert "rustup target add wasm32-unknown-unknown" in refused.stderr + refused.stdout


def test_wheel_in_a_fresh_environment(tmp_path: Path) -> None:
    wheel = _built("-py3-none-any.whl")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    subprocess.run(install, check=True)

    # Neither cargo nor rustc on the path, and no folder of the checkout as working directory.
    environment = {**os.environ, "PATH": str(venv / "bin"), "PYTHONNOUSERSITE": "1"}
    environment.pop("PYTHONPATH", None)

    def run(*arguments: str) -> str:
        command = [str(python), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    answer = json.loads(run("-m", "offermatch", "match", "--sample", "uniform:50x40"))
    assert answer["placed"] == 40
    listed = json.loads(run("-m", "pip", "list", "--format", "json", "--disable-pip-version-check"))
    extra = {package["name"] for package in listed} - {"pip", "setuptools"}
    assert extra == {"offermatch", "wasmtime"}, "wasmtime is the one required dependency"
    program = (
        "from offermatch import match_tasks_to_offers as m; print(m([{'name': 't'}], [{'name': 'o', 'available': {}}]))"
    )
    assert run("-c", program) == "{'o': 't'}\n"

    readme = (ROOT / "python-host" / "README.md").read_text()
    first = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)[0]
    assert run("-c", first).startswith("render-1 server-1 ")
    assert "strand" in run("-m", "offermatch", "policies")
