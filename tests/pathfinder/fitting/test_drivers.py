"""Which driver runs a fit, and that both give the same."""

import os
import subprocess
import sys
from textwrap import dedent

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model
from pathfinder._arrays.devices import Devices
from pathfinder._fitting.drivers import LARGEST_ON_HOST, choose_devices, density_of
from pathfinder._settings import Settings
from tests.pathfinder import table


def on_host(dim=3, num_lanes=4, driver="auto", devices=None, **options):
    model = Model.from_log_density(lambda x: -jnp.sum(x**2), np.zeros(dim))
    return choose_devices(driver, devices, model, num_lanes, Settings(**options)).is_host


def test_shapes_and_devices_choose():
    assert on_host()
    assert on_host(devices=jax.devices("cpu"))
    assert on_host(dim=10, num_lanes=LARGEST_ON_HOST // 10 - 1)
    assert not on_host(dim=10, num_lanes=LARGEST_ON_HOST // 10)
    assert not on_host(optimizer="jaxopt")
    assert not on_host(driver="compiled")
    assert on_host(driver="host", num_lanes=LARGEST_ON_HOST)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"driver": "numpy"}, "`driver` must be one of 'auto', 'host', 'compiled', but 'numpy'"),
        ({"driver": "host", "optimizer": "jaxopt"}, "optimizer='jaxopt' needs driver='compiled'"),
    ],
)
def test_what_cannot_be(options, words):
    model = Model.from_log_density(lambda x: -jnp.sum(x**2), np.zeros(3))
    with pytest.raises(ValueError, match=words):
        pathfinder.fit(model, progress=False, **options)


def test_a_function_of_the_host_has_no_data_to_batch():
    model = Model.from_callable(lambda x: (-0.5 * float(x @ x), -x), 3)
    with pytest.raises(ValueError, match="`fit_batch` needs a log density in JAX"):
        pathfinder.fit_batch(model, {"y": np.ones((2, 3))})


@pytest.mark.parametrize("options", [{"driver": "compiled"}, {"optimizer": "jaxopt"}])
def test_functions_of_the_host_are_not_compiled(options):
    model = Model.from_callable(lambda x: (-0.5 * float(x @ x), -x), 3)
    with pytest.raises(ValueError, match="needs a log density in JAX"):
        pathfinder.fit(model, progress=False, **options)


def test_functions_of_the_host_start_no_xla():
    """In a process that has no platform for XLA, however many random numbers are made at a time."""
    script = """
        import numpy as np
        import pathfinder
        from pathfinder._arrays import streams
        from pathfinder._arrays.devices import xla_runs

        streams.COMPILED_FROM = 1
        scale = np.geomspace(0.5, 2.0, 4)
        model = pathfinder.Model.from_callable(lambda x: (-0.5 * np.sum((x / scale) ** 2), -x / scale**2), 4)
        for options in ({}, {"schedule": "cmdstan", "refine": False}, {"chains": 40, "max_chain_gradients": 5000}):
            result = pathfinder.fit(model, seed=1, progress=False, **options)
            assert np.all(np.isfinite(result.draws["x"]))
            assert result.draw(10)["x"].shape == (10, 4)
            assert len(result.summary()) == 4
            assert np.all(np.isfinite(result.log_q))
        assert not xla_runs()
    """
    environment = {**os.environ, "JAX_PLATFORMS": "none", "JAX_ENABLE_X64": "1"}
    subprocess.run([sys.executable, "-c", dedent(script)], env=environment, check=True, timeout=120)


@pytest.mark.parametrize("name", table.DENSITIES)
def test_both_drivers_give_the_same(name):
    host, compiled = fits(name, chains=False)  # which multiply what rounding differs by
    for own, other in zip(host.paths, compiled.paths, strict=True):
        for field in ("status", "num_iterations", "num_gradients", "num_densities", "best_iteration"):
            assert getattr(own, field) == getattr(other, field), field
        assert own.elbo == pytest.approx(other.elbo, rel=1e-6, abs=1e-6)
    assert host.num_gradients == compiled.num_gradients
    np.testing.assert_allclose(host.pareto_k, compiled.pareto_k, atol=1e-3)
    np.testing.assert_allclose(host.unconstrained_draws, compiled.unconstrained_draws, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{"diagonals": "bank"}, {"weights": "component", "resample": "stratified"}])
def test_both_drivers_take_the_options(options):
    host, compiled = fits("logistic", refine=False, schedule="cmdstan", **options)
    np.testing.assert_allclose(host.unconstrained_draws, compiled.unconstrained_draws, rtol=1e-6, atol=1e-7)


def fits(name, **options):
    """The fit of a density of the table by each driver."""
    model = table.model(name)
    return [
        pathfinder.fit(model, seed=3, driver=driver, **table.SETTINGS, **options) for driver in ("host", "compiled")
    ]


def test_memory_of_the_density_is_an_option():
    model = table.model("normal")
    density = density_of(model, model.data, None, Settings(density_memory=3), Devices.host())
    assert density.memory == 3 * 2**20
    with pytest.raises(ValueError, match="`density_memory` must be a whole number of at least 1"):
        pathfinder.fit(model, density_memory=0)
