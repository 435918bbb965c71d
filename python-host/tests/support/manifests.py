"""Manifests as a slot watches them."""

import json

from hostile import limits
from offermatch import Matcher
from offermatch.policies import BUNDLED


def described(path):
    matcher = Matcher.load(path, limits=limits(path.stem))
    found = matcher.description
    return {"matcher": found.name, "version": found.version, "policy": found.policy, "digest": matcher.digest}


def manifest(folder, wasm=BUNDLED, **changed):
    """Write the manifest of a component, complete and by renaming."""
    content = {**described(wasm), "path": str(wasm)} | changed
    text = json.dumps({name: value for name, value in content.items() if value is not None})
    return appears(folder / "manifest.json", text.encode())


def appears(path, content):
    """Write a file so that nobody sees a part of it."""
    beside = path.with_name("beside")
    beside.write_bytes(content)
    return beside.rename(path)
