"""Programs that packages for forecasting carry, fetched from the package index, against stanli."""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model, fit
from pathfinder.stan import check, parse
from pathfinder.stan._program.program import declarations


pytestmark = pytest.mark.slow

TIMES = 60
SEASON = 12


@pytest.fixture(scope="session")
def program(pytestconfig):
    """The text of a program of a distribution, which pip fetches once; skips the test where it cannot."""

    def text(distribution, name):
        folder = pytestconfig.cache.mkdir("published") / distribution
        if not folder.is_dir():
            with TemporaryDirectory(dir=folder.parent) as fetched:
                command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", fetched, distribution]
                outcome = subprocess.run(command, capture_output=True, text=True, timeout=300)
                if outcome.returncode:
                    pytest.skip(f"pip cannot fetch {distribution}: {outcome.stderr.strip()[-300:]}")
                (archive,) = Path(fetched).iterdir()
                if archive.suffix == ".whl":
                    archive = archive.rename(archive.with_suffix(".zip"))
                shutil.unpack_archive(archive, Path(fetched) / "unpacked")
                (Path(fetched) / "unpacked").rename(folder)
        (path,) = folder.rglob(name)
        return path.read_text()

    return text


def series(rng):
    t = np.arange(TIMES)
    return 20 + 0.1 * t + 2 * np.sin(2 * np.pi * t / SEASON) + rng.normal(0, 0.5, TIMES)


def prophet_data(trend):
    rng = np.random.default_rng(1)
    t = np.linspace(0, 1, TIMES)
    y = series(rng)
    angles = 2 * np.pi * np.arange(TIMES)[:, None] / SEASON * np.arange(1, 4)
    return {
        "T": TIMES, "K": 6, "t": t, "cap": np.full(TIMES, 1.5), "y": y / y.max(), "S": 5,
        "t_change": np.linspace(0, 0.8, 7)[1:-1], "X": np.hstack([np.sin(angles), np.cos(angles)]),
        "sigmas": np.full(6, 10.0), "tau": 0.05, "trend_indicator": trend, "s_a": [1, 1, 1, 0, 0, 0],
        "s_m": [0, 0, 0, 1, 1, 1],
    }  # fmt: skip


def smoothing_data(names):
    """Data of the exponential smoothing models of orbit-ml: those that a program declares."""
    rng = np.random.default_rng(2)
    y = series(rng)
    values = {
        "WITH_MCMC": 1, "T_STAR": 1.0, "NUM_OF_OBS": TIMES, "RESPONSE": y, "RESPONSE_SD": y.std(),
        "IS_VALID_RES": [1] * 30 + [0] + [1] * (TIMES - 31), "NUM_OF_RR": 2, "RR_MAT": rng.normal(size=(TIMES, 2)),
        "RR_BETA_PRIOR": [0.0, 0.0], "RR_SIGMA_PRIOR": [1.0, 1.0], "NUM_OF_PR": 1, "PR_MAT": rng.random((TIMES, 1)),
        "PR_BETA_PRIOR": [0.0], "PR_SIGMA_PRIOR": [1.0], "NUM_OF_NR": 1, "NR_MAT": rng.random((TIMES, 1)),
        "NR_BETA_PRIOR": [0.0], "NR_SIGMA_PRIOR": [1.0], "REG_PENALTY_TYPE": 2, "AUTO_RIDGE_SCALE": 0.5,
        "LASSO_SCALE": 0.5, "LEV_SM_INPUT": -1.0, "SLP_SM_INPUT": -1.0, "SEA_SM_INPUT": -1.0, "TIME_DELTA": 1.0,
        "CAUCHY_SD": 2.0, "MIN_NU": 5.0, "MAX_NU": 40.0, "SEASONALITY": SEASON, "SEASONALITY_SD": 3.0,
        "FORECAST_HORIZON": 5, "DAMPED_FACTOR": 0.8, "GB_SIGMA_PRIOR": 1.0, "GLOBAL_TREND_OPTION": 0, "G_CAP": 100.0,
        "G_FLOOR": 0.0,
    }  # fmt: skip
    return {name: values[name] for name in names}


