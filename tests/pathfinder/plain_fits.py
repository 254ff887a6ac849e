"""Fits of small models, and what tests look at in them."""

import os
import subprocess
import sys
import textwrap

import numpy as np

from pathfinder import Model
from tests import compilation


PLAIN = {"refine": False, "schedule": "cmdstan"}
QUICK = {**PLAIN, "progress": False, "num_draws": 200, "num_psis_draws": 200}


def model_of(density):
    return Model.from_log_density(density.log_density, np.zeros(density.dim), name=density.name)


def draws_of_path(result, path):
    """All draws of a path in order."""
    everything = result.pool
    rows = np.flatnonzero(everything.paths == path)
    values = np.empty((len(rows), result.model.dim))
    for place, positions in result.source.positions(everything.paths[rows], everything.indices[rows]):
        values[place] = positions
    return values


def run_script(script, **environment):
    """What a script prints in a process of its own."""
    environment["XLA_FLAGS"] = compilation.flags(environment.get("XLA_FLAGS", ""))
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        env={**os.environ, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
