"""The benchmark models against the values of Stan's programs, and their reference draws."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from benchmarks import posteriors


class Tolerance(NamedTuple):
    """Largest errors allowed."""

    log_density: float = 1e-12  # relative to max(1, |log density|)
    posterior_log_density: float = 1e-11  # absolute, at draws from the posterior, where a constant cannot hide
    gradient: float = 1e-10  # relative to the largest element


TOLERANCES = {
    "arK-arK": Tolerance(),
    "arma-arma11": Tolerance(),
    "eight_schools-eight_schools_centered": Tolerance(),
    "eight_schools-eight_schools_noncentered": Tolerance(),
    "garch-garch11": Tolerance(),
    # The Cholesky factor of its nearly singular matrix loses digits, in Stan and here.
    "gp_pois_regr-gp_pois_regr": Tolerance(1e-8, 1e-7, 1e-6),
    "gp_pois_regr-gp_regr": Tolerance(),
    # Compared with the program at tolerance 1e-13: what is left is the error of our solver.
    "hudson_lynx_hare-lotka_volterra": Tolerance(1e-8, 1e-6, 1e-6),
    "kidiq-kidscore_interaction": Tolerance(),
    "kilpisjarvi_mod-kilpisjarvi": Tolerance(),
    "mesquite-logmesquite_logvas": Tolerance(),
    "mesquite-mesquite": Tolerance(),
    "nes1980-nes": Tolerance(),
    "sblri-blr": Tolerance(),
}

pytestmark = pytest.mark.skipif(
    posteriors.directory() is None,
    reason="the folder of posteriors is absent (../shared/posteriors, or set PATHFINDER_POSTERIORS)",
)


@pytest.fixture(autouse=True)
def strict_jax():
    with jax.enable_x64(True), jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


def stored(name):
    described = posteriors.log_density_values(name)
    return described, described["points"] + described["posterior_points"]


def constrained_columns(model, positions):
    """Variables at each position by CmdStan's names."""
    values = jax.vmap(model.constrain_fn, in_axes=(0, None))(positions, model.data)
    columns = {}
    for variable in model.variables:
        matrix = np.asarray(values[variable.name]).reshape(len(positions), -1, order="F")
        columns |= dict(zip(variable.columns(), matrix.T, strict=True))
    return columns


def test_every_posterior_is_listed_here():
    assert posteriors.names() == sorted(TOLERANCES)


@pytest.mark.slow
@pytest.mark.parametrize("name", TOLERANCES)
def test_log_density_and_gradient_are_those_of_stan(name):
    described, points = stored(name)
    model = posteriors.load(name)
    assert model.dim == described["dim"]
    evaluate = jax.jit(jax.vmap(jax.value_and_grad(model.density), in_axes=(0, None)))
    log_density, gradient = evaluate(jnp.array([point["x"] for point in points]), model.data)
    exact = [point.get("exact_ode", point) for point in points]
    expected = np.array([values["lp"] for values in exact])
    expected_gradient = np.array([values["grad"] for values in exact])
    error = np.abs(log_density - expected)
    gradient_error = np.max(np.abs(gradient - expected_gradient), axis=1) / np.max(np.abs(expected_gradient), axis=1)
    tolerance = TOLERANCES[name]
    assert np.max(error / np.maximum(1, np.abs(expected))) <= tolerance.log_density
    assert np.max(error[len(described["points"]) :]) <= tolerance.posterior_log_density
    assert np.max(gradient_error) <= tolerance.gradient


@pytest.mark.parametrize("name", TOLERANCES)
def test_parameters_are_those_of_stan(name):
    described, points = stored(name)
    model = posteriors.load(name)
    columns = constrained_columns(model, jnp.array([point["x"] for point in points]))
    for i, column in enumerate(described["param_names"]):
        np.testing.assert_allclose(columns[column], [point["params"][i] for point in points], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in TOLERANCES if "garch" not in name])
