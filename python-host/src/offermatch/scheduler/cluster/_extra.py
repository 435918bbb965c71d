"""Libraries that come with an extra, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from offermatch.errors import ClusterError

__all__ = ["needed"]


def needed(module: str, extra: str) -> Any:
    """Return a module.

    Raises:
        ClusterError: ``extra-missing``, with the line that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        hint = f"pip install 'offermatch[{extra}]'"
        raise ClusterError("extra-missing", f"{module} is not installed", hint) from error
