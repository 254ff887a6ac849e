"""Matching scores with a normal whose covariance is diagonal plus low rank."""

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import jit_unless_numpy, namespace, rows
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._refinement.low_rank_matching import empty_window, fit_pairs, match_low_rank, with_rank


DIM = 200
step = jit_unless_numpy()(match_low_rank)
fitted = jit_unless_numpy()(fit_pairs)
both = pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])


def standard_start(dim, rank, mean=0.0, scale=1.0):
    return LowRankNormal(np.full(dim, mean), np.full(dim, scale), np.zeros((dim, rank)), np.eye(rank))


def low_rank_normal(rng, dim, variances, rank=None):
    """A normal with standard deviations over two decades and a low-rank part of these variances."""
    basis = np.linalg.qr(rng.normal(size=(dim, len(variances))))[0]
    normal = LowRankNormal(
        rng.normal(size=dim), 10 ** rng.uniform(-1, 1, dim), basis, np.diag(np.sqrt(np.array(variances)))
    )
    return normal if rank is None else with_rank(normal, rank)


def scores_of(target, positions):
    return on_host(_scores_of(target, positions))


@jax.jit
def _scores_of(target, positions):
    return jax.vmap(jax.grad(target.log_density))(positions)


def noise_of(seed, draws, dim):
    return np.random.default_rng(seed).normal(size=(draws, dim))


def rounds(target, normal, number, pairs=128, draws=32, seed=0, xp=np):
    """Rounds in one namespace; what they give is NumPy's."""
    normal, window = jax.tree.map(xp.asarray, (normal, empty_window(pairs, normal.dim, normal.mean.dtype)))
    matches = []
    for index in range(number):
        noise = noise_of([seed, index], draws, normal.dim)
        gradients = scores_of(target, normal.transform(xp.asarray(noise)))
        match = step(normal, window, noise, gradients, np.ones(draws, bool))
        assert namespace(match) is xp
        normal, window = match.normal, match.window
        matches.append(on_host(match))
    return matches


def kl_divergence(normal, target):
    """KL(normal | target) of two normals, from their dense covariances."""
    ours, theirs = normal.to_dense(), target.to_dense()
    shift = normal.mean - target.mean
    log_dets = np.linalg.slogdet(theirs)[1] - np.linalg.slogdet(ours)[1]
    inverse = np.linalg.inv(theirs)
    return 0.5 * (np.sum(inverse * ours) - normal.dim + shift @ inverse @ shift + log_dets)


@both
def test_diagonal_normal_is_found_in_one_round(xp):
    rng = np.random.default_rng(1)
    target = low_rank_normal(rng, DIM, [1.0])
    (match,) = rounds(target, standard_start(DIM, 16), 1, xp=xp)
    np.testing.assert_allclose(match.normal.mean, target.mean, atol=1e-9)
    np.testing.assert_allclose(match.normal.to_dense(), target.to_dense(), atol=1e-8)


@pytest.mark.parametrize(("seed", "xp"), [(0, np), (0, jnp), (1, np), (2, np)])
@pytest.mark.parametrize("variances", [[1000.0], [0.01, 0.02, 30.0], list(np.logspace(1, 4, 20))])
def test_low_rank_plus_diagonal_is_found(variances, seed, xp):
    target = low_rank_normal(np.random.default_rng(seed), DIM, variances)
    matches = rounds(target, standard_start(DIM, 40), 6, seed=seed, xp=xp)
    assert kl_divergence(matches[-1].normal, target) < 1e-3
    assert matches[-1].divergence < 1e-4
    assert matches[-1].log_change < 0.02


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_scales_of_the_start_may_be_far_off(factor):
    rng = np.random.default_rng(2)
    target = low_rank_normal(rng, DIM, [50.0, 500.0])
    start = low_rank_normal(rng, DIM, [2.0, 300.0, 0.1], 16)
    start = LowRankNormal(start.mean, factor * start.scale, start.basis, start.core)
    assert kl_divergence(rounds(target, start, 6)[-1].normal, target) < 1e-3


