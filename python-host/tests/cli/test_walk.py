"""Every argument of every command given a stranger's text: an error that is safe to show, or an answer that is."""

import argparse
from pathlib import Path

import pytest

from offermatch.cli.main import parser, run
from strangers import HOSTILE, safe

LONG = ("bench", "conformance", "day", "demo", "doctor", "pack", "policies")
"""Commands that work for long where a file to be written, or a name, is the only thing wrong."""
SERVING = {"run": ["--once"], "kubernetes-scheduler": ["--kubeconfig", HOSTILE], "agent": ["--listen", HOSTILE]}
"""What keeps a command that serves from serving."""


def commands(found, path=()):
    """Give the words of every command, with its parser."""
    below = [action for action in found._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield path, found
    for action in below:
        for name, one in action.choices.items():
            yield from commands(one, (*path, name))


def arguments(found):
    """Give the arguments that take a text."""
    return [action for action in found._actions if action.nargs != 0 and not isinstance(action, argparse._HelpAction)]


def given(action):
    return [action.option_strings[-1], HOSTILE] if action.option_strings else [HOSTILE]


def lines():
    """Give every command with each of its arguments hostile, and what is required beside it."""
    for path, found in commands(parser()):
        taken = arguments(found)
        required = [action for action in taken if action.required]
        for action in taken or [None]:
            beside = [word for one in required if one is not action for word in given(one)]
            yield (*path, *SERVING.get(path[0], []), *beside, *(given(action) if action else [])), action


def is_refused_at_once(action):
    """Whether a text is refused before the command begins."""
    return action is not None and (action.choices is not None or action.type not in (None, str, Path))


LINES = [
    pytest.param(line, id=f"{' '.join(word for word in line if word != HOSTILE)}-{at}")
    for at, (line, action) in enumerate(lines())
    if line[0] not in LONG or is_refused_at_once(action)
]


def test_every_command_is_walked():
    walked = {tuple(parameter.values[0][:2]) for parameter in LINES}
    for path, found in commands(parser()):
        if path[0] not in LONG:
            assert any(path == one[: len(path)] or path[0] == one[0] for one in walked), path
        else:
            assert found.description
    assert len(LINES) > 150


@pytest.mark.parametrize("line", LINES)
def test_what_is_said_of_a_text_is_safe(line, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = run(line)
    out, err = capsys.readouterr()
    assert code in (0, 1, 2)
    assert safe(out)
    assert safe(err)
    assert "Traceback" not in err
    assert len(out) + len(err) < 20_000


@pytest.mark.parametrize("name", LONG)
def test_a_command_that_is_not_there_is_safe_to_show(name, capsys):
    assert run([name, f"--{HOSTILE}"]) in (1, 2)
    assert safe(capsys.readouterr().err)
