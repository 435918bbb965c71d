"""Whatever bytes a recording, cases or a manifest have: both hosts read the same, or refuse with the same code."""

from __future__ import annotations

import gzip
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from offermatch import OffermatchError, Recording
from offermatch.conformance.suite import Suite
from offermatch.formats import fault
from offermatch.recording.format import parsed
from offermatch.slot.manifest import Manifest

CHANGED = 300
"""Changed files of each kind."""

TEXT = {"name": "m", "version": "0.1.0", "policy": "p", "contract": "0.1.0", "digest": None}
RECORDING: dict[str, Any] = {
    "format": "offermatch-recording/1",
    "name": "é",
    "matcher": TEXT,
    "shape": {"dimensions": 1, "attributes": 1},
    "settings": {"mode": "shared", "max_score": 31.0, "weights": [1, 0.1], "scales": [4000, 0]},
    "offers": {"rows": 2, "available": [4000, 2**64 - 1], "attributes": [0, 7], "device_offsets": [0, 1, 1]},
    "steps": [
        {"assign": {"rows": 1, "demand": [1000]}, "answer": {"tasks": [0], "offers": [1], "scores": [0.25]}},
        {"update": {"removed": [0], "changed_rows": [], "changed": {"rows": 0}, "added": {"rows": 0}}, "answer": {}},
        {"explain": {"rows": 1, "requirement_excludes": [True]}, "answer": {"by_dimension": [1], "candidates": [0]}},
        {"assign": {"rows": 1, "demand": []}, "error": "column-length"},
    ],
}
CASES: dict[str, Any] = {
    "format": "offermatch-cases/1",
    "group": "g",
    "about": "a",
    "cases": [
        {
            "name": "first",
            "about": "why",
            "offers": {"rows": 4, "available": [1, {"repeat": [1, 2], "times": 2}, {"from": 3, "to": 1}]},
            "steps": [{"assign": {"rows": 1, "demand": [4]}, "answer": {"tasks": [0], "offers": [0], "scores": [0.0]}}],
        },
        {
            "name": "second",
            "about": "why",
            "shape": {"dimensions": 2},
            "settings": {"max_score": "NaN"},
            "offers": {"rows": 0},
            "open_error": "max-score",
        },
    ],
}
MANIFEST: dict[str, Any] = {
    "matcher": "m",
    "version": "1",
    "policy": "best-fit",
    "path": "m.wasm",
    "digest": "sha256:" + "0a" * 32,
    "conformance": "none",
    "shadow_cycles": 3,
    "probation_cycles": 10,
}

ODD = ["null", "true", "NaN", "-Infinity", '"NaN"', "-0", "0", "1", "-1", "1.0", "1e2", "1e999", "1e-999", "01", '""', "[]"]
ODD += ["4294967295", "4294967296", "9223372036854775808", "18446744073709551615", "18446744073709551616", "9" * 400]
ODD += ["9" * 5000, "{}", "[[]]", "[{}]", '{"shared": null}', '{"none": null}', '"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"']
ODD += ["[" * 200 + "]" * 200, "[" * 100_000, "0.1000000000000000055511151231257827", "31.000000000000001776", '"shared"']
ODD += ['{"repeat": [1], "times": 2}', '{"repeat": [], "times": 18446744073709551615}', '[{"from": 0, "to": 99999999}]']
ODD += ['[{"from": 2, "to": 0}]', '[{"from": true, "to": 1}]', '[{"repeat": [1], "times": 1, "x": 1}]', '[{"repeat": 1}]']
ODD += [
    '[{"repeat": [[]], "times": 0}]',
    '"\t"',
    '"\x7f"',
    '"/"',
    "\ufeff1",
    "1 ",
    "\x0b1",
    "//",
    '{"$serde_json::private::RawValue": "{}"}',
]
KEYS = ["rows", "answer", "error", "format", "group", "matcher", "name", "about", "offers", "unknown", "times", "from"]
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
MARK = "\x01mark"


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every place below a JSON value, as what holds it and where."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _with_a_part_changed(text: str, chance: random.Random) -> str:
    """Replace, repeat, rename or drop one part of the document."""
    root = [json.loads(text)]
    holder, key = chance.choice(list(_places(root)))
    part = holder[key]
    whole = json.dumps(part)
    raw = chance.choice(ODD)
    match chance.randrange(6):
        case 0 if isinstance(part, dict):
            raw = json.dumps(list(part.values()))
        case 1 if isinstance(part, dict) and part:
            name = chance.choice(list(part))
            again = chance.choice([json.dumps(part[name]), raw])
            raw = f"{whole[:-1]}, {json.dumps(name)}: {again}}}"
        case 2 if isinstance(part, dict):
            raw = json.dumps(dict([*part.items(), (chance.choice(KEYS), chance.choice([1, "x", None, {}]))]))
        case 3 if isinstance(holder, dict):
            del holder[key]
            return json.dumps(root[0])
        case 4:
            raw = f"[{whole}]"
        case _:
            pass
    holder[key] = MARK
    return json.dumps(root)[1:-1].replace(json.dumps(MARK), raw)


