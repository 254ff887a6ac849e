"""The page about the command line says what the grammar says."""

from pathlib import Path

import pytest

from pathfinder._cache.folders import JAX_VARIABLE
from pathfinder_cli import _main
from pathfinder_cli._arguments.grammar import ARGUMENTS


PAGE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text()
(ENGINE,) = [node for node in ARGUMENTS if node.name == "engine"]


@pytest.mark.parametrize("option", ENGINE.children, ids=lambda option: option.name)
def test_extensions_and_their_defaults(option):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{option.name}` |")]
    assert f"| `{option.default_text}` |" in row
    words = option.valid_values.split(", ") if option.type.tag == "list element" else []
    assert all(f"`{word}`" in row for word in words if word != "lbfgs")


def test_no_other_extensions():
    table = PAGE.partition("| option | default | |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert len(table.splitlines()) == len(ENGINE.children)


def test_commands_and_variables():
    for word in (*_main._COMMANDS, _main.TRACEBACK_VARIABLE, JAX_VARIABLE, "STAN_NUM_THREADS"):
        assert word.startswith("-") or word == "info" or word in PAGE
