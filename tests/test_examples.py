"""The models in examples/ run through the engine, with small settings."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pathfinder import Model, fit
from tests.compilation import as_users_have_it


FOLDER = Path(__file__).resolve().parents[1] / "examples"
PROGRAMS = sorted(FOLDER.glob("*.py"))
EXAMPLES = [path for path in PROGRAMS if "def model(" in path.read_text()]
STAN_EXAMPLES = sorted(FOLDER.glob("*.stan"))


SCRIPTS = [path for path in PROGRAMS if "def main()" in path.read_text()]


def load(path):
    if path.suffix == ".stan":
        data = path.stem.removesuffix("_centered").removesuffix("_noncentered")
        return Model.from_stan(path, path.with_name(f"{data}.data.json"))
    library, _, rest = path.stem.partition("_")
    if library not in ("numpyro", "pymc", "stan"):
        rest = path.stem
    elif library == "pymc":
        pytest.importorskip("pymc")
    return module_of(path).model(json.loads(path.with_name(f"{rest}.data.json").read_text()))


def module_of(path):
    spec = importlib.util.spec_from_file_location(f"examples_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example(name):
    return load(next(path for path in EXAMPLES if path.stem == name))


@pytest.mark.parametrize("path", [*EXAMPLES, *STAN_EXAMPLES], ids=lambda path: path.name)
def test_example_gives_finite_draws_of_its_variables(path):
    model = load(path)
    refine = False if path in STAN_EXAMPLES else None  # which takes most of the time, and knows nothing of Stan
    result = fit(model, num_draws=50, num_psis_draws=40, seed=1, refine=refine, progress=False)
    assert all(path.status.succeeded for path in result.paths)
    assert list(result.draws) == [variable.name for variable in model.variables]
    for variable in model.variables:
        assert result.draws[variable.name].shape == (40, *variable.shape)
        assert np.all(np.isfinite(result.draws[variable.name]))
    assert list(result.summary().index) == model.columns("bracket")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_prints_its_results(path, capsys):
    if path.stem.startswith("pymc_"):
        pytest.importorskip("pymc")
    module_of(path).main()
    assert capsys.readouterr().out


def test_bernoulli_has_its_beta_posterior():
    result = fit(example("bernoulli"), num_draws=2000, num_psis_draws=4000, seed=1, progress=False)
    posterior = stats.beta(1 + 2, 1 + 8)
    theta = result.draws["theta"]
    # About 8000 independent draws, thinned to 4000: the standard error of the mean is 0.002.
    np.testing.assert_allclose(theta.mean(), posterior.mean(), atol=0.01)
    np.testing.assert_allclose(np.quantile(theta, [0.05, 0.5, 0.95]), posterior.ppf([0.05, 0.5, 0.95]), atol=0.02)


def test_bernoulli_in_stan_is_the_same_model():
    model, same = load(FOLDER / "bernoulli.stan"), example("bernoulli")
    for position in (-1.0, 0.5):
        np.testing.assert_allclose(model.log_density([position]), same.log_density([position]), rtol=1e-6)


def test_eight_schools_in_numpyro_is_the_same_model():
    model, same = example("numpyro_eight_schools"), example("eight_schools")
    for seed in (0, 1):
        z, mu, tau = np.random.default_rng(seed).normal(size=8), 3.0, 2.0 + seed
        position = model.unconstrain({"z": z, "mu": mu, "tau": tau})
        expected = same.log_density(same.unconstrain({"theta_trans": z, "mu": mu, "tau": tau}))
        np.testing.assert_allclose(model.log_density(position), expected + np.log(2), rtol=1e-12)  # of the half Cauchy


def test_eight_schools_has_its_density():
    model = example("eight_schools")
    y, sigma = np.array([28, 8, -3, 7, -1, 1, 18, 12]), np.array([15, 10, 16, 11, 9, 11, 10, 18])
    z, mu, tau = np.linspace(-1, 1, 8), 3.0, 2.0
    expected = (
        stats.norm.logpdf(z).sum()
        + stats.norm.logpdf(mu, 0, 5)
        + stats.cauchy.logpdf(tau, 0, 5)
        + stats.norm.logpdf(y, mu + tau * z, sigma).sum()
        + np.log(tau)  # the Jacobian
    )
    position = model.unconstrain({"theta_trans": z, "mu": mu, "tau": tau})
    np.testing.assert_allclose(model.log_density(position), expected, rtol=1e-12)
    assert model.columns()[:3] == ["theta_trans.1", "theta_trans.2", "theta_trans.3"]


@pytest.mark.slow
def test_script_with_a_pymc_model_runs_as_users_run_it():
    """In a process of its own, whose JAX is in single precision until PyTensor is used with it."""
    pytest.importorskip("pymc")
    script = FOLDER / "pymc_varying_intercepts.py"
    ran = subprocess.run([sys.executable, script], env=as_users_have_it(), capture_output=True, text=True, check=True)
    assert ran.stdout.count("slope") == 2
