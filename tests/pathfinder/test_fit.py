import subprocess
import sys
import textwrap
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

import pathfinder
from pathfinder import Model, Status
from tests import problems


PLAIN = {"refine": False, "schedule": "cmdstan"}
QUICK = {**PLAIN, "progress": False, "num_draws": 200, "num_psis_draws": 200}


def model_of(density):
    return Model.from_log_density(density.log_density, np.zeros(density.dim), name=density.name)


@pytest.fixture(scope="module")
def correlated():
    """A normal with known mean and covariance, and its fit."""
    density = problems.normal([1.0, -2.0, 3.0], [[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
    return density, pathfinder.fit(model_of(density), seed=1, progress=False, **PLAIN)


@pytest.fixture(scope="module")
def logistic_model():
    return model_of(problems.logistic_regression(10))


@pytest.fixture(scope="module")
def two_modes():
    """Equal normals around -4 and 4, and the points where four paths start: three on the left, one on the right."""

    def log_density(x):
        return jnp.logaddexp(-0.5 * jnp.sum((x - 4.0) ** 2), -0.5 * jnp.sum((x + 4.0) ** 2))

    starts = np.array([[-5.0, -3.5], [-3.0, -3.0], [-4.5, -5.0], [5.0, 3.0]])
    return Model.from_log_density(log_density, np.zeros(2)), starts


@pytest.fixture(scope="module")
def long_model():
    """Paths of several hundred iterations."""
    return model_of(problems.rosenbrock(50))


@pytest.fixture(scope="module")
def funnel_model():
    return model_of(problems.funnel(10))


def draws_of_path(result, path):
    """All draws of a path in order."""
    everything = result.pool
    rows = np.flatnonzero(everything.paths == path)
    values = np.empty((len(rows), result.model.dim))
    for place, positions in result.source.positions(everything.paths[rows], everything.indices[rows]):
        values[place] = positions
    return values


# Correctness


def test_mean_and_covariance_of_a_normal(correlated):
    density, result = correlated
    draws = result.unconstrained_draws
    variance = np.diag(density.covariance)
    assert np.all(np.abs(draws.mean(axis=0) - density.mean) < 5 * np.sqrt(variance / len(draws)))
    error = np.cov(draws.T) - density.covariance
    standard_error = np.sqrt((np.outer(variance, variance) + density.covariance**2) / len(draws))
    assert np.all(np.abs(error) < 6 * standard_error)


def test_approximations_of_a_normal_are_close_to_it(correlated):
    density, result = correlated
    for path in result.paths:
        assert abs(path.elbo) < 0.5  # the log normalizing constant is zero
        np.testing.assert_allclose(path.approximation.mean, density.mean, atol=0.3)
    best = max(result.paths, key=lambda path: path.elbo).approximation
    np.testing.assert_allclose(best.to_dense(), density.covariance, atol=0.6)


def test_densities_of_the_draws(correlated):
    density, result = correlated
    draws = result.unconstrained_draws
    np.testing.assert_allclose(result.log_p, jax.vmap(density.log_density)(draws), rtol=1e-9)
    for path in range(4):
        own = result.path_ids == path
        log_q = jax.vmap(result.paths[path].approximation.log_density)(draws[own])
        np.testing.assert_allclose(result.log_q[own], log_q, rtol=1e-8)


def test_proposal_density_is_the_mixture(correlated):
    _, result = correlated
    draws = draws_of_path(result, 2)
    by_path = np.stack([jax.vmap(path.approximation.log_density)(draws) for path in result.paths])
    mixture = logsumexp(by_path, axis=0) - np.log(len(result.paths))
    np.testing.assert_allclose(result.pool.log_proposal[result.pool.paths == 2], mixture, rtol=1e-8)


def test_weights_are_normalized_ratios(correlated):
    _, result = correlated
    pool = result.pool
    np.testing.assert_allclose(logsumexp(pool.log_weights), 0.0, atol=1e-9)
    raw = pool.log_p - pool.log_proposal
    low = raw < np.quantile(raw, 0.5)  # smoothing changes the largest only
    shift = pool.log_weights[low] - raw[low]
    np.testing.assert_allclose(shift, shift[0], atol=1e-9)
    np.testing.assert_allclose(sum(path.weight for path in result.paths), 1.0)


def test_k_hat_is_low_for_a_normal(correlated):
    _, result = correlated
    assert result.pareto_k < result.pareto_k_threshold
    assert 0.5 * len(result.pool) < result.effective_sample_size <= len(result.pool)


def test_mixture_weights_do_not_count_a_mode_several_times(two_modes):
    model, starts = two_modes
    shares = {}
    for weights in ("mixture", "component"):
        result = pathfinder.fit(model, init=starts, seed=2, weights=weights, progress=False, **PLAIN)
        shares[weights] = np.mean(result.unconstrained_draws[:, 0] < 0)
    assert abs(shares["mixture"] - 0.5) < 0.03
    assert abs(shares["component"] - 0.75) < 0.03


def test_cost_counts_every_evaluation(correlated):
    _, result = correlated
    settings = result.settings
    for path in result.paths:
        assert path.num_densities == settings.num_elbo_draws * len(path.iterations.elbo) + settings.num_draws
        assert path.num_gradients == path.iterations.num_gradients[-1]
        assert path.num_iterations == path.iterations.iteration[-1]
        assert path.elbo == np.max(path.iterations.elbo)
        assert path.best_iteration == path.iterations.iteration[np.argmax(path.iterations.elbo)]
    assert result.num_gradients == sum(path.num_gradients for path in result.paths)


# Reproducibility


def test_same_seed_gives_the_same_draws(logistic_model):
    one, other, third = (pathfinder.fit(logistic_model, seed=seed, **QUICK) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.unconstrained_draws, other.unconstrained_draws)
    np.testing.assert_array_equal(one.log_p, other.log_p)
    assert not np.any(one.unconstrained_draws[0] == third.unconstrained_draws[0])


def test_seed_may_be_a_key(logistic_model):
    one, other = (pathfinder.fit(logistic_model, seed=jax.random.key(5), **QUICK) for _ in range(2))
    np.testing.assert_array_equal(one.unconstrained_draws, other.unconstrained_draws)
    assert one.seed is None


def test_without_a_seed_the_one_used_is_told(logistic_model):
    first = pathfinder.fit(logistic_model, **QUICK)
    again = pathfinder.fit(logistic_model, seed=first.seed, **QUICK)
    np.testing.assert_array_equal(first.unconstrained_draws, again.unconstrained_draws)


def test_large_seeds_differ(logistic_model):
    seeds = (7, 7 + 2**32, 2**64 - 1)
    draws = [pathfinder.fit(logistic_model, seed=seed, num_paths=1, **QUICK).unconstrained_draws for seed in seeds]
    assert len({values[0, 0] for values in draws}) == 3


def test_a_path_does_not_depend_on_how_many_there_are(logistic_model):
    results = {n: pathfinder.fit(logistic_model, seed=3, num_paths=n, **QUICK) for n in (1, 2, 8)}
    for number in (2, 8):
        for name in ("elbo", "status", "num_gradients", "best_iteration"):
            assert getattr(results[1].paths[0], name) == getattr(results[number].paths[0], name)
        np.testing.assert_array_equal(draws_of_path(results[1], 0), draws_of_path(results[number], 0))
    np.testing.assert_array_equal(draws_of_path(results[2], 1), draws_of_path(results[8], 1))


def test_a_path_does_not_depend_on_the_number_of_draws(logistic_model):
    few, many = (
        pathfinder.fit(logistic_model, seed=3, progress=False, **PLAIN, num_draws=n, num_psis_draws=10)
        for n in (30, 77)
    )
    np.testing.assert_array_equal(draws_of_path(few, 1), draws_of_path(many, 1)[:30])


FINGERPRINT = """
    import json, hashlib, pathlib
    import numpy as np, jax
    jax.config.update("jax_enable_x64", True)
    import pathfinder
    from examples import eight_schools
    from tests import problems

    schools = eight_schools.model(json.loads(pathlib.Path("examples/eight_schools.data.json").read_text()))
    logistic = pathfinder.Model.from_log_density(problems.logistic_regression(10).log_density, np.zeros(10))
    digest = hashlib.sha256()
    for model in (schools, logistic):
        result = pathfinder.fit(model, seed=3, progress=False, num_paths=9, num_draws=100, num_psis_draws=100)
        for values in (result.unconstrained_draws, result.pool.log_proposal, result.pool.log_weights):
            digest.update(values.tobytes())
    print(jax.device_count(), digest.hexdigest())
"""


@pytest.mark.slow
def test_draws_do_not_depend_on_the_number_of_devices():
    alone, fingerprint = run_script(FINGERPRINT).split()
    two, other = run_script(FINGERPRINT, XLA_FLAGS="--xla_force_host_platform_device_count=2").split()
    assert (alone, two) == ("1", "2")
    assert fingerprint == other


def run_script(script, **environment):
    import os

    variables = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        env={**variables, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


# Compilation


class Counted:
    """A log density that counts how often it is traced."""

    def __init__(self):
        self.num_traces = 0

    def __call__(self, params, data):
        self.num_traces += 1
        return -0.5 * jnp.sum((params - data["center"]) ** 2)


def test_density_is_traced_twice_and_never_again():
    density = Counted()
    model = Model.from_log_density(density, np.zeros(3), data={"center": np.zeros(3)})
    density.num_traces = 0  # making a model looks at the shape of what the density returns
    pathfinder.fit(model, seed=0, **QUICK)
    assert density.num_traces == 2
    pathfinder.fit(model, seed=1, num_paths=7, init_radius=1.0, max_lbfgs_iters=50, **QUICK)
    assert density.num_traces == 2


def test_new_data_of_the_same_shape_need_no_compilation():
    density = Counted()
    for center in (0.0, 10.0):
        model = Model.from_log_density(density, np.zeros(3), data={"center": np.full(3, center)})
        density.num_traces = 0
        result = pathfinder.fit(model, seed=0, **QUICK)
        assert density.num_traces == (2 if center == 0.0 else 0)
        np.testing.assert_allclose(result.unconstrained_draws.mean(), center, atol=0.3)


def test_data_are_arguments_of_the_compiled_programs():
    """Data closed over become constants of a program, data that are passed do not."""
    large = np.zeros((300, 1000))

    def passed(x, data):
        return -jnp.sum((data @ x - 1.0) ** 2) - jnp.sum(x**2)

    model = Model.from_log_density(passed, np.zeros(1000), data=large)
    evaluate = jax.jit(jax.value_and_grad(model.density))
    assert len(evaluate.lower(np.zeros(1000), model.data).as_text()) < 10_000
    assert jax.make_jaxpr(evaluate)(np.zeros(1000), model.data).consts == []


# What happens to paths


def test_one_bad_path_does_not_disturb_the_others(logistic_model):
    good = pathfinder.fit(logistic_model, seed=4, **QUICK)

    def log_density(x):
        inner = logistic_model.density(x, None)
        return jnp.where(x[0] > 50.0, jnp.nan, inner)

    model = Model.from_log_density(log_density, np.zeros(10))
    center = np.zeros((4, 10))
    center[2] = 100.0
    radius = np.where(center == 0, 2.0, 0.0)
    result = pathfinder.fit(model, init=pathfinder.InitialPoints(center, radius), seed=4, **QUICK)
    assert [path.status.succeeded for path in result.paths] == [True, True, False, True]
    assert result.paths[2].status == Status.INITIALIZATION_FAILED
    assert result.paths[2].weight == 0
    assert np.isnan(result.paths[2].pareto_k)
    assert result.paths[2].approximation is None
    assert len(result.approximations) == 3
    assert set(result.path_ids) <= {0, 1, 3}
    np.testing.assert_allclose(draws_of_path(result, 3), draws_of_path(good, 3), rtol=1e-6)


def test_all_paths_fail():
    model = Model.from_log_density(lambda x: jnp.sum(x) * jnp.nan, np.zeros(2))
    with pytest.raises(pathfinder.PathfinderError, match="No path produced an approximation") as caught:
        pathfinder.fit(model, seed=0, num_paths=2, progress=False, **PLAIN)
    assert caught.value.statuses == (Status.INITIALIZATION_FAILED,) * 2
    for path in range(2):
        assert f"path {path}: {Status.INITIALIZATION_FAILED.message}" in str(caught.value)


def test_no_finite_elbo_is_a_failure():
    """Finite on a line only: along the path, but at no draw."""
    model = Model.from_log_density(
        lambda x: jnp.where(x[0] == 1.0, -0.5 * x[1] ** 2 + 0.0 * x[0], jnp.nan), np.zeros(2)
    )
    with pytest.raises(pathfinder.PathfinderError, match="No path produced") as caught:
        pathfinder.fit(model, init=np.array([1.0, 3.0]), seed=0, num_paths=2, progress=False, **PLAIN)
    assert set(caught.value.statuses) == {Status.NO_FINITE_ELBO}


def test_iterations_reach_the_report_as_they_are_scored(logistic_model):
    seen = []
    result = pathfinder.fit(logistic_model, seed=4, report=seen.extend, **QUICK)
    for number, path in enumerate(result.paths):
        own = [report for report in seen if report.lane == number]
        reported = np.concatenate([report.iterations.iteration for report in own])
        np.testing.assert_array_equal(reported, path.iterations.iteration)
        assert own[-1].status == path.status
        assert own[-1].best_elbo == path.elbo
        assert own[-1].best_iteration == path.best_iteration


def test_trajectory_is_kept_if_asked_for(logistic_model):
    plain = pathfinder.fit(logistic_model, seed=4, **QUICK)
    result = pathfinder.fit(logistic_model, seed=4, save_trajectory=True, **QUICK)
    assert all(path.trajectory is None for path in plain.paths)
    np.testing.assert_array_equal(result.unconstrained_draws, plain.unconstrained_draws)
    for path in result.paths:
        positions = path.trajectory.position
        values, gradients = jax.jit(jax.vmap(jax.value_and_grad(lambda x: logistic_model.density(x, None))))(positions)
        np.testing.assert_allclose(path.iterations.log_density, values, rtol=1e-9)
        np.testing.assert_allclose(path.trajectory.gradient, gradients, rtol=1e-6, atol=1e-6)
        best = np.argmax(path.iterations.elbo)
        np.testing.assert_array_equal(path.trajectory.approximations.mean[best], path.approximation.mean)


def test_keyboard_interrupt_returns_what_is_finished(long_model):
    """Raised while iterations are reported, after 32 of a path of several hundred."""

    def interrupt(reports):
        raise KeyboardInterrupt

    options = {"num_draws": 50, "num_psis_draws": 50, "elbo_patience": None, "progress": False}
    result = pathfinder.fit(long_model, seed=0, report=interrupt, **options)
    assert result.interrupted
    assert {path.status for path in result.paths} == {Status.INTERRUPTED}
    assert all(path.num_iterations <= 64 for path in result.paths)
    assert result.unconstrained_draws.shape == (50, 50)


def test_keyboard_interrupt_after_the_last_iteration_loses_nothing(logistic_model):
    def interrupt(reports):
        raise KeyboardInterrupt

    plain = pathfinder.fit(logistic_model, seed=0, **QUICK)
    result = pathfinder.fit(logistic_model, seed=0, report=interrupt, **QUICK)
    assert [path.status for path in result.paths] == [path.status for path in plain.paths]
    np.testing.assert_array_equal(result.unconstrained_draws, plain.unconstrained_draws)


def test_time_limit_ends_the_paths(long_model):
    options = {"num_draws": 50, "num_psis_draws": 50, "elbo_patience": None, "progress": False}
    pathfinder.fit(long_model, seed=0, max_lbfgs_iters=40, **options)  # compiles
    begin = time.perf_counter()
    with pytest.raises(pathfinder.PathfinderError, match="time limit"):
        pathfinder.fit(long_model, seed=0, max_time=1e-9, **options)
    assert time.perf_counter() - begin < 10


def test_elbo_patience_ends_a_path_early(funnel_model):
    """A path through the funnel gets worse approximations the narrower it becomes."""
    patient = pathfinder.fit(funnel_model, seed=0, elbo_patience=None, max_lbfgs_iters=300, **QUICK)
    result = pathfinder.fit(funnel_model, seed=0, elbo_patience=10, max_lbfgs_iters=300, **QUICK)
    assert Status.ELBO_STALLED in {path.status for path in result.paths}
    for path, other in zip(result.paths, patient.paths, strict=True):
        assert path.num_iterations <= other.num_iterations


# Options


def test_without_resampling_all_draws_come_with_weights(correlated):
    density, _ = correlated
    result = pathfinder.fit(model_of(density), seed=1, psis_resample=False, num_draws=150, progress=False, **PLAIN)
    assert result.num_draws == 600
    assert not result.is_resampled
    np.testing.assert_array_equal(result.path_ids, np.repeat(np.arange(4), 150))
    np.testing.assert_allclose(result.weights, np.exp(result.pool.log_weights), rtol=1e-9)
    np.testing.assert_allclose(result.weights.sum(), 1.0)
    mean = result.weights @ result.unconstrained_draws
    assert np.all(np.abs(mean - density.mean) < 5 * np.sqrt(np.diag(density.covariance) / 300))


def test_without_densities_there_are_no_weights(correlated):
    density, _ = correlated
    result = pathfinder.fit(model_of(density), seed=1, calculate_lp=False, num_draws=150, progress=False, **PLAIN)
    assert result.num_draws == 600
    assert np.all(np.isnan(result.log_p))
    assert np.all(np.isfinite(result.log_q))
    np.testing.assert_allclose(result.weights, 1 / 600)
    assert np.isnan(result.pareto_k)
    for path in result.paths:
        assert path.num_densities == 25 * len(path.iterations.elbo)
    with pytest.raises(ValueError, match="calculate_lp=False"):
        result.resample(10)
    assert "calculate_lp=False" in repr(result)


def test_single_path(correlated):
    density, _ = correlated
    result = pathfinder.fit(model_of(density), seed=1, num_paths=1, num_draws=300, progress=False, **PLAIN)
    assert result.num_draws == 300
    assert not result.is_resampled
    np.testing.assert_allclose(result.pool.log_proposal, result.pool.log_q, rtol=1e-12)


def test_draws_of_the_best_elbo_are_reused_only_if_asked_for(correlated):
    density, plain = correlated
    model = model_of(density)
    reused = pathfinder.fit(model, seed=1, reuse_elbo_draws=True, progress=False, **PLAIN)
    same = [np.array_equal(draws_of_path(plain, 0)[i], draws_of_path(reused, 0)[i]) for i in range(1000)]
    assert same == [False] * 25 + [True] * 975
    for path in reused.paths:
        assert path.num_densities == 25 * len(path.iterations.elbo) + 975
    rows = (reused.pool.paths == 0) & (reused.pool.indices < 25)
    elbo = np.mean(reused.pool.log_p[rows] - reused.pool.log_q[rows])
    np.testing.assert_allclose(elbo, reused.paths[0].elbo, rtol=1e-9)


@pytest.mark.parametrize("method", ["systematic", "stratified", "multinomial", "without_replacement"])
def test_resampling_methods(correlated, method):
    density, _ = correlated
    result = pathfinder.fit(model_of(density), seed=1, resample=method, num_psis_draws=500, progress=False, **PLAIN)
    assert result.num_draws == 500
    if method == "without_replacement":
        assert len(np.unique(result.rows)) == 500
    assert np.all(np.abs(result.unconstrained_draws.mean(axis=0) - density.mean) < 5 * np.sqrt(2.0 / 400))


def test_unknown_option_is_named():
    with pytest.raises(TypeError, match=r"Unknown option 'num_path'\. The options are num_paths, "):
        pathfinder.fit(lambda x: -(x**2), 0.0, num_path=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, r"`seed` must be a whole number"),
        ({"seed": 1.5}, r"`seed` must be a whole number"),
        ({"seed": True}, r"`seed` must be a whole number"),
        ({"seed": 2**64}, r"`seed` must be a whole number"),
        ({"max_time": 0.0}, r"`max_time` must be a positive number"),
        ({"max_time": float("nan")}, r"`max_time` must be a positive number"),
        ({"num_paths": 0}, r"`num_paths` must be a whole number of at least 1, but 0"),
        ({"devices": []}, r"`devices` must name devices of one platform"),
        ({"example": None}, r"A log density needs `example`"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        pathfinder.fit(**{"model": lambda x: -(x**2), "example": 0.0, "progress": False, **options})


def test_model_has_its_own_data(logistic_model):
    with pytest.raises(ValueError, match="a Model has its own"):
        pathfinder.fit(logistic_model, data=np.zeros(3))


def test_model_must_be_callable():
    with pytest.raises(ValueError, match=r"`model` must be a pathfinder\.Model or a log density, but int"):
        pathfinder.fit(3, 0.0)


def test_log_density_with_data_and_constraints():
    """Exponential waiting times with a gamma prior: the posterior of the rate is Gamma(2 + 50, 1 + sum)."""

    def log_density(params, data):
        rate = params["rate"]
        return 51.0 * jnp.log(rate) - rate * (1.0 + jnp.sum(data))

    waiting = np.random.default_rng(0).exponential(0.5, 50)
    result = pathfinder.fit(
        log_density, {"rate": 1.0}, data=waiting, constraints={"rate": pathfinder.constraints.positive}, seed=0,
        progress=False,
    )  # fmt: skip
    expected = 52 / (1 + waiting.sum())
    assert abs(result.draws["rate"].mean() - expected) < 5 * expected / np.sqrt(52 * 500)
    assert result.draws["rate"].shape == (1000,)


def test_settings_object_and_options_go_together(correlated):
    density, _ = correlated
    settings = pathfinder.Settings(num_paths=2, num_draws=50)
    result = pathfinder.fit(model_of(density), settings=settings, num_draws=60, seed=0, progress=False, **PLAIN)
    assert (result.settings.num_paths, result.settings.num_draws) == (2, 60)


# Other ways to make paths


def test_jaxopt_paths_end_at_the_same_place(logistic_model):
    ours = pathfinder.fit(logistic_model, seed=4, **QUICK)
    theirs = pathfinder.fit(logistic_model, seed=4, optimizer="jaxopt", **QUICK)
    for one, other in zip(ours.paths, theirs.paths, strict=True):
        assert other.status.succeeded
        assert one.initial_log_density == pytest.approx(other.initial_log_density, rel=1e-12)
        assert abs(one.elbo - other.elbo) < 1.0
        assert other.num_gradients > other.num_iterations
    spread = np.std(ours.unconstrained_draws, axis=0)
    difference = ours.unconstrained_draws.mean(axis=0) - theirs.unconstrained_draws.mean(axis=0)
    assert np.all(np.abs(difference) < 0.5 * spread)


# Edges


def test_one_dimension():
    model = Model.from_log_density(lambda x: -0.5 * (x - 3.0) ** 2 / 0.25, 0.0)
    result = pathfinder.fit(model, seed=0, progress=False, **PLAIN)
    assert result.draws["x"].shape == (1000,)
    assert abs(result.draws["x"].mean() - 3.0) < 5 * 0.5 / np.sqrt(1000)
    np.testing.assert_allclose(result.draws["x"].std(), 0.5, rtol=0.1)


def test_flat_density_gives_the_unit_normal_around_the_starts():
    """An improper target; nothing tells the paths where to go, and they say so."""
    model = Model.from_log_density(lambda x: 0.0 * jnp.sum(x), np.zeros(2))
    result = pathfinder.fit(model, seed=0, **QUICK)
    assert {path.status for path in result.paths} == {Status.STATIONARY_START}
    np.testing.assert_allclose(result.paths[0].approximation.to_dense(), np.eye(2))


def test_target_that_grows_forever_ends_with_a_status():
    model = Model.from_log_density(lambda x: jnp.sum(x), np.zeros(2))
    try:
        statuses = [path.status for path in pathfinder.fit(model, seed=0, max_lbfgs_iters=200, **QUICK).paths]
    except pathfinder.PathfinderError as error:
        statuses = error.statuses
    assert Status.RUNNING not in statuses
    assert not any(status.converged for status in statuses)


def test_funnel_draws_are_finite_and_k_hat_warns(funnel_model):
    result = pathfinder.fit(funnel_model, seed=0, **QUICK)
    assert np.all(np.isfinite(result.unconstrained_draws))
    assert max(path.pareto_k for path in result.paths) > 0.7


def test_half_of_the_draws_outside_the_support():
    """A half normal without transform: the draws outside have no weight, and are counted."""
    model = Model.from_log_density(
        lambda x: jnp.where(x[0] > 0, -0.5 * jnp.sum(x**2), -jnp.inf), np.zeros(2), name="half"
    )
    result = pathfinder.fit(model, init=np.array([0.8, 1.0]), seed=0, **QUICK)
    assert np.all(result.unconstrained_draws[:, 0] > 0)
    assert result.pool.num_invalid == np.sum(~np.isfinite(result.pool.log_p)) > 0
    assert "not finite" in repr(result)


SINGLE = """
    import numpy as np, jax, jax.numpy as jnp
    import pathfinder
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    precision, mean = jnp.asarray(np.linalg.inv(covariance), jnp.float32), jnp.array([1.0, -2.0], jnp.float32)
    log_density = lambda x: -0.5 * (x - mean) @ (precision @ (x - mean))
    result = pathfinder.fit(log_density, np.zeros(2, np.float32), seed=0, progress=False, refine=False)
    draws = result.unconstrained_draws
    assert draws.dtype == np.float32, draws.dtype
    assert all(path.status.converged for path in result.paths), result
    assert np.all(np.abs(draws.mean(0) - mean) < 5 * np.sqrt(np.diag(covariance) / 1000)), draws.mean(0)
    assert np.all(np.abs(np.cov(draws.T) - covariance) < 0.4), np.cov(draws.T)
    assert result.pareto_k < 0.7, result
"""


def test_single_precision_without_x64():
    run_script(SINGLE)


def test_single_precision_model_with_x64_on():
    def log_density(x):
        return -0.5 * jnp.sum((x - jnp.asarray(2.0, x.dtype)) ** 2)

    result = pathfinder.fit(log_density, np.zeros(3, np.float32), seed=0, **QUICK)
    assert result.unconstrained_draws.dtype == np.float32
    assert np.all(np.abs(result.unconstrained_draws.mean(axis=0) - 2.0) < 5 / np.sqrt(200))
