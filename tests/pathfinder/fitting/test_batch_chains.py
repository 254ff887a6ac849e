"""Chains in fits of many data sets: of those that need them, as in a fit alone."""

import time

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder


# Paths end before they could stall: one that does takes some evaluations more or less, by when its ELBOs are known.
OPTIONS = {
    "num_paths": 2, "num_draws": 200, "num_psis_draws": 300, "max_chain_gradients": 25_000, "max_lbfgs_iters": 45,
    "progress": False,
}  # fmt: skip
DATA = {"pull": np.array([0.0, 6.0, 0.0, 5.0])}
DIM = 10


def pulled(x, data):
    """A normal, or a funnel whose weights will not do."""
    log_scale = data["pull"] * x[0]
    return -0.5 * x[0] ** 2 - jnp.sum(0.5 * (x[1:] * jnp.exp(-log_scale)) ** 2 + log_scale)


def fits(**options):
    return pathfinder.fit_batch(pulled, DATA, jnp.zeros(DIM), seed=3, **{**OPTIONS, **options})


def alone(batch, number, **options):
    own = {name: values[number] for name, values in DATA.items()}
    return pathfinder.fit(pulled, jnp.zeros(DIM), data=own, seed=batch.keys[number], **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def batch():
    return fits()


@pytest.mark.parametrize(
    "options",
    [{}, {"driver": "compiled"}, {"chains": 40, "refine": False}, {"chains": True, "psis_resample": False}],
    ids=str,
)
def test_each_fit_is_that_of_its_data_alone(options, batch):
    batch = fits(**options) if options else batch
    for number in range(2):
        own, expected = batch[number], alone(batch, number, **options)
        assert own.uses_chains == expected.uses_chains == batch.uses_chains[number]
        assert own.num_gradients == expected.num_gradients == batch.num_gradients[number]
        assert own.num_densities == expected.num_densities == batch.num_densities[number]
        assert own.is_reliable == expected.is_reliable == batch.is_reliable[number]
        assert own.num_draws == expected.num_draws == batch.num_draws[number]
        np.testing.assert_allclose(own.draws["x"], expected.draws["x"], rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(batch.draws["x"][number], own.draws["x"])
        if own.uses_chains:
            assert len(own.chains.states) == -(-300 // own.chains.num_chains)  # those of the draws alone
            assert own.chains.nested_rhat == pytest.approx(expected.chains.nested_rhat, rel=1e-6)


def test_only_fits_whose_weights_will_not_do_have_chains(batch):
    assert batch.uses_chains.tolist() == [False, True, False, True]
    for number in (0, 2):
        assert (batch.chains[number], batch[number].draws_from) == (None, "weights")
    assert "4 succeeded, " in repr(batch)
    assert ", 2 by chains, of which " in repr(batch)
    assert batch.seconds["chains"] > 0
    assert {"ess", "nested_rhat"} <= set(batch[1].summary().columns)


def test_no_chains_where_none_are_wanted(batch):
    plain = fits(chains=False)
    assert not plain.uses_chains.any()
    assert "by chains" not in repr(plain)
    np.testing.assert_array_equal(plain[1].pool.log_weights, batch[1].pool.log_weights)


def test_a_time_limit_ends_the_chains_of_all_fits():
    started = time.perf_counter()
    warm = fits()
    seconds = time.perf_counter() - started
    limit = max(seconds - warm.seconds["chains"], 0.0) + 0.5
    started = time.perf_counter()
    cut = fits(chains=120, max_chain_gradients=10**9, max_time=limit)
    assert time.perf_counter() - started < limit + 5
    assert all(own.interrupted for own in cut)
    assert cut.succeeded.all()
    assert not cut.uses_chains.all()


def test_a_fit_that_fails_has_no_chains():
    data = {"pull": np.array([np.nan, 6.0])}
    batch = pathfinder.fit_batch(pulled, data, jnp.zeros(DIM), seed=3, **OPTIONS)
    assert batch.uses_chains.tolist() == [False, True]
    assert batch.is_reliable[0] == np.False_
    assert batch.num_draws.tolist() == [0, 300]
    assert np.all(np.isnan(batch.draws["x"][0]))
