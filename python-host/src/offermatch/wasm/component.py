"""A component as wasmtime runs it: read, judged, opened, called.

    bytes ──> compiled ──> judged (exports, imports, contract version) ──> self-check of `packed` ──> pools

Nothing of a component runs before its exports and imports have been judged.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

from wasmtime.component import Linker

from offermatch.errors import LyingMatcherError, MatcherError
from offermatch.limits import Limits
from offermatch.model import Description, Timings
from offermatch.provenance.trust import Trust
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Changes, OfferTable, Plan, RunningTable, TaskTable
from offermatch.wasm.compile import compile_component, read_component
from offermatch.wasm.contract import CONTRACTS, INTERFACE, Contract, newest_served
from offermatch.wasm.conversion import Before, Bytes, Conversion, Digits, Lists
from offermatch.wasm.engine import shared_engine
from offermatch.wasm.instance import Exports, Instance
from offermatch.wasm.lockdown import foreign_imports, shared_linker
from offermatch.wasm.output import (
    check_assigned,
    check_described,
    check_description,
    check_explained,
    check_plan,
    misdescribed,
)
from offermatch.wasm.pace import breathe

__all__ = ["Code", "ComponentPool", "Inspection"]

_T = TypeVar("_T")
_COMPONENT_HEAD = b"\0asm\x0d\0\1\0"
_MODULE_HEAD = b"\0asm\1\0\0\0"
_CONVERSIONS = {(spoken, form): spoken(form()) for spoken in (Conversion, Before) for form in (Lists, Digits, Bytes)}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a component shows from outside, before any of it runs.

    Attributes:
        digest: ``sha256:`` and the digest of its bytes.
        size: Its size in bytes.
        imports: The names it imports.
        exports: The names it exports.
    """

    digest: str
    size: int
    imports: tuple[str, ...]
    exports: tuple[str, ...]


class _Judged(NamedTuple):
    """How a component is called, as its exports and imports tell.

    Attributes:
        exports: Where its functions are.
        linker: What it imports; None where that is a WASI of its own for each instance.
    """

    exports: Exports
    linker: Linker | None


