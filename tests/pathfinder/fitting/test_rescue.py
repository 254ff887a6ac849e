"""A second refinement in a whole fit: what the result says of it."""

import jax.numpy as jnp
import pytest

import pathfinder


def funnel(position):
    log_scale = 3.0 * position[0]
    return -0.5 * position[0] ** 2 - jnp.sum(0.5 * (position[1:] * jnp.exp(-log_scale)) ** 2 + log_scale)


def fitted():
    options = {"num_paths": 2, "num_draws": 200, "num_psis_draws": 200, "chains": False, "progress": False}
    return pathfinder.fit(funnel, jnp.zeros(10), seed=3, **options)


WORDS = "a second refinement was ended by its budget of evaluations"


@pytest.fixture(scope="module")
def whole():
    return fitted()


def test_modes_tell_all_gradients_though_a_second_refinement_changed_nothing():
    result = pathfinder.fit(
        lambda x: -jnp.sum(jnp.log1p(x**2)), jnp.zeros(3), seed=1, num_draws=100, num_psis_draws=500, chains=False,
        progress=False,
    )  # fmt: skip
    (mode,) = result.refinement.modes
    assert mode.num_gradients == result.refinement_cost.num_gradients
    assert mode.num_gradients > 500  # the first one takes 224
    assert mode.num_rounds == 7


def test_one_that_ran_to_its_end_is_no_matter(whole):
    assert whole.pareto_k > whole.pareto_k_threshold  # so that there was one
    assert not any(mode.ended_by_budget for mode in whole.refinement.modes)
    assert WORDS not in repr(whole)


def test_a_result_says_that_the_budget_ended_it(whole, monkeypatch, tmp_path):
    """As if an operation took a million times as long."""
    monkeypatch.setattr("pathfinder._refinement.elbo_ascent.OPERATIONS_OF_STAGE", 1.5e4)
    cut = fitted()
    assert cut.num_gradients < whole.num_gradients
    assert any(mode.ended_by_budget for mode in cut.refinement.modes)
    assert cut.refinement.num_gradients == cut.refinement_cost.num_gradients
    assert WORDS in repr(cut)
    cut.save(tmp_path / "fit.npz")
    assert repr(pathfinder.load(tmp_path / "fit.npz")) == repr(cut)
