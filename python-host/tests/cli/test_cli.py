"""The command line: data on standard output, errors on standard error, exit codes."""

import argparse
import csv
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest

from offermatch import Matcher
from offermatch.__main__ import main
from offermatch.cli.main import parser, run
from offermatch.sample import parse_sample

TASKS = '[{"name": "t", "demand": {"cpu": "1 core"}}, {"name": "u", "demand": {"cpu": "9 cores"}}]'
OFFERS = "name,available.cpu\na,4 cores\nb,2 cores\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "tasks.json").write_text(TASKS)
    (tmp_path / "offers.csv").write_text(OFFERS)
    return ["--tasks", str(tmp_path / "tasks.json"), "--offers", str(tmp_path / "offers.csv")]


def command(capsys, *arguments):
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_json(capsys, files):
    code, out, err = command(capsys, "match", *files, "--explain")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["assignments"] == [{"task": "t", "offer": "b", "score": 0.25}]
    assert document["unplaced"] == [
        {
            "task": "u",
            "offers": 1,
            "by_dimension": {"cpu": 1},
            "by_requirement": [],
            "by_devices": 0,
            "by_score": 0,
            "candidates": 0,
            "checks": {
                "cpu": {"fails": 1, "alone": 1, "missing": 5000},
                **{name: {"fails": 0, "alone": 0, "missing": 0} for name in ("devices", "together", "score")},
            },
            "capable": 0,
            "remedies": [
                "1 offer lacks only cpu: 5 cores more would be enough for the nearest",
                "no offer in the list could hold it, even if it were empty",
            ],
        }
    ]
    assert (document["tasks"], document["offers"], document["placed"], document["mode"]) == (2, 2, 1, "exclusive")
    assert document["matcher"]["digest"] == Matcher.load().digest


def test_csv_reads_back_to_the_last_bit(capsys):
    _, out, _ = command(capsys, "match", "--sample", "uniform:50x50", "--output", "csv")
    answer = Matcher.load().match(*parse_sample("uniform:50x50").rows())
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["task"] for row in rows] == answer.task_names
    assert [float(row["score"]) for row in rows] == answer.scores


def test_every_matcher_gives_one_digest(capsys, tmp_path):
    copy = tmp_path / "copy.wasm"
    from offermatch.policies import BUNDLED

    copy.write_bytes(BUNDLED.read_bytes())
    digests = {
        json.loads(command(capsys, "match", "--sample", "devices:99x50", "--mode", "shared", "--matcher", name)[1])[
            "answer_digest"
        ]
        for name in ("bundled", "reference", str(copy))
    }
    assert len(digests) == 1


def test_summary(capsys, files):
    code, out, _ = command(capsys, "match", *files, "--output", "summary", "--explain")
    assert code == 0
    assert "1 of 2 tasks placed" in out
    assert "too little cpu" in out


def test_settings_reach_the_matcher(capsys, files):
    weighted = ["--weight", "cpu=0.5", "--scale", "cpu=8 cores", "--max-score", "0.07", "--dimensions", "cpu"]
    _, out, _ = command(capsys, "match", *files, *weighted)
    assert json.loads(out)["assignments"] == [{"task": "t", "offer": "b", "score": 0.0625}]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--weight", "gpu=1"], "setting-malformed"),
        (["--max-score", "nan"], "setting-malformed"),
        (["--dimensions", "memory"], "unknown-dimension"),
        (["--matcher", "nowhere.wasm"], "component-unreadable"),
        (["--format", "openb"], "missing-column"),
    ],
)
def test_a_refusal_says_why_and_prints_no_data(capsys, files, arguments, code):
    status, out, err = command(capsys, "match", *files, *arguments)
    assert (status, out) == (1, "")
    assert err.startswith(f"error[{code}]: ")
    assert "\nhint: " in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["match"],
        ["match", "--tasks", "t.json"],
        ["match", "--sample", "odd:1x1"],
        ["match", "--sample", "ties:1x1", "--tasks", "t.json"],
        ["match", "--sample", "ties:1x1", "--weight", "cpu"],
        ["match", "--sample", "ties:1x1", "--weight", "cpu=much"],
        ["match", "--sample", "ties:1x1", "--dimensions", "cpu,,"],
        ["match", "--sample", "ties:1x1", "--mode", "greedy"],
        ["bench", "border", "--rounds", "0"],
    ],
)
def test_wrong_usage(capsys, arguments):
    status, out, err = command(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "usage:" in err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["match", "--help"], ["inspect", "--help"], ["bench", "border", "--help"]]
)
def test_help(capsys, arguments):
    status, out, _ = command(capsys, *arguments)
    assert status == 0
    assert "usage:" in out


def test_version(capsys):
    assert command(capsys, "--version") == (0, f"offermatch {version('offermatch')}\n", "")


# A small text, which stays in Python's buffer until the end, and one that does not.
@pytest.mark.parametrize("sample", ["uniform:2x2", "uniform:5000x5000"])
def test_standard_output_that_takes_nothing(sample):
    asked = f"set -o pipefail; {sys.executable} -m offermatch match --sample {sample} --output csv"

    def run_in_shell(ending):
        found = subprocess.run(["bash", "-c", f"{asked} {ending}"], check=False, capture_output=True, text=True)
        return found.returncode, found.stdout, found.stderr

    hint = "hint: name a place that can be written to\n"
    assert run_in_shell(">/dev/full") == (1, "", f"error[file-unwritable]: standard output: No space left on device\n{hint}")
    assert run_in_shell("| head -0") == (0, "", "")
    assert run_in_shell(">&-") == (0, "", "")


