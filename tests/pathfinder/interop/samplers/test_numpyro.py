"""NumPyro keeps the metric that it is given, in the order in which it is given."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from pathfinder import Model
from pathfinder._results.warm_start import warm_start_from
from pathfinder.interop.samplers.numpyro import numpyro_model_start, numpyro_start, run_numpyro


# The alphabet would put the sites into another order.
SITES = [("zeta", (2,)), ("mu", ()), ("alpha", (1, 2))]
SCALES = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
FACTOR = np.tril(0.3 * np.ones((5, 5))) + np.eye(5)
MATRIX = FACTOR @ FACTOR.T * np.outer(SCALES, SCALES)
POSITIONS = np.arange(10.0).reshape(2, 5)


def model():
    numpyro.sample("zeta", dist.Normal(0, jnp.asarray(SCALES[:2])).to_event(1))
    numpyro.sample("mu", dist.LogNormal(0, SCALES[2]))
    numpyro.sample("alpha", dist.Normal(0, jnp.asarray(SCALES[None, 3:])).to_event(2))


def after_a_few_steps(kernel, run):
    mcmc = MCMC(kernel, num_warmup=4, num_samples=3, num_chains=2, chain_method="vectorized", progress_bar=False)
    mcmc.run(jax.random.key(0), **run)
    return mcmc.last_state.adapt_state.inverse_mass_matrix


def start(matrix, positions=POSITIONS):
    values = {"zeta": np.zeros(2), "mu": np.array(1.0), "alpha": np.zeros((1, 2))}
    return numpyro_model_start(positions, matrix, 0.5, SITES, values)


def test_a_dense_metric_stays_in_the_order_of_the_program():
    own = start(MATRIX)
    found = after_a_few_steps(NUTS(model, **own["kernel"]), own["run"])
    assert list(found) == [("zeta", "mu", "alpha")]
    for chain in range(2):
        np.testing.assert_array_equal(found["zeta", "mu", "alpha"][chain], MATRIX)


def test_a_diagonal_metric_stays_with_its_sites():
    own = start(np.diagonal(MATRIX).copy())
    found = after_a_few_steps(NUTS(model, **own["kernel"]), own["run"])
    for name, part in zip(["zeta", "mu", "alpha"], np.split(np.diagonal(MATRIX), [2, 3]), strict=True):
        np.testing.assert_array_equal(found[name,][0], part)


def test_starts_are_those_of_the_sites():
    starts = start(MATRIX)["run"]["init_params"]
    assert {name: values.shape for name, values in starts.items()} == {"zeta": (2, 2), "mu": (2,), "alpha": (2, 1, 2)}
    np.testing.assert_array_equal(starts["alpha"][1], [[8.0, 9.0]])
    single = start(MATRIX, POSITIONS[:1])
    assert single["run"]["init_params"]["mu"].shape == ()


def test_what_numpyro_writes_into_is_a_copy():
    own = start(MATRIX)
    own["kernel"]["inverse_mass_matrix"]["zeta", "mu", "alpha"][:] = 0.0
    np.testing.assert_array_equal(MATRIX, FACTOR @ FACTOR.T * np.outer(SCALES, SCALES))


def test_a_model_that_was_fitted_as_it_is_hands_over_its_sites():
    fitted = Model.from_numpyro(model)
    own = warm_start_from(POSITIONS, MATRIX, fitted).numpyro()
    expected = start(MATRIX)
    assert list(own["kernel"]["inverse_mass_matrix"]) == [("zeta", "mu", "alpha")]
    for name, values in expected["run"]["init_params"].items():
        np.testing.assert_array_equal(own["run"]["init_params"][name], values)
    found = after_a_few_steps(NUTS(model, **own["kernel"]), own["run"])
    np.testing.assert_array_equal(found["zeta", "mu", "alpha"][1], MATRIX)


def potential(position):
    return 0.5 * position @ jnp.linalg.solve(jnp.asarray(MATRIX), position)


def test_the_metric_of_a_potential_stays():
    own = numpyro_start(POSITIONS, MATRIX, 0.5, potential)
    found = after_a_few_steps(NUTS(**own["kernel"]), own["run"])
    np.testing.assert_array_equal(found[0], MATRIX)
    assert numpyro_start(POSITIONS, SCALES, 0.5, potential)["kernel"]["dense_mass"] is False
    assert numpyro_start(POSITIONS[:1], SCALES, 0.5, potential)["run"]["init_params"].shape == (5,)


def test_a_run_draws_from_the_target():
    positions, statistics, num_warmup = run_numpyro(
        potential, np.zeros((2, 5)), MATRIX, 0.5, jax.random.key(1), 30, 500, 0.8
    )
    assert positions.shape == (2, 500, 5)
    covariance = np.cov(positions.reshape(-1, 5).T)
    np.testing.assert_allclose(np.diagonal(covariance), np.diagonal(MATRIX), rtol=0.3)
    np.testing.assert_allclose(statistics["lp"][0, 7], -potential(positions[0, 7]), rtol=1e-9)
    assert {values.shape for values in statistics.values()} == {(2, 500)}
    assert num_warmup >= 60
    assert not statistics["diverging"].any()
