"""A new matcher in Python, JavaScript or C, written into a folder."""

from __future__ import annotations

import keyword
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offermatch.errors import InputError
from offermatch.wasm.contract import CONTRACT

__all__ = ["LANGUAGES", "Project"]

_HERE = Path(__file__).parent
_KIT = "offermatch"
"""The folder of the kit in a project."""
_LONGEST = 64
"""The longest name, in characters: that of a crate."""
_NAME_HINT = "a name has up to 64 of a to z, 0 to 9, - and _, and begins with a letter, such as my-policy"


@dataclass(frozen=True, slots=True)
class Language:
    """A language that matchers are written in.

    Attributes:
        policy: The file of the policy.
        test: The file of its test.
        command: What runs the test, in the project.
        needs: What has to be there.
        kit: What its kit has besides its folder of ``guest``, the contract and what makes a virtual environment.
    """

    policy: str
    test: str
    command: str
    needs: str
    kit: tuple[str, ...] = ()


LANGUAGES = {
    "python": Language(
        "policy.py",
        "test_policy.py",
        "PYTHONPATH=offermatch/guest/python target/tools/bin/python -B test_policy.py",
        "`make`, bash and Python 3.10 or newer",
    ),
    "javascript": Language(
        "policy.js",
        "test_policy.js",
        "target/tools/bin/node --test test_policy.js",
        "`make`, bash and Python 3.10 or newer, with which Node.js is installed",
    ),
    "c": Language(
        "policy.c",
        "test_policy.c",
        "target/tools/bin/python -m ziglang cc -std=c11 -Wall -Wextra -Werror -I offermatch/guest/c policy.c test_policy.c"
        " -o target/test-policy && target/test-policy",
        "`make`, bash, Python 3.10 or newer, with which Zig's C compiler is installed, and Rust 1.95 or newer for the"
        " generator of the header",
        ("Cargo.toml", "Cargo.lock"),
    ),
}
"""The languages, by name."""


@dataclass(frozen=True, slots=True)
class Project:
    """A matcher that is to be written.

    Attributes:
        name: The name of the matcher and of its policy.
        language: What it is written in.
    """

    name: str
    language: str

    def __post_init__(self) -> None:
        """Refuse a name that a matcher cannot have.

        Raises:
            InputError: ``project-name``.
        """
        reason = None
        if len(self.name) > _LONGEST:
            reason = f"it has {len(self.name)} characters, more than {_LONGEST}"
        elif not re.match("[a-z]", self.name):
            reason = "it does not begin with a letter from a to z"
        elif other := re.search("[^a-z0-9_-]", self.name):
            reason = f"{other[0]!r} is not one of a to z, 0 to 9, - and _"
        elif keyword.iskeyword(self.name) or self.name == "best-fit":
            reason = "it is a word of Python, or the name of the policy that the reference has"
        if reason is not None:
            raise InputError("project-name", f"a matcher cannot be named {self.name!r}: {reason}", _NAME_HINT)

    def write(self, folder: Path) -> None:
        """Write the project into a new folder; those above it are made where they are missing.

        Raises:
            InputError: ``project-exists`` where something stands there already, ``project-unwritable`` where the operating
                system refuses. Nothing is then left behind but folders above.
        """
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
        except FileExistsError as error:
            if folder.parent.is_dir():
                hint = "choose another name, another folder with --path, or remove what is there"
                raise InputError("project-exists", "something stands there already", hint, str(folder)) from error
            raise _unwritable(folder, error) from error
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            self._fill(folder)
        except OSError as error:
            # What is half written is of no use.
            shutil.rmtree(folder, ignore_errors=True)
            raise _unwritable(folder, error) from error

    def _fill(self, folder: Path) -> None:
        for part in ("project", self.language):
            for source in _files(_HERE / "templates" / part):
                name = ".gitignore" if source.name == "gitignore" else source.name
                (folder / name).write_text(self._filled(source.read_text(encoding="utf-8")), encoding="utf-8")
        parts = (f"guest/{self.language}", "wit/matcher.wit", "wit/deps", "python-host/venv.sh")
        for part in (*parts, *LANGUAGES[self.language].kit):
            for source in _files(_HERE / "kit" / part):
                path = source.relative_to(_HERE / "kit")
                if path.name in (LANGUAGES[self.language].policy, "ruff.toml"):
                    continue
                (folder / _KIT / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / _KIT / path)
        workspace = folder / _KIT / "Cargo.toml"
        if workspace.exists():
            text = re.sub("(?m)^members = .*$", 'members = ["guest/c"]', workspace.read_text(encoding="utf-8"))
            workspace.write_text(text, encoding="utf-8")

    def _filled(self, text: str) -> str:
        language = LANGUAGES[self.language]
        words = {
            "NAME": self.name,
            "LANGUAGE": self.language,
            "POLICY": language.policy,
            "POLICY_TEST": language.test,
            "TEST": language.command,
            "NEEDS": language.needs,
            "VERSION": CONTRACT,
            "PROGRAM": f"{shlex.quote(sys.executable)} -m offermatch".replace("$", "$$"),
        }
        return re.sub("@([A-Z_]+)@", lambda word: words[word[1]], text)


def _files(path: Path) -> Iterator[Path]:
    """Yield the files at and below a path, but for what tools keep there."""
    if path.is_file():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if not entry.name.startswith((".", "__pycache__")):
            yield from _files(entry)


def _unwritable(folder: Path, error: OSError) -> InputError:
    hint = "choose another folder with --path, or see that this one can be written to"
    return InputError("project-unwritable", error.strerror or str(error), hint, str(folder))
