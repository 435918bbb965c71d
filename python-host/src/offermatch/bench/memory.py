"""The memory that the largest input takes: of this process, before a call of `match` on columns and while it runs.

Run it alone: what a process has once taken, the system does not take back at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from offermatch.matcher import Matcher
from offermatch.model import Mode, Settings
from offermatch.sample import Sample
from offermatch.tables.input import offer_columns, task_columns

__all__ = ["memory", "table"]

_STATUS = Path("/proc/self/status")
_PEAK_TO_NOW = Path("/proc/self/clear_refs")
_MODES: tuple[Mode, ...] = ("exclusive", "shared")


def memory(sample: Sample) -> dict[str, Any]:
    """Return bytes by mode: resident with the columns, and at the peak of a call; None where the system does not say."""
    matcher = Matcher.load()
    tasks, offers = sample.rows()
    columns = task_columns(tasks), offer_columns(offers)
    del tasks, offers
    rows = []
    for mode in _MODES:
        resets = _reset_peak()
        before = _status("VmRSS:")
        matcher.match(*columns, Settings(mode))
        peak = _status("VmHWM:") if resets else None
        rows.append(
            {"mode": mode, "tasks": sample.tasks, "offers": sample.offers, "before_bytes": before, "peak_bytes": peak}
        )
    return {"bench": "memory", "sample": str(sample), "rows": rows}


def _reset_peak() -> bool:
    try:
        _PEAK_TO_NOW.write_text("5")
    except OSError:
        return False
    return True


def _status(name: str) -> int | None:
    try:
        line = next((line for line in _STATUS.read_text().splitlines() if line.startswith(name)), None)
    except OSError:
        return None
    return None if line is None else int(line.split()[1]) * 1024


def table(measured: dict[str, Any]) -> str:
    """Return what was measured, for people."""
    lines = [f"{measured['sample']}, columns", f"{'mode':<12}{'before':>12}{'peak':>12}{'above it':>12}"]
    for row in measured["rows"]:
        before, peak = row["before_bytes"], row["peak_bytes"]
        sizes = (before, peak, None if before is None or peak is None else peak - before)
        cells = "".join(f"{'-' if size is None else f'{size / 2**20:,.0f} MiB':>12}" for size in sizes)
        lines.append(f"{row['mode']:<12}{cells}")
    return "\n".join(lines) + "\n"
