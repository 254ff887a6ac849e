"""The configuration of a run: on the console, in the comments of CSV files and as JSON."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pathfinder_cli._arguments.grammar import ARGUMENTS, PATHFINDER, Configuration
from pathfinder_cli._arguments.stan_version import STAN_VERSION, STANC_VERSION
from pathfinder_cli._arguments.tree import Node, Option, Selection


_INDENT = "  "


def configuration_lines(config: Configuration, *, seed: int) -> list[str]:
    """The block printed before a run, without the blank line after it.

    The scope `engine`, which CmdStan does not have, appears only if it was used.

    Args:
        config: The configuration.
        seed: The seed in use, which is shown in place of -1.
    """
    shown = _with_seed(config, seed)
    return [line for node in _shown_arguments(config) for line in _lines(node, config, shown)]


def header_lines(
    config: Configuration, *, seed: int, model_name: str, start_datetime: str, stanc_flags: str = ""
) -> list[str]:
    """The comments at the top of a CSV file, without their marks.

    Args:
        config: The configuration.
        seed: The seed in use.
        model_name: Name of the model.
        start_datetime: Start of the run, as in `2024-05-31 17:05:12 UTC`.
        stanc_flags: Options of the model's compilation.
    """
    return [
        *(f"stan_version_{part} = {number}" for part, number in STAN_VERSION._asdict().items()),
        f"model = {model_name}",
        f"start_datetime = {start_datetime}",
        *configuration_lines(config, seed=seed),
        f"stanc_version = {STANC_VERSION}",
        f"stancflags = {stanc_flags}",
    ]


def configuration_document(
    config: Configuration, *, seed: int, model_name: str, start_datetime: str, stanc_flags: str = ""
) -> dict[str, Any]:
    """The content of the configuration file, in the order of its keys.

    CmdStan writes -1 for a seed taken from the clock; here it is the seed in use.

    Args:
        config: The configuration.
        seed: The seed in use.
        model_name: Name of the model, as in the CSV files.
        start_datetime: Start of the run, as in the CSV files.
        stanc_flags: Options of the model's compilation, as in the CSV files.
    """
    document: dict[str, Any] = {f"stan_{part}_version": str(number) for part, number in STAN_VERSION._asdict().items()}
    document |= {"model_name": model_name, "start_datetime": start_datetime}
    shown = _with_seed(config, seed)
    document |= {node.name: _member(node, shown) for node in _shown_arguments(config)}
    return document | {"mpi_enabled": False, "stanc_version": STANC_VERSION, "stancflags": stanc_flags}


def _lines(node: Node, config: Configuration, shown: Configuration, scope: str = "") -> Iterator[str]:
    if isinstance(node, Option):
        path = scope + node.name
        mark = " (Default)" if config.is_default(path) else ""
        yield f"{node.name} = {node.type.show(shown.value(path))}{mark}"
        return
    if isinstance(node, Selection):
        yield f"{node.name} = {PATHFINDER.name}"
        below, scope = (PATHFINDER,), ""
    else:
        yield node.name
        below, scope = node.children, f"{scope}{node.name}."
    for child in below:
        yield from (f"{_INDENT}{line}" for line in _lines(child, config, shown, scope))


def _member(node: Node, shown: Configuration, scope: str = "") -> Any:
    if isinstance(node, Option):
        value = shown.value(scope + node.name)
        return node.type.show(value) if node.type.tag == "string" else value
    if isinstance(node, Selection):
        return {"value": PATHFINDER.name, PATHFINDER.name: _member(PATHFINDER, shown)}
    return {child.name: _member(child, shown, f"{scope}{node.name}.") for child in node.children}


def _with_seed(config: Configuration, seed: int) -> Configuration:
    return replace(config, random=replace(config.random, seed=seed))


def _shown_arguments(config: Configuration) -> list[Node]:
    return [node for node in ARGUMENTS if node.name != "engine" or config.uses_engine()]
