"""Equal seeds give equal draws, whatever else differs."""

import jax
import numpy as np
import pytest

import pathfinder
from tests.pathfinder import table
from tests.pathfinder.plain_fits import PLAIN, QUICK, draws_of_path, run_script


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


@pytest.mark.parametrize("driver", ["host", "compiled"])
def test_a_path_does_not_depend_on_how_many_there_are(driver):
    options = {"seed": 3, "driver": driver, **table.SETTINGS, **PLAIN}
    results = {n: pathfinder.fit(table.model("logistic"), num_paths=n, **options) for n in (1, 2, 8)}
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
    for model, driver in [(schools, "compiled"), (logistic, "compiled"), (logistic, "host")]:
        options = {"num_paths": 9, "num_draws": 100, "num_psis_draws": 100, "driver": driver}
        result = pathfinder.fit(model, seed=3, progress=False, **options)
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
