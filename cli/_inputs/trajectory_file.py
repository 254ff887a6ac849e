"""JSON files of single paths, ours and CmdStan's, as they are read again."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pathfinder import LowRankNormal
from pathfinder_cli._arguments.similar_files import similar_file
from pathfinder_cli._errors import RunError


_NUMBER = re.compile(r"_path_([0-9]+)\.[^./]*$")
_BARE = re.compile(r'(?<!["\w])(-?)Inf(?![\w"])')  # as CmdStan writes infinite numbers


class TrajectoryFile(NamedTuple):
    """The content of one file.

    Args:
        path: Its name.
        number: Of the path, as it stands in the name; 1 if there is none.
        iteration: Numbers of the iterations, 0 for the start.
        positions: Where each arrived, on the unconstrained scale.
        elbo: The ELBO of each approximation; NaN where there is none, as in files of CmdStan.
        best: The row of the highest ELBO; None if there is none.
        approximation: The approximation there.
    """

    path: str
    number: int
    iteration: np.ndarray
    positions: np.ndarray
    elbo: np.ndarray
    best: int | None
    approximation: LowRankNormal | None


def read_trajectory(path: str) -> TrajectoryFile:
    """Read a file.

    Raises:
        RunError: If it cannot be read, or is not one of a path.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise RunError(f'Error: cannot read "{path}": {error.strerror}{similar_file(path) or "."}') from error
    except ValueError as error:
        raise _not_a_path(path, "it is no text in UTF-8") from error
    try:
        records = json.loads(_BARE.sub(r"\1Infinity", text))
    except (ValueError, RecursionError) as error:
        raise _not_a_path(path, f"it is no JSON ({error})") from error
    if not isinstance(records, Mapping):
        raise _not_a_path(path, "it has no object of iterations")
    try:
        return _trajectory(path, list(records.values()))
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise _not_a_path(path, "it has no iterations with `unconstrained_parameters`") from error


def _trajectory(path: str, records: list[Mapping[str, Any]]) -> TrajectoryFile:
    number = _NUMBER.search(path)
    iteration = np.array([int(record["iter"]) for record in records], dtype=np.int64)
    rows = [np.array([float(value) for value in record["unconstrained_parameters"]]) for record in records]
    positions = np.stack(rows) if rows else np.zeros((0, 0))
    elbo = np.array([float(record.get("ELBO", "nan")) for record in records])
    scored = np.where(np.isfinite(elbo), elbo, -np.inf)
    best = int(np.argmax(scored)) if np.isfinite(elbo).any() else None
    normal = None if best is None else _normal(records[best])
    return TrajectoryFile(path, int(number[1]) if number else 1, iteration, positions, elbo, best, normal)


def _normal(record: Mapping[str, Any]) -> LowRankNormal | None:
    """The approximation of a record, from the letters of Zhang et al. (2022)."""
    if not record["pathfinder_success"]:
        return None
    mean, upper = np.array(record["x_center"], float), np.array(record["L_approx"], float)
    if record["full"]:
        return LowRankNormal(mean, np.ones_like(mean), None, upper.T)
    return LowRankNormal(mean, np.sqrt(np.array(record["alpha"], float)), np.array(record["Qk"], float), upper.T)


def _not_a_path(path: str, why: str) -> RunError:
    return RunError(f'Error: "{path}" is not a JSON file of a path: {why}.')
