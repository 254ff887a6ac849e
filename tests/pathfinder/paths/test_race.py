"""The race: approximations are compared by a few draws, and the best of them by fresh ones."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, Status
from pathfinder._density.batch_sizes import NUM_FINALISTS
from pathfinder._paths.approximations import RACE
from tests.pathfinder.paths.estimates import RACING, elbo_key, elbo_of, fit
from tests.pathfinder.plain_fits import QUICK


@pytest.fixture(scope="module")
def race(logistic):
    return fit(logistic, seed=4, save_trajectory=True, **RACING)


def test_race_costs_what_it_says(logistic, race):
    for path in race.paths:
        assert path.num_densities == 3 * 8 * len(path.iterations.elbo) + NUM_FINALISTS * 25 + 200
    one = fit(logistic, seed=4, schedule="race", num_race_draws=4, calculate_lp=False)
    for path in one.paths:
        assert path.num_densities == 4 * len(path.iterations.elbo) + NUM_FINALISTS * 25


def test_short_path_has_fewer_finalists(logistic):
    result = fit(logistic, seed=4, schedule="race", max_lbfgs_iters=2, num_paths=1)
    assert result.paths[0].num_densities == 2 * 8 + 2 * 25 + 200
    assert result.paths[0].best_iteration in (1, 2)


def test_iterates_of_a_race_share_their_random_numbers(logistic, race):
    path = race.paths[2]
    key = elbo_key(4, 2, RACE)
    for row, elbo in enumerate(path.iterations.elbo):
        own = jax.tree.map(lambda leaf, row=row: leaf[row], path.trajectory.approximations)
        np.testing.assert_allclose(elbo, elbo_of(logistic, own, key, 8).mean, rtol=1e-6)


def test_race_ends_with_fresh_draws(logistic, race):
    """Their mean is the ELBO, and the best of the finalists by them is chosen."""
    plain = fit(logistic, seed=4, schedule="race", save_trajectory=True)
    changed = 0
    for number, path in enumerate(plain.paths):
        first = np.argsort(-path.iterations.elbo, kind="stable")[:NUM_FINALISTS]
        estimates = []
        for row in first:
            own = jax.tree.map(lambda leaf, row=row: leaf[row], path.trajectory.approximations)
            key = elbo_key(4, number, int(path.iterations.iteration[row]))
            estimates.append(elbo_of(logistic, own, key, 25))
        best = int(np.argmax([estimate.mean for estimate in estimates]))
        assert path.best_iteration == path.iterations.iteration[first[best]]
        np.testing.assert_allclose(path.elbo, estimates[best].mean, rtol=1e-6)
        np.testing.assert_allclose(path.elbo_standard_error, estimates[best].standard_error, rtol=1e-5)
        chosen = jax.tree.map(lambda leaf, row=first[best]: leaf[row], path.trajectory.approximations)
        np.testing.assert_allclose(path.approximation.mean, chosen.mean, rtol=1e-12)
        changed += best != 0
    assert changed  # the fresh draws have had a say


def test_fresh_draws_of_a_race_are_reused_only_if_asked_for(logistic, race):
    reused = fit(logistic, seed=4, reuse_elbo_draws=True, **RACING)
    for number, (path, other) in enumerate(zip(reused.paths, race.paths, strict=True)):
        assert path.num_densities == other.num_densities - 25
        ratios = []
        for result in (reused, race):
            rows = (result.pool.paths == number) & (result.pool.indices < 25)
            ratios.append((result.pool.log_p - result.pool.log_q)[rows])
        np.testing.assert_allclose(np.mean(ratios[0]), path.elbo, rtol=1e-9)
        assert not np.any(ratios[0] == ratios[1])


def test_stalled_race_ends_with_fresh_draws(funnel_model):
    result = fit(funnel_model, seed=1, schedule="race", elbo_patience=20)
    stalled = [path for path in result.paths if path.status == Status.ELBO_STALLED]
    assert stalled
    for path in stalled:
        assert path.num_densities == 8 * len(path.iterations.elbo) + NUM_FINALISTS * 25 + 200
        assert path.elbo not in path.iterations.elbo
        assert path.num_iterations - path.iterations.iteration[np.argmax(path.iterations.elbo)] >= 20


def test_interrupted_race_ends_with_fresh_draws(long_model):
    calls = itertools.count()

    def stop(reports):
        if next(calls) == 1:
            raise KeyboardInterrupt

    result = fit(long_model, seed=1, schedule="race", num_paths=2, elbo_patience=None, report=stop)
    assert result.interrupted
    for path in result.paths:
        assert path.status == Status.INTERRUPTED
        assert path.num_densities == 8 * len(path.iterations.elbo) + NUM_FINALISTS * 25 + 200
        assert path.elbo not in path.iterations.elbo


def test_last_report_of_a_race_is_its_result(logistic, race):
    reports = []
    result = fit(logistic, seed=4, report=reports.extend, **RACING)
    for number, path in enumerate(result.paths):
        own = [report for report in reports if report.lane == number]
        assert sum(len(report.iterations.iteration) for report in own) == path.num_iterations
        assert own[-1].best_elbo == path.elbo == race.paths[number].elbo
        assert own[-1].best_iteration == path.best_iteration


@pytest.mark.slow
def test_race_of_many_data_sets():
    def log_density(position, data):
        return -0.5 * jnp.sum(((position - data["mean"]) / data["sd"]) ** 2) - 0.1 * jnp.sum(position) ** 2

    rng = np.random.default_rng(1)
    data = {"mean": rng.normal(size=(5, 6)), "sd": np.exp(rng.normal(size=(5, 6)))}
    options = {**QUICK, **RACING, "num_paths": 2, "covariance_history": 2}
    batch = pathfinder.fit_batch(log_density, data, jnp.zeros(6), seed=3, **options)
    own = jax.tree.map(lambda leaf: leaf[3], data)
    alone = fit(log_density, jnp.zeros(6), data=own, seed=batch.keys[3], **options)
    np.testing.assert_allclose(batch.elbo[3], [path.elbo for path in alone.paths], rtol=1e-6)
    np.testing.assert_allclose(batch[3].draws["x"], alone.draws["x"], rtol=1e-6)
    assert batch.num_densities[3] == alone.num_densities


def test_finalists_without_a_finite_draw_fail():
    """Of a density with half a normal for support one fresh draw is often outside, all of a hundred never."""
    model = Model.from_log_density(lambda x: jnp.where(x[0] > 0, -0.5 * jnp.sum((x - 0.1) ** 2), jnp.nan), np.ones(2))
    result = fit(model, seed=1, schedule="race", init=np.ones(2), num_paths=12, num_elbo_draws=1, num_race_draws=100)
    failed = [path for path in result.paths if path.status == Status.NO_FINITE_ELBO]
    assert 0 < len(failed) < 12
    for path in failed:
        assert path.elbo == -np.inf
        assert path.best_iteration == -1
        assert np.all(np.isfinite(path.iterations.elbo))
    assert all(np.isfinite(path.elbo) for path in result.paths if path not in failed)
