"""The cases, and how a matcher is judged by them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from offermatch.conformance.audit import audit, opening
from offermatch.conformance.compare import compare
from offermatch.conformance.endurance import endurance_cases, endure
from offermatch.conformance.files import GROUPS, SHIPPED, read_group
from offermatch.conformance.generate import generated as generated_case
from offermatch.conformance.laws import broken
from offermatch.conformance.mixed import mixed, of_the_reference, parameters
from offermatch.conformance.play import ANSWERED, FAILED, play
from offermatch.conformance.report import Failure, Finding, GroupReport, Level, Report
from offermatch.conformance.rules import audit_by_ledger, has_groups, has_plans, served, why_not_asked
from offermatch.conformance.scores import audit_by_scores, hang_on_task_and_offer, largest_table
from offermatch.errors import InputError, MatcherError
from offermatch.matcher import DirectMatcher, Matcher, ReferenceMatcher
from offermatch.reading import unreadable
from offermatch.recording.columns import explained_shown, plan_shown
from offermatch.recording.recording import Recording
from offermatch.tables.tables import Assigned, Plan
from offermatch.wasm.contract import raises_scales

__all__ = ["Group", "Skips", "Suite"]

_MOST_FAILURES = 100
"""Failures of one group that a report names, at each level."""

_MOST_CRASHES = 5
"""Cases in which a matcher may trap or run into a limit before it is asked no more."""

_LAWS_EVERY = 10
"""One generated case of so many is also tried against the laws that take several calls."""

_QUICK_ROWS = 1000
"""The rows of the largest table of a quick case."""


@dataclass(frozen=True, slots=True)
class Group:
    """The cases about one matter.

    Attributes:
        name: Its name.
        about: What its cases are about.
        cases: Recordings whose answers somebody worked out.
    """

    name: str
    about: str
    cases: Sequence[Recording]


@dataclass(frozen=True, slots=True)
class Skips:
    """Cases that are left out: group, case (``*`` for all of them) and reason of each line."""

    lines: Sequence[tuple[str, str, str]] = ()

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Skips:
        """Return the list in a file: ``GROUP/CASE`` and the reason, one a line; ``#`` begins a comment.

        Raises:
            InputError: ``file-unreadable``, or ``file-malformed`` for a line without a reason.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise unreadable(error, str(path)) from error
        found = []
        for number, line in enumerate(map(str.strip, text.splitlines()), 1):
            if not line or line.startswith("#"):
                continue
            which, _, reason = line.partition(" ")
            group, slash, case = which.partition("/")
            if not (slash and reason.strip()):
                hint = "such as 'devices/*  has no devices yet'"
                raise InputError(
                    "file-malformed", f"{line!r} is not GROUP/CASE and a reason", hint, f"{path}, line {number}"
                )
            found.append((group, case, reason.strip()))
        return cls(found)

    def reason(self, case: Recording) -> str | None:
        """Return why a case is left out, if it is."""
        return next((reason for group, name, reason in self.lines if group == case.group and name in ("*", case.name)), None)

    def with_those_of(self, matcher: DirectMatcher) -> Skips:
        """Return these and the shipped ones of a matcher of this package."""
        if not isinstance(matcher, ReferenceMatcher):
            return self
        return Skips([*self.lines, *Skips.read(SHIPPED / "skip" / "reference.txt").lines])


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases to judge matchers by.

    Attributes:
        groups: The groups, in order.
    """

    groups: Sequence[Group] = field(default_factory=tuple)

    @classmethod
    def shipped(cls) -> Suite:
        """Return the cases that come with this package: those of tests/conformance."""
        return cls([Group(*read_group(SHIPPED / f"{name}.json")) for name in GROUPS])

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Suite:
        """Return the cases in a directory: every ``*.json`` in it, by name. A directory without a case is the wrong one.

        Raises:
            InputError: ``file-unreadable`` or ``file-malformed``.
        """
        if not Path(folder).is_dir():
            raise InputError("file-unreadable", "not a directory", "give a directory of cases", str(folder))
        found = cls([Group(*read_group(path)) for path in sorted(Path(folder).glob("*.json"))])
        if not len(found):
            hint = "give a directory of cases, each group in a file that ends in .json"
            raise InputError("file-malformed", "there is no case", hint, str(folder))
        return found

    def quick(self) -> Suite:
        """Return the same without its large cases, for those who wait."""
        groups = [
            replace(group, cases=[case for case in group.cases if largest_table(case) <= _QUICK_ROWS])
            for group in self.groups
        ]
        return Suite(groups)

    def __len__(self) -> int:
        """Return how many cases there are."""
        return sum(len(group.cases) for group in self.groups)

    def judge(
        self,
        matcher: DirectMatcher,
        *,
        level: Level | None = None,
        generated: int = 300,
        seed: int = 1,
        skips: Skips | None = None,
        laws: bool = True,
        endurance: int = 0,
        against: DirectMatcher | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Report:
        """Judge a matcher.

        Args:
            matcher: The matcher.
            level: The level to reach; otherwise the one that its policy claims.
            generated: How many cases to generate, and as many again with rules.
            seed: Where the generated ones begin.
            skips: Cases to leave out.
            laws: Whether each case is asked again and its tasks are placed in several calls, too.
            endurance: How many rounds of calls a component has to answer in the memory of a few dozen; 0 for none.
            against: Another build of the matcher, which has to answer the same, bit for bit. An order that is drawn when a
                matcher is built differs from build to build.
            progress: Is told how many cases are done, and of how many.

        Examples:
            >>> from offermatch import ReferenceMatcher
            >>> Suite.shipped().judge(ReferenceMatcher(), generated=20).level
            'reference'
        """
        left_out = (skips or Skips()).with_those_of(matcher)
        endured = list(endurance_cases(matcher)) if endurance and isinstance(matcher, Matcher) else []
        judge = _Judge(matcher, against, left_out, len(self) + 2 * generated + len(endured), progress)
        groups = [judge.group(group.name, ((case, laws) for case in group.cases)) for group in self.groups]
        if generated:
            seeds = [(seed + number) % 2**64 for number in range(generated)]
            groups.append(judge.group("generated", judge.answered(generated_case, seeds, laws=laws)))
            groups.append(judge.group("mixed", judge.answered(mixed, seeds, laws=laws)))
        if endured:
            groups.append(judge.endurance(endured, endurance))
        tried = {"cases": len(self), "generated": generated, "seed": seed}
        return Report(matcher.description, matcher.digest, tried, groups, level, own_scores=judge.compares_scores)

    def require(self, matcher: DirectMatcher, level: str, place: str = "") -> None:
        """Refuse a matcher that does not reach a level.

        Raises:
            MatcherError: ``conformance-failed``, with the first finding.
        """
        for group in self.groups:
            for case in group.cases:
                if why_not_asked(case, matcher.description) is not None:
                    continue
                for found in _findings(matcher, case, laws=False)[0]:
                    if level == "reference" or found.level == "contract":
                        message = f"{case.group}/{case.name}: {found.what}: {found.expected} -> {found.found}"
                        hint = "'offermatch conformance' shows all that differs"
                        raise MatcherError("conformance-failed", message, hint, place)


class _Judge:
    """A matcher that is being judged."""

    def __init__(
        self,
        matcher: DirectMatcher,
        against: DirectMatcher | None,
        skips: Skips,
        total: int,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._matcher, self._against, self._skips = matcher, against, skips
        self._total, self._progress = total, progress
        self._done = self._crashes = 0

    def answered(
        self, generated: Callable[[int], Recording], seeds: Sequence[int], *, laws: bool
    ) -> Iterator[tuple[Recording, bool]]:
        """Yield the cases of seeds, of what is served, with the reference's answers, and whether laws are tried."""
        description = self._matcher.description
        reference, grows = ReferenceMatcher(description.contract), raises_scales(description.contract)
        for number, seed in enumerate(seeds):
            case = served(generated(seed), description)
            if why_not_asked(case, description) is None:
                drawn = parameters(seed, description) if case.raise_scales else []
                settings = {**case.settings, "parameters": of_the_reference(drawn, description)}
                case = _answered(replace(case, settings=settings, raise_scales=grows), reference)
                case = replace(case, settings={**case.settings, "parameters": drawn})
            yield case, laws and number % _LAWS_EVERY == 0

    @cached_property
    def compares_scores(self) -> bool:
        """Whether answers are compared with the matcher's own scores."""
        return hang_on_task_and_offer(self._matcher)

    def group(self, name: str, cases: Iterable[tuple[Recording, bool]]) -> GroupReport:
        """Judge by the cases of a group; with each stands whether laws are tried."""

        def findings(case: Recording, laws: bool) -> list[Finding]:
            scores = laws and self.compares_scores
            found, crashed = _findings(self._matcher, case, laws=laws, scores=scores, against=self._against)
            self._crashes += crashed
            return found

        return self._group(name, ((case, partial(findings, case, laws)) for case, laws in cases))

    def endurance(self, cases: Iterable[Recording], rounds: int) -> GroupReport:
        """Judge by cases of thousands of calls."""

        def findings(case: Recording) -> list[Finding]:
            found = endure(self._matcher, case, rounds) if isinstance(self._matcher, Matcher) else None
            return [] if found is None else [found]

        return self._group("endurance", ((case, partial(findings, case)) for case in cases))

    def _group(self, name: str, cases: Iterable[tuple[Recording, Callable[[], list[Finding]]]]) -> GroupReport:
        """Judge by the cases of a group; with each stands what gives its findings."""
        report = GroupReport(name)
        for case, findings in cases:
            report.cases += 1
            reason = self._skips.reason(case) or why_not_asked(case, self._matcher.description)
            if reason is not None:
                report.skipped.append({"case": case.name, "reason": reason})
            elif self._crashes >= _MOST_CRASHES:
                report.not_run += 1
            else:
                _write_down(case, findings(), report)
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)
        return report


