"""Imports point one way: psis <- pathfinder <- pathfinder_cli, and no circles within a package."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest


ROOT = Path(__file__).parent.parent
FORBIDDEN = {"psis": {"pathfinder", "pathfinder_cli"}, "pathfinder": {"pathfinder_cli"}}


def modules(package):
    """Module name and path of every source file of a package."""
    folder = ROOT / package
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def enclosing_packages(name):
    """What Python has begun to load when it comes to the imports of a module: `a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = name.split(".")
    return {".".join(parts[: count + 1]) for count in range(len(parts))}


def imports(path, *, only_at_load=False):
    """Names of the modules that a file imports; those inside functions and for type checkers can be left out."""
    tree = ast.parse(path.read_text())
    nodes = loaded(tree.body) if only_at_load else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def loaded(body):
    """Statements that run when a module is loaded."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            yield from loaded(node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from loaded(node.body + node.orelse + node.finalbody)


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_downwards(package):
    for _, path in modules(package):
        found = {name.split(".")[0] for name in imports(path)}
        assert not found & FORBIDDEN[package], f"{path} imports upwards"


@pytest.mark.parametrize("package", ["psis", "pathfinder"])
def test_files_have_an_order(package):
    own = {name for name, _ in modules(package)}
    graph = {
        name: set(imports(path, only_at_load=True)) & own - enclosing_packages(name) for name, path in modules(package)
    }
    order = list(TopologicalSorter(graph).static_order())  # raises a CycleError that names the circle
    assert set(order) >= own - {package}


def test_numerical_files_do_not_reach_for_the_front():
    """The algorithm knows nothing of models, results or the host's driver."""
    above = {
        "_model", "_outcomes", "_block", "_paths", "_pool", "_result", "_fit", "_batch", "_report", "_progress",
        "_arviz",
    }  # fmt: skip
    numerical = ("_linalg", "_direction", "_line_search", "_lbfgs", "_advance", "_scoring", "_mixture", "_streams")
    for name in numerical:
        found = {module.rpartition(".")[2] for module in imports(ROOT / "pathfinder" / f"{name}.py")}
        assert not found & above, f"{name} imports {found & above}"


@pytest.mark.parametrize("package", ["psis", "pathfinder"])
def test_engine_neither_prints_nor_reads(package):
    forbidden = {"logging", "argparse", "pathlib", "os", "csv"}
    for name, path in modules(package):
        if name != "pathfinder._archive":  # which writes the files that `save` is asked for
            assert not {module.split(".")[0] for module in imports(path)} & forbidden, name