class Code:
    """A compiled component; may be shared by threads.

    Attributes:
        path: Where it was read.
        signer: The owner of the key it is signed with; None where no signature was asked.
        cached: Whether its machine code came from the cache.
        inspection: What it shows from outside.
        limits: What each of its instances may use.
        direct: Whether its pools are called without wasmtime-py's conversion; ``packed_calls`` says so.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits | None = None,
        digest: str | None = None,
        content: bytes | None = None,
        trust: Trust | None = None,
        judge: Callable[[bytes], object] | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        """Read and compile a component.

        Args:
            path: Where it is.
            limits: What its instances may use; those in force unless given.
            digest: ``sha256:`` and the digest it must have; nothing of another one is compiled.
            content: Its bytes, where they are at hand; the path then only names it.
            trust: Whose components may be compiled; unless given, those of the trust in force where it is read from a path.
            judge: What has to be content with its bytes, in the process that compiles it.
            stopped: Set when nobody waits for it any more.

        Raises:
            MatcherError: ``component-unreadable``, ``digest-mismatch``, ``component-malformed``, ``limit-component``, what
                the judge raises, or an error of ``Trust.require``.
            Abandoned: Nobody waits for it any more.
        """
        self.path = path
        self.limits = limits or Limits.in_force()
        self._engine = shared_engine(self.limits)
        if content is None:
            content = read_component(path, self.limits)
            trust = trust or Trust.in_force()
        found = "sha256:" + hashlib.sha256(content).hexdigest()
        if digest is not None and digest.lower() != found:
            hint = "fetch it again, or state the digest it has"
            raise MatcherError("digest-mismatch", f"its digest is {found}, not {digest}", hint, str(path))
        self.signer = trust.require(content, found, path) if trust is not None else None
        if content.startswith(_MODULE_HEAD):
            hint = "wrap it with 'wasm-tools component new'"
            raise MatcherError("component-malformed", "this is a core module, not a component", hint, str(path))
        if not content.startswith(_COMPONENT_HEAD):
            hint = "give a WebAssembly component"
            raise MatcherError("component-malformed", f"not a component; it begins with {content[:8]!r}", hint, str(path))
        self._component, self.cached = compile_component(content, path, self.limits, judge, stopped)
        breathe()
        shape = self._component.type
        self.inspection = Inspection(
            found,
            len(content),
            tuple(shape.imports(self._engine)),
            tuple(shape.exports(self._engine)),
        )
        self._found: _Judged | None = None
        self.direct = False

    def judge(self) -> Description:
        """Return what the matcher says of itself, once its exports, imports and contract version hold.

        Raises:
            MatcherError: ``wrong-world``, ``contract-version`` or ``matcher-trapped``; ``answer-refused`` where what it
                says of itself does not hold.
        """
        breathe()
        instance = self.instance()
        instance.check_types()
        found = self.described_by(instance)
        check_description(found, str(self.path))
        if self.described_by(instance) != found:
            raise misdescribed("it is another one when it is asked again", str(self.path))
        spoken = self.contract.version
        if found.contract not in CONTRACTS:
            raise self._unserved(found.contract)
        if found.contract != spoken:
            raise self._unserved(f"{found.contract} by its description and {spoken} by its exports")
        return found

    def described_by(self, instance: Instance) -> Description:
        """Return what an instance says of itself, and whether it preempts."""
        said = instance.call("describe", [], Timings())
        check_described(said, self.limits, str(self.path))
        return replace(Conversion.description(said), preempts=self.preempts)

    def within(self, memory_bytes: int) -> Code:
        """Return the same code, whose instances may use so much memory."""
        other = copy(self)
        other.limits = replace(self.limits, memory_bytes=memory_bytes)
        return other

    def instance(self) -> Instance:
        """Return a fresh instance in a store of its own."""
        exports, linker = self._judged()
        return Instance(self._engine, self._component, self.limits, str(self.path), exports, linker)

    @property
    def contract(self) -> Contract:
        """The contract that it is called by."""
        return self._judged().exports.contract

    @property
    def packed(self) -> Collection[str]:
        """The calls that it has packed."""
        return self._judged().exports.packed.keys()

    @property
    def preempts(self) -> bool:
        """Whether it plans preemption."""
        return "preempt" in self._judged().exports.lists

    def _judged(self) -> _Judged:
        """Return how it is called, once its exports and imports are judged."""
        if self._found is None:
            contract, version = self._spoken()
            exports = Exports(self._component, str(self.path), self.inspection.exports, contract, version)
            self._found = _Judged(exports, shared_linker(self._engine, self._component))
        return self._found

    def _spoken(self) -> tuple[Contract, str]:
        """Return the newest contract that it speaks and this host serves, and its version as its exports have it."""
        exports = self.inspection.exports
        versions = [export.partition("@")[2] for export in exports if export.split("@")[0] == INTERFACE]
        if not versions:
            shown = ", ".join(exports) or "nothing"
            hint = f"a matcher exports {INTERFACE}; see wit/matcher.wit"
            raise MatcherError("wrong-world", f"it exports {shown}", hint, str(self.path))
        found = newest_served(versions)
        if found is None:
            raise self._unserved(versions[0])
        contract = found[0]
        if foreign := foreign_imports(self._engine, self._component.type.imports(self._engine), contract.tracing):
            hint = f"a matcher of contract {contract.version} may import {contract.tracing or 'nothing'}, or an empty WASI"
            raise MatcherError("wrong-world", "it imports " + ", ".join(foreign), hint, str(self.path))
        return found

    def _unserved(self, version: str) -> MatcherError:
        hint = "this host serves " + ", ".join(CONTRACTS) + "; build the matcher against one of these"
        return MatcherError("contract-version", f"its contract version is {version}", hint, str(self.path))


class ComponentPool:
    """A pool resource inside an instance."""

    def __init__(
        self,
        code: Code,
        table: OfferTable,
        shape: Shape,
        settings: SettingColumns,
        timings: Timings,
        *,
        packed: Collection[str],
        direct: bool | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Open the pool in an instance of its own.

        Args:
            code: The component.
            table: The offers.
            shape: Their shape.
            settings: How to rank them.
            timings: What is added to.
            packed: The calls whose columns cross as digits.
            direct: Whether arguments go into memory without wasmtime-py; as the component has it unless given.
            limits: What its answers may have; those of the component unless given.
        """
        self._direct = code.direct if direct is None else direct
        spoken = Conversion if code.contract.rules else Before
        self._as_lists, self._as_digits = (
            _CONVERSIONS[spoken, Lists],
            _CONVERSIONS[spoken, Bytes if self._direct else Digits],
        )
        self._code, self._packed, self._shape, self._place = code, packed, shape, str(code.path)
        self._limits = limits or code.limits
        self._instance: Instance | None = code.instance()
        self._pool: Any = self._call("open", lambda to: [to.shape(shape), to.offers(table), to.settings(settings)], timings)

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place the tasks."""
        found = self._call("assign", lambda to: [self._pool, to.tasks(table)], timings)
        answer = self._lifted("assign", lambda to: to.assigned(found), timings)
        return check_assigned(answer, table, self._limits)

    def update(self, changes: Changes, timings: Timings) -> None:
        """Apply changes."""
        self._call("update", lambda to: [self._pool, to.changes(changes)], timings)

    def explain(self, table: TaskTable, timings: Timings) -> Any:
        """Say how the offers in the list stand to each task."""
        found = self._call("explain", lambda to: [self._pool, to.tasks(table)], timings)
        answer = self._lifted("explain", lambda to: to.explained(found), timings)
        return check_explained(answer, table, self._shape)

    def preempt(self, table: TaskTable, priorities: Sequence[int], running: RunningTable, timings: Timings) -> Plan:
        """Plan who is to end so that the tasks find offers."""
        found = self._call(
            "preempt", lambda to: [self._pool, to.tasks(table), to.priorities(priorities), to.running(running)], timings
        )
        return check_plan(self._lifted("preempt", lambda to: to.plan(found), timings), table, running)

    def describe(self) -> Description:
        """Ask the instance what it is."""
        if self._instance is None:
            raise ValueError("the pool was closed")
        return self._code.described_by(self._instance)

    def close(self) -> None:
        """Throw the instance away, and the pool with it."""
        self._pool = None
        self._instance = None

    def _call(self, name: str, lowered: Callable[[Conversion], list[Any]], timings: Timings) -> Any:
        if self._instance is None:
            raise ValueError("the pool was closed")
        begin = perf_counter()
        params = lowered(self._conversion(name))
        timings.lower += perf_counter() - begin
        return self._instance.call(name, params, timings, packed=name in self._packed, direct=self._direct)

    def _lifted(self, name: str, lift: Callable[[Conversion], _T], timings: Timings) -> _T:
        begin = perf_counter()
        try:
            return lift(self._conversion(name))
        except ValueError as error:
            message = f"the matcher answered with columns that are not digits: {error}"
            raise LyingMatcherError("answer-refused", message, "do not use this matcher", self._place) from error
        finally:
            timings.lift += perf_counter() - begin

    def _conversion(self, name: str) -> Conversion:
        return self._as_digits if name in self._packed else self._as_lists
