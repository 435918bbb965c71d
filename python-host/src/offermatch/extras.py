"""What is installed only when it is asked for."""

from __future__ import annotations

from importlib.util import find_spec

from offermatch.errors import InputError, OffermatchError

__all__ = ["require"]


def require(extra: str, *modules: str, kind: type[OffermatchError] = InputError) -> None:
    """Refuse to go on without what an extra of this package installs.

    Raises:
        OffermatchError: Of the kind given, ``extra-missing``, with the line that installs it.
    """
    for module in modules:
        if not _is_there(module):
            hint = f"pip install 'offermatch[{extra}]'"
            raise kind("extra-missing", f"the Python package {module!r} is not installed", hint)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        # Of what it is a part of, nothing is there.
        return False
