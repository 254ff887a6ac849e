"""How approximations are made and compared along paths, by the options for it."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, Status
from pathfinder._arrays.streams import Stream, counted_keys, path_keys
from pathfinder._density.batch_sizes import NUM_FINALISTS
from pathfinder._density.compiled import CompiledDensity
from pathfinder._normals.diagonals import SecantSums, scalar_diagonal, secant_diagonal, update_secant_sums
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.inverse_hessian import Pairs, has_curvature, inverse_hessian_normal, update_diagonal
from pathfinder._normals.scoring import score_lanes
from pathfinder._paths.approximations import RACE
from tests import problems


PLAIN = {"refine": False, "schedule": "cmdstan"}
QUICK = {**PLAIN, "progress": False, "num_draws": 200, "num_psis_draws": 200}
RACING = {"schedule": "race", "diagonals": "bank", "covariance_history": 12}


def fit(model, *arguments, **options):
    return pathfinder.fit(model, *arguments, **{**QUICK, **options})


def model_of(density):
    return Model.from_log_density(density.log_density, np.zeros(density.dim), name=density.name)


@pytest.fixture(scope="module")
def logistic():
    return model_of(problems.logistic_regression(30))


@pytest.fixture(scope="module")
def race(logistic):
    return fit(logistic, seed=4, save_trajectory=True, **RACING)


@pytest.fixture(scope="module")
def long_model():
    """Paths of several hundred iterations."""
    return model_of(problems.rosenbrock(50))


def elbo_key(seed, path, counter):
    lane = path_keys(jnp.asarray([0, seed], jnp.uint32), np.array([path]), Stream.ELBO)
    return counted_keys(lane, np.array([counter]))[0]


def elbo_of(model, normal, key, num_draws):
    lane = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], normal)
    keys = counted_keys(key, np.arange(num_draws))[None]
    density = CompiledDensity(model.density, model.dim, model.dtype)
    scored = score_lanes(lane, keys, np.zeros(1, np.int64), density)
    return estimate_elbo(scored.log_p[0], scored.log_q[0])


@jax.jit
def follow(gilbert, sums, step, change):
    sums = update_secant_sums(sums, step, change)
    return has_curvature(step, change), update_diagonal(gilbert, step, change), sums


@jax.jit
def candidates(position, gradient, pairs, gilbert, sums):
    diagonals = (gilbert, secant_diagonal(sums, gilbert), scalar_diagonal(pairs))
    return [inverse_hessian_normal(position, gradient, pairs, diagonal) for diagonal in diagonals]


def approximations(path, history_size):
    """All candidates at every iterate, from the recorded points alone; the pairs of the path are made again."""
    positions = np.vstack([path.initial_position, path.trajectory.position])
    gradients = -np.vstack([path.initial_gradient, path.trajectory.gradient])
    dim = positions.shape[1]
    gilbert, sums = jnp.ones(dim), SecantSums(jnp.zeros(dim), jnp.zeros(dim))
    padding = np.zeros((history_size, dim))
    steps, changes = (np.vstack([padding, np.diff(points, axis=0)]) for points in (positions, gradients))
    for row in range(len(positions) - 1):
        window = slice(row + 1, row + 1 + history_size)
        curved, gilbert, sums = follow(gilbert, sums, steps[row + history_size], changes[row + history_size])
        assert curved
        pairs = Pairs(jnp.asarray(steps[window]), jnp.asarray(changes[window]))
        yield candidates(positions[row + 1], gradients[row + 1], pairs, gilbert, sums)


# Histories and diagonals


@pytest.mark.parametrize(
    ("options", "history_size", "candidate"),
    [
        ({}, 5, 0),
        ({"covariance_history": 12}, 12, 0),
        pytest.param({"covariance_history": 3}, 3, 0, marks=pytest.mark.slow),
        pytest.param({"diagonals": "secant"}, 5, 1, marks=pytest.mark.slow),
        ({"diagonals": "secant", "covariance_history": 20}, 20, 1),  # dense
    ],
)
def test_approximations_are_those_of_the_pairs(logistic, options, history_size, candidate):
    result = fit(logistic, seed=4, save_trajectory=True, **options)
    path = result.paths[0]
    expected = approximations(path, history_size)
    rows = 0
    for row, normals in enumerate(expected):
        own = jax.tree.map(lambda leaf, row=row: leaf[row], path.trajectory.approximations)
        np.testing.assert_allclose(own.to_dense(), normals[candidate].to_dense(), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(own.mean, normals[candidate].mean, rtol=1e-5, atol=1e-6)
        rows += 1
    assert rows == path.num_iterations > history_size


@pytest.mark.parametrize(
    "options",
    [
        RACING,
        pytest.param({"covariance_history": 20}, marks=pytest.mark.slow),
        pytest.param({"diagonals": "bank"}, marks=pytest.mark.slow),
    ],
)
def test_paths_do_not_depend_on_how_they_are_judged(long_model, options):
    """The direction uses `history_size` pairs and the diagonal of Gilbert and Lemarechal, across `rewind`."""
    options = {**options, "elbo_patience": None, "max_lbfgs_iters": 80, "num_paths": 1}
    plain = fit(long_model, seed=1, elbo_patience=None, max_lbfgs_iters=80, num_paths=1)
    other = fit(long_model, seed=1, **options)
    assert plain.paths[0].num_iterations == 80
    for name in ("log_density", "step_norm", "num_gradients"):
        np.testing.assert_allclose(
            getattr(other.paths[0].iterations, name), getattr(plain.paths[0].iterations, name), rtol=1e-9
        )


def test_options_of_other_schedules_change_nothing(logistic):
    plain = fit(logistic, seed=2)
    spelled = fit(logistic, seed=2, covariance_history=5, diagonals="gilbert", schedule="cmdstan", num_race_draws=3)
    np.testing.assert_array_equal(spelled.unconstrained_draws, plain.unconstrained_draws)
    assert spelled.num_densities == plain.num_densities


def test_secant_finds_independent_scales_at_once():
    model = model_of(problems.scaled_normal(30, 1e4))
    for path in fit(model, seed=3, diagonals="secant").paths:
        np.testing.assert_allclose(path.iterations.elbo_standard_error[:1], 0.0, atol=1e-6)
    for path in fit(model, seed=3).paths:
        assert path.elbo_standard_error > 0.01


def test_bank_keeps_the_best_of_its_candidates(logistic):
    """Every candidate has the draws of the others, so that the estimates can be made again."""
    result = fit(logistic, seed=4, diagonals="bank", save_trajectory=True)
    path = result.paths[1]
    winners = set()
    for row, normals in enumerate(approximations(path, 5)):
        key = elbo_key(4, 1, int(path.iterations.iteration[row]))
        elbos = [float(elbo_of(logistic, normal, key, 25).mean) for normal in normals]
        np.testing.assert_allclose(path.iterations.elbo[row], max(elbos), rtol=1e-5)
        own = jax.tree.map(lambda leaf, row=row: leaf[row], path.trajectory.approximations)
        np.testing.assert_allclose(own.variance, normals[int(np.argmax(elbos))].variance, rtol=1e-5)
        winners.add(int(np.argmax(elbos)))
    assert len(winners) > 1
    assert path.elbo == path.iterations.elbo.max()
    assert path.num_densities == 3 * 25 * len(path.iterations.elbo) + 200


# The race


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


@pytest.mark.parametrize("options", [RACING, {"diagonals": "bank"}, {"covariance_history": 9}])
def test_a_path_is_the_same_among_eight_and_alone(long_model, options):
    options = {**options, "max_lbfgs_iters": 70}
    many, alone = (fit(long_model, seed=1, num_paths=count, **options) for count in (8, 1))
    assert many.paths[0].elbo == alone.paths[0].elbo
    assert many.paths[0].best_iteration == alone.paths[0].best_iteration
    np.testing.assert_array_equal(many.paths[0].iterations.elbo, alone.paths[0].iterations.elbo)
    np.testing.assert_array_equal(many.pool.log_q[:200], alone.pool.log_q)


def test_stalled_race_ends_with_fresh_draws():
    model = model_of(problems.funnel(10))
    result = fit(model, seed=1, schedule="race", elbo_patience=20)
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
