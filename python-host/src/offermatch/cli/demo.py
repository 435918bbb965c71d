"""The command ``demo``: one cycle matched by both hosts with the same component, for a newcomer to look at."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from time import perf_counter
from typing import Any

from offermatch.cli import output
from offermatch.cli.arguments import sample
from offermatch.errors import MatcherError
from offermatch.matcher import Matcher
from offermatch.policies import BUNDLED
from offermatch.sample import Sample
from offermatch.tables.input import offer_columns, task_columns

__all__ = ["add_demo"]

_RUST_STAGES = {
    "columns": "rows to columns, with every check of a value",
    "open": "instance made, offers across the border",
    "assign": "tasks across, matched, answer back",
    "verify": "verification against the host's own tables",
}


def add_demo(commands: Any) -> None:
    """Add the command."""
    demo = commands.add_parser(
        "demo", help="one cycle in Python and in Rust, side by side", description="Matches one cycle with both hosts."
    )
    demo.set_defaults(command=lambda options: _demo(options.sample, options.matcher, options.rust_host), usage=demo)
    demo.add_argument("--rust-host", type=Path, metavar="PATH", help="the Rust program to compare with")
    demo.add_argument("--sample", type=sample, default=Sample("uniform", 20000, 20000), metavar="KIND:TASKSxOFFERS[:SEED]")
    demo.add_argument("--matcher", type=Path, default=BUNDLED, metavar="PATH", help="the component both load")


def _demo(sample: Sample, component: Path, rust_host: Path | None) -> str:
    """Return a report on one cycle: the answer of both hosts, where the time went, how full the offers are.

    Raises:
        MatcherError: A host failed, or the two answers differ.
    """
    begin = perf_counter()
    matcher = Matcher.load(component)
    loaded = perf_counter() - begin
    tasks, offers = sample.rows()
    begin = perf_counter()
    answer = matcher.match(tasks, offers)
    elapsed = perf_counter() - begin
    described = matcher.description
    lines = [
        f"One cycle: {len(tasks):,} tasks, {len(offers):,} offers ({sample})",
        f"matcher {described.name} {described.version}, policy {described.policy}, contract {described.contract}",
        f"        {matcher.digest}",
        "",
        f"Python  placed {len(answer):,} in {elapsed * 1000:,.1f} ms (compiled once before, in {loaded * 1000:,.1f} ms)",
        f"        {answer.digest}",
    ]
    if rust_host is not None:
        other = _rust_answer(rust_host, component, sample)
        stages = other["timings_ms"]
        cycle = sum(stages[name] for name in _RUST_STAGES)
        lines.append(f"Rust    placed {other['placed']:,} in {cycle:,.1f} ms (loaded before, in {stages['load']:,.1f} ms)")
        lines.append(f"        {other['answer_digest']}")
        if other["answer_digest"] != answer.digest:
            hint = "run 'make test'; the two hosts must never differ"
            raise MatcherError("answer-refused", "the answers of the two hosts differ", hint, str(rust_host))
        lines.append("        the two answers are identical, bit for bit")
    lines += ["", "Where Python's time went", *output.stages(answer.timings), ""]
    if rust_host is not None:
        lines += [
            "Where Rust's time went",
            *(f"  {text:<52}{stages[name]:>10.2f} ms" for name, text in _RUST_STAGES.items()),
            "",
        ]
    lines += output.utilisation(answer, task_columns(tasks), offer_columns(offers))
    return "\n".join(lines) + "\n"


def _rust_answer(program: Path, component: Path, sample: Sample) -> dict[str, Any]:
    command = [str(program), "match", "--sample", str(sample), "--matcher", str(component), "--timings"]
    hint = "build it with 'make'"
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 - the caller named the program
        answer = json.loads(done.stdout)
    except OSError as error:
        raise MatcherError("component-unreadable", error.strerror or str(error), hint, str(program)) from error
    except subprocess.CalledProcessError as error:
        cause = error.stderr.strip() or f"it left with {error.returncode}"
        raise MatcherError("matcher-trapped", cause, hint, str(program)) from error
    except json.JSONDecodeError as error:
        raise MatcherError("answer-refused", "it did not print JSON", hint, str(program)) from error
    known = isinstance(answer, dict) and {"placed", "answer_digest", "timings_ms"} <= answer.keys()
    if not known or not {"load", *_RUST_STAGES} <= answer["timings_ms"].keys():
        raise MatcherError("answer-refused", "it did not print an answer", hint, str(program))
    found: dict[str, Any] = answer
    return found
