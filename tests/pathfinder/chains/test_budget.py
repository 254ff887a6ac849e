"""Budgets of chains by the price of a density."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder._chains.budget import MOST_GRADIENTS, OPERATIONS, chain_budget


def budget(operations, wanted=None, asked_for=False, dim=10, num_chains=125):
    return chain_budget(operations, dim, num_chains, wanted, asked_for=asked_for)


def test_cheap_densities_have_all():
    for operations in (0.0, 1.0, OPERATIONS / MOST_GRADIENTS):
        assert budget(operations) == (MOST_GRADIENTS, 0.0, True)


def test_dear_densities_have_the_same_number_of_operations():
    own = budget(1e6)
    assert own == (OPERATIONS / 1e6, 1e6, True)
    assert budget(2e6).max_gradients == own.max_gradients / 2


def test_chains_that_cannot_begin_do_not_unless_they_are_asked_for():
    assert not budget(1e8).is_enough
    asked = budget(1e8, asked_for=True)
    assert asked.is_enough
    # With half of that, and by themselves, they could not begin.
    assert not budget(2 * OPERATIONS / asked.max_gradients).is_enough
    assert budget(0.99 * OPERATIONS / asked.max_gradients).is_enough
    assert budget(1e8, asked_for=True, num_chains=40).max_gradients < asked.max_gradients
    assert budget(1e8, asked_for=True, dim=1000).max_gradients > asked.max_gradients


@pytest.mark.parametrize("asked_for", [True, False])
def test_what_a_user_says_is_the_budget(asked_for):
    assert budget(1e9, 500_000, asked_for) == (500_000, 0.0, True)


def funnel(position):
    log_scale = 6.0 * position[0]
    return -0.5 * position[0] ** 2 - jnp.sum(0.5 * (position[1:] * jnp.exp(-log_scale)) ** 2 + log_scale)


@pytest.fixture
def dear(monkeypatch):
    """As if an operation took a million times as long."""
    monkeypatch.setattr("pathfinder._chains.budget.OPERATIONS", OPERATIONS / 1e6)


def fitted(**options):
    return pathfinder.fit(
        funnel, jnp.zeros(10), seed=3, num_paths=2, num_draws=200, num_psis_draws=200, progress=False, **options
    )


def test_a_fit_says_why_it_has_no_chains(dear, tmp_path):
    result = fitted()
    assert result.chains is None
    assert not result.chain_budget.is_enough
    assert "No chains ran: of a log density that takes about" in repr(result)
    result.save(tmp_path / "fit.npz")
    assert repr(pathfinder.load(tmp_path / "fit.npz")) == repr(result)
    assert fitted(chains=False).chain_budget is None


def test_the_default_is_not_more_than_it_says(dear):
    result = fitted(chains=40)
    assert result.chains is not None
    assert result.chains.num_gradients <= result.chain_budget.max_gradients < MOST_GRADIENTS
    assert np.all(np.isfinite(result.unconstrained_draws))
