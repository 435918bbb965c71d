"""What is done as asked though it can hardly be meant: a requirement on an attribute that no offer has."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from offermatch.errors import InputError
from offermatch.tables.columns import TaskColumns

__all__ = ["refuse_unknown", "unknown_attributes"]


def unknown_attributes(tasks: TaskColumns, attributes: Collection[str]) -> list[str]:
    """Return a remark for each attribute that tasks ask for and no offer has."""
    return [f"{tasks.place(row, 'requirements')}: {_message(name)}" for name, row in _unknown(tasks, attributes)]


def refuse_unknown(tasks: TaskColumns, attributes: Collection[str]) -> None:
    """Refuse requirements on attributes that no offer has.

    Raises:
        InputError: ``unknown-attribute``.
    """
    for name, row in _unknown(tasks, attributes):
        hint = "the attributes are " + (", ".join(sorted(filter(None, attributes))) or "none")
        raise InputError("unknown-attribute", _message(name), hint, tasks.place(row, "requirements"))


def _unknown(tasks: TaskColumns, attributes: Collection[str]) -> Iterator[tuple[str, int]]:
    unknown = tasks.attributes_asked.difference(attributes)
    for row, requirements in enumerate(tasks.requirements or () if unknown else ()):
        for requirement in requirements or ():
            if requirement.attribute in unknown:
                unknown.discard(requirement.attribute)
                yield requirement.attribute, row


def _message(name: str) -> str:
    return f"no offer has the attribute {name!r}"
