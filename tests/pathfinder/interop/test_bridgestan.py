"""Programs compiled by BridgeStan: a library with its interface, built here, against the same program in JAX."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import jax
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, PathfinderError
from pathfinder._density.host import HostDensity
from pathfinder.interop.bridgestan import bridgestan_arguments
from pathfinder.interop.stan_columns import StanColumns


bridgestan = pytest.importorskip("bridgestan")
COMPILER = shutil.which("gcc") or shutil.which("cc")
if COMPILER is None:
    pytest.skip("there is no compiler of C", allow_module_level=True)
EXAMPLES = Path("examples").resolve()
DATA = json.loads((EXAMPLES / "eight_schools.data.json").read_text())


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")

    def library(*definitions):
        path = folder / f"eight_schools{''.join(definitions)}.so"
        if not path.exists():
            source = Path(__file__).with_name("eight_schools.c")
            flags = [f"-D{definition}" for definition in definitions]
            subprocess.run([COMPILER, "-O2", "-shared", "-fPIC", *flags, source, "-o", path, "-lm"], check=True)
        return path

    return library


@pytest.fixture(scope="module")
def model(build):
    return Model.from_bridgestan(bridgestan.StanModel(build(), DATA, warn=False))


@pytest.fixture(scope="module")
def in_jax():
    return Model.from_stan(EXAMPLES / "eight_schools_noncentered.stan", DATA)


def density(model):
    return HostDensity(model.density, model.dim, model.dtype, model.data)


def test_the_log_density_is_that_of_the_same_program_in_jax(model, in_jax):
    points = np.random.default_rng(0).uniform(-2, 2, (1, 20, 10))
    values, gradients = density(model).values_and_gradients(points)
    expected, expected_gradients = density(in_jax).values_and_gradients(points)
    # BridgeStan is asked for all constants, which the statements of the program leave out
    np.testing.assert_allclose(np.diff(values), np.diff(expected), rtol=1e-12)
    np.testing.assert_allclose(gradients, expected_gradients, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(density(model).values(points), values)


def test_variables_have_the_names_shapes_and_blocks_of_the_program(model):
    assert [(variable.name, variable.shape, variable.block) for variable in model.variables] == [
        ("theta_trans", (8,), "parameters"),
        ("mu", (), "parameters"),
        ("tau", (), "parameters"),
        ("theta", (8,), "transformed parameters"),
        ("y_rep", (2, 4), "generated quantities"),
    ]
    assert model.columns()[-8:] == [f"y_rep.{1 + i % 2}.{1 + i // 2}" for i in range(8)]
    assert model.name == "eight_schools"


def test_columns_are_named_as_from_stan_names_them():
    """Elements of tuples, parts of complex numbers, and arrays of either."""
    program = """
    parameters {
      matrix[2, 3] m;
      tuple(real, vector[2]) t;
      array[2] tuple(real, matrix[2, 2]) a;
      complex_vector[2] c;
      complex z;
    }
    model { }
    """
    with jax.numpy_dtype_promotion("standard"):
        expected = Model.from_stan(program)
    columns = StanColumns.of(expected.columns())
    assert {name: places.shape for name, places in columns.places.items()} == {
        variable.name: variable.shape for variable in expected.variables
    }
    row = np.arange(float(expected.dim))
    values = columns.split(row)
    np.testing.assert_array_equal(values["m"], [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]])
    np.testing.assert_array_equal(columns.joined(values, expected.dim), row)


def test_a_fit_has_the_draws_of_the_same_program_in_jax(model, in_jax, compilations):
    result = pathfinder.fit(model, seed=1, num_paths=2, progress=False)
    assert compilations == []
    expected = pathfinder.fit(in_jax, seed=1, num_paths=2, progress=False)
    assert result.pareto_k == pytest.approx(expected.pareto_k, abs=1e-3)
    for name in ("theta_trans", "mu", "tau", "theta"):
        np.testing.assert_allclose(result.draws[name], expected.draws[name], rtol=1e-5, atol=1e-6)
    draws = result.draws
    np.testing.assert_array_equal(draws["theta"], draws["mu"][:, None] + draws["tau"][:, None] * draws["theta_trans"])
    noise = (draws["y_rep"].transpose(0, 2, 1).reshape(-1, 8) - draws["theta"]) / np.array(DATA["sigma"])
    assert abs(noise.mean()) < 5 / np.sqrt(noise.size)
    assert abs(noise.std() - 1) < 5 / np.sqrt(2 * noise.size)
    assert len(np.unique(noise[:, 0])) == len(np.unique(draws["mu"]))  # each draw has random numbers of its own
    again = pathfinder.fit(model, seed=1, num_paths=2, progress=False)
    np.testing.assert_array_equal(again.draws["y_rep"], draws["y_rep"])


def test_dims_coords_and_name(build):
    named = Model.from_bridgestan(
        bridgestan.StanModel(build(), DATA, warn=False),
        dims={"theta": ("school",)},
        coords={"school": list("ABCDEFGH")},
        name="coaching",
    )
    assert named.name == "coaching"
    data = pathfinder.fit(named, seed=1, num_paths=1, refine=False, progress=False).to_inferencedata()
    assert data.posterior["theta"].dims == ("chain", "draw", "school")
    assert list(data.posterior["school"].values) == list("ABCDEFGH")
    assert "y_rep" in data.posterior_predictive
    with pytest.raises(ValueError, match="`dims` names 'beta', which the model does not have"):
        Model.from_bridgestan(bridgestan.StanModel(build(), DATA, warn=False), dims={"beta": ("school",)})


def test_given_points_are_unconstrained_by_the_library(model):
    position = np.random.default_rng(1).standard_normal(10)
    values = model.constrain(position)
    parameters = {name: values[name] for name in ("theta_trans", "mu", "tau")}
    np.testing.assert_allclose(model.unconstrain(parameters), position, rtol=1e-12)
    with pytest.raises(ValueError, match="lub_free: Unconstrained variable is -1, but must be positive"):
        model.unconstrain(parameters | {"tau": -1.0})
    with pytest.raises(ValueError, match=r"'theta_trans' has shape \(8,\), but a value of shape \(\)"):
        model.unconstrain(parameters | {"theta_trans": 0.0})


def test_rejected_points_have_a_log_density_of_minus_infinity(model):
    positions = np.zeros((1, 3, 10))
    positions[0, 1, 8] = 2000.0
    values, gradients = density(model).values_and_gradients(positions)
    np.testing.assert_array_equal(np.isfinite(values), [[True, False, True]])
    assert values[0, 1] == -np.inf
    assert np.isfinite(gradients[0, [0, 2]]).all()
    assert density(model).values(positions)[0, 1] == -np.inf
    assert model.rejection_fn(positions[0, 0]) == ""


def test_the_words_of_a_rejection_reach_the_user(build):
    rejecting = Model.from_bridgestan(build("REJECTS"), DATA)
    words = r"The program says: Exception: mu is too large \(in 'eight_schools', line 14, column 2\)"
    with pytest.raises(PathfinderError, match=words):
        pathfinder.fit(rejecting, seed=1, num_paths=2, progress=False)


def test_rejected_quantities_are_not_a_number(build):
    rejecting = Model.from_bridgestan(build("REJECTS_QUANTITIES"), DATA)
    result = pathfinder.fit(rejecting, seed=1, num_paths=2, progress=False)
    with pytest.warns(UserWarning, match=r"of 1000 draws are NaN, because .* The first time: .* too large to predict"):
        draws = result.draws
    np.testing.assert_array_equal(np.isnan(draws["y_rep"]).all(axis=(1, 2)), draws["mu"] > 4)
    assert np.isfinite(draws["theta"]).all()


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_threads_change_nothing(build, model, threads, monkeypatch):
    monkeypatch.setattr("pathfinder.interop.bridgestan.WORTH_A_THREAD", 0.0)
    points = np.random.default_rng(2).uniform(-2, 2, (1, 50, 10))
    parallel = density(Model.from_bridgestan(build("THREADS"), DATA, threads=threads))
    for found, expected in zip(
        parallel.values_and_gradients(points), density(model).values_and_gradients(points), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


class Watched:
    """A model whose library calls wait for each other, or say when they overlap."""

    def __init__(self, model, wait):
        self._model, self._wait, self._inside = model, wait, threading.Lock()

    def __getattr__(self, name):
        return getattr(self._model, name)

    def log_density(self, *arguments, **options):
        if self._wait is not None:
            self._wait.wait()
            return self._model.log_density(*arguments, **options)
        assert self._inside.acquire(blocking=False), "two calls at the same time"
        try:
            threading.Event().wait(0.01)
            return self._model.log_density(*arguments, **options)
        finally:
            self._inside.release()


def test_several_threads_call_a_library_that_allows_it(build, monkeypatch):
    monkeypatch.setattr("pathfinder.interop.bridgestan.WORTH_A_THREAD", 0.0)
    both = threading.Barrier(2, timeout=60)
    watched = Watched(bridgestan.StanModel(build("THREADS"), DATA, warn=False), both)
    values = bridgestan_arguments(watched, 2)["value"]
    other = threading.Thread(target=both.wait)  # meets the first point, after which the others meet each other
    other.start()
    assert len(values(np.zeros((3, 10)))) == 3
    other.join()


def test_one_thread_at_a_time_calls_a_library_that_does_not(build):
    watched = Watched(bridgestan.StanModel(build(), DATA, warn=False), None)
    fits = [bridgestan_arguments(watched)["value"] for _ in range(2)]
    found = []
    threads = [threading.Thread(target=lambda fit=fit: found.append(fit(np.zeros((5, 10))))) for fit in fits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(found[0], found[1])
    with pytest.raises(ValueError, match=r"built without STAN_THREADS, so that only one thread may call it, not 2\."):
        Model.from_bridgestan(build(), DATA, threads=2)


def test_a_fit_takes_the_model_of_bridgestan_itself(build):
    result = pathfinder.fit(bridgestan.StanModel(build(), DATA, warn=False), seed=1, num_paths=1, progress=False)
    assert result.model.name == "eight_schools"


def test_what_is_wrong_with_a_library_is_said_in_plain_words(build, tmp_path):
    with pytest.raises(ValueError, match=r"^There is no file '.*missing\.so'\.$"):
        Model.from_bridgestan(tmp_path / "missing.so")
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(ValueError, match=r"'.*text\.so' cannot be loaded as a library: .*"):
        Model.from_bridgestan(tmp_path / "text.so")
    with pytest.raises(ValueError, match=r"does not take the data: .*variable name=sigma"):
        Model.from_bridgestan(build(), {"y": [1.0]})
    with pytest.raises(ValueError, match=r"is a program, not a library\. Compile it with bridgestan\.compile_model"):
        Model.from_bridgestan(tmp_path / "program.stan")
    with pytest.raises(ValueError, match=r"`data` goes with the path of a library"):
        Model.from_bridgestan(bridgestan.StanModel(build(), DATA, warn=False), DATA)
    with pytest.raises(ValueError, match=r"must be a bridgestan\.StanModel or the path"):
        Model.from_bridgestan(3)
    with (
        pytest.warns(RuntimeWarning, match="does not match"),
        pytest.raises(ValueError, match=r"with BridgeStan 1\.9\.0, but 2\.0 or newer is needed"),
    ):
        Model.from_bridgestan(build("MAJOR=1"), DATA)


def test_a_library_of_the_first_version_lacks_the_interface(tmp_path):
    source = tmp_path / "old.c"
    source.write_text("void *bs_construct() { return 0; }")
    subprocess.run([COMPILER, "-shared", "-fPIC", source, "-o", tmp_path / "old.so"], check=True)
    with pytest.raises(ValueError, match=r"is no library of BridgeStan 2\.0 or newer .*compile the program again"):
        Model.from_bridgestan(tmp_path / "old.so", DATA)


def test_a_model_without_bridgestan_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "bridgestan", None)
    with pytest.raises(ModuleNotFoundError, match="needs bridgestan; install it with `pip install"):
        Model.from_bridgestan("library.so")
