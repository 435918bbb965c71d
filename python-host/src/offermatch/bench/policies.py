"""Measures what each policy makes of the same tasks and offers: tasks placed, and offers used.

In exclusive mode an offer takes one task, so what counts is how many are placed. In shared mode it is how many offers are
used, or *opened*: those that stay empty can be switched off, or serve what needs a whole one. `--order` sorts the tasks of
a batch first, `--used-first` opens an untouched offer only where no used one will do.

  offermatch bench policies
  offermatch bench policies --sample realistic:20000x20000:1 --policy first-fit --policy best-fit --order size
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from offermatch import policies as shipped
from offermatch.errors import LimitError
from offermatch.matcher import Matcher
from offermatch.model import MODES, USED_FIRST
from offermatch.sample import Sample
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.order import Order, in_order

__all__ = ["SAMPLES", "policies", "table"]

SAMPLES = (Sample("uniform", 20000, 20000), Sample("realistic", 20000, 20000))


def policies(
    samples: Sequence[Sample],
    names: Sequence[str],
    order: Order,
    progress: Callable[[str], None] = lambda _: None,
    *,
    used_first: bool = False,
) -> dict[str, Any]:
    """Return a row for each sample, mode and policy: tasks placed, offers used, milliseconds in the component.

    A policy that comes upon its limit of time has none of them.
    """
    rows = []
    parameters = {USED_FIRST.name: float(used_first)}
    for sample in samples:
        tasks, offers = sample.rows()
        asked, offered = task_columns(tasks), offer_columns(offers)
        asked = in_order(asked, offered, order)
        for mode in MODES:
            for name in names or shipped.names():
                progress(f"{sample}, {mode}, {name}")
                row: dict[str, Any] = {"sample": str(sample), "mode": mode, "policy": name}
                try:
                    answer = Matcher.load(policy=name).match(asked, offered, mode=mode, parameters=parameters)
                except LimitError as error:
                    row["error"] = error.code
                else:
                    row |= {
                        "placed": len(answer),
                        "opened": len(set(answer.offer_rows)),
                        "milliseconds": round(answer.timings.call * 1000, 1),
                    }
                rows.append(row)
    return {"order": order, "used_first": used_first, "rows": rows}


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    first = "used offers first; " if measured["used_first"] else ""
    lines = [f"order of the tasks: {measured['order']}; {first}ms: in the component"]
    for sample, mode in dict.fromkeys((row["sample"], row["mode"]) for row in measured["rows"]):
        lines += ["", f"{sample + ', ' + mode:<40}{'placed':>9}{'opened':>9}{'ms':>10}"]
        for row in measured["rows"]:
            if (row["sample"], row["mode"]) == (sample, mode):
                figures = (
                    f"{row['placed']:>9,}{row['opened']:>9,}{row['milliseconds']:>10,.0f}"
                    if "placed" in row
                    else "  ran too long"
                )
                lines.append(f"{row['policy']:<40}{figures}")
    return "\n".join(lines) + "\n"
