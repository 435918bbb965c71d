"""A component as wasmtime runs it: read, judged, opened, called.

    bytes ──> compiled ──> judged (exports, imports, contract version) ──> self-check of the crossing ──> pools

Nothing of a component runs before its exports and imports have been judged.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from wasmtime import WasmtimeError
from wasmtime.component import Component, Linker

from offermatch.errors import MatcherError
from offermatch.limits import Limits
from offermatch.model import Description, Timings
from offermatch.provenance.trust import Trust
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Changes, Explained, OfferTable, TaskTable
from offermatch.wasm.cache import compiled
from offermatch.wasm.compile import compile_within, read_component
from offermatch.wasm.contract import CONTRACTS, INTERFACE, PACKED, Contract
from offermatch.wasm.crossing import F64, U32, Crossing, Enum, Matrix, PublicCrossing, Table
from offermatch.wasm.engine import configuration, shared_engine
from offermatch.wasm.instance import Exports, Instance
from offermatch.wasm.lockdown import foreign_imports, shared_linker
from offermatch.wasm.output import check_assigned, check_described, check_explained
from offermatch.wasm.pace import breathe

__all__ = ["Code", "ComponentPool", "Inspection"]

_COMPONENT_HEAD = b"\0asm\x0d\0\1\0"
_MODULE_HEAD = b"\0asm\1\0\0\0"


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
        contract: The contract that it speaks.
        exports: Where its functions are.
        linker: What it imports; None where that is a WASI of its own for each instance.
    """

    contract: Contract
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
    """

    def __init__(
        self,
        path: Path,
        limits: Limits | None = None,
        digest: str | None = None,
        content: bytes | None = None,
        trust: Trust | None = None,
    ) -> None:
        """Read and compile a component.

        Args:
            path: Where it is.
            limits: What its instances may use; those in force unless given.
            digest: ``sha256:`` and the digest it must have; nothing of another one is compiled.
            content: Its bytes, where they are at hand; the path then only names it.
            trust: Whose components may be compiled; unless given, those of the trust in force where it is read from a path.

        Raises:
            MatcherError: ``component-unreadable``, ``digest-mismatch``, ``component-malformed``, ``limit-component``, or
                an error of ``Trust.require``.
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
        try:
            key = configuration(self.limits)
            made = compile_within(self.limits, path, lambda: compiled(self._engine, content, key, Component))
            self._component, self.cached = made
        except WasmtimeError as error:
            hint = "the file may be cut short; build or download it again"
            raise MatcherError("component-malformed", str(error).splitlines()[0], hint, str(path)) from error
        breathe()
        shape = self._component.type
        self.inspection = Inspection(
            found,
            len(content),
            tuple(shape.imports(self._engine)),
            tuple(shape.exports(self._engine)),
        )
        self._found: _Judged | None = None

    def judge(self) -> Description:
        """Return what the matcher says of itself, once its exports, imports and contract version hold.

        Raises:
            MatcherError: ``wrong-world``, ``contract-version`` or ``matcher-trapped``.
        """
        breathe()
        instance = self.instance()
        instance.check_types()
        found = instance.call("describe", [], PublicCrossing(), Timings())
        check_described(found, self.limits, str(self.path))
        spoken = self.contract
        if found["contract"] not in CONTRACTS:
            raise self._unserved(found["contract"])
        if found["contract"] != spoken:
            raise self._unserved(f"{found['contract']} by its description and {spoken} by its exports")
        return Description(found["name"], found["version"], found["policy"], found["contract"], tuple(found["modes"]))

    def instance(self) -> Instance:
        """Return a fresh instance in a store of its own."""
        _, exports, linker = self._judged()
        return Instance(self._engine, self._component, self.limits, str(self.path), exports, linker)

    @property
    def contract(self) -> str:
        """The version of the contract that it is called by."""
        return self._judged().contract.version

    @property
    def packs(self) -> bool:
        """Whether it exports the interface `packed`, in the version of its contract."""
        return bool(self._judged().exports.packed)

    def _judged(self) -> _Judged:
        """Return how it is called, once its exports and imports are judged."""
        if self._found is None:
            contract = self._spoken()
            packed = f"{PACKED}@{contract.version}"
            exports = Exports(
                self._component,
                str(self.path),
                f"{INTERFACE}@{contract.version}",
                packed if packed in self.inspection.exports else None,
                traces=contract.tracing is not None,
            )
            self._found = _Judged(contract, exports, shared_linker(self._engine, self._component))
        return self._found

    def _spoken(self) -> Contract:
        """Return the newest contract that it speaks and this host serves."""
        exports = self.inspection.exports
        versions = [export.partition("@")[2] for export in exports if export.split("@")[0] == INTERFACE]
        if not versions:
            found = ", ".join(exports) or "nothing"
            hint = f"a matcher exports {INTERFACE}; see wit/matcher.wit"
            raise MatcherError("wrong-world", f"it exports {found}", hint, str(self.path))
        contract = next((contract for version, contract in CONTRACTS.items() if version in versions), None)
        if contract is None:
            raise self._unserved(versions[0])
        if foreign := foreign_imports(self._engine, self._component.type.imports(self._engine), contract.tracing):
            hint = f"a matcher of contract {contract.version} may import {contract.tracing or 'nothing'}, or an empty WASI"
            raise MatcherError("wrong-world", "it imports " + ", ".join(foreign), hint, str(self.path))
        return contract

    def _unserved(self, version: str) -> MatcherError:
        hint = "this host serves " + ", ".join(CONTRACTS) + "; build the matcher against one of these"
        return MatcherError("contract-version", f"its contract version is {version}", hint, str(self.path))


