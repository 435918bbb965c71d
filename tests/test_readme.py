"""The examples of README.md are programs that run."""

from __future__ import annotations

import re
import subprocess
import textwrap
from typing import Any

from conftest import ROOT

README = (ROOT / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_python_examples_run() -> None:
    blocks = _blocks("python")
    assert blocks
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert [(row.task, row.offer) for row in names["answer"].assignments] == [("render-1", "server-2")]
    assert [why.candidates for why in names["answer"].explanations] == [0]


def test_rust_example_is_the_one_that_is_compiled() -> None:
    (block,) = _blocks("rust")
    example = textwrap.dedent((ROOT / "host" / "library" / "examples" / "match_files.rs").read_text())
    lines = {line.strip() for line in example.splitlines()}
    assert [line for line in block.splitlines() if line.strip() not in lines] == []


def test_commands_are_there() -> None:
    targets = set(re.findall(r"make ([a-z-]+)", README))
    makefile = (ROOT / "Makefile").read_text()
    assert {"run", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"README names `make {target}`"


def test_links_lead_to_files() -> None:
    documents = [ROOT / name for name in ("README.md", "DESIGN.md", "CONTRIBUTING.md")]
    documents += [*(ROOT / "docs").glob("*.md"), ROOT / "python-host" / "README.md"]
    for document in documents:
        prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\(([^)#]+)\)", prose):
            if not link.startswith(("http://", "https://")):
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_nothing_is_said_of_this_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    forbidden = re.compile("|".join(["/" + "work/", "/" + "root/", r"\.\./" + "shared", "/" + "tmp/" + "scratch"]))
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in {".png", ".wasm", ".gz"} or not path.is_file():
            continue
        found = forbidden.search(path.read_text(errors="replace"))
        assert found is None, f"{name}: {found and found[0]}"
