"""Fits that pictures are drawn of."""

import dataclasses

import jax.numpy as jnp
import matplotlib
import matplotlib.pyplot
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, constraints
from tests.pathfinder.refining import two_modes
from tests.pathfinder.results.chains import chains_of, independent


matplotlib.use("Agg")
OPTIONS = {"seed": 1, "num_draws": 300, "num_psis_draws": 300, "progress": False, "save_trajectory": True}


@pytest.fixture(autouse=True)
def pyplot():
    """Tests begin and end without figures."""
    matplotlib.pyplot.close("all")
    yield matplotlib.pyplot
    matplotlib.pyplot.close("all")


def hierarchy(p):
    """Of a scale and a vector."""
    return -0.5 * jnp.sum((p["x"] / p["tau"] - 1.0) ** 2) - 3.0 * p["tau"] - jnp.log(p["tau"])


@pytest.fixture(scope="session")
def result():
    """Three unconstrained parameters: `x[1]`, `x[2]` and the logarithm of `tau`."""
    model = Model.from_log_density(
        hierarchy, {"x": np.zeros(2), "tau": 1.0}, constraints={"tau": constraints.positive}, name="hierarchy"
    )
    return pathfinder.fit(model, **OPTIONS, chains=False)


@pytest.fixture(scope="session")
def in_two():
    """Two parameters and two modes; paths ended in both."""
    model = Model.from_log_density(two_modes(0.4, 2.5, 0.6, 2), np.zeros(2), name="two modes")
    return pathfinder.fit(model, **OPTIONS, chains=False, num_paths=6, init_radius=4.0)


@pytest.fixture(scope="session")
def with_chains(result):
    """The first fit with states of perfect chains."""
    chains = chains_of(independent())
    return dataclasses.replace(result, chains=chains, uses_chains=True, rows=chains.rows(300))


@pytest.fixture(scope="session")
def unweighted(result):
    """A fit without densities of its draws, and without the points of its paths."""
    return pathfinder.fit(result.model, **{**OPTIONS, "save_trajectory": False}, calculate_lp=False)