def test_data_is_utf_8_whatever_the_locale_is(tmp_path):
    (tmp_path / "tasks.json").write_text('[{"name": "größer", "demand": {"cpu": 1}}]', encoding="utf-8")
    (tmp_path / "offers.csv").write_text(OFFERS)
    asked = [
        sys.executable,
        "-m",
        "offermatch",
        "match",
        "--tasks",
        "tasks.json",
        "--offers",
        "offers.csv",
        "--output",
        "csv",
    ]
    for encoding in ("ascii", "latin-1"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        found = subprocess.run(asked, check=True, capture_output=True, cwd=tmp_path, env=environment)
        assert found.stdout.decode().split("\n")[1].startswith("größer,b,")


def test_a_pipe_is_recorded_to_and_stays_a_pipe(tmp_path, capsys):
    pipe = tmp_path / "pipe.recording.json"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        assert command(capsys, "match", "--sample", "ties:2x2", "--record", str(pipe))[0] == 0
        assert json.loads(read.result(30))["steps"]
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == [pipe.name]


def test_inspect(capsys, tmp_path):
    status, out, _ = command(capsys, "inspect", "--json")
    document = json.loads(out)
    assert status == 0
    assert (document["contract"], document["refused"]) == ("0.3.0", None)
    assert "wasi:otel/tracing@0.2.0-rc.2" in document["imports"]
    assert document["description"]["policy"] == "best-fit"
    assert "0.3.0" in command(capsys, "inspect")[1]
    other = tmp_path / "other.wasm"
    other.write_bytes(b"\0asm\x0d\0\1\0")
    status, out, _ = command(capsys, "inspect", str(other))
    assert status == 0
    assert "wrong-world" in out
    other.write_bytes(b"\0asm")
    status, out, err = command(capsys, "inspect", str(other))
    assert (status, out) == (1, "")
    assert err.startswith("error[component-malformed]")


def test_bench_border(capsys):
    status, out, _ = command(capsys, "bench", "border", "--sample", "uniform:100x100", "--rounds", "1", "--json")
    assert status == 0
    assert set(json.loads(out)["border"]) == {"dataclasses", "buffers", "columns"}
    assert "border" in command(capsys, "bench", "border", "--sample", "ties:100x100", "--rounds", "1")[1]


def rust_host(tmp_path, body):
    script = tmp_path / "rust-host"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


RUST_TIMINGS = '"timings_ms": {"load": 9.0, "columns": 1.0, "open": 2.0, "assign": 3.0, "verify": 4.0}'


def test_demo_shows_that_both_hosts_agree(capsys, tmp_path):
    answer = Matcher.load().match(*parse_sample("uniform:50x50").rows())
    same = rust_host(tmp_path, f"""echo '{{"placed": 50, "answer_digest": "{answer.digest}", {RUST_TIMINGS}}}'""")
    status, out, _ = command(capsys, "demo", "--sample", "uniform:50x50", "--rust-host", same)
    assert status == 0
    assert "identical" in out
    assert "placed 50 in 10.0 ms (loaded before, in 9.0 ms)" in out


@pytest.mark.parametrize(
    "body",
    [
        f"""echo '{{"placed": 50, "answer_digest": "sha256:0", {RUST_TIMINGS}}}'""",
        """echo '{"placed": 50, "answer_digest": "sha256:0", "timings_ms": {}}'""",
        "echo no",
        "echo '[]'",
        "echo oh no >&2; exit 3",
    ],
)
def test_demo_fails_when_the_hosts_do_not_agree(capsys, tmp_path, body):
    status, out, err = command(capsys, "demo", "--sample", "uniform:50x50", "--rust-host", rust_host(tmp_path, body))
    assert (status, out) == (1, "")
    assert err.startswith("error[")
    missing = command(capsys, "demo", "--sample", "ties:1x1", "--rust-host", str(tmp_path / "nowhere"))
    assert missing[0] == 1


def test_an_interrupt_is_no_traceback(capsys, monkeypatch):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("offermatch.cli.main._run", interrupted)
    assert command(capsys, "inspect") == (130, "", "")


def test_an_interrupt_of_an_import_is_no_traceback(capfd, monkeypatch):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("offermatch.__main__.import_module", interrupted)
    with pytest.raises(SystemExit) as left:
        main()
    assert (left.value.code, *capfd.readouterr()) == (130, "", "")


def test_the_module_runs():
    done = subprocess.run(
        [sys.executable, "-m", "offermatch", "match", "--sample", "ties:3x2", "--output", "csv"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "task,offer,score\ntask-0,offer-0,1.921875\ntask-1,offer-1,1.921875\n"


def commands_of(program):
    (found,) = (action for action in program._actions if isinstance(action, argparse._SubParsersAction))
    return found.choices


def test_a_command_alone_is_what_it_is_among_all():
    every = commands_of(parser())
    assert len(every) > 20
    for name, one in every.items():
        assert commands_of(parser(name))[name].format_help() == one.format_help()


@pytest.mark.parametrize("asked", [["--help"], ["-h", "match"], ["--log", "json", "--help"], ["--verbose", "-h", "match"]])
def test_the_help_of_the_program_lists_every_command(asked, capsys):
    assert run(asked) == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {name}" in shown for name in commands_of(parser()))


@pytest.mark.parametrize("before", [[], ["--verbose"], ["--log", "json"], ["--log=json", "--verbose"]])
def test_a_command_imports_nothing_of_the_others(before):
    program = f"""
import sys
from offermatch.cli.main import parser, run
assert run([*{before}, "match", "--help"]) == 0
print(*(name for name in sys.modules if name.startswith(("offermatch.scheduler", "offermatch.bench", "sqlalchemy"))))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == ""
