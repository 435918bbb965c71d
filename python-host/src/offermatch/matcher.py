"""The public face: load a matcher, match, open a pool, explain.

Matcher        the component, bundled or given
ReferenceMatcher  the reference loop in Python, with the same interface and the same answers
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from os import PathLike
from pathlib import Path
from time import perf_counter
from types import NoneType
from typing import Any

from offermatch import policies
from offermatch.answer import Answer
from offermatch.errors import InputError
from offermatch.limits import Limits
from offermatch.meter import count
from offermatch.model import Description, Explanation, Mode, Quantity, Settings, Task, Timings
from offermatch.pool import Pool
from offermatch.provenance import SCHEME
from offermatch.provenance.trust import Trust
from offermatch.quantity import check_comparable
from offermatch.recording.recorder import Recorded
from offermatch.recording.rotation import Rotated, Rotation
from offermatch.reference import DESCRIPTION, Reference
from offermatch.session import Backend, Session, Verified
from offermatch.tables.bad import BadRows
from offermatch.tables.bound import upper_bound
from offermatch.tables.catalog import Catalog
from offermatch.tables.frames import Table
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.remarks import refuse_unknown, refuse_unknown_units
from offermatch.tables.rules import refuse_unserved, rules_of_opening, with_parameters
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import OfferTable
from offermatch.tables.tasks import TaskColumns
from offermatch.verify.ledger import Ledger
from offermatch.visible import shown_value
from offermatch.wasm.choice import packed_calls
from offermatch.wasm.component import Code, ComponentPool
from offermatch.wasm.contract import BEFORE, CONTRACT, raises_scales
from offermatch.wasm.spans import MATCHING, listening, span, tell

__all__ = ["BaseMatcher", "DirectMatcher", "Matcher", "ReferenceMatcher", "checked_dimensions", "checked_settings"]


class BaseMatcher(ABC):
    """What every matcher offers. Safe to use from several threads.

    Attributes:
        description: What the matcher says of itself.
        digest: ``sha256:`` and the digest of its bytes; empty for the reference matcher.
    """

    description: Description
    digest: str

    @abstractmethod
    def session(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Session:
        """Open a pool of these offers, over row numbers, listed in the order of their rows.

        Raises:
            InputError: ``setting-malformed``.
            MatcherError: The matcher failed.
        """

    def match(
        self,
        tasks: Table | TaskColumns,
        offers: Table | OfferColumns,
        settings: Settings | None = None,
        *,
        mode: Mode | None = None,
        max_score: float | None = None,
        weights: Mapping[str, float] | None = None,
        scales: Mapping[str, Quantity] | None = None,
        dimensions: Sequence[str] | None = None,
        name: str = "name",
        bad_rows: BadRows = "refuse",
        strict: bool = False,
        units: Mapping[str, str] | None = None,
        explain: bool = False,
        bound: bool = False,
        record: str | PathLike[str] | None = None,
        parameters: Mapping[str, float] | None = None,
        workload: Sequence[tuple[Task, float]] | None = None,
    ) -> Answer:
        """Match tasks to offers, once.

        Args:
            tasks: ``Task`` rows, objects with the same attributes, mappings in the JSON shape, database rows, a frame, an
                Arrow table, a dictionary of columns, the path of a file, or ``TaskColumns``; docs/python.md has them all.
            offers: ``Offer`` rows, likewise, or ``OfferColumns``.
            settings: How to rank the offers; what is given by name below stands instead of what is said there.
            mode: ``exclusive``, as it is unless given, or ``shared``.
            max_score: An offer is chosen only if its score is below this; None for no limit.
            weights: The weight of a dimension by its name, ``"devices"`` for the device term.
            scales: The scale likewise.
            dimensions: The resource dimensions, in order; those of the offers unless given. Rows without ``demand`` and
                ``available`` are then flat: each dimension is an attribute, or a key, of the row. Without them, each column
                of a frame that has no other meaning is a dimension.
            name: The attribute, key or column that has the names. Names that are integers become their digits.
            bad_rows: ``refuse`` the call, naming the rows that cannot be used, or ``leave-out`` these and place the others:
                ``answer.left_out`` says which they are, and why.
            strict: Whether to refuse, too, what is otherwise a remark in ``answer.remarks``: a requirement on an attribute
                that no offer has.
            units: What the numbers of a dimension are in, such as ``{"cpu": "millicores", "scratch": "bytes"}``. Where left
                out, ``cpu`` is in cores, memory and disk in bytes, all else is a count; docs/formats.md has the rule.
            explain: Whether to say of each unplaced task why it found no offer.
            bound: Whether to say in ``answer.bound`` what no answer is above; see docs/semantics.md.
            record: A file to record the cycle in, see docs/recordings.md.
            parameters: What the policy takes, by name; see ``Settings``.
            workload: The tasks that are to be expected, each with its share; see ``Settings``.

        Raises:
            InputError: A table or a setting that cannot be used.
            MatcherError: The matcher failed, or its answer does not hold.

        Examples:
            >>> from offermatch import ReferenceMatcher, Offer, Task
            >>> answer = ReferenceMatcher().match([Task("t", {"cpu": 1})], [Offer("a", {"cpu": 4}), Offer("b", {"cpu": 2})])
            >>> answer.assignments
            [Assignment(task='t', offer='b', score=0.25)]
        """
        settings = checked_settings(
            settings,
            mode=mode,
            max_score=max_score,
            weights=weights,
            scales=scales,
            units=units,
            parameters=parameters,
            workload=workload,
        )
        units = settings.units
        with span(MATCHING):
            timings = Timings()
            begin = perf_counter()
            offered = offer_columns(offers, dimensions, name=name, bad_rows=bad_rows, units=units)
            # Before the pool is opened, so that a mistake among the tasks costs no crossing.
            known = dimensions if dimensions is not None else tuple(offered.available) if len(offered) else None
            asked = task_columns(tasks, dimensions, name=name, bad_rows=bad_rows, known=known, units=units)
            chosen = checked_dimensions(asked, offered, settings, dimensions)
            columns = [asked, *_expected(settings)]
            attributes, measures = _attributes_asked(columns, offered), _measures_asked(columns, offered)
            if strict:
                refuse_unknown(asked, offered.attributes, offered.measures)
            timings.columns += perf_counter() - begin
            unset = set(attributes).difference(offered.attributes)
            with self._pool(offered, settings, chosen, attributes, measures, timings, record, unset) as pool:
                answer = pool.place(asked, timings, explain=explain, bad_rows=bad_rows)
            _tell(answer, len(asked), len(offered))
            left_out = [*answer.left_out, *offered.left_out]
            most = upper_bound(asked, offered, settings.mode, chosen) if bound else None
            if most is not None and answer.matcher is not None:
                by = {"matcher": answer.matcher.name, "policy": answer.matcher.policy}
                count("offermatch.match.bound", len(answer), result="placed", **by)
                count("offermatch.match.bound", most.tasks, result="possible", **by)
            answer.left_out, answer.offer_numbers, answer.bound = left_out, offered.numbers, most
            return answer

    async def match_async(self, tasks: Table | TaskColumns, offers: Table | OfferColumns, **options: Any) -> Answer:
        """Match on a thread, so that the event loop goes on; arguments and errors are those of ``match``.

        A call that has begun cannot be cancelled: where the awaiting task is, the answer is thrown away.
        """
        import asyncio  # noqa: PLC0415 - programs without an event loop start faster

        return await asyncio.to_thread(self.match, tasks, offers, **options)

    def open(
        self,
        offers: Table | OfferColumns,
        settings: Settings | None = None,
        *,
        mode: Mode | None = None,
        max_score: float | None = None,
        weights: Mapping[str, float] | None = None,
        scales: Mapping[str, Quantity] | None = None,
        units: Mapping[str, str] | None = None,
        parameters: Mapping[str, float] | None = None,
        workload: Sequence[tuple[Task, float]] | None = None,
        dimensions: Sequence[str] | None = None,
        attributes: Iterable[str] = (),
        measures: Iterable[str] = (),
        name: str = "name",
        bad_rows: BadRows = "refuse",
        record: str | PathLike[str] | Rotation | None = None,
    ) -> Pool:
        """Open a pool that holds the offers from one call to the next.

        Args:
            offers: ``Offer`` rows or whatever else ``match`` takes.
            settings: How to rank the offers.
            mode: Instead of that of the settings, as are the next six; see ``match``.
            max_score: See ``match``.
            weights: See ``match``.
            scales: See ``match``.
            units: See ``match``.
            parameters: See ``match``.
            workload: See ``match``.
            dimensions: The resource dimensions, in order; those of the offers unless given.
            attributes: Attributes that later offers may have, or groups be placed by, besides those of these offers.
            measures: Measures that later offers may have, likewise.
            name: The attribute, key or column that has the names of the offers.
            bad_rows: What happens to offers that cannot be used, as in ``match``; ``pool.left_out`` says which they are.
            record: A file to record the pool in when it is closed, or a ``Rotation`` of files where it lives for long;
                see docs/recordings.md.

        Raises:
            InputError: An offer or a setting that cannot be used.
            MatcherError: The matcher failed.
        """
        settings = checked_settings(
            settings,
            mode=mode,
            max_score=max_score,
            weights=weights,
            scales=scales,
            units=units,
            parameters=parameters,
            workload=workload,
        )
        offered = offer_columns(offers, dimensions, name=name, bad_rows=bad_rows, units=settings.units)
        chosen = tuple(dimensions) if dimensions is not None else tuple(offered.available)
        settings.check_units(chosen)
        refuse_unknown_units(chosen, offered)
        # One attribute at least: a requirement on an attribute that no offer has needs a column to stand on.
        named = [*offered.attributes, *_names(attributes, "attributes")] or [""]
        measured = [*offered.measures, *_names(measures, "measures")]
        return self._pool(offered, settings, chosen, named, measured, Timings(), record)

    def _pool(
        self,
        offers: OfferColumns,
        settings: Settings,
        dimensions: Sequence[str],
        attributes: Iterable[str],
        measures: Iterable[str],
        timings: Timings,
        record: str | PathLike[str] | Rotation | None,
        unset: Collection[str] = (),
    ) -> Pool:
        begin = perf_counter()
        _check_record(record)
        catalog = Catalog(offers.names, dimensions, attributes, measures, unset, offers.read_in)
        catalog.occupy(offers)
        table, columns = catalog.offers(offers), catalog.settings(settings)
        shape = Shape(len(catalog.dimensions), len(catalog.attributes), len(catalog.measures))
        ledger = Ledger(table, columns.mode, columns.score_limit)
        timings.columns += perf_counter() - begin
        session: Session
        if record is None:
            session = self.session(table, shape, columns, timings)
        elif isinstance(record, Rotation):
            session = Rotated.rotating(self, table, shape, columns, timings, record)
        else:
            session = Recorded.open(self, table, shape, columns, timings, record)
        return Pool(session, ledger, catalog, settings, offers.left_out)

    def explain(
        self, tasks: Table | TaskColumns, offers: Table | OfferColumns, settings: Settings | None = None
    ) -> list[Explanation]:
        """Say how the offers stand to each of the tasks, each on its own.

        Raises:
            InputError: A table or a setting that cannot be used.
            MatcherError: The matcher failed, or its answer does not hold.
        """
        with self.open(offers, settings) as pool:
            return pool.explain(tasks)


class DirectMatcher(BaseMatcher):
    """A matcher that answers itself, instead of asking others."""

    @abstractmethod
    def backend(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Backend:
        """Open a pool as ``session`` does, whose answers nobody verifies; the columns may be of any length."""

    def session(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Session:
        """Open a pool of these offers, over row numbers, listed in the order of their rows."""
        if settings.mode not in self.description.modes:
            message = f"{self.description.name} does not have the mode {settings.mode}"
            raise InputError("setting-malformed", message, "it has " + ", ".join(self.description.modes), "mode")
        refuse_unserved(self.description, rules_of_opening(shape, settings))
        settings = with_parameters(settings, self.description)
        return Verified(self.description, self.digest, self.backend(table, shape, settings, timings), shape)


class Matcher(DirectMatcher):
    """A matcher component. Load one with ``Matcher.load``."""

    def __init__(self, code: Code) -> None:
        """Judge a compiled component; use ``Matcher.load``."""
        self.description = code.judge()
        self.digest = code.inspection.digest
        self._code = code
        self._packed = packed_calls(code)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str] | None = None,
        *,
        policy: str | None = None,
        limits: Limits | None = None,
        digest: str | None = None,
        trust: Trust | str | PathLike[str] | None = None,
        judge: Callable[[bytes], object] | None = None,
        stopped: threading.Event | None = None,
    ) -> Matcher:
        """Return the bundled matcher, the one of a shipped policy, or the component in a file.

        Args:
            path: The component: a file, or ``oci://registry/name:tag`` or ``oci://registry/name@sha256:...``.
            policy: A policy that the package carries, in place of a path; ``offermatch policies`` lists them.
            limits: What it may use; those of ``Limits.in_force()`` unless given.
            digest: ``sha256:`` and the digest it must have.
            trust: Whose matchers may be loaded, or the file that says it; the file that ``OFFERMATCH_TRUST`` names unless
                given. What the package carries is not asked for a signature. docs/provenance.md has the errors of both.
            judge: What is to be content with its bytes before they are loaded here, and raises an error otherwise. It is
                called in the process that compiles the component, so it has to be one that ``pickle`` takes.
            stopped: Set when nobody waits for it any more; what is raised then is no error of this package.

        Raises:
            InputError: ``limit-malformed``, in the environment; ``policy-unknown``; ``setting-malformed``, where both a path
                and a policy are given.
            MatcherError: ``component-unreadable``, ``component-malformed``, ``digest-mismatch``, ``wrong-world``,
                ``contract-version``, ``matcher-trapped`` or a limit.
        """
        if policy is not None:
            if path is not None:
                message = f"both a path, {str(path)!r}, and a policy, {policy!r}, are given"
                raise InputError("setting-malformed", message, "give one of the two", "policy")
            return cls(Code(Path(f"{policy}.wasm"), limits, digest, policies.component(policy)))
        if path is None:
            return cls(Code(policies.BUNDLED, limits, digest, policies.BUNDLED.read_bytes()))
        if str(path).startswith(SCHEME):
            from offermatch.provenance import registry  # noqa: PLC0415 - costs more than all else that a start imports

            path, _ = registry.pull(registry.Reference.parse(str(path)), limits or Limits.in_force())
        if trust is not None and not isinstance(trust, Trust):
            trust = Trust.read(trust)
        return cls(Code(Path(path), limits, digest, trust=trust, judge=judge, stopped=stopped))

    @property
    def path(self) -> Path:
        """Where it was loaded from."""
        return self._code.path

    @property
    def limits(self) -> Limits:
        """What its instances may use."""
        return self._code.limits

    @property
    def crossing(self) -> str:
        """How columns cross to the component: ``packed``, as digits, or ``public``, as lists."""
        return "packed" if "assign" in self._packed else "public"

    @property
    def direct(self) -> bool:
        """Whether arguments go into memory without wasmtime-py's conversion."""
        return self._code.direct

    def backend(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Backend:
        """Open a pool in an instance of its own."""
        return ComponentPool(self._code, table, shape, settings, timings, packed=self._packed)

    def within(self, memory_bytes: int) -> Matcher:
        """Return the same matcher, whose pools may use so much memory."""
        other = copy(self)
        other._code = self._code.within(memory_bytes)
        return other


class ReferenceMatcher(DirectMatcher):
    """The reference loop in pure Python: the same answers, at the cost of tasks x offers.

    It answers as a matcher of the current contract does, or as one of 0.2.0, which explains by the first check and keeps the
    scales of opening. It serves all rules either way.
    """

    description = DESCRIPTION
    digest = ""

    def __init__(self, contract: str = CONTRACT) -> None:
        """Answer as a matcher of a contract does."""
        self.description = replace(DESCRIPTION, contract=CONTRACT if raises_scales(contract) else BEFORE)

    def backend(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Backend:
        """Open a pool in the loop."""
        begin = perf_counter()
        pool = Reference(table, shape, replace(settings, raise_scales=self.description.contract == CONTRACT))
        timings.call += perf_counter() - begin
        return pool


def checked_settings(settings: Any, **given: Any) -> Settings:
    """Return settings in which what is given by name stands instead of what they say."""
    if settings is not None and not isinstance(settings, Settings):
        hint = "give Settings(...), or its fields by name"
        raise InputError("setting-malformed", f"{shown_value(settings)} are no settings", hint, "settings")
    said = {name: value for name, value in given.items() if value is not None}
    chosen = Settings() if settings is None else settings
    return (replace(chosen, **said) if said else chosen).checked()


def _names(given: Any, what: str) -> list[str]:
    """Return names of attributes or of measures as a list."""
    # A text would be taken letter by letter.
    listed: list[Any] = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [None]
    if not all(isinstance(name, str) for name in listed):
        hint = 'give a list of names, such as ["rack"]'
        raise InputError("setting-malformed", f"{shown_value(given)} are no {what}", hint, what)
    return listed


def _check_record(record: object) -> None:
    if not isinstance(record, (str, PathLike, Rotation, NoneType)):
        hint = "give the path of a file"
        raise InputError("setting-malformed", f"{shown_value(record)} is no file", hint, "record")


def checked_dimensions(
    tasks: TaskColumns, offers: OfferColumns, settings: Settings, given: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the dimensions: those given, else those of the offers; where there are no offers, those of the tasks too.

    Raises:
        InputError: ``setting-malformed`` for a unit of another dimension or one that differs between the tables,
            ``unknown-dimension`` for a task with another one.
    """
    own = offers.available if len(offers) else dict.fromkeys([*offers.available, *tasks.demand])
    chosen = tuple(own if given is None else given)
    known = [*offers.available, *chosen, *tasks.demand, *tasks.named]
    settings.check_units(known)
    refuse_unknown_units(known, tasks, offers)
    check_comparable(tasks.demand.keys() & offers.available.keys(), tasks.read_in, offers.read_in, "tasks")
    tasks.aligned(chosen)
    return chosen


def _expected(settings: Settings) -> list[TaskColumns]:
    """Return the typical tasks of a workload, as far as they can be read; what is wrong with them is said later."""
    try:
        return [task_columns([task for task, _ in settings.workload], units=settings.units)] if settings.workload else []
    except (InputError, TypeError, ValueError):
        return []


def _attributes_asked(tasks: Sequence[TaskColumns], offers: OfferColumns) -> list[str]:
    """Return the attributes that some rule is about, so that no other crosses; one at least if there is a requirement."""
    grouped = [name for columns in tasks for name in columns.group_attributes]
    if all(columns.requirements is None and columns.preferences is None for columns in tasks):
        return grouped
    asked = set(grouped).union(*(columns.attributes_asked for columns in tasks))
    found = [name for name in offers.attributes if name in asked]
    return [*found, *(name for name in grouped if name not in found)] or [""]


def _measures_asked(tasks: Sequence[TaskColumns], offers: OfferColumns) -> list[str]:
    """Return the measures that some rule is about."""
    if not offers.measures:
        return []
    asked: set[str] = set().union(*(columns.measures_asked for columns in tasks))
    return [name for name in offers.measures if name in asked]


def _tell(answer: Answer, tasks: int, offers: int) -> None:
    """Say on the span of a cycle what was asked and who answered."""
    if not listening():
        return
    attributes: dict[str, str | int] = {
        "offermatch.tasks": tasks,
        "offermatch.offers": offers,
        "offermatch.placed": len(answer),
    }
    if answer.matcher is not None:
        attributes["offermatch.matcher"] = f"{answer.matcher.name} {answer.matcher.version}"
        attributes["offermatch.policy"] = answer.matcher.policy
        attributes["offermatch.matcher.digest"] = answer.matcher_digest
    tell(attributes)
