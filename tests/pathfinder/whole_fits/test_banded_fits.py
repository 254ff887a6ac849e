"""Fits of a chain with a border, whose refined normals have a banded precision, through all that takes them."""

import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

import pathfinder
from pathfinder import Model


CHAIN = 220
DATA = np.random.default_rng(0).normal(size=(2, CHAIN)) * [[0.3], [0.5]]
DATA = np.cumsum(DATA[0]) + DATA[1]


def log_density(point):
    x, s = point[:CHAIN], point[CHAIN]
    steps = norm.logpdf(x[1:], x[:-1], jnp.exp(s)).sum() + norm.logpdf(x[0])
    return steps + norm.logpdf(jnp.asarray(DATA, point.dtype), x, 0.5).sum() + norm.logpdf(s, -1.0)


def only_mode(result):
    """The refined mode, and its normal."""
    assert result.refinement is not None
    (mode,) = result.refinement.modes
    assert isinstance(mode.approximation, pathfinder.BorderedNormal)
    return mode, mode.approximation


@pytest.fixture(scope="module")
def model():
    return Model.from_log_density(log_density, np.zeros(CHAIN + 1))


@pytest.fixture(scope="module")
def fit(model):
    return pathfinder.fit(model, seed=1, progress=False)


def test_the_border_is_integrated_over(fit):
    mode, _ = only_mode(fit)
    assert mode.form == "banded"
    assert mode.num_kept > 1
    assert fit.pareto_k < 0.7
    assert fit.chains is None


def test_it_comes_back_from_a_file_with_the_same_draws(fit, model, tmp_path):
    path = tmp_path / "fit.npz"
    fit.save(path)
    again = pathfinder.load(path)
    np.testing.assert_array_equal(again.unconstrained_draws, fit.unconstrained_draws)
    assert str(again) == str(fit)
    np.testing.assert_array_equal(only_mode(again)[1].band, only_mode(fit)[1].band)


@pytest.mark.parametrize("kind", ["diagonal", "low_rank"])
def test_it_starts_samplers(fit, kind):
    matrix = fit.inverse_mass_matrix(kind)
    scale = np.sqrt(matrix) if kind == "diagonal" else np.sqrt(np.diag(np.asarray(matrix.to_dense())))
    np.testing.assert_allclose(scale, fit.unconstrained_draws.std(axis=0), rtol=0.3)


def test_more_draws_come_from_the_same_components(fit):
    more = fit.draw(2000, seed=3, constrained=False)
    assert not np.array_equal(more, fit.draw(2000, seed=4, constrained=False))
    np.testing.assert_allclose(more.std(axis=0), fit.unconstrained_draws.std(axis=0), rtol=0.3)


def test_chains_go_in_its_coordinates(fit, model):
    chains = pathfinder.fit(model, seed=1, progress=False, chains=True)
    assert chains.chains is not None
    off = chains.unconstrained_draws.mean(axis=0) - fit.unconstrained_draws.mean(axis=0)
    assert np.abs(off / fit.unconstrained_draws.std(axis=0)).max() < 0.3


def test_both_drivers_come_to_it(fit, model):
    (own, _), (mode, _) = only_mode(fit), only_mode(pathfinder.fit(model, seed=1, progress=False, driver="compiled"))
    assert mode.form == "banded"
    error = np.hypot(own.elbo_standard_error, mode.elbo_standard_error)
    assert abs(mode.elbo - own.elbo) < 5 * error


def test_in_single_precision():
    single = pathfinder.fit(
        Model.from_log_density(log_density, np.zeros(CHAIN + 1, np.float32)), seed=1, progress=False
    )
    mode, normal = only_mode(single)
    assert mode.form == "banded"
    assert single.unconstrained_draws.dtype == normal.band.dtype == np.float32
    assert single.pareto_k < 0.7
