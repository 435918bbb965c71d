"""What a cycle looks like to people: a live view on a terminal, log lines elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from offermatch.scheduler.cycle import Cycle, Observer, Span
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["LiveView", "LogLines", "line"]

_LOG = logging.getLogger("offermatch.scheduler")
_WIDTH = 24
"""Characters of a waterfall or a bar."""


def line(cycle: Cycle) -> str:
    """Return a cycle as one line."""
    parts = [f"cycle {cycle.number}", f"{cycle.seconds * 1000:.0f} ms"]
    if cycle.error:
        return ", ".join([*parts, f"ended by {cycle.error}: {visible(cycle.message)}"])
    parts += [
        f"{cycle.queue:,} ready",
        f"{cycle.offers:,} offers",
        f"{cycle.placed:,} placed",
        f"{cycle.launched:,} launched",
    ]
    parts += [f"{number:,} now {state}" for state, number in cycle.ended.items()]
    parts += [f"{number:,} {reason}" for reason, number in cycle.refusals.items()]
    parts += [f"{visible(name, LONGEST_NAME)} {used:.1%}" for name, used in cycle.utilisation.items()]
    if cycle.fallback:
        parts.append(f"answered by the fallback ({cycle.fallback})")
    return ", ".join(parts)


class LogLines(Observer):
    """Tells each cycle as a line of the log."""

    @contextmanager
    def cycle(self, cycle: Cycle) -> Iterator[None]:
        """Tell the cycle when it is over."""
        yield
        if not cycle.error:
            # One that ended by an error has told so itself; one in which nothing happened is of little interest.
            _LOG.log(logging.INFO if cycle.queue or cycle.ended else logging.DEBUG, "%s", line(cycle))


class LiveView(Observer):
    """Draws the cycle under way and what the last one did. A context manager."""

    def __init__(self, console: Console | None = None) -> None:
        """Draw to standard error unless told otherwise."""
        self._live = Live(console=console or Console(stderr=True), refresh_per_second=8, transient=False)
        self._last: Cycle | None = None
        self._number = 0

    def __enter__(self) -> LiveView:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last picture."""
        self._live.stop()

    @contextmanager
    def cycle(self, cycle: Cycle) -> Iterator[None]:
        """Draw the cycle when it is over."""
        self._number = cycle.number
        yield
        self._last = cycle
        self._live.update(picture(cycle))

    @contextmanager
    def span(self, span: Span) -> Iterator[None]:
        """Say what is going on."""
        now = Text(f"now: cycle {self._number}, {span.name}", style="dim")
        self._live.update(now if self._last is None else Group(picture(self._last), now))
        yield


def picture(cycle: Cycle) -> RenderableType:
    """Return a cycle as a waterfall of its stages, with queue, placements and utilisation."""
    whole, spans = max(cycle.seconds, 1e-9), cycle.stages()
    stages = Table(
        box=None, padding=(0, 1), title=f"cycle {cycle.number}, {cycle.seconds * 1000:.0f} ms", title_justify="left"
    )
    stages.add_column("stage", no_wrap=True, min_width=max((len(span.name) for span in spans), default=0))
    stages.add_column("ms", no_wrap=True, justify="right", min_width=8)
    stages.add_column("", no_wrap=True, min_width=_WIDTH)
    stages.add_column("")
    for span in spans:
        begin = round(_WIDTH * span.start / whole)
        length = max(1, round(_WIDTH * span.seconds / whole))
        bar = " " * min(begin, _WIDTH - 1) + "━" * min(length, _WIDTH - min(begin, _WIDTH - 1))
        counts = ", ".join(f"{number:,} {what}" for what, number in span.counts.items() if number)
        style = "red" if span.error else "cyan"
        stages.add_row(
            span.name, f"{span.seconds * 1000:.1f}", Text(bar, style=style), Text(visible(span.error or counts), style="dim")
        )
    facts = Table(box=None, padding=(0, 1), show_header=False)
    facts.add_row(
        "queue", f"{cycle.queue:,} ready, {cycle.offers:,} offers, {cycle.placed:,} placed, {cycle.launched:,} launched"
    )
    if cycle.refusals:
        facts.add_row("not launched", ", ".join(f"{number:,} {reason}" for reason, number in cycle.refusals.items()))
    for queue, dimension in cycle.unknown_quotas:
        told = f"{visible(queue, LONGEST_NAME)} limits nothing: no offer has {visible(dimension, LONGEST_NAME)}"
        facts.add_row("quota", Text(told))
    for name, used in cycle.utilisation.items():
        full = round(_WIDTH * min(used, 1.0))
        facts.add_row(Text(visible(name, LONGEST_NAME)), Text("█" * full + "░" * (_WIDTH - full) + f" {used:6.1%}"))
    if cycle.matcher:
        instead = f", instead of one that failed ({cycle.fallback})" if cycle.fallback else ""
        # Text of strangers is never markup.
        facts.add_row("matcher", Text(visible(cycle.matcher + instead)))
    if cycle.error:
        facts.add_row("ended by", Text(visible(f"{cycle.error}: {cycle.message}"), style="red"))
    return Group(stages, facts)