def _write_down(case: Recording, findings: Sequence[Finding], report: GroupReport) -> None:
    """Write down what was found in a case."""
    if not findings:
        report.passed.append(case.name)
    report.contract_failed += any(found.level == "contract" for found in findings)
    report.reference_failed += bool(findings)
    for found in findings:
        if sum(failure.level == found.level for failure in report.failures) < _MOST_FAILURES:
            failure = Failure(case.name, found.level, found.step, found.what, found.expected, found.found, case.about)
            report.failures.append(failure)


def _findings(
    matcher: DirectMatcher,
    case: Recording,
    *,
    laws: bool,
    scores: bool = False,
    against: DirectMatcher | None = None,
) -> tuple[list[Finding], bool]:
    """Return what is found at each level, at most one thing each, and whether the matcher trapped or ran into a limit."""
    try:
        outcomes = play(matcher, case)
        crashed = outcomes[-1].word == FAILED
        contract = opening(case, matcher.description.modes, outcomes)
        if contract is None and outcomes[0].word == ANSWERED:
            contract = None if has_groups(case) else audit(case, outcomes[1:])
            if contract is None and (has_groups(case) or has_plans(case)):
                contract = audit_by_ledger(case, outcomes[1:])
            if contract is None and scores:
                contract = audit_by_scores(matcher, case, outcomes[1:])
        if contract is None and laws and not crashed:
            contract = broken(matcher, case, outcomes)
        if contract is None and against is not None:
            other = compare(_answered(case, against), outcomes)
            contract = None if other is None else replace(other, level="contract", what=f"{other.what}, of the other build")
        reference = compare(case, outcomes)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
        hint = "docs/recordings.md shows the format"
        raise InputError("file-malformed", f"columns that cannot be read: {error!r}", hint, case.name) from error
    return [found for found in (contract, reference) if found is not None], crashed


def _answered(case: Recording, matcher: DirectMatcher) -> Recording:
    """Return a case with the answers of a matcher, as far as it gets."""
    opened, *outcomes = play(matcher, case)
    steps: list[Mapping[str, Any]] = []
    for step, outcome in zip(case.steps, outcomes, strict=False):
        asked = {name: table for name, table in step.items() if name not in {"answer", "error"}}
        if outcome.word != ANSWERED:
            steps.append({**asked, "error": outcome.word})
            continue
        answer: dict[str, Any] = {}
        if isinstance(outcome.answer, Assigned):
            answer = {name: getattr(outcome.answer, name) for name in outcome.answer.__slots__}
        elif isinstance(outcome.answer, Plan):
            answer = plan_shown(outcome.answer)
        elif outcome.answer is not None:
            answer = explained_shown(outcome.answer)
        steps.append({**asked, "answer": answer})
    return replace(case, open_error=None if opened.word == ANSWERED else opened.word, steps=steps)
