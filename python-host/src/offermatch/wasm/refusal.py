"""What a matcher's refusals mean here."""

from __future__ import annotations

from typing import Any

from wasmtime.component import Record, Variant

from offermatch.errors import InputError, LyingMatcherError, OffermatchError
from offermatch.limits import Limits
from offermatch.wasm.output import check_text

__all__ = ["refusal"]


def refusal(refused: Variant, limits: Limits) -> OffermatchError:
    """Return the error for a call that the matcher refused with a case of the contract's `error`.

    The host checks every table before it crosses, and that an update names no row twice. So a refusal for a number, a column
    or a row is a mistake of the matcher, not of the input; what only the matcher can know (its modes, its rules, its limits)
    is a matter of input.
    """
    payload: Any = vars(refused.payload) if isinstance(refused.payload, Record) else refused.payload
    if isinstance(payload, dict):
        # The names of a column or a setting are all the text that an error has.
        check_text(sum(len(text.encode()) for text in payload.values() if isinstance(text, str)), limits, "it refused")
    error = _error(refused.tag, payload)
    error.refused = refused.tag
    return error


def _error(case: str, payload: Any) -> OffermatchError:
    if case == "too-many-rows":
        message = f"{payload['asked']} rows are more than the {payload['limit']} the matcher takes"
        return InputError("too-many-rows", message, "split the table")
    if case == "unsupported-mode":
        return InputError("setting-malformed", f"the matcher does not have the mode {payload}", "use another mode", "mode")
    if case == "unsupported-rule":
        hint = "leave the rule out, or use a matcher whose description lists it"
        return InputError("rule-unserved", f"the matcher does not serve {payload}", hint)
    message = f"the matcher refused a table that holds: {case} {payload}"
    return LyingMatcherError("answer-refused", message, "do not use this matcher")
