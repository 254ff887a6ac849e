"""The covariance of a fit, against that of its weighted draws computed in one go."""

import dataclasses

import numpy as np
import pytest

from pathfinder import LowRankMatrix
from pathfinder._draws.metric import FittedMode, inverse_mass_matrix
from pathfinder._normals.low_rank import LowRankNormal
from tests import problems
from tests.pathfinder.refining import refined, two_modes
from tests.pathfinder.results.chains import NUM_CHAINS, chains_of, independent


SEPARATION = 6.0
FACTOR = np.array([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [-1.0, 0.3, 3.0]])


@pytest.fixture(scope="module")
def result():
    target = problems.rotated_normal(5, 100.0)
    return refined(target.log_density, target.dim)


@pytest.fixture(scope="module")
def bimodal():
    """Most of the weight is in the mode with standard deviation 0.5."""
    starts = np.array([-1.0, 1.0, -1.0, 1.0])[:, None] * np.full(3, SEPARATION - 1.0)
    return refined(two_modes(0.3, SEPARATION, 0.5), 3, init=starts)


def with_chains(result, states, **fields):
    starts = np.resize(np.arange(len(result.pool)), NUM_CHAINS)
    chains = chains_of(states, **{"start_rows": starts, **fields})
    return dataclasses.replace(result, chains=chains, uses_chains=True, rows=np.arange(len(states)))


def shrunk(covariance, size, normal):
    share = len(covariance) / (size + len(covariance))
    return (1 - share) * covariance + share * normal.to_dense()


def test_it_is_the_covariance_of_the_weighted_draws_shrunk_towards_the_normal(result):
    whole = result.weighted()
    weights = whole.weights
    covariance = np.cov(whole.unconstrained_draws.T, aweights=weights, ddof=0)
    expected = shrunk(covariance, 1 / np.sum(weights**2), result.refinement.modes[0].approximation)
    np.testing.assert_allclose(result.inverse_mass_matrix("dense"), expected, rtol=1e-9, atol=1e-12)


def test_draws_that_were_resampled_are_not_weighted_again(result):
    other = result.resample(500, seed=3)
    np.testing.assert_array_equal(other.inverse_mass_matrix(), result.inverse_mass_matrix())
    np.testing.assert_array_equal(result.weighted().inverse_mass_matrix(), result.inverse_mass_matrix())


