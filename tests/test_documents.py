"""What stands behind `>>>` in the documents is what it says."""

from __future__ import annotations

import doctest
import math
import re
from collections.abc import Callable

import pytest

from conftest import ROOT
from offermatch import Offer, Task, match_tasks_to_offers

WITH_EXAMPLES = sorted(path for path in (ROOT / "docs").glob("*.md") if ">>> " in path.read_text())


def test_there_are_examples() -> None:
    assert ROOT / "docs" / "semantics.md" in WITH_EXAMPLES


@pytest.mark.parametrize("document", WITH_EXAMPLES, ids=lambda path: path.name)
def test_examples_hold(document) -> None:
    failed, tried = doctest.testfile(
        str(document), module_relative=False, encoding="utf-8", optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert tried > 0
    assert failed == 0


Sum = Callable[[Callable[[int, int, int, int], float]], float]

# By what docs/policies.md says of each policy, for one dimension: demand, available, capacity, scale.
POLICIES: dict[str, Callable[[Sum], float]] = {
    "best-fit": lambda total: total(lambda demand, available, _, scale: (available - demand) / scale),
    "worst-fit": lambda total: total(lambda demand, available, capacity, _: 1 - (available - demand) / capacity),
    "most-allocated": lambda total: total(lambda demand, available, capacity, _: (available - demand) / capacity),
    "dot-product": lambda total: 1 / (1 + total(lambda demand, available, _, scale: demand / scale * (available / scale))),
    "exponential": lambda total: total(
        lambda demand, available, capacity, _: (math.pow(10, (available - demand) / capacity) - 1) / 9
    ),
}


def test_the_example_of_the_policies_is_computed() -> None:
    text = (ROOT / "docs" / "policies.md").read_text()
    header = next(line for line in text.splitlines() if line.startswith("| offer | available of capacity |"))
    policies = [cell.strip() for cell in header.strip("| ").split("|")][2:]
    shape = r"^\| [a-z] \| (\d+) of (\d+) cores, (\d+) of (\d+) GiB \| (.+) \|$"
    rows = re.findall(shape, text, re.MULTILINE)
    assert (len(rows), sorted(policies)) == (4, sorted(POLICIES))
    scales = [max(int(row[at]) for row in rows) for at in (1, 3)]
    for cpu, cores, memory, gibibytes, shown in rows:
        offered = [(int(cpu), int(cores)), (int(memory), int(gibibytes))]
        for policy, cell in zip(policies, shown.split("|"), strict=True):

            def total(term: Callable[[int, int, int, int], float], offered: list[tuple[int, int]] = offered) -> float:
                return sum(
                    term(demand, available, capacity, scale)
                    for demand, (available, capacity), scale in zip((2, 4), offered, scales, strict=True)
                )

            assert abs(float(cell.strip(" *")) - POLICIES[policy](total)) < 0.000501, f"{policy}, {cpu} of {cores} cores"


@pytest.mark.parametrize(("dimensions", "placed"), [(29, {"a": "t"}), (30, {})])
def test_the_drop_in_takes_a_free_offer_of_up_to_29_dimensions(dimensions: int, placed: dict[str, str]) -> None:
    offer = Offer("a", {f"d{at}": 1 for at in range(dimensions)}, devices=1)
    assert match_tasks_to_offers([Task("t")], [offer]) == placed


# Words of the last column of the glossary that mean nothing else in this field: where one is used, it is for that thing.
FORBIDDEN = ("legacy", "mirror")


def test_the_words_of_the_glossary_are_used_and_the_others_are_not() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    instead = {word for row in re.findall(r"^\| .*\| (.*?) \|$", glossary, re.MULTILINE) for word in row.split(", ")}
    assert set(FORBIDDEN) <= instead
    word = re.compile(r"(?<![-\w])(" + "|".join(FORBIDDEN) + r")(?![-\w])", re.IGNORECASE)
    folders = ("docs", "guest", "host", "python-host/src", "wit")
    endings = {".md", ".py", ".rs", ".wit"}
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in endings]
    for path in [*files, ROOT / "README.md", ROOT / "DESIGN.md", ROOT / "CONTRIBUTING.md"]:
        if path.name != "glossary.md" and not {"node_modules", "tests"} & set(path.parts):
            found = word.search(path.read_text())
            assert found is None, f"{path.relative_to(ROOT)}: {found[0]!r} has another word in docs/glossary.md"


# A sentence whose subject has no name is hard to read; the glossary's tables and code are left out.
RIDDLES = re.compile(r"\b(whoever|whatever|told)\b", re.IGNORECASE)


def test_sentences_of_the_documents_name_their_subjects() -> None:
    names = ("README.md", "DESIGN.md", "CONTRIBUTING.md", "SECURITY.md", "python-host/README.md")
    for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / name for name in names)]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = RIDDLES.search(re.sub(r"`[^`]*`", "", line))
            assert found is None, f"{path.relative_to(ROOT)}:{number}: {found[0]!r}: name who or what"
