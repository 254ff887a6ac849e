"""NumPyro models that cannot be fitted, or not as they are: the message names the site and says what to do."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro.infer.util import initialize_model

from pathfinder import Model
from tests.pathfinder.interop.numpyro_models import enumerated_mixture


Y = np.array([0.5, -0.2, 1.0])


def subsampled():
    mu = numpyro.sample("mu", dist.Normal(0, 1))
    with numpyro.plate("row", 100, subsample_size=10):
        numpyro.sample("obs", dist.Normal(mu, 1), obs=jnp.zeros(10))


def counted():
    rate = numpyro.sample("rate", dist.Gamma(2, 1))
    numpyro.sample("k", dist.Poisson(rate))


def fixed():
    numpyro.sample("mu", dist.Normal(0, 1))
    numpyro.sample("x", dist.Delta(1.0))


def direction():
    numpyro.sample("u", dist.ProjectedNormal(jnp.zeros(3)))


def nothing_to_fit():
    numpyro.sample("y", dist.Normal(0, 1), obs=Y)


def outside_of_plates():
    weight = numpyro.sample("weight", dist.Beta(1, 1))
    k = numpyro.sample("k", dist.Bernoulli(weight))
    numpyro.sample("y", dist.Normal(k, 1), obs=Y)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (subsampled, "Plate 'row' takes a random subsample of 10 of 100; Pathfinder needs the whole plate"),
        (counted, r"Site 'k' \(Poisson\) is discrete and cannot be enumerated; sum it out in the model"),
        (fixed, r"Site 'x' is a Delta, which has no density; use numpyro.deterministic\('x', value\)"),
        (direction, r"Site 'u' \(ProjectedNormal\) has the support .*'u': ProjectedNormalReparam\(\)"),
        (nothing_to_fit, "The NumPyro model has no latent continuous site"),
        (
            outside_of_plates,
            "Site 'y' has a batch axis of size 3 that is in no numpyro.plate; enumeration of 'k' needs",
        ),
    ],
)
def test_models_that_are_refused(model, words):
    with pytest.raises(ValueError, match=words):
        Model.from_numpyro(model)


def test_discrete_sites_need_funsor(monkeypatch):
    monkeypatch.setitem(sys.modules, "funsor", None)
    with pytest.raises(
        ModuleNotFoundError, match="Site 'component' is discrete, and to sum over it needs funsor; install"
    ):
        Model.from_numpyro(enumerated_mixture, Y)


def test_angles_are_warned_of():
    def model():
        numpyro.sample("angle", dist.VonMises(0, 1))

    with pytest.warns(UserWarning, match=r"Site 'angle' \(VonMises\) is an angle, .*CircularReparam\(\)"):
        Model.from_numpyro(model)


def test_sites_without_a_prior_keep_their_values():
    def model(y):
        shift = numpyro.param("shift", lambda key: 3.0 + jax.random.normal(key))
        mu = numpyro.sample("mu", dist.Normal(shift, 1))
        numpyro.sample("y", dist.Normal(mu, 1), obs=y)

    with pytest.warns(UserWarning, match="numpyro.param sites have no prior and keep their first values: 'shift'"):
        own = Model.from_numpyro(model, Y)
    ((name, held),) = own.density.program.held
    assert name == "shift"
    expected = -0.5 * (0.7 - held.value) ** 2 - 0.5 * np.sum((Y - 0.7) ** 2) - 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(own.log_density([0.7]), expected, rtol=1e-12)
    assert [variable.name for variable in own.variables] == ["mu"]


def test_models_that_ask_for_a_key_get_one():
    def model():
        noise = jax.random.normal(numpyro.prng_key())
        numpyro.sample("mu", dist.Normal(noise, 1))

    own = Model.from_numpyro(model)
    potential = initialize_model(jax.random.key(1), model).potential_fn
    np.testing.assert_allclose(own.log_density([0.3]), -potential({"mu": 0.3}), rtol=1e-12)


def test_what_is_no_function_is_no_model():
    with pytest.raises(ValueError, match="is a function that samples its sites, but an object of type int was given"):
        Model.from_numpyro(3)
