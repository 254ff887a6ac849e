"""CmdStanPy, ArviZ and stanio, unchanged, with executables made of the examples."""

import inspect
import json
import logging
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import stanio

from pathfinder_cli import main
from tests.cli.conftest import BERNOULLI, EIGHT_SCHOOLS, FEW_DRAWS


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import arviz
    import cmdstanpy


EXAMPLES = Path(__file__).parents[3] / "examples"
FEW = {"num_single_draws": 30, "draws": 40, "num_elbo_draws": 5}


@pytest.fixture(scope="module", autouse=True)
def quiet():
    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)


@pytest.fixture(scope="module")
def executables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("executables")
    for name in ("bernoulli", "eight_schools"):
        assert main(["compile", str(EXAMPLES / f"{name}.py"), "-o", str(folder / name)]) == 0
    program = str(EXAMPLES / "eight_schools_noncentered.stan")
    assert main(["compile", program, "-o", str(folder / "eight_schools_noncentered")]) == 0
    return folder


@pytest.fixture(scope="module")
def bernoulli(executables):
    return cmdstanpy.CmdStanModel(exe_file=executables / "bernoulli")


@pytest.fixture(scope="module")
def eight_schools(executables):
    return cmdstanpy.CmdStanModel(exe_file=executables / "eight_schools")


@pytest.fixture(scope="module")
def bernoulli_fit(bernoulli, tmp_path_factory):
    """Made with data from a file."""
    path = tmp_path_factory.mktemp("data") / "data.json"
    cmdstanpy.write_stan_json(str(path), BERNOULLI)
    return bernoulli.pathfinder(data=str(path), seed=1, **FEW)


@pytest.fixture(scope="module")
def eight_schools_fit(eight_schools):
    return eight_schools.pathfinder(data=EIGHT_SCHOOLS, seed=1, **FEW)


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """CmdStanPy leaves STAN_NUM_THREADS set."""
    monkeypatch.setenv("STAN_NUM_THREADS", "1")


def test_exe_info(bernoulli):
    info = bernoulli.exe_info()
    assert (info["stan_version_major"], info["stan_version_minor"]) == ("2", "35")
    assert info["STAN_THREADS"] == "true"


def test_bernoulli(bernoulli):
    fit = bernoulli.pathfinder(data=BERNOULLI, seed=1, num_elbo_draws=5)
    assert fit.is_resampled
    assert fit.column_names == ("lp_approx__", "lp__", "path__", "theta")
    assert fit.draws().shape == (1000, 4)
    theta = fit.stan_variables()["theta"]
    assert theta.shape == (1000,)
    exact = 3 / 12  # the mean of a beta distribution with shapes 3 and 9
    assert theta.mean() == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 13 / 1000))
    assert set(fit.method_variables()) == {"lp_approx__", "lp__", "path__"}


def require_eight_schools(variables):
    """Check the shapes of the variables, and that `theta` is what it is computed from."""
    assert {name: draws.shape for name, draws in variables.items()} == {
        "theta_trans": (1000, 8),
        "mu": (1000,),
        "tau": (1000,),
        "theta": (1000, 8),
        "y_rep": (1000, 8),
    }
    theta = variables["mu"][:, None] + variables["tau"][:, None] * variables["theta_trans"]
    np.testing.assert_allclose(variables["theta"], theta, rtol=1e-4, atol=1e-4)


def test_eight_schools(eight_schools):
    fit = eight_schools.pathfinder(data=EIGHT_SCHOOLS, seed=1, num_paths=6, inits=0.5, num_elbo_draws=5)
    variables = fit.stan_variables()
    require_eight_schools(variables)
    np.testing.assert_array_equal(fit.stan_variable("tau"), variables["tau"])
    assert set(np.unique(fit.method_variables()["path__"])) <= set(range(1, 7))