class ComponentPool:
    """A pool resource inside an instance."""

    def __init__(
        self,
        instance: Instance,
        crossing: Crossing,
        table: OfferTable,
        shape: Shape,
        settings: SettingColumns,
        timings: Timings,
    ) -> None:
        """Open the pool."""
        self._crossing = crossing
        self._instance: Instance | None = instance
        self._limits, self._width = instance.limits, shape.dimensions
        width = {"dimensions": U32(shape.dimensions), "attributes": U32(shape.attributes)}
        record = {
            "mode": Enum(settings.mode),
            "max-score": F64(settings.max_score),
            "weights": Matrix("f64", [_array("d", settings.weights)]),
            "scales": Matrix("u64", [_array("Q", settings.scales)]),
        }
        self._pool: Any = self._call("[static]pool.open", [width, _offers(table), record], timings)

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place the tasks."""
        found = self._call("[method]pool.assign", [self._pool, _tasks(table)], timings)
        return check_assigned(Assigned(found["tasks"], found["offers"], found["scores"]), table, self._limits)

    def update(self, changes: Changes, timings: Timings) -> None:
        """Apply changes."""
        record = {
            "removed": Matrix("u32", [_array("Q", changes.removed)]),
            "changed-rows": Matrix("u32", [_array("Q", changes.changed_rows)]),
            "changed": _offers(changes.changed),
            "added": _offers(changes.added),
        }
        self._call("[method]pool.update", [self._pool, record], timings)

    def explain(self, table: TaskTable, timings: Timings) -> Explained:
        """Say how the offers in the list stand to each task."""
        found = self._call("[method]pool.explain", [self._pool, _tasks(table)], timings)
        explained = Explained(
            found["by-dimension"],
            found["by-requirement"],
            found["by-devices"],
            found["by-score"],
            found["candidates"],
        )
        return check_explained(explained, table, self._width)

    def close(self) -> None:
        """Throw the instance away, and the pool with it."""
        self._pool = None
        self._instance = None

    def _call(self, name: str, params: list[Any], timings: Timings) -> Any:
        if self._instance is None:
            raise ValueError("the pool was closed")
        return self._instance.call(name, params, self._crossing, timings)


def _array(typecode: str, values: Sequence[Any]) -> Any:
    return array(typecode, values)


def _offers(table: OfferTable) -> Table:
    columns = {
        "available": Matrix("u64", table.available),
        "capacity": Matrix("u64", table.capacity),
        "attributes": Matrix("u32", table.attributes),
        "device-offsets": Matrix("u32", [table.device_offsets]),
        "device-free": Matrix("u32", [table.device_free]),
    }
    return Table(table.rows, columns)


def _tasks(table: TaskTable) -> Table:
    conditions = table.requirements
    columns = {
        "demand": Matrix("u64", table.demand),
        "devices": Matrix("u32", [table.devices]),
        "requirement-offsets": Matrix("u32", [conditions.offsets]),
        "requirement-attributes": Matrix("u32", [conditions.attributes]),
        "requirement-excludes": Matrix("bool", [conditions.excludes]),
        "value-offsets": Matrix("u32", [conditions.value_offsets]),
        "values": Matrix("u32", [conditions.values]),
    }
    return Table(table.rows, columns)
