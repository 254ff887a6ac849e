"""Warm starts of CmdStan: its files and its command line, and the arguments of CmdStanPy."""

from __future__ import annotations

import json
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._cache.whole_file import write_whole


def cmdstanpy_start(
    values: Sequence[Mapping[str, Any]],
    matrix: Float[np.ndarray, "*rows dim"],
    step_size: float,
    num_warmup: int,
    target_acceptance: float,
) -> dict[str, Any]:
    """Arguments for `CmdStanModel.sample`.

    The last phase of CmdStan's adaptation is that of the step size alone; here it is all of the warm-up.

    Args:
        values: Parameters by name where each chain starts, as JSON files give them.
        matrix: The inverse mass matrix, or its diagonal.
        step_size: The first.
        num_warmup: Steps of warm-up.
        target_acceptance: The acceptance that the step size is adapted to.
    """
    return {
        "chains": len(values),
        "inits": [dict(own) for own in values],
        "metric": _word(matrix),
        "inv_metric": np.asarray(matrix, np.float64).copy(),
        "step_size": float(step_size),
        "iter_warmup": num_warmup,
        "adapt_delta": target_acceptance,
        "adapt_init_phase": 0,
        "adapt_metric_window": 0,
        "adapt_step_size": num_warmup,
    }


def write_cmdstan_start(
    folder: Any,
    values: Sequence[Mapping[str, Any]],
    matrix: Float[np.ndarray, "*rows dim"],
    step_size: float,
    num_warmup: int,
    target_acceptance: float,
    executable: str,
    data_file: str,
) -> str:
    """Write `init_1.json`, ... and `metric.json` into a folder, which is made if it is not there.

    Args:
        folder: The folder.
        values: As of `cmdstanpy_start`.
        matrix: As of `cmdstanpy_start`.
        step_size: As of `cmdstanpy_start`.
        num_warmup: As of `cmdstanpy_start`.
        target_acceptance: As of `cmdstanpy_start`.
        executable: The model that CmdStan has compiled.
        data_file: File of the data; empty if there is none.

    Returns:
        The command of CmdStan that uses them.

    Raises:
        OSError: If a file cannot be written.
    """
    folder = os.fspath(folder)
    os.makedirs(folder or ".", exist_ok=True)
    for number, own in enumerate(values, start=1):
        _write(os.path.join(folder, f"init_{number}.json"), own)
    metric = os.path.join(folder, "metric.json")
    _write(metric, {"inv_metric": np.asarray(matrix, np.float64).tolist()})
    # With several chains CmdStan looks for init_1.json, init_2.json and so on by itself.
    init = os.path.join(folder, "init.json" if len(values) > 1 else "init_1.json")
    words = [
        executable,
        "sample",
        f"num_warmup={num_warmup}",
        f"num_chains={len(values)}",
        "adapt",
        f"delta={target_acceptance:g}",
        "init_buffer=0",
        "window=0",
        f"term_buffer={num_warmup}",
        "algorithm=hmc",
        f"metric={_word(matrix)}",
        f"metric_file={metric}",
        f"stepsize={step_size:.3g}",
        *(["data", f"file={data_file}"] if data_file else []),
        f"init={init}",
    ]
    return shlex.join(words)


def _word(matrix: np.ndarray) -> str:
    return "dense_e" if matrix.ndim == 2 else "diag_e"


def _write(path: str, members: Mapping[str, Any]) -> None:
    lines = [f"  {json.dumps(name)}: {json.dumps(_json(value))}" for name, value in members.items()]
    content = "{\n" + ",\n".join(lines) + "\n}\n"
    write_whole(path, lambda file: file.write(content.encode()))


def _json(value: Any) -> Any:
    """Numbers as Stan reads them: infinite ones are words."""
    if isinstance(value, Mapping):
        return {name: _json(own) for name, own in value.items()}
    if isinstance(value, list | tuple):
        return [_json(own) for own in value]
    if isinstance(value, np.ndarray):
        return _json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    return value