def test_a_stan_program(executables, tmp_path):
    model = cmdstanpy.CmdStanModel(exe_file=executables / "eight_schools_noncentered")
    inits = {"theta_trans": [0.0] * 8, "mu": 3.0, "tau": 2.0}
    fit = model.pathfinder(data=EIGHT_SCHOOLS, seed=1, inits=inits, num_elbo_draws=5)
    variables = fit.stan_variables()
    require_eight_schools(variables)
    assert fit.metadata.cmdstan_config["model"] == "eight_schools_noncentered_model"
    fit.save_csvfiles(str(tmp_path))
    saved = cmdstanpy.from_csv(str(tmp_path))
    np.testing.assert_array_equal(saved.stan_variable("mu"), variables["mu"])
    with pytest.raises(RuntimeError, match="Error: .*the model needs `J`"):
        model.pathfinder(data={}, seed=1, output_dir=str(tmp_path / "out"), **FEW)


def test_metadata(bernoulli_fit):
    config = bernoulli_fit.metadata.cmdstan_config
    expected = {
        "model": "bernoulli_model",
        "method": "pathfinder",
        "stan_version_minor": 35,
        "num_paths": 4,
        "num_draws": 30,
        "num_psis_draws": 40,
        "num_elbo_draws": 5,
        "tol_obj": 1e-12,
        "psis_resample": 1,
        "calculate_lp": 1,
        "save_single_paths": 0,
        "seed": 1,
        "init": 2,
        "num_threads": 1,
    }
    assert {key: config[key] for key in expected} == expected
    assert set(bernoulli_fit.metadata.stan_vars) == {"theta"}
    assert config["pareto_k"] < 1
    assert 1 <= config["effective_sample_size"] <= 4 * 30


def test_create_inits_and_their_use(eight_schools, eight_schools_fit):
    one, four = (eight_schools_fit.create_inits(seed=2, chains=chains) for chains in (1, 4))
    for inits in (one, *four):
        assert set(inits) == {"theta_trans", "mu", "tau", "theta", "y_rep"}
    again = eight_schools.pathfinder(data=EIGHT_SCHOOLS, inits=four, seed=1, **FEW)
    assert again.draws().shape == (40, 29)


def log_density(theta):
    return f"{3 * np.log(theta) + 9 * np.log1p(-theta):f}"


@pytest.mark.slow
def test_inits_are_where_paths_start(bernoulli, tmp_path, capsys):
    (tmp_path / "one.json").write_text('{"theta": 0.4}')

    def starts(inits):
        bernoulli.pathfinder(data=BERNOULLI, inits=inits, seed=1, num_paths=2, show_console=True, **FEW)
        return re.findall(r"Initial log joint density = (\S+)", capsys.readouterr().out)

    assert starts({"theta": 0.3}) == [log_density(0.3)] * 2
    assert starts(str(tmp_path / "one.json")) == [log_density(0.4)] * 2
    assert starts([{"theta": 0.3}, {"theta": 0.6}]) == [log_density(0.3), log_density(0.6)]


@pytest.mark.slow
def test_seeds(bernoulli, bernoulli_fit):
    same, clock = (bernoulli.pathfinder(data=BERNOULLI, seed=seed, **FEW).draws() for seed in (1, None))
    np.testing.assert_array_equal(bernoulli_fit.draws(), same)
    assert not np.array_equal(bernoulli_fit.draws(), clock)