def test_target_is_a_fixed_point():
    target = low_rank_normal(np.random.default_rng(3), DIM, [0.1, 20.0, 3000.0], 8)
    (match,) = rounds(target, target, 1, pairs=64)
    assert match.divergence < 1e-20
    # Up to the regularization, which is weak but not zero.
    assert kl_divergence(match.normal, target) < 1e-4
    assert match.log_change < 0.01


def test_result_has_the_form_of_the_class():
    target = low_rank_normal(np.random.default_rng(4), DIM, [0.1, 20.0, 3000.0])
    normal = rounds(target, standard_start(DIM, 12), 2)[-1].normal
    gram = normal.basis.T @ normal.basis
    lengths = np.diag(gram)
    assert np.all(np.isclose(lengths, 1) | np.isclose(lengths, 0))
    np.testing.assert_allclose(gram, np.diag(lengths), atol=1e-10)
    assert np.array_equal(normal.core, np.tril(normal.core))
    assert np.all(np.diag(normal.core) > 0)
    positions = normal.transform(noise_of(0, 3, DIM))
    dense = scipy.stats.multivariate_normal.logpdf(positions, normal.mean, normal.to_dense())
    np.testing.assert_allclose(normal.log_density(positions), dense)


@both
@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e200])
def test_masked_draws_do_not_matter(junk, xp):
    rng = np.random.default_rng(5)
    target = low_rank_normal(rng, DIM, [20.0, 3000.0])
    start = standard_start(DIM, 8)
    window = empty_window(64, DIM, start.mean.dtype)
    noise = rng.normal(size=(32, DIM))
    gradients = scores_of(target, start.transform(noise))
    usable = np.arange(32) % 3 > 0
    spoilt = np.where(usable[:, None], gradients, junk)
    first, second = (on_host(step(start, window, xp.asarray(noise), own, usable)) for own in (gradients, spoilt))
    for ours, theirs in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    alone = step(start, window, noise[usable], gradients[usable], np.ones(21, bool))
    # Rounding decides about directions in which the residual is nearly zero.
    np.testing.assert_allclose(first.normal.to_dense(), alone.normal.to_dense(), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(first.divergence, alone.divergence)


@both
@pytest.mark.parametrize("number", [0, 1])
def test_too_few_usable_draws_halve_the_scale(number, xp):
    start = standard_start(DIM, 8, mean=3.0)
    window = empty_window(64, DIM, start.mean.dtype)
    match = step(start, window, xp.asarray(noise_of(6, 32, DIM)), np.full((32, DIM), np.nan), np.arange(32) < number)
    np.testing.assert_allclose(match.normal.scale, 0.5)
    np.testing.assert_allclose(match.normal.mean, 3.0)
    np.testing.assert_allclose(match.log_change, 2 * np.log(2))


@both
@pytest.mark.parametrize("gradient", [0.0, 2.0, 1e150])
def test_constant_gradients_stay_finite(gradient, xp):
    start = standard_start(DIM, 8)
    window = empty_window(64, DIM, start.mean.dtype)
    gradients = xp.full((32, DIM), gradient)
    match = step(start, window, noise_of(7, 32, DIM), gradients, np.ones(32, bool))
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(match.normal))