def regression_data():
    """Data of the regression of orbit-ml on kernels around knots."""
    rng = np.random.default_rng(3)
    y = series(rng)
    return {
        "NUM_OF_OBS": TIMES, "RESPONSE": y, "RESPONSE_SD": y.std(), "MEAN_Y": y.mean(), "DOF": 30, "N_VALID_RES": TIMES,
        "WHICH_VALID_RES": np.arange(TIMES), "N_KNOTS_LEV": 5, "K_LEV": rng.random((TIMES, 5)),
        "LEV_KNOT_SCALE": 1.0, "P": 2, "COEF_INIT_KNOT_SCALE": [1.0, 1.0], "COEF_KNOT_SCALE": [1.0, 1.0],
        "T_STAR": 1.0, "REGRESSORS": rng.normal(size=(TIMES, 2)), "N_KNOTS_COEF": 3, "K_COEF": rng.random((TIMES, 3)),
    }  # fmt: skip


def declared(text):
    return [declaration.name.text for declaration in declarations(check(parse(text)).program.data)]


def compare(text, data):
    """Gradients, and log densities up to the constants that stanli drops."""
    pytest.importorskip("stanli", reason="stanli, the reference, is not installed")
    from tests.stan.oracle import Oracle

    data = {name: np.asarray(value).tolist() for name, value in data.items()}
    with jax.enable_x64(True):
        model = Model.from_stan(text, data)
        oracle = Oracle(text, data)
        gradient = jax.jit(jax.value_and_grad(model.density))
        points = np.random.default_rng(4).uniform(-1, 1, (4, model.dim))
        offsets = []
        for point in points:
            value, score = gradient(jnp.asarray(point), model.data)
            expected, expected_score = oracle.log_density_and_gradient(point)
            np.testing.assert_allclose(score, expected_score, rtol=1e-8, atol=1e-8 * np.abs(expected_score).max())
            offsets.append(float(value) - expected)
        np.testing.assert_allclose(offsets, offsets[0], rtol=0, atol=1e-9 * max(1, abs(expected)))
        return model


@pytest.mark.parametrize("trend", [0, 1, 2], ids=["linear", "logistic", "flat"])
def test_program_of_prophet_has_the_density_of_stan(program, trend):
    compare(program("prophet", "prophet.stan"), prophet_data(trend))


def test_program_of_prophet_can_be_fitted(program):
    model = compare(program("prophet", "prophet.stan"), prophet_data(0))
    with jax.enable_x64(True):
        result = fit(model, seed=1, progress=False, num_draws=250)
        trend = result.draws["trend"].mean(0)
    assert any(path.status.succeeded for path in result.paths)
    assert np.corrcoef(trend, np.arange(TIMES))[0, 1] > 0.9  # the series rises


@pytest.mark.parametrize("name", ["ets", "lgt", "dlt"])
def test_exponential_smoothing_of_orbit_has_the_density_of_stan(program, name):
    text = program("orbit-ml", f"{name}.stan")
    compare(text, smoothing_data(declared(text)))


@pytest.mark.parametrize("name", ["ets", "lgt", "dlt"])
def test_exponential_smoothing_of_orbit_can_be_fitted(program, name):
    text = program("orbit-ml", f"{name}.stan")
    data = smoothing_data(declared(text))
    with jax.enable_x64(True):
        result = fit(Model.from_stan(text, data), seed=1, progress=False)
        fitted = result.draws["yhat"].mean(0)
        sigma = result.draws["obs_sigma"].mean()
    assert all(path.status.succeeded for path in result.paths)
    assert result.pareto_k < 1
    assert 0.3 < sigma < 1.5  # the noise is 0.5
    assert np.corrcoef(fitted, data["RESPONSE"])[0, 1] > 0.9


def test_regression_of_orbit_on_knots_has_the_density_of_stan(program):
    text = program("orbit-ml", "ktrlite.stan")
    compare(text, {name: value for name, value in regression_data().items() if name in declared(text)})