def test_parameters_come_in_the_order_of_stan(name):
    described, _ = stored(name)
    model = posteriors.load(name)
    assert [column for variable in model.parameters for column in variable.columns()] == described["param_names"]


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("eight_schools-eight_schools_noncentered", 1e-12),
        ("gp_pois_regr-gp_pois_regr", 1e-8),
        ("hudson_lynx_hare-lotka_volterra", 1e-6),
    ],
)
def test_transformed_parameters_are_those_of_stan(name, tolerance):
    described, points = stored(name)
    if "exact_ode" in points[0]:
        points = [point["exact_ode"] | {"x": point["x"]} for point in points]
    points = [point for point in points if "params_tp" in point]
    model = posteriors.load(name)
    columns = constrained_columns(model, jnp.array([point["x"] for point in points]))
    names = described["param_tp_names"][-len(points[0]["params_tp"]) :]
    for i, column in enumerate(names):
        expected = [point["params_tp"][i] for point in points]
        np.testing.assert_allclose(columns[column], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", TOLERANCES)
def test_the_model_has_every_variable_of_the_reference(name):
    model = posteriors.load(name)
    folder = posteriors.directory()
    assert folder is not None
    with np.load(folder / "reference" / f"{name}.npz") as reference:
        assert set(reference.files) <= set(model.columns("bracket"))


def test_lotka_volterra_is_right_where_the_solver_of_stan_fails():
    name = "hudson_lynx_hare-lotka_volterra"
    described, _ = stored(name)
    model = posteriors.load(name)
    position = np.array(described["failing_points"][0]["x"])
    theta, z_init, _ = np.split(np.exp(position), [4, 6])

    def slope(_, log_z):
        prey, predator = np.exp(log_z)
        return [theta[0] - theta[1] * predator, -theta[2] + theta[3] * prey]

    times = np.arange(1, 21)
    solution = solve_ivp(slope, (0, 20), np.log(z_init), "DOP853", times, rtol=1e-11, atol=1e-11)
    populations = constrained_columns(model, jnp.array([position]))
    for i, log_values in enumerate(solution.y):
        ours = np.log([populations[f"z.{time}.{i + 1}"][0] for time in times])
        np.testing.assert_allclose(ours, log_values, atol=5e-3)  # the logs reach -130; Stan's is NaN
    assert math.isfinite(model.log_density(jnp.array(position)))


def test_lotka_volterra_is_not_finite_where_the_steps_are_too_long():
    model = posteriors.load("hudson_lynx_hare-lotka_volterra")
    fast = np.zeros(model.dim)
    fast[:6] = [5, -1, 5, -1, 4, 4]
    blown_up = np.full(model.dim, 800.0)
    evaluate = jax.jit(jax.vmap(jax.value_and_grad(model.density), in_axes=(0, None)))
    log_density, _ = evaluate(jnp.array([fast, blown_up, np.zeros(model.dim)]), model.data)
    assert list(np.isfinite(log_density)) == [False, False, True]


def test_poisson_process_is_not_finite_where_the_factorization_fails():
    model = posteriors.load("gp_pois_regr-gp_pois_regr")
    position = np.zeros(model.dim)
    position[:2] = [5.0, 10.0]
    assert not math.isfinite(model.log_density(jnp.array(position)))


@pytest.mark.slow
@pytest.mark.parametrize("name", TOLERANCES)
def test_reference_draws_score_as_well_as_exact_draws(name):
    """Our names and the order of elements reach the reference's columns."""
    folder = posteriors.directory()
    assert folder is not None
    model = posteriors.load(name)
    with np.load(folder / "reference" / f"{name}.npz") as reference:
        columns = {column: reference[column][::10].astype(float) for column in reference.files}
    draws = {
        variable.name: np.stack([columns[column] for column in variable.columns("bracket")], axis=1).reshape(
            -1, *variable.shape, order="F"
        )
        for variable in model.variables
        if set(variable.columns("bracket")) <= set(columns)
    }
    score = posteriors.score(name, draws)
    assert score.num_parameters == len(columns)
    assert score.w1_mean < 0.1


def test_a_matrix_is_scored_in_the_order_of_its_indices(tmp_path, monkeypatch):
    (tmp_path / "score.py").write_text("def score(name, draws):\n    return draws\n")
    monkeypatch.setenv("PATHFINDER_POSTERIORS", str(tmp_path))
    columns = posteriors.score("any", {"a": np.arange(12).reshape(2, 2, 3), "b": np.array([5.0, 6.0])})
    assert {name: list(values) for name, values in columns.items()} == {
        "a[1,1]": [0, 6],
        "a[2,1]": [3, 9],
        "a[1,2]": [1, 7],
        "a[2,2]": [4, 10],
        "a[1,3]": [2, 8],
        "a[2,3]": [5, 11],
        "b": [5, 6],
    }


def test_baseline_has_ten_runs_per_posterior_and_mode():
    baseline = posteriors.stan_baseline()
    assert {posterior for posterior, _ in baseline} == set(TOLERANCES)
    assert {mode for _, mode in baseline} == {"multi", "single", "multi_noresample"}
    for runs in baseline.values():
        assert sorted(run["seed"] for run in runs) == list(range(1, 11))
        assert all(math.isnan(run["w1_mean"]) != bool(run["ok"]) for run in runs)


def test_an_unknown_posterior_is_refused():
    with pytest.raises(ValueError, match="no posterior 'arK'; there are arK-arK, arma-arma11"):
        posteriors.load("arK")


def test_an_absent_folder_is_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("PATHFINDER_POSTERIORS", str(tmp_path / "absent"))
    assert posteriors.directory() is None
    with pytest.raises(FileNotFoundError, match="PATHFINDER_POSTERIORS"):
        posteriors.names()


def test_equal_models_share_their_compiled_programs():
    assert posteriors.load("garch-garch11").density == posteriors.load("garch-garch11").density