def test_every_keyword(bernoulli, tmp_path, capsys):
    keywords = {
        "data": BERNOULLI,
        "init_alpha": 0.002,
        "tol_obj": 1e-11,
        "tol_rel_obj": 1000.0,
        "tol_grad": 1e-7,
        "tol_rel_grad": 1e6,
        "tol_param": 1e-7,
        "history_size": 5,
        "num_paths": 3,
        "max_lbfgs_iters": 50,
        "draws": 20,
        "num_single_draws": 25,
        "num_elbo_draws": 5,
        "psis_resample": False,
        "calculate_lp": False,
        "seed": 3,
        "inits": 1.0,
        "output_dir": str(tmp_path / "new" / "folder"),
        "sig_figs": 9,
        "save_profile": True,
        "show_console": True,
        "refresh": 1,
        "time_fmt": "%Y",
        "timeout": 100.0,
        "num_threads": 1,
    }
    accepted = set(inspect.signature(bernoulli.pathfinder).parameters)
    assert accepted == set(keywords)
    fit = bernoulli.pathfinder(**keywords)
    config = fit.metadata.cmdstan_config
    told = {
        "init_alpha": 0.002,
        "tol_obj": 1e-11,
        "tol_rel_obj": 1000,
        "tol_grad": 1e-7,
        "tol_rel_grad": 1e6,
        "tol_param": 1e-7,
        "history_size": 5,
        "num_paths": 3,
        "max_lbfgs_iters": 50,
        "num_psis_draws": 20,
        "num_draws": 25,
        "num_elbo_draws": 5,
        "psis_resample": 0,
        "calculate_lp": 0,
        "seed": 3,
        "init": 1,
        "sig_figs": 9,
        "refresh": 1,
        "num_threads": 1,
    }
    assert {key: config[key] for key in told} == told
    assert not fit.is_resampled
    assert fit.draws().shape == (75, 4)
    assert os.path.dirname(fit._runset.csv_files[0]) == str(tmp_path / "new" / "folder")
    assert "Path [3] :Best Iter" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "keywords", "message"),
    [
        ({}, {}, "Error: .*the model needs `y`"),
        (BERNOULLI, {"inits": {"theta": 2.0}}, "Error: file .*theta.* violates its constraint"),
        pytest.param(
            BERNOULLI,
            {"inits": {"theta": [0.5, 0.5]}},
            "Exception: mismatch in number dimensions",
            marks=pytest.mark.slow,
        ),
        (
            BERNOULLI,
            {"inits": [{"theta": 0.5}, {"theta": 0.5}]},
            'Error: each path needs its own file, up to ".*_4.json"',
        ),
        (BERNOULLI, {"num_threads": 3, "timeout": 0.05}, "timed out"),
    ],
)
def test_errors_carry_the_message(bernoulli, tmp_path, monkeypatch, data, keywords, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((RuntimeError, TimeoutError), match=message):
        bernoulli.pathfinder(data=data, seed=1, output_dir=str(tmp_path / "out"), **FEW, **keywords)
    assert not list((tmp_path / "out").glob("*.csv"))


def test_from_csv(executables, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.json").write_text(json.dumps(BERNOULLI))
    words = ["data", "file=d.json", "pathfinder", *FEW_DRAWS, "output", "file=x.csv"]
    assert main([str(EXAMPLES / "bernoulli.py"), *words]) == 0
    fit = cmdstanpy.from_csv("x.csv")
    assert fit.stan_variable("theta").shape == (40,)
    assert fit.metadata.cmdstan_config["model"] == "bernoulli_model"


@pytest.mark.skipif(not hasattr(arviz, "from_cmdstan"), reason="ArviZ 1 reads no CSV files")
def test_arviz_reads_the_csv(eight_schools_fit):
    data = arviz.from_cmdstan(posterior=eight_schools_fit._runset.csv_files[0])
    assert data.posterior["theta"].shape == (1, 40, 8)
    assert set(data.sample_stats) == {"lp_approx", "lp", "path"}
    np.testing.assert_allclose(data.posterior["tau"].values[0], eight_schools_fit.stan_variable("tau"))


def test_stanio_reads_csv_and_json(executables, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stanio.write_stan_json(str(tmp_path / "d.json"), EIGHT_SCHOOLS)
    words = ["data", "file=d.json", "pathfinder", "save_single_paths=1", *FEW_DRAWS]
    saved = ["output", "save_cmdstan_config=1", "refresh=0"]
    assert main([str(EXAMPLES / "eight_schools.py"), *words, *saved]) == 0
    header, draws = stanio.read_csv("output.csv")
    variables = stanio.parse_header(header)
    assert variables["theta"].extract_reshape(draws[0]).shape == (40, 8)
    for name in ("output_config.json", "output_path_1.json"):
        json.loads((tmp_path / name).read_text(), parse_constant=pytest.fail)