def test_forms_agree(result):
    dense = result.inverse_mass_matrix("dense")
    low_rank = result.inverse_mass_matrix("low_rank")
    np.testing.assert_allclose(low_rank.to_dense(), dense, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(low_rank.basis.T @ low_rank.basis, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(result.inverse_mass_matrix("diagonal"), np.diagonal(dense), rtol=1e-12)
    np.testing.assert_array_equal(result.inverse_mass_matrix(), dense)


def test_unreliable_weights_leave_the_normal(result):
    unreliable = dataclasses.replace(result, pool=dataclasses.replace(result.pool, pareto_k=0.9))
    normal = result.refinement.modes[0].approximation
    np.testing.assert_allclose(unreliable.inverse_mass_matrix("dense"), normal.to_dense(), rtol=1e-12)
    np.testing.assert_allclose(unreliable.inverse_mass_matrix("low_rank").to_dense(), normal.to_dense(), rtol=1e-9)
    np.testing.assert_allclose(unreliable.inverse_mass_matrix("diagonal"), normal.variance, rtol=1e-12)


def test_of_paths_it_is_the_normal_of_the_best(correlated):
    _, result = correlated
    best = max(result.paths, key=lambda path: path.elbo)
    np.testing.assert_allclose(result.inverse_mass_matrix(), best.approximation.to_dense(), rtol=1e-12)


def test_of_chains_it_is_that_of_their_states():
    result = refined(problems.normal(np.zeros(3), np.eye(3)).log_density, 3)
    states = independent(40) @ FACTOR.T
    own = with_chains(result, states)
    covariance = np.cov(states.reshape(-1, 3).T, ddof=0)
    expected = shrunk(covariance, own.chains.effective_sample_size, result.refinement.modes[0].approximation)
    np.testing.assert_allclose(own.inverse_mass_matrix(), expected, rtol=1e-9)


def test_of_several_modes_it_is_that_of_the_heaviest(bimodal):
    assert len(bimodal.refinement.modes) == 2
    with pytest.warns(UserWarning, match=r"found 2 modes.* one of them, with \d\d% of the weight"):
        matrix = bimodal.inverse_mass_matrix()
    np.testing.assert_allclose(np.sqrt(np.diagonal(matrix)), 0.5, rtol=0.15)


def test_of_chains_that_stay_in_their_modes_it_is_that_of_most_chains(bimodal):
    heavy, light = (
        np.flatnonzero(bimodal.pool.paths == mode.path)[0]
        for mode in sorted(bimodal.refinement.modes, key=lambda mode: -mode.weight)
    )
    starts = np.where(np.arange(NUM_CHAINS) < 60, light, heavy)
    states = np.where((starts == light)[:, None], independent(40) - SEPARATION, 0.5 * independent(40) + SEPARATION)
    own = with_chains(bimodal, states, start_rows=starts, ended="apart")
    with pytest.warns(UserWarning, match="with 60% of the weight"):
        matrix = own.inverse_mass_matrix()
    np.testing.assert_allclose(np.sqrt(np.diagonal(matrix)), 1.0, rtol=0.1)
    mixed = with_chains(bimodal, states, start_rows=starts, ended="mixed").inverse_mass_matrix()
    assert np.all(np.diagonal(mixed) > 0.5 * SEPARATION**2)


def test_in_many_dimensions_variances_of_draws_meet_correlations_of_the_normal(result):
    dim, rng = 250, np.random.default_rng(2)
    basis = np.linalg.qr(rng.normal(size=(dim, 3)))[0]
    normal = LowRankNormal(np.zeros(dim), np.full(dim, 2.0), basis, np.diag([5.0, 0.2, 3.0]))
    states = 3.0 * rng.normal(size=(20, NUM_CHAINS, dim))
    chains = chains_of(states, start_rows=np.zeros(NUM_CHAINS, int))
    given = [FittedMode(0, normal, 0.0)], result.pool, result.source, chains
    matrix = inverse_mass_matrix(*given, "auto", is_refined=True)
    assert isinstance(matrix, LowRankMatrix)
    assert matrix.basis.shape == (dim, 3)
    dense, fitted = matrix.to_dense(), normal.to_dense()
    variance = inverse_mass_matrix(*given, "diagonal", is_refined=True)
    np.testing.assert_allclose(np.diagonal(dense), variance, rtol=1e-9)
    scale, own = (np.sqrt(np.diagonal(each)) for each in (dense, fitted))
    np.testing.assert_allclose(dense / np.outer(scale, scale), fitted / np.outer(own, own), atol=1e-9)
    exact = inverse_mass_matrix(*given, "dense", is_refined=True)
    np.testing.assert_allclose(np.diagonal(exact), variance, rtol=1e-9)


def test_columns_of_zeros_in_a_basis_are_no_directions(result):
    basis = np.zeros((4, 2))
    basis[1, 0] = 1.0
    normal = LowRankNormal(np.zeros(4), np.arange(1.0, 5.0), basis, np.array([[3.0, 0.0], [0.0, 1.0]]))
    pool = dataclasses.replace(result.pool, pareto_k=2.0)
    matrix = inverse_mass_matrix([FittedMode(0, normal, 0.0)], pool, result.source, None, "low_rank", is_refined=True)
    np.testing.assert_allclose(matrix.to_dense(), normal.to_dense(), rtol=1e-12)
    assert matrix.basis.shape == (4, 1)


def test_draws_that_are_no_numbers_leave_the_normal(result):
    states = independent(40, dim=5)
    states[3, 4] = np.inf
    own = with_chains(result, states)
    np.testing.assert_allclose(own.inverse_mass_matrix(), result.refinement.modes[0].approximation.to_dense())


def test_unknown_form(result):
    with pytest.raises(ValueError, match='`kind` must be one of "auto", "dense", .* but \'full\' was given'):
        result.inverse_mass_matrix("full")
