"""Posteriors with reference draws: their models, and how far draws are from the reference.

They live in a folder of their own: `data/` and `logdens/` describe the posteriors, `reference/` holds the draws that
`score.py` compares with, and `stan_baseline.csv` what CmdStan's Pathfinder reached.
"""

import csv
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import pathfinder


ROOT = Path(__file__).resolve().parent.parent
NOT_NUMBERS = ("posterior", "mode")  # columns of the baseline


def directory() -> Path | None:
    """The folder of posteriors: $PATHFINDER_POSTERIORS, or `../shared/posteriors`; None if there is none."""
    folder = Path(os.environ.get("PATHFINDER_POSTERIORS") or ROOT.parent / "shared" / "posteriors")
    return folder if folder.is_dir() else None


def names() -> list[str]:
    """Names of the posteriors, sorted."""
    return sorted(path.stem for path in (_directory() / "logdens").glob("*.json"))


def log_density_values(name: str) -> dict[str, Any]:
    """Points with the values of the log density there, and the names of the posterior's model and data."""
    path = _directory() / "logdens" / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"There is no posterior {name!r}; there are {', '.join(names())}.")
    return json.loads(path.read_text())


def load(name: str) -> pathfinder.Model:
    """The model of a posterior, such as "arK-arK", with its data."""
    described = log_density_values(name)
    data = json.loads((_directory() / "data" / f"{described['data']}.json").read_text())
    return importlib.import_module(f"benchmarks.models.{described['model']}").model(data)


def score(name: str, draws: Mapping[str, ArrayLike]) -> Any:
    """Distances of draws from the reference draws, in reference standard deviations.

    Args:
        name: Of the posterior.
        draws: Arrays of shape `(num_draws, *shape)` by variable; variables without reference draws are ignored.

    Returns:
        The `Score` of the folder's `score.py`: `w1_mean`, `w1_max`, `mean_err_max`, `log_sd_max` and counts.
    """
    columns = {}
    for variable, values in draws.items():
        values = np.asarray(values)
        scalars = pathfinder.Variable(variable, values.shape[1:]).columns("bracket")
        # In Fortran's order the draws stay the rows, and the columns follow Stan's order of elements.
        columns |= dict(zip(scalars, values.reshape(len(values), -1, order="F").T, strict=True))
    return _score_module(_directory()).score(name, columns)


def floor(name: str, *, num_draws: int = 1000) -> Any:
    """The `Score` of that many exact draws."""
    return _score_module(_directory()).floor(name, num_draws=num_draws)


def stan_baseline() -> dict[tuple[str, str], list[dict[str, float]]]:
    """Runs of CmdStan's Pathfinder by posterior and mode; measures of failed runs are NaN.

    Modes are "multi" (4 paths, 1000 draws), "single" (1 path) and "multi_noresample" (4 paths, no resampling).
    """
    runs: dict[tuple[str, str], list[dict[str, float]]] = {}
    with (_directory() / "stan_baseline.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            measures = {key: float(value or "nan") for key, value in row.items() if key not in NOT_NUMBERS}
            runs.setdefault((row["posterior"], row["mode"]), []).append(measures)
    return runs


def _directory() -> Path:
    folder = directory()
    if folder is None:
        raise FileNotFoundError(
            "There is no folder of posteriors: neither $PATHFINDER_POSTERIORS nor ../shared/posteriors is a folder."
        )
    return folder


@cache
def _score_module(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("posteriors_score", folder / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look up their annotations
    spec.loader.exec_module(module)
    return module
