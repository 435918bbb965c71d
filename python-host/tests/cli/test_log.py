"""Lines of the log, for people and for machines, and what telemetry says that it does not speak."""

import json
import re
import subprocess
import sys

import pytest

from offermatch.errors import InputError
from offermatch.extras import require


def logged(tmp_path, *options, **environment):
    command = [sys.executable, "-m", "offermatch", *options, "run", "--once", "--store", f"sqlite:///{tmp_path}/t.db"]
    (tmp_path / "tasks.json").write_text('[{"name": "a"}]')
    submit = [
        sys.executable,
        "-m",
        "offermatch",
        "submit",
        "--store",
        f"sqlite:///{tmp_path}/t.db",
        str(tmp_path / "tasks.json"),
    ]
    subprocess.run(submit, check=True, capture_output=True)
    import os

    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


def test_a_line_has_its_time_in_utc(tmp_path):
    done = logged(tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO offermatch\.scheduler: cycle 1, ", done.stderr)


def test_lines_are_json_where_that_is_asked(tmp_path):
    done = logged(tmp_path, "--log", "json")
    (line,) = done.stderr.splitlines()
    told = json.loads(line)
    assert (told["level"], told["logger"]) == ("INFO", "offermatch.scheduler")
    assert told["message"].startswith("cycle 1, ")
    assert told["time"].endswith("Z")


def test_a_protocol_that_is_not_spoken_is_refused(tmp_path):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    done = logged(tmp_path, **variables)
    assert done.returncode == 1
    assert "error[setting-malformed]: OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not spoken here" in done.stderr


def test_a_part_of_a_package_that_is_not_there_is_missing():
    with pytest.raises(InputError) as caught:
        require("telemetry", "no_such_package.sdk")
    assert caught.value.code == "extra-missing"
