"""The Rust program that stages, where it is built."""

import os
from pathlib import Path

import pytest

BUILT = [Path(__file__).parents[3] / "target" / kind / "offermatch-stage" for kind in ("release", "debug")]


PROGRAM = os.environ.get("OFFERMATCH_STAGE_PROGRAM") or next((str(path) for path in BUILT if path.exists()), None)


needs_program = pytest.mark.skipif(PROGRAM is None, reason="needs `cargo build`, or the program in OFFERMATCH_STAGE_PROGRAM")
