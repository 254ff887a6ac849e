"""The pool of one fit is the same on the host and compiled."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.namespace import rows
from pathfinder._arrays.streams import counted_keys
from pathfinder._importance.component_draws import ComponentDraws
from pathfinder._importance.components import Component, normal_of_moments
from pathfinder._importance.fit_pool import fit_pool
from pathfinder._importance.pool import NoFiniteDrawError
from pathfinder._refinement.history import KeptRound, RefinedLane
from pathfinder._refinement.refine import RefinedFit
from tests.pathfinder.importance.sources import (
    BOTH,
    DIM,
    KEY,
    KINDS,
    NUM_PATHS,
    SETTINGS,
    all_positions,
    arrays,
    density,
    fitted,
    normals,
    source_of,
)


def heavy(x, data):
    """A target with heavier tails than any normal."""
    return -2.0 * jnp.sum(jnp.log1p(x**2))


def nowhere(x, data):
    return jnp.nan * jnp.sum(x)


def refined_fit(own_density, kind):
    """Two modes that were refined, the first with a round whose draws are kept."""
    lanes = normals()
    kept_key = np.array([3, 4], np.uint32)
    keys = counted_keys(kept_key, np.arange(20))
    kept = rows(lanes, 3)
    source = dataclasses.replace(
        source_of(kind, own_density, lanes), draw_keys=arrays(kind, np.tile(kept_key, (NUM_PATHS, 1)))
    )
    positions = all_positions(source, np.full(20, 3), np.arange(20))
    log_p = np.asarray(own_density.values(arrays(kind, positions)))
    assert len(np.unique(keys, axis=0)) == 20
    modes = [
        RefinedLane(path, *arrays(kind, (rows(lanes, path), rows(lanes, path + 1))), num_gradients=100)
        for path in (0, 1)
    ]
    for mode in modes:
        mode.elbos, mode.elbo_standard_errors = [-2.0], [0.1]
    modes[0].kept.append(KeptRound(kept, kept_key, log_p))
    return RefinedFit(modes, 5)


def pool_of(kind, function, *, refined, **options):
    own, settings = density(kind, function), dataclasses.replace(SETTINGS, **options)
    paths = fitted(kind, own, normals(), np.arange(NUM_PATHS) != 2, settings)
    fit = refined_fit(density(kind, heavy), kind) if refined else None
    return fit_pool(paths, fit, arrays(kind, KEY))


@pytest.mark.parametrize("refined", [False, True], ids=["paths", "refined"])
@pytest.mark.parametrize("proposal", ["auto", "all"])
def test_pools_of_the_host_are_those_of_compiled_programs(refined, proposal):
    # So many draws are wanted that normals are added.
    host, compiled = (pool_of(kind, heavy, refined=refined, proposal=proposal, num_psis_draws=1000) for kind in KINDS)
    for field in dataclasses.fields(host.pool):
        ours, theirs = getattr(host.pool, field.name), getattr(compiled.pool, field.name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9, err_msg=field.name)
    assert host.cost == compiled.cost
    pool = host.pool
    some = np.arange(0, len(pool), 7)
    positions = [all_positions(each.source, pool.lanes[some], pool.indices[some]) for each in (host, compiled)]
    np.testing.assert_allclose(*positions, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(pool.log_p[some], [heavy(x, None) for x in positions[0]], rtol=1e-8)
    if refined:
        assert host.refinement.num_adapted == compiled.refinement.num_adapted > 0
        assert all(isinstance(mode.approximation.core, np.ndarray) for mode in host.refinement.modes)


@BOTH
def test_without_a_finite_draw_of_what_was_refined_the_paths_are_left(kind):
    def only_paths(x, data):
        return jnp.where(jnp.all(jnp.isfinite(x)), heavy(x, data), jnp.nan)

    own = density(kind, only_paths)
    paths = fitted(kind, own, normals())
    fit = refined_fit(own, kind)
    for mode in fit.lanes:
        mode.approximation = rows(arrays(kind, normals()), 0)
        broken = dataclasses.replace(mode.approximation, mean=mode.approximation.mean * np.nan)
        mode.approximation = mode.initial = broken
        mode.kept.clear()
    found = fit_pool(paths, fit, arrays(kind, KEY))
    assert found.refinement is None
    assert found.source is paths.source
    assert found.cost.num_densities >= 2 * SETTINGS.num_draws


@BOTH
def test_no_finite_draw_at_all(kind):
    with pytest.raises(NoFiniteDrawError, match="not finite at any draw of any approximation"):
        pool_of(kind, nowhere, refined=False)


@BOTH
def test_moments_of_weighted_draws(kind):
    """By plain sums over the draws."""
    own, lanes = density(kind), normals()
    paths = fitted(kind, own, lanes, settings=dataclasses.replace(SETTINGS, num_draws=60))
    draws = ComponentDraws(paths, 2)
    components = [Component(0, 0, number, rows(lanes, number), np.array([number, 9], np.uint32)) for number in range(2)]
    draws.evaluate(components, 60)
    positions = [np.concatenate([part for _, part in draws.positions(component)]) for component in components]
    for component, points in zip(components, positions, strict=True):
        np.testing.assert_allclose(component.log_p, -0.5 * np.sum(points**2, axis=1), rtol=1e-12)
        np.testing.assert_allclose(
            component.log_q[component.number], component.distribution.log_density(points), rtol=1e-9
        )
    weights = np.random.default_rng(0).uniform(size=(2, 60))
    weights[0, 7] = 0.0
    present = rows(arrays(kind, lanes), 1)
    moments = normal_of_moments(list(zip(components, weights, strict=True)), draws.positions, present)
    weights, positions = weights.ravel() / weights.sum(), np.concatenate(positions)
    mean = weights @ positions
    covariance = (positions - mean).T @ np.diag(weights) @ (positions - mean)
    prior = DIM / (1 / np.sum(weights**2) + DIM)
    expected = (1 - prior) * covariance + prior * np.asarray(present.to_dense())
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-10)
    np.testing.assert_allclose(moments.to_dense(), expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("far", [1e30, 1e200, np.inf])
def test_draws_without_moments_leave_what_there_was(far, dtype):
    """Those of a density without end, whose squares or weighted sums are no numbers of the type."""
    present = rows(normals(), 0)
    present = dataclasses.replace(present, **{name: getattr(present, name).astype(dtype) for name in ("mean", "core")})
    component = Component(0, 0, 0, present, np.zeros(2, np.uint32))
    with np.errstate(over="ignore"):
        points = np.array([[far, 0.0, 1.0], [-far, 1.0, 0.0], [1.0, 2.0, 3.0]], dtype)
        has_squares = np.all(np.isfinite(points.astype(float) ** 2))
    weights = np.array([0.25, 0.5, 0.25])
    found = normal_of_moments([(component, weights)], lambda _: [(slice(None), points)], present)
    assert found.is_finite
    assert found.mean.dtype == found.core.dtype == dtype
    assert has_squares or found is present
