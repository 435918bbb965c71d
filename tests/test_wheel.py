"""The wheel, installed where nothing else is: no Rust toolchain, no checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_wheel_in_a_fresh_environment(tmp_path: Path) -> None:
    wheels = sorted((ROOT / "target" / "wheel").glob("offermatch-*.whl"))
    assert wheels, "no wheel in target/wheel: run `make wheel`"
    assert wheels[-1].name.endswith("-py3-none-any.whl")

    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheels[-1]]
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
