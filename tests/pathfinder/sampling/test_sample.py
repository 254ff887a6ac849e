"""NUTS from a fit in one call."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, constraints
from tests.pathfinder.refining import QUICK


STATISTICS = {"lp", "acceptance_rate", "diverging", "energy", "n_steps", "tree_depth", "step_size"}
SHORT = {"num_warmup": 30, "num_draws": 200, "num_chains": 3}
FEW = {"num_warmup": 2, "num_draws": 4, "num_chains": 2}


@pytest.fixture(scope="module")
def model():
    """A normal of two, a gamma with shape 3, and what is drawn from them."""

    def log_density(params, data):
        return -0.5 * jnp.sum((params["mu"] - data) ** 2) + 2.0 * jnp.log(params["sigma"]) - params["sigma"]

    return Model.from_log_density(
        log_density,
        {"mu": np.zeros(2), "sigma": 1.0},
        constraints={"sigma": constraints.positive},
        data=np.array([1.0, -2.0]),
        transformed=lambda params, data: {"double": 2.0 * params["mu"]},
        generated=lambda key, params, data: {"noise_rep": params["mu"] + 1.0},
        dims={"mu": ("side",), "double": ("side",)},
        coords={"side": ["left", "right"]},
        name="two",
    )


@pytest.fixture(scope="module")
def result(model):
    return pathfinder.fit(model, seed=1, **QUICK)


@pytest.fixture(scope="module")
def drawn(result):
    return pathfinder.sample(result, seed=5, library="blackjax", **SHORT)


def test_draws_have_names_dims_and_coords(drawn):
    posterior = drawn.posterior
    assert posterior.mu.dims == ("chain", "draw", "side")
    assert list(posterior.side.values) == ["left", "right"]
    assert posterior.sizes["chain"] == 3
    assert posterior.sizes["draw"] == 200
    np.testing.assert_allclose(posterior.double, 2.0 * posterior.mu)
    np.testing.assert_allclose(drawn.posterior_predictive.noise_rep.values, posterior.mu.values + 1.0)


def test_draws_are_those_of_the_posterior(drawn):
    np.testing.assert_allclose(drawn.posterior.mu.mean(("chain", "draw")), [1.0, -2.0], atol=0.2)
    assert float(drawn.posterior.sigma.mean()) == pytest.approx(3.0, abs=0.5)
    assert bool((drawn.posterior.sigma > 0).all())


def test_statistics_are_those_of_the_draws(drawn, model):
    own = drawn.sample_stats
    assert set(own) == STATISTICS
    place = {"chain": 2, "draw": 17}
    values = {name: drawn.posterior[name].isel(place).values for name in ("mu", "sigma")}
    log_density = model.log_density(model.unconstrain(values))
    assert float(own.lp.isel(place)) == pytest.approx(float(log_density), rel=1e-9)
    assert not own.diverging.any()


def test_what_it_took_is_told(drawn, result):
    attributes = drawn.posterior.attrs
    assert attributes["inference_library"] == "blackjax"
    assert attributes["num_gradients"] == attributes["num_warmup_gradients"] + int(drawn.sample_stats.n_steps.sum())
    assert attributes["num_gradients_of_fit"] == result.num_gradients
    assert attributes["metric"] == "dense"


@pytest.mark.parametrize("library", [pytest.param("numpyro", marks=pytest.mark.slow), "blackjax"])
def test_same_seed_same_draws(result, library):
    one, same, other = (pathfinder.sample(result, seed=seed, library=library, **FEW) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.posterior.mu, same.posterior.mu)
    assert not np.array_equal(one.posterior.mu, other.posterior.mu)
    assert set(one.sample_stats) == STATISTICS


def test_a_model_is_fitted_first(model):
    one = pathfinder.sample(model, seed=3, library="blackjax", **FEW, num_paths=2)
    fitted = pathfinder.fit(model, seed=3, num_paths=2, progress=False)
    same = pathfinder.sample(fitted, seed=3, library="blackjax", **FEW)
    np.testing.assert_array_equal(one.posterior.mu, same.posterior.mu)


@pytest.mark.slow
def test_a_log_density_is_fitted_first():
    found = pathfinder.sample(lambda x: -0.5 * jnp.sum(x**2), np.zeros(2), seed=3, library="blackjax", **FEW)
    assert found.posterior.x.shape == (2, 4, 2)


@pytest.mark.slow
def test_a_stan_program():
    folder = Path(__file__).parents[3] / "benchmarks" / "programs"
    data = {"J": 2, "y": [1.0, 2.0], "sigma": [1.0, 1.5]}
    model = Model.from_stan(folder / "eight_schools.stan", data)
    found = pathfinder.sample(model, seed=3, library="blackjax", **FEW, num_paths=2)
    assert set(found.posterior) == {variable.name for variable in model.variables}
    assert set(found.observed_data) == {"y"}


def test_options_of_a_fit_do_not_go_with_one_that_has_been_made(result):
    with pytest.raises(ValueError, match="'data', 'num_paths' are for a fit, but one was given"):
        pathfinder.sample(result, data=1.0, num_paths=3)


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("num_draws", 0, "`num_draws` must be a whole number of at least 1"),
        ("num_chains", 1.5, "`num_chains` must be a whole number"),
        ("num_warmup", -1, "`num_warmup` must be a whole number of at least 0"),
        ("target_acceptance", 1.0, "`target_acceptance` must be between 0 and 1"),
        ("library", "stan", '`library` must be one of "blackjax", "numpyro", "nutpie" or None'),
        ("kind", "full", "`kind` must be one of"),
    ],
)
def test_arguments_out_of_range(result, argument, value, words):
    with pytest.raises(ValueError, match=words):
        pathfinder.sample(result, **{argument: value})


def test_a_log_density_outside_of_jax_is_refused_before_it_is_fitted():
    def never(x):
        raise AssertionError

    with pytest.raises(ValueError, match='outside of JAX.*library="nutpie"'):
        pathfinder.sample(Model.from_callable(never, 2), library="numpyro")


def test_a_log_density_outside_of_jax_with_nutpie():
    pytest.importorskip("nutpie")
    model = Model.from_callable(lambda x: (-0.5 * np.sum(x**2), -x), 2)
    found = pathfinder.sample(model, seed=3, library="nutpie", **SHORT)
    assert set(found.sample_stats) == STATISTICS
    np.testing.assert_allclose(found.posterior.x.std(("chain", "draw")), 1.0, atol=0.2)


def test_no_library(result, monkeypatch):
    monkeypatch.setattr("pathfinder._sampling.sample.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"needs BlackJAX or NumPyro; install one with `pip install"):
        pathfinder.sample(result)
    with pytest.raises(
        ModuleNotFoundError, match=r"nutpie is not installed; install it with `pip install 'pathfinder-vi\[nutpie"
    ):
        pathfinder.sample(result, library="nutpie")
