"""How the files of the package stand to each other."""

import ast
from pathlib import Path

import pytest

import offermatch

PACKAGE = Path(offermatch.__file__).parent
PRIVATE = {
    # Of wasmtime-py and Ray, which have no other way in.
    "offermatch.bench.ray": {"_default_utilization_scorer"},
    "offermatch.wasm.direct": {"_context", "_from_ptr", "_func"},
    "offermatch.wasm.lockdown": {"_tagged"},
}
"""What files use of other libraries though its name begins with an underscore."""
PUBLIC = {"_asdict", "_exit", "_is_gil_enabled", "_replace"}
"""Methods of named tuples, which are theirs to be called, and the documented ``os._exit`` and ``sys._is_gil_enabled``."""


def files():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path, modules):
    """Return the modules of the package that a file names in its imports, wherever they stand."""
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            named |= {one.name for one in node.names}
    # Of a package and its module, the module is meant.
    return {name for name in named & modules if not any(other.startswith(f"{name}.") for other in named & modules)}


def circles(graph):
    """Return the sets of files that import each other, by Tarjan's algorithm."""
    order, low, stack, found = {}, {}, [], set()

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph[node]:
            if other not in order:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.add(frozenset(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in order:
            visit(node)
    return found


@pytest.mark.parametrize("joined", [True, False])
def test_a_circle_is_found(joined):
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"} if joined else set(), "d": {"a"}}) == (
        {frozenset("abc")} if joined else set()
    )


def test_no_files_import_each_other_in_a_circle():
    modules = files()
    assert len(modules) > 100
    assert circles({name: imported(path, set(modules)) for name, path in modules.items()}) == set()


def test_no_file_name_has_an_underscore():
    migrations = PACKAGE / "scheduler" / "store" / "migrations" / "versions"
    named = [path.stem for path in PACKAGE.rglob("*.py") if path.parent != migrations]
    assert [name for name in named if "_" in name.strip("_")] == []


def test_checks_know_nothing_of_the_loop_they_check():
    modules = set(files())
    for path in (PACKAGE / "verify").glob("*.py"):
        assert "offermatch.reference" not in imported(path, modules)


def reached_into(path):
    """Return the underscore attributes that a file reads or sets of others: neither of ``self`` nor defined in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
                own |= {node.attr} if isinstance(node.ctx, ast.Store) else set()
            else:
                used.add(node.attr)
    return used - own - PUBLIC


def test_an_attribute_of_another_file_is_seen(tmp_path):
    path = tmp_path / "one.py"
    path.write_text("class A:\n    def __init__(self, b):\n        self._a = b._hook()\n        b._set = A(b)._a\n")
    assert reached_into(path) == {"_hook", "_set"}


def test_no_file_reaches_into_the_objects_of_another():
    found = {name: used for name, path in files().items() if (used := reached_into(path))}
    assert found == PRIVATE
