"""What a suite finds of a matcher, and how it is written: as a table, as JSON, as JUnit has it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from xml.etree import ElementTree as Xml

from offermatch.model import Description

__all__ = ["LEVELS", "Failure", "Finding", "GroupReport", "Level", "Report", "claimed", "shown"]

Level = Literal["contract", "reference"]
"""What a matcher may be found to conform to. The higher one includes the lower one."""

LEVELS: tuple[Level, ...] = ("contract", "reference")
"""The levels, the higher one last."""

GENERATED = ("generated", "mixed")
"""The groups whose cases are drawn."""

_TOO_OFTEN = "cases were not run: it trapped or ran into limits too often"
_LOOKS_AHEAD = "its scores hang on more than the task and the offer: which offer is best by them was not checked"


def claimed(policy: str) -> Level:
    """Return the level that a matcher of this policy claims by its name."""
    return "reference" if policy == "best-fit" else "contract"


def shown(number: float) -> str:
    """Return a double as both hosts write it: of the shortest texts that read back as the same the nearest."""
    return repr(float(number))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        level: The level that is missed because of it.
        step: The step of the case, counted from 0; None for opening.
        what: What it is about.
        expected: What was expected.
        found: What was found.
    """

    level: str
    step: int | None
    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The first thing that was found in a case, at one level.

    Attributes:
        case: The case.
        level: The level that is missed because of it.
        step: The step, counted from 0; None for opening.
        what: What it is about.
        expected: What was expected.
        found: What was found.
        about: Why the case is there.
    """

    case: str
    level: str
    step: int | None
    what: str
    expected: str
    found: str
    about: str

    @property
    def place(self) -> str:
        """Return the step in words."""
        return "opening" if self.step is None else f"step {self.step}"


@dataclass(slots=True)
class GroupReport:
    """What was found in one group.

    Attributes:
        group: Its name.
        cases: How many cases it has.
        skipped: ``case`` and ``reason`` of those that were left out.
        not_run: Those that were not asked any more, because the matcher trapped or ran into limits too often.
        contract_failed: Those in which the contract was broken.
        reference_failed: Those in which the answer was not the reference's, or the contract was broken.
        failures: The first of them, with what was found.
        passed: Those in which nothing was found.
    """

    group: str
    cases: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)
    not_run: int = 0
    contract_failed: int = 0
    reference_failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)

    def failed(self, level: Level) -> int:
        """Return how many cases miss a level."""
        return self.contract_failed if level == "contract" else self.reference_failed

    def as_dict(self) -> dict[str, Any]:
        """Return what the JSON report has of it."""
        found = asdict(self)
        del found["passed"]
        return found


class Report:
    """What a suite finds of a matcher. Both hosts give the same, byte for byte, as JSON.

    Attributes:
        level: The level reached; None for none.
        asked: The level to reach.
        conforms: Whether it is reached.
        verdict: The same in words.
        groups: What was found, group by group.
        own_scores: Whether answers were compared with what follows from the matcher's own scores.
    """

    def __init__(
        self,
        matcher: Description,
        digest: str,
        suite: dict[str, int],
        groups: Sequence[GroupReport],
        level: Level | None = None,
        *,
        own_scores: bool = True,
    ) -> None:
        """Come to a verdict; ``level`` is the one to reach, unless it is the one that the policy claims."""
        self.own_scores = own_scores
        self._matcher, self._digest, self._suite = matcher, digest, suite
        self.groups = groups
        self.level: Level | None = next((level for level in reversed(LEVELS) if self._clean(level)), None)
        self.asked: Level = level or claimed(matcher.policy)
        self.conforms = self.level is not None and LEVELS.index(self.level) >= LEVELS.index(self.asked)
        self.verdict = self._verdict()

    def _clean(self, level: Level) -> bool:
        return all(group.not_run == 0 and group.failed(level) == 0 for group in self.groups)

    def _verdict(self) -> str:
        policy = self._matcher.policy
        if self.level is None:
            return "does not conform to the contract"
        if self.level == "reference":
            return "conforms to the contract and answers as the reference, best-fit"
        if claimed(policy) == "reference":
            return f"conforms to the contract; its policy is called {policy}, but it is not the reference"
        return f"conforms to the contract; policy {policy}, not the reference"

    def to_json(self) -> str:
        """Return the report as JSON."""
        matcher = self._matcher
        found = {
            "format": "offermatch-conformance/1",
            "matcher": {
                "name": matcher.name,
                "version": matcher.version,
                "policy": matcher.policy,
                "contract": matcher.contract,
                "digest": self._digest or None,
            },
            "suite": self._suite,
            "asked": self.asked,
            "level": self.level,
            "conforms": self.conforms,
            "verdict": self.verdict,
            "own_scores": self.own_scores,
            "groups": [group.as_dict() for group in self.groups],
        }
        return json.dumps(found, indent=2, ensure_ascii=False) + "\n"

    def to_text(self) -> str:
        """Return the report for people: a line a group, then the first difference as a table."""
        return "\n".join(self._lines()) + "\n"

    def _shown(self, failed: int, run: int, level: Level) -> str:
        if run == 0:
            return "not run"
        if not failed:
            return "pass"
        # A matcher of another policy answers otherwise on purpose.
        return f"{failed} fail" if LEVELS.index(level) <= LEVELS.index(self.asked) else f"{failed} differ"

    def _lines(self) -> Iterator[str]:
        matcher, suite = self._matcher, self._suite
        yield f"matcher  {matcher.name} {matcher.version}, policy {matcher.policy}, contract {matcher.contract}"
        yield f"suite    {suite['cases']} cases, {suite['generated']} generated from seed {suite['seed']}"
        yield f"\n{'group':<14}{'cases':>8}{'skipped':>9}{'contract':>12}{'reference':>12}"
        for group in self.groups:
            run = group.cases - len(group.skipped) - group.not_run
            contract, reference = (self._shown(group.failed(level), run, level) for level in LEVELS)
            yield f"{group.group:<14}{group.cases:>8}{len(group.skipped):>9}{contract:>12}{reference:>12}"
        for group in self.groups:
            if group.group in GENERATED:
                for reason, count in Counter(skipped["reason"] for skipped in group.skipped).items():
                    yield f"skipped  {group.group}, {count} cases: {reason}"
                continue
            for skipped in group.skipped:
                yield f"skipped  {group.group}/{skipped['case']}: {skipped['reason']}"
        if not self.own_scores:
            yield f"\n{_LOOKS_AHEAD}"
        yield from self._first_difference()
        not_run = sum(group.not_run for group in self.groups)
        if not_run:
            yield f"\n{not_run} {_TOO_OFTEN}"
        yield f"\nlevel    {self.level or 'none'} (asked: {self.asked})"
        yield f"verdict  {self.verdict}"

    def _first_difference(self) -> Iterator[str]:
        # A matcher of another policy answers otherwise on purpose: what it misses is the level that is asked of it.
        for group in self.groups:
            for failure in group.failures:
                if self._misses(failure):
                    yield f"\nfirst difference, {group.group}/{failure.case}, {failure.place}"
                    for name in ("what", "expected", "found", "about"):
                        if getattr(failure, name):
                            yield f"  {name:<10}{getattr(failure, name)}"
                    return

    def _misses(self, failure: Failure) -> bool:
        return failure.level == "contract" or self.asked == "reference"

    def to_junit(self) -> str:
        """Return the report as JUnit has it.

        A suite a group, a case a case; of generated cases those that failed, and one for all that passed.
        """
        root = Xml.Element("testsuites", name=self._matcher.name)
        for group in self.groups:
            self._junit_group(root, group)
        Xml.indent(root)
        text: str = Xml.tostring(root, encoding="unicode")
        # What XML cannot hold, a matcher's name might.
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", text) + "\n"

    def _junit_group(self, root: Xml.Element, group: GroupReport) -> None:
        failed: dict[str, list[Failure]] = {}
        for failure in group.failures:
            if self._misses(failure):
                failed.setdefault(failure.case, []).append(failure)
        others = dict.fromkeys(failure.case for failure in group.failures if failure.case not in failed)
        passed = [*group.passed, *others]
        if group.group in GENERATED and passed:
            passed = ["all-others"]
        counts = {
            "tests": len(passed) + len(failed) + len(group.skipped) + bool(group.not_run),
            "failures": len(failed),
            "errors": int(bool(group.not_run)),
            "skipped": len(group.skipped),
        }
        texts = {key: str(count) for key, count in counts.items()}
        suite = Xml.SubElement(root, "testsuite", {"name": group.group, **texts})

        def case(name: str) -> Xml.Element:
            return Xml.SubElement(suite, "testcase", classname=group.group, name=name)

        for name in passed:
            case(name)
        for name, failures in failed.items():
            element = case(name)
            for one in failures:
                message = f"{one.place}, {one.what}: {one.expected} -> {one.found}"
                Xml.SubElement(element, "failure", type=one.level, message=message).text = one.about
        for skipped in group.skipped:
            Xml.SubElement(case(skipped["case"]), "skipped", message=skipped["reason"])
        if group.not_run:
            Xml.SubElement(case("not-run"), "error", type="not-run", message=f"{group.not_run} {_TOO_OFTEN}")
