"""What is imported is declared in pyproject.toml, and what is declared there is imported, or a tool that is used."""

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest


ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = {"dependencies": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
OURS = {"pathfinder", "psis", "pathfinder_cli", "tests", "benchmarks"}
SOURCE = ("pathfinder", "psis", "cli", "examples")
LATE = ("numpyro", "pymc", "bridgestan", "blackjax", "nutpie", "plots")  # extras that are imported within functions
# Who uses what is declared where, and needs to have nothing else.
USERS = {
    "dependencies": SOURCE,
    "stan": ("pathfinder",),
    "cuda": ("pathfinder",),
    "numpyro": SOURCE,
    "pymc": ("pathfinder", "benchmarks"),
    "bridgestan": ("pathfinder",),
    "blackjax": ("pathfinder", "benchmarks"),
    "nutpie": ("pathfinder",),
    "plots": ("pathfinder",),
    "test": ("tests",),
    "oracle": ("tests",),
    "docs": (),
    "bench": ("benchmarks",),
}
# What is never imported, with the file and the words that call for it.
TOOLS = {
    "mkdocs-material": ("mkdocs.yml", "name: material"),
    "mkdocstrings": ("mkdocs.yml", "- mkdocstrings:"),
    "pyright": ("Makefile", "/pyright"),
    "pytest-xdist": ("Makefile", "--numprocesses"),
    "ruff": ("Makefile", "/ruff"),
}
BY_NAME = {"import_module", "importorskip", "install_import_hook"}  # which import what they are given the name of
IF_THERE = "required"  # which does so for packages of an extra, and names that where they are missing


def distributions(*lists):
    """The names of the distributions that are declared."""
    return {re.split(r"[^A-Za-z0-9_-]", text)[0] for name in lists for text in DECLARED[name]}


def imported(folders, calls=frozenset(BY_NAME)):
    """Other people's packages that Python files import, each with a file that does."""
    found = {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for name in imported_names(parsed(path), calls):
            package = name.split(".")[0]
            if package not in sys.stdlib_module_names | OURS:
                found[package] = path.relative_to(ROOT).as_posix()
    return found


@cache
def parsed(path):
    return ast.parse(path.read_text())


def imported_names(tree, calls):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in calls:
            given = [part.value for part in node.args[:1] if isinstance(part, ast.Constant)]
            yield from (name for name in given if all(part.isidentifier() for part in name.split(".")))


def test_what_the_source_imports_is_a_dependency():
    declared = distributions("dependencies", *LATE)
    assert {package: place for package, place in imported(SOURCE).items() if package not in declared} == {}


def test_extras_are_imported_within_functions():
    extras = distributions(*LATE) - distributions("dependencies")
    for path in sorted(path for folder in SOURCE for path in (ROOT / folder).rglob("*.py")):
        at_load = ast.Module([node for node in parsed(path).body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        assert not {name.split(".")[0] for name in imported_names(at_load, set())} & extras, path


def test_what_the_source_imports_if_it_is_there_is_in_the_extra_that_is_named():
    found = set(imported(SOURCE, {IF_THERE})) - set(imported(SOURCE, set()))
    extras = ("stan", "numpyro", "bridgestan", "plots")
    assert found == distributions(*extras) - distributions("dependencies")


@pytest.mark.parametrize(
    ("folder", "lists"),
    [
        (
            "tests",
            ("dependencies", "test", "oracle", "bench", *LATE),
        ),  # the last are skipped where missing
        ("benchmarks", ("dependencies", "bench", *LATE)),
    ],
)
def test_what_tests_and_benchmarks_import_is_declared(folder, lists):
    found = imported([folder])
    assert {package: place for package, place in found.items() if package not in distributions(*lists)} == {}


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_declared_is_used(name):
    used = set(imported(USERS[name], BY_NAME | {IF_THERE}))
    assert distributions(name) - used - set(TOOLS) == set()


@pytest.mark.parametrize("tool", TOOLS)
def test_tools_are_called_for(tool):
    file, words = TOOLS[tool]
    assert words in (ROOT / file).read_text()
    assert tool in distributions(*DECLARED)