def _with_tokens_moved(text: str, chance: random.Random) -> str:
    tokens = TOKEN.findall(text)
    left, right = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    match chance.randrange(3):
        case 0:
            tokens[left], tokens[right] = tokens[right], tokens[left]
        case 1:
            tokens.insert(left, tokens[right])
        case _:
            tokens[left] = chance.choice([*ODD, ""])
    return " ".join(tokens)


def _changed(document: dict[str, Any], chance: random.Random) -> bytes:
    """Return the bytes of a document with something changed."""
    text = json.dumps(document, ensure_ascii=False)
    kind = chance.randrange(10)
    if kind < 5:
        text = _with_a_part_changed(text, chance)
    elif kind < 7:
        text = _with_tokens_moved(text, chance)
    content = text.encode(errors="surrogatepass")
    at = chance.randrange(len(content))
    if kind == 7:
        flipped = bytes([content[at] ^ 1 << chance.randrange(8)])
        return content[:at] + flipped + content[at + 1 :]
    if kind == 8:
        return (
            content[:at]
            + chance.choice([b"", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\0"])
            + content[at + chance.randrange(3) :]
        )
    if kind == 9:
        return chance.choice([b"\xef\xbb\xbf" + content, content[:at], content + b" \r\n", content + b"\0", content + b"{}"])
    return content


def _packed(content: bytes, chance: random.Random) -> bytes:
    """Return bytes as gzip packs them, in one member or two, whole or not."""
    at = chance.randrange(len(content) + 1)
    packed = chance.choice([gzip.compress(content), gzip.compress(content[:at]) + gzip.compress(content[at:])])
    place = chance.choice([3, chance.randrange(len(packed))])
    flipped = packed[:place] + bytes([packed[place] ^ 1 << chance.randrange(8)]) + packed[place + 1 :]
    return chance.choice([packed, packed, flipped, packed[:place], packed + b"\0" * 3, packed + b"\x1f\x8b", packed + b"{}"])


def _plain(value: Any, key: str = "") -> Any:
    """Return what a recording holds, without what may be left out; doubles by their bits."""
    if isinstance(value, dict):
        parts = {name: _plain(part, name) for name, part in value.items() if part is not None}
        calls = ("answer", "assign", "update", "explain")
        return {
            name: part
            for name, part in parts.items()
            if name in calls or (part not in ([], {}, "") and (name, part) != ("rows", 0))
        }
    if isinstance(value, list):
        return [_plain(part, key) for part in value]
    return float(value).hex() if key in ("max_score", "weights", "scores") else value


def _recording(found: Recording, path: Path) -> Any:
    document = {name: getattr(found, name) for name in found.__slots__}
    return _plain({**document, "name": "" if found.name == path.name else found.name})


def _python(kind: str, path: Path) -> Any:
    """Return what the Python host makes of a file."""
    try:
        if kind == "recording":
            return _recording(Recording.read(path), path)
        if kind == "cases":
            return [
                [group.name, group.about, [_recording(case, path) for case in group.cases]]
                for group in Suite.read(path).groups
            ]
        found = Manifest.read(path)
        return {**{name: getattr(found, name) for name in found.__slots__}, "path": str(found.path)}
    except OffermatchError as error:
        return error.code


def _rust(kind: str, path: Path, verdict: dict[str, Any]) -> Any:
    """Return what the Rust host said of a file, in the words of `_python`."""
    if "refused" in verdict:
        return verdict["refused"]
    if kind == "manifest":
        return {**verdict, "path": str(Path(verdict["path"]))}

    def recording(text: str) -> Any:
        return _recording(Recording.of(parsed(text), str(path)), path)

    if kind == "recording":
        return recording(verdict["recording"])
    return [[group["group"], group["about"], [recording(text) for text in group["cases"]]] for group in verdict["groups"]]


@pytest.fixture(scope="session")
def verdicts() -> Callable[[str, list[Path]], list[dict[str, Any]]]:
    """Return a function that asks the Rust host what it says of files."""
    program = ROOT / "target" / "release" / "examples" / "judge_files"
    assert program.exists(), f"{program} is not built: run `make host`"

    def run(kind: str, paths: list[Path]) -> list[dict[str, Any]]:
        done = subprocess.run([program, kind, *paths], capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture(scope="session")
def judge(verdicts: Any) -> Callable[[str, list[Path]], list[Any]]:
    """Return a function that asks the Rust host what it makes of files."""

    def run(kind: str, paths: list[Path]) -> list[Any]:
        return [_rust(kind, path, verdict) for path, verdict in zip(paths, verdicts(kind, paths), strict=True)]

    return run


def _written(folder: Path, kind: str, contents: list[bytes]) -> list[Path]:
    """Write each content where the readers of its kind look for it."""
    paths = []
    for number, content in enumerate(contents):
        path = folder / str(number)
        paths.append(path)
        if kind == "cases":
            path.mkdir()
            path /= "group.json"
        path.write_bytes(content)
    return paths


def _differences(kind: str, contents: list[bytes], folder: Path, judge: Any) -> tuple[list[str], list[Any]]:
    paths = _written(folder, kind, contents)
    python, rust = [_python(kind, path) for path in paths], judge(kind, paths)
    differing = [
        f"{content[:600]!r}\n  python {left}\n  rust   {right}"
        for content, left, right in zip(contents, python, rust, strict=True)
        if left != right
    ]
    return differing, python


@pytest.mark.parametrize(("kind", "document"), [("recording", RECORDING), ("cases", CASES), ("manifest", MANIFEST)])
def test_changed_files_are_read_alike(kind: str, document: dict[str, Any], tmp_path: Path, judge: Any) -> None:
    chance = random.Random(f"{kind} 1")
    contents = [json.dumps(document).encode()] + [_changed(document, chance) for _ in range(CHANGED)]
    if kind == "recording":
        contents += [_packed(chance.choice(contents), chance) for _ in range(CHANGED // 2)]
    differing, found = _differences(kind, contents, tmp_path, judge)
    assert not differing, "\n".join([f"{len(differing)} differ", *differing])
    code = "manifest-malformed" if kind == "manifest" else "file-malformed"
    refused = [verdict for verdict in found if isinstance(verdict, str)]
    assert set(refused) == {code}
    assert CHANGED / 30 < len(refused) < len(found) - CHANGED / 30, "some are read and some are refused"


def _swapped(document: dict[str, Any], before: str, after: str) -> bytes:
    text = json.dumps(document)
    assert before in text
    return text.replace(before, after, 1).encode()


SHAPE, DONE, COLUMN = '{"dimensions": 1, "attributes": 1}', '"answer": {}', '{"repeat": [1, 2], "times": 2}'
PACKED = gzip.compress(json.dumps(RECORDING).encode(), mtime=0)
HALVES = gzip.compress(json.dumps(RECORDING)[:99].encode()) + gzip.compress(json.dumps(RECORDING)[99:].encode())
REFUSED = {
    "recording": [
        _swapped(RECORDING, SHAPE, "[1, 1]"),
        _swapped(RECORDING, DONE, '"answer": []'),
        _swapped(RECORDING, '"mode": "shared"', '"mode": {"shared": null}'),
        _swapped(RECORDING, '"scores": [0.25]', '"scores": [0.25], "scores": [0.25]'),
        _swapped(RECORDING, "0.25", '"NaN"'),
        _swapped(RECORDING, "31.0", "9" * 400),
        _swapped(RECORDING, '"column-length"', '""'),
        _swapped(RECORDING, '"steps"', '"open_error": "", "steps"'),
        _swapped(RECORDING, DONE, '"answer": {"$serde_json::private::RawValue": "{}"}'),
        json.dumps(RECORDING).encode() + b"\xff",
        b"\xef\xbb\xbf" + json.dumps(RECORDING).encode(),
        PACKED[:-1],
        PACKED + b"\0",
        PACKED[:3] + b"\x20" + PACKED[4:],
        PACKED[:3] + b"\x02" + PACKED[4:10] + b"\0\0" + PACKED[10:],
        b"\x1f\x8b",
    ],
    "cases": [
        _swapped(CASES, COLUMN, '{"repeat": [], "times": 18446744073709551615}'),
        _swapped(CASES, COLUMN, '{"repeat": [{}], "times": 0}'),
        _swapped(CASES, COLUMN, '{"repeat": [1, 2], "times": 2, "more": 0}'),
        _swapped(CASES, COLUMN, '{"from": -1, "to": 1}'),
        _swapped(CASES, '"name": "first"', '"name": 1'),
        _swapped(CASES, '"name": "first"', '"name": "first", "group": "g"'),
        _swapped(CASES, '"name": "first"', '"name": "first", "name": "first"'),
        _swapped(CASES, '"offers": {"rows": 0}, ', ""),
        _swapped(CASES, '"group": "g"', '"group": 5'),
        json.dumps(CASES).encode() + b"\xff",
    ],
    "manifest": [
        json.dumps(list(MANIFEST.values())).encode(),
        _swapped(MANIFEST, '"none"', '{"none": null}'),
        _swapped(MANIFEST, '"matcher": "m"', '"matcher": ""'),
        _swapped(MANIFEST, "m.wasm", "m\\u0000.wasm"),
        _swapped(MANIFEST, ": 10", ": 18446744073709551616"),
        json.dumps(MANIFEST).encode() + b"\xff",
    ],
}
READ = {
    "recording": [PACKED, HALVES, _swapped(RECORDING, "31.0", "-0"), _swapped(RECORDING, DONE, '"error": null')],
    "cases": [_swapped(CASES, '"name": "first"', f'"name": "first", "matcher": {json.dumps(TEXT)}')],
    "manifest": [_swapped(MANIFEST, ": 10", ": 18446744073709551615")],
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_hosts_once_read_differently(kind: str, tmp_path: Path, judge: Any) -> None:
    differing, found = _differences(kind, REFUSED[kind] + READ[kind], tmp_path, judge)
    assert not differing, "\n".join(differing)
    code = "manifest-malformed" if kind == "manifest" else "file-malformed"
    assert found[: len(REFUSED[kind])] == [code] * len(REFUSED[kind])
    assert not any(isinstance(verdict, str) for verdict in found[len(REFUSED[kind]) :])


def test_what_is_shipped_is_read_alike(tmp_path: Path, judge: Any) -> None:
    small = [file for file in sorted((ROOT / "tests" / "conformance").glob("*.json")) if file.stem != "sizes"]
    assert len(small) > 10
    for kind, files in (
        ("cases", small),
        ("recording", sorted((ROOT / "tests" / "fuzz" / "corpus" / "recordings").iterdir())),
    ):
        folder = tmp_path / kind
        folder.mkdir()
        differing, found = _differences(kind, [file.read_bytes() for file in files], folder, judge)
        assert not differing
        assert kind != "cases" or not any(isinstance(verdict, str) for verdict in found)


ODD_PARTS = [
    '"',
    "'",
    "\\",
    "\\u",
    "\\ud83d",
    "\\udc00",
    "\\n",
    ",",
    ":",
    "[",
    "]",
    "{",
    "}",
    "-",
    "+",
    ".",
    "0",
    "01",
    "e",
    "1e5",
]
ODD_PARTS += [
    "nul",
    "null",
    "NaN",
    "Infinity",
    "True",
    " ",
    "\n",
    "\r",
    "\t",
    "\0",
    "\x7f",
    "\xa0",
    "\ufeff",
    "é",
    "\U0001f600",
    "//",
    "#",
]
ODD_PARTS += ['"a": 1', '"\\u0061": 1', "[" * 130]


SEE = "docs/formats.md shows the formats of tables, and docs/conformance.md those of cases"
"""The Rust host's remedy for what is JSON and no recording."""


def _broken(text: str, chance: random.Random) -> str:
    """Return a text in which some characters are others, or missing, or more."""
    for _ in range(chance.choice([1, 1, 2])):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice([*ODD_PARTS, ""]) + text[at + chance.choice([0, 0, 1, 2, len(text)]) :]
    return text


def test_what_is_no_json_is_refused_in_the_same_words(tmp_path: Path, verdicts: Any) -> None:
    chance = random.Random("json 1")
    texts = [
        _broken(json.dumps(RECORDING, ensure_ascii=False, indent=chance.choice([None, 1])), chance) for _ in range(1000)
    ]
    paths = _written(tmp_path, "recording", [text.encode() for text in texts])
    refused = 0
    for path, text, verdict in zip(paths, texts, verdicts("recording", paths), strict=True):
        try:
            fault.check(text)
        except fault.FaultError as found:
            refused += 1
            expected = found.in_file(str(path))
            said = {"refused": expected.code, "text": expected.line, "hint": expected.hint}
            assert (verdict, _python("recording", path)) == (said, expected.code), text
        else:
            assert isinstance(json.loads(text), dict), text
            assert verdict.get("hint", SEE) == SEE, text
    assert 500 < refused < 1000
