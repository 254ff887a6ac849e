"""Options of fits, and those that are refused."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from tests.pathfinder.plain_fits import PLAIN, QUICK, draws_of_path, model_of


def test_without_resampling_all_draws_come_with_weights(normal):
    fitted = pathfinder.fit(model_of(normal), seed=1, psis_resample=False, num_draws=150, progress=False, **PLAIN)
    result = fitted.weighted()
    assert fitted.num_draws == result.num_draws == 600
    assert fitted.is_resampled
    np.testing.assert_allclose(fitted.weights, 1 / 600)
    assert not result.is_resampled
    np.testing.assert_array_equal(result.path_ids, np.repeat(np.arange(4), 150))
    np.testing.assert_allclose(result.weights, np.exp(result.pool.log_weights), rtol=1e-9)
    np.testing.assert_allclose(result.weights.sum(), 1.0)
    mean = result.weights @ result.unconstrained_draws
    assert np.all(np.abs(mean - normal.mean) < 5 * np.sqrt(np.diag(normal.covariance) / 300))


def test_without_densities_there_are_no_weights(normal):
    result = pathfinder.fit(model_of(normal), seed=1, calculate_lp=False, num_draws=150, progress=False, **PLAIN)
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


def test_single_path(normal):
    result = pathfinder.fit(model_of(normal), seed=1, num_paths=1, num_draws=300, progress=False, **PLAIN)
    assert result.num_draws == 300
    assert result.is_resampled
    np.testing.assert_allclose(result.pool.log_proposal, result.pool.log_q, rtol=1e-12)


def test_draws_of_the_best_elbo_are_reused_only_if_asked_for(correlated):
    density, plain = correlated
    model = model_of(density)
    reused = pathfinder.fit(model, seed=1, reuse_elbo_draws=True, progress=False, **PLAIN)
    same = np.all(draws_of_path(plain, 0) == draws_of_path(reused, 0), axis=1)
    assert same.tolist() == [False] * 25 + [True] * 975
    for path in reused.paths:
        assert path.num_densities == 25 * len(path.iterations.elbo) + 975
    rows = (reused.pool.paths == 0) & (reused.pool.indices < 25)
    elbo = np.mean(reused.pool.log_p[rows] - reused.pool.log_q[rows])
    np.testing.assert_allclose(elbo, reused.paths[0].elbo, rtol=1e-9)


@pytest.mark.parametrize("method", ["systematic", "stratified", "multinomial", "without_replacement"])
def test_resampling_methods(normal, method):
    result = pathfinder.fit(model_of(normal), seed=1, resample=method, num_psis_draws=500, progress=False, **PLAIN)
    assert result.num_draws == 500
    if method == "without_replacement":
        assert len(np.unique(result.rows)) == 500
    assert np.all(np.abs(result.unconstrained_draws.mean(axis=0) - normal.mean) < 5 * np.sqrt(2.0 / 400))


def test_unknown_option_is_named():
    with pytest.raises(
        TypeError, match=r"Unknown option 'num_path'\. Did you mean 'num_paths'\? The options are num_paths, "
    ):
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
        ({"devices": "gpu"}, r"`devices` is 'gpu', but JAX finds no such platform here; its devices are"),
        ({"devices": [0]}, r"`devices` must be a list of JAX devices"),
        ({"devices": 3}, r"`devices` must be a list of JAX devices"),
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
    with pytest.raises(
        ValueError, match=r"`model` must be a pathfinder\.Model, a log density with `example`, .*, but an int"
    ):
        pathfinder.fit(3, 0.0)


def test_log_density_with_data_and_constraints():
    """Exponential waiting times with a gamma prior: the posterior of the rate is Gamma(2 + 50, 1 + sum)."""

    def log_density(params, data):
        rate = params["rate"]
        return 51.0 * jnp.log(rate) - rate * (1.0 + jnp.sum(data))

    waiting = np.random.default_rng(0).exponential(0.5, 50)
    result = pathfinder.fit(
        log_density, {"rate": 1.0}, data=waiting, constraints={"rate": pathfinder.constraints.positive}, seed=0,
        progress=False, **PLAIN,
    )  # fmt: skip
    expected = 52 / (1 + waiting.sum())
    assert abs(result.draws["rate"].mean() - expected) < 5 * expected / np.sqrt(52 * 500)
    assert result.draws["rate"].shape == (1000,)


def test_settings_object_and_options_go_together(normal):
    settings = pathfinder.Settings(num_paths=2, num_draws=50)
    result = pathfinder.fit(model_of(normal), settings=settings, num_draws=60, seed=0, progress=False, **PLAIN)
    assert (result.settings.num_paths, result.settings.num_draws) == (2, 60)


@pytest.mark.slow
def test_jaxopt_paths_end_at_the_same_place(logistic_model, logistic_fit):
    theirs = pathfinder.fit(logistic_model, seed=4, optimizer="jaxopt", **QUICK)
    for one, other in zip(logistic_fit.paths, theirs.paths, strict=True):
        assert other.status.succeeded
        assert one.initial_log_density == pytest.approx(other.initial_log_density, rel=1e-12)
        assert abs(one.elbo - other.elbo) < 1.0
        assert other.num_gradients > other.num_iterations
    spread = np.std(logistic_fit.unconstrained_draws, axis=0)
    difference = logistic_fit.unconstrained_draws.mean(axis=0) - theirs.unconstrained_draws.mean(axis=0)
    assert np.all(np.abs(difference) < 0.5 * spread)
