"""Text of strangers on every way out: one line, visible, short, and never markup."""

import json
import logging
import subprocess
import sys
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from liars import beside
from offermatch.cli import output
from offermatch.cli.main import _Visible
from offermatch.errors import InputError
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cycle import Cycle
from offermatch.scheduler.store import Store, Verdict
from offermatch.scheduler.submission import Submission
from offermatch.scheduler.watching.view import line, picture
from offermatch.scheduler.watching.waterfall import TracedSpan, Waterfall, draw
from offermatch.visible import visible
from strangers import HOSTILE, SHOWN, safe


@given(st.text(st.characters()), st.integers(1, 50))
def test_what_is_shown_is_one_visible_line_of_bounded_length(text, most):
    shown = visible(text, most)
    assert shown.isprintable()
    assert len(shown) <= 10 * most + 40
    if text.isprintable() and len(text) <= most:
        assert shown == text


def test_a_long_text_says_how_long_it_was():
    assert visible("x" * 10**7, 3) == "xxx... (10000000 characters)"
    assert visible(HOSTILE) == SHOWN


def offermatch(*arguments, **more):
    command = [sys.executable, "-m", "offermatch", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, **more)


@pytest.fixture
def stored(tmp_path):
    """A store whose every text is a stranger's."""
    url = f"sqlite:///{tmp_path}/tasks.db"
    with Store(url) as store:
        store.submit(
            [
                Submission(HOSTILE, {HOSTILE: 1}, payload={HOSTILE: HOSTILE}, inputs=[HOSTILE], retries=0),
                Submission("after" + HOSTILE, needs=[HOSTILE]),
            ]
        )
        lease = store.lease(30)
        store.claim(lease, [1], [HOSTILE])
        store.settle(lease, [Verdict(1, "failed", HOSTILE)])
        store.end(lease)
    return url


COMMANDS = {
    "list": ("tasks", "list"),
    "show": ("tasks", "show", HOSTILE),
    "show one after": ("tasks", "show", "after" + HOSTILE),
    "show nobody": ("tasks", "show", "nobody" + HOSTILE),
    "retry": ("tasks", "retry", HOSTILE),
    "cancel": ("tasks", "cancel", "after" + HOSTILE),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_on_tasks(stored, name):
    done = offermatch(*COMMANDS[name], "--store", stored)
    assert safe(done.stdout)
    assert safe(done.stderr)
    assert "\\u202ebackwards" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


ERRORS = {
    "match": ("match", "--tasks", HOSTILE.replace("/", ""), "--offers", "none"),
    "submit": ("submit", HOSTILE.replace("/", "")),
    "inspect": ("inspect", HOSTILE.replace("/", "")),
    "swap": ("swap", "--manifest", HOSTILE.replace("/", "")),
    "replay": ("replay", HOSTILE.replace("/", "")),
    "cluster": ("run", "--once", "--cluster", HOSTILE),
    "trace": ("trace", HOSTILE.replace("/", "")),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_commands(name, tmp_path):
    done = offermatch(*ERRORS[name], cwd=tmp_path)
    assert done.returncode == 1
    assert safe(done.stderr)
    assert "Traceback" not in done.stderr


def test_a_summary_with_names_of_strangers(tmp_path):
    (tmp_path / "tasks.json").write_text(json.dumps([{"name": HOSTILE, "demand": {HOSTILE: 1}}]))
    (tmp_path / "offers.json").write_text(json.dumps([{"name": HOSTILE, "available": {HOSTILE: 1}}]))
    files = ["--tasks", str(tmp_path / "tasks.json"), "--offers", str(tmp_path / "offers.json")]
    done = offermatch("match", *files, "--output", "summary")
    assert done.returncode == 0, done.stderr
    assert safe(done.stdout)
    # Data is what it is.
    exact = offermatch("match", *files)
    assert json.loads(exact.stdout)["assignments"][0]["task"] == HOSTILE


def test_an_inspection_and_an_error():
    found = {"path": HOSTILE, "size": 1, "digest": "d", "world": HOSTILE, "contract": HOSTILE, "imports": [HOSTILE]}
    described = {"name": HOSTILE, "version": HOSTILE, "policy": HOSTILE, "modes": [HOSTILE]}
    described["parameters"] = [{"name": HOSTILE, "default": 0.0, "minimum": 0.0, "maximum": 1.0}]
    refused = {"code": "c", "message": HOSTILE, "hint": HOSTILE}
    found |= {"exports": [HOSTILE], "limits": {}, "description": described, "refused": refused}
    assert safe(output.inspection(found, ["0.1.0"]))
    assert safe(output.error(InputError("code", HOSTILE, HOSTILE, HOSTILE)))


def test_the_view_of_a_cycle_takes_nothing_for_markup():
    cycle = Cycle(1, 0.0)
    cycle.matcher, cycle.message, cycle.error = "[/nothing] " + HOSTILE, HOSTILE, "unexpected"
    cycle.utilisation = {HOSTILE: 0.5}
    cycle.refusals = {"no-offer": 1}
    told = StringIO()
    Console(file=told, width=200).print(picture(cycle))
    assert safe(told.getvalue())
    assert "[/nothing]" in told.getvalue()
    assert line(cycle).isprintable()


def test_the_picture_of_a_trace_takes_nothing_for_markup():
    span = TracedSpan(HOSTILE, "1", "", 0, 1000, {"offermatch." + HOSTILE: HOSTILE})
    told = StringIO()
    Console(file=told, width=200).print(draw(Waterfall(HOSTILE, [span], [0])))
    assert safe(told.getvalue())


def test_a_record_is_one_line_of_the_log():
    record = logging.LogRecord("offermatch", logging.WARNING, "file", 1, "agent says %s", (HOSTILE,), None)
    assert _Visible("%(levelname)s %(message)s").format(record) == f"WARNING agent says {SHOWN}"


def test_what_an_agent_says_is_one_short_line():
    def answer(handler, body):
        if not body:
            return 200, {"offers": [{"name": "bad", "available": {}}]}
        return 200, {"launched": [{"key": "k", "refusal": "offer-full", "reason": HOSTILE + "x" * 100_000}]}

    with beside(answer) as (cluster, _):
        cluster.offers()
        reason = cluster.launch([Launch("k", "t", "bad")])[0].reason
        assert reason.startswith(SHOWN)
        assert len(reason) < 1000


def test_names_that_no_store_holds(tmp_path, store_url):
    with Store(store_url) as store:
        with pytest.raises(InputError, match="may have 512"):
            store.submit([Submission("x" * 9000)])
        for name in ("\udcff", "a\0b", "x" * 9000):
            with pytest.raises(Exception, match="task-unknown"):
                store.shown(name)
            with pytest.raises(Exception, match="task-unknown"):
                store.cancel([name])