def test_lanes_are_matched_one_by_one():
    rng = np.random.default_rng(11)
    targets = [low_rank_normal(rng, 40, [30.0, 0.1], 6) for _ in range(3)]
    starts, noise = [standard_start(40, 6)] * 3, rng.normal(size=(3, 12, 40))
    gradients = [
        scores_of(target, start.transform(own)) for target, start, own in zip(targets, starts, noise, strict=True)
    ]
    usable = np.ones((3, 12), bool)
    usable[1, 1:] = usable[2, 3] = False  # too few, and one less
    normals, windows = (
        jax.tree.map(lambda *leaves: np.stack(leaves), *parts) for parts in (starts, [empty_window(16, 40, float)] * 3)
    )
    lanes = normals, windows, noise, np.stack(gradients), usable
    together = step(*lanes)
    for lane in range(3):
        alone = step(*rows(lanes, lane))
        own = rows(together, lane)
        for ours, theirs in zip(own.window, alone.window, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_allclose(own.divergence, alone.divergence, rtol=1e-12)
        np.testing.assert_allclose(own.normal.to_dense(), alone.normal.to_dense(), rtol=1e-9, atol=1e-12)
    compiled = jax.jit(jax.vmap(match_low_rank))(*lanes)
    np.testing.assert_allclose(together.divergence, compiled.divergence, rtol=1e-10)
    np.testing.assert_allclose(together.normal.to_dense(), compiled.normal.to_dense(), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(together.normal.mean, compiled.normal.mean, rtol=1e-6, atol=1e-8)


def test_window_keeps_the_newest_pairs():
    target = low_rank_normal(np.random.default_rng(8), DIM, [20.0])
    window = rounds(target, standard_start(DIM, 8), 3, pairs=40)[-1].window
    assert window.positions.shape == (40, DIM)
    assert np.all(window.usable)
    np.testing.assert_allclose(window.gradients, scores_of(target, window.positions), rtol=1e-6, atol=1e-8)


def test_units_of_the_parameters_do_not_matter():
    rng = np.random.default_rng(9)
    target = low_rank_normal(rng, DIM, [20.0, 3000.0])
    window = rounds(target, standard_start(DIM, 8), 1, pairs=32)[-1].window
    units = 10 ** rng.uniform(-3, 3, DIM)
    present = standard_start(DIM, 8)
    scaled = LowRankNormal(present.mean, present.scale * units, present.basis, present.core)
    ours = fitted(window, present)
    row = units[None, :]
    theirs = fitted(window._replace(positions=window.positions * row, gradients=window.gradients / row), scaled)
    np.testing.assert_allclose(theirs.mean / units, ours.mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(theirs.to_dense() / row / row.T, ours.to_dense(), rtol=1e-3, atol=1e-3)


def test_a_chain_is_never_made_much_worse():
    """The precision of a first-order autoregression is not diagonal plus low rank."""
    place = np.arange(DIM)
    covariance = 0.95 ** np.abs(place[:, None] - place)
    target = LowRankNormal(np.zeros(DIM), np.ones(DIM), None, np.linalg.cholesky(covariance))
    divergences = [kl_divergence(match.normal, target) for match in rounds(target, standard_start(DIM, 64), 16)]
    assert kl_divergence(standard_start(DIM, 64), target) > 10 * divergences[0]
    assert all(after < 1.02 * before for before, after in zip(divergences, divergences[1:], strict=False))
    assert divergences[-1] < 0.8 * divergences[0]


def test_no_array_is_quadratic_in_the_dimension():
    dim, pairs, draws, rank = 997, 64, 16, 24
    normal = standard_start(dim, rank)
    arguments = normal, empty_window(pairs, dim, normal.mean.dtype), jnp.zeros((draws, dim)), jnp.zeros((draws, dim))
    jaxpr = jax.make_jaxpr(match_low_rank)(*arguments, jnp.ones(draws, bool))

    def sizes(jaxpr):
        for equation in jaxpr.eqns:
            yield from (variable.aval.size for variable in equation.outvars)
            for inner in jax.extend.core.jaxprs_in_params(equation.params):
                yield from sizes(inner)

    assert max(sizes(jaxpr.jaxpr)) <= (pairs + draws) * dim


@both
def test_with_rank_needs_room(xp):
    normal = low_rank_normal(np.random.default_rng(10), DIM, [2.0, 3.0])
    wider = on_host(with_rank(jax.tree.map(xp.asarray, normal), 5))
    np.testing.assert_allclose(wider.to_dense(), normal.to_dense())
    assert np.all(np.diag(wider.core) > 0)
    with pytest.raises(ValueError, match="at most 1 columns"):
        with_rank(normal, 1)
    with pytest.raises(ValueError, match="must have a basis"):
        with_rank(LowRankNormal(normal.mean, normal.scale, None, np.eye(DIM)), 300)
