"""The wheel: what is in it, and that it works where nothing else is installed."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.compilation import as_users_have_it


pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
FOLDERS = {"pathfinder": "pathfinder", "psis": "psis", "cli": "pathfinder_cli"}
USE = """
import sys
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
import pathfinder, pathfinder_cli, psis

assert all(sys.prefix in module.__file__ for module in (pathfinder, pathfinder_cli, psis))
result = pathfinder.fit(lambda x: -0.5 * ((x["mu"] - 1.0) ** 2).sum(), {"mu": np.zeros(3)}, seed=1, progress=False)
assert result.is_reliable and np.allclose(result.draws["mu"].mean(axis=0), 1.0, atol=0.2)
program = '''
data { int N; array[N] int y; }
parameters { real<lower=0, upper=1> theta; }
model { y ~ bernoulli(theta); }
generated quantities { vector[N] log_lik; for (n in 1:N) log_lik[n] = bernoulli_lpmf(y[n] | theta); }
'''
model = pathfinder.Model.from_stan(program, {"N": 4, "y": [0, 1, 0, 0]})
result = pathfinder.fit(model, seed=1, progress=False)
assert abs(result.draws["theta"].mean() - 1 / 3) < 0.05
result.save("fit.npz")
assert list(pathfinder.load("fit.npz").summary().index)[0] == "theta"
assert float(result.to_inferencedata()["posterior"]["theta"].mean()) == result.draws["theta"].mean()
assert "elpd_loo" in str(result.loo())
"""
EXTRAS = {
    "numpyro": """
import funsor, numpyro, numpyro.distributions as dist, pathfinder


def model(y):
    high = numpyro.sample("high", dist.Bernoulli(0.5))
    mu = numpyro.sample("mu", dist.Normal(0, 1))
    numpyro.sample("y", dist.Normal(mu + high, 1), obs=y)


assert pathfinder.Model.from_numpyro(model, 0.5).dim == 1
""",
    "pymc": "import pymc",
    "blackjax": "import blackjax",
    "bridgestan": """
import bridgestan, pathfinder
try:
    pathfinder.Model.from_bridgestan("missing.so")
except ValueError as error:
    assert "There is no file 'missing.so'" in str(error)
else:
    raise AssertionError
""",
    "plots": """
import matplotlib
matplotlib.use("agg")
import numpy as np, pathfinder
from pathfinder import Variable
ranks = {"mu": np.arange(100)}
found = pathfinder.Calibration("model", (Variable("mu", ()),), ranks, {"mu": np.zeros(100)}, 99, np.zeros(100, bool),
                               np.ones(100, bool), False, 1)
assert found.plot()[0].get_title() == "mu"
""",
}


def interpreters():
    """Those of the declared versions of Python that are at hand, by their versions."""
    found = {}
    for minor in (11, 12, 13):
        name = f"python3.{minor}"
        for folder in [None, *sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin"))]:
            path = shutil.which(name, path=folder)
            if path and subprocess.run([path, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0:
                found[name] = path
                break
    return found


def run(*command, cwd, skip_without=None):
    environment = {name: value for name, value in as_users_have_it().items() if not name.startswith("PYTHON")}
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, env=environment)
    if done.returncode and skip_without and skip_without in done.stderr + done.stdout:
        pytest.skip(f"pip cannot install here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Made of copies, so that nothing that was built before is in it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", target, source]
    run(*build, cwd=target, skip_without="setuptools>=")
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """`environment(interpreter)` gives the Python of one where the wheel is installed, with what it asks for, alone."""
    made = {}

    def install(interpreter):
        if interpreter not in made:
            folder = tmp_path_factory.mktemp("environment")
            if interpreter == sys.executable:
                venv.create(folder, with_pip=True)
            else:
                run(interpreter, "-m", "venv", folder, cwd=folder)
            python = folder / "bin" / "python"
            run(python, "-m", "pip", "install", wheel, cwd=folder, skip_without="No matching distribution")
            made[interpreter] = python
        return made[interpreter]

    return install


def test_the_wheel_has_all_of_the_source_and_nothing_else(wheel):
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    own = {name for name in names if not name.parts[0].endswith(".dist-info")}
    expected = {
        Path(package, path.relative_to(ROOT / folder))
        for folder, package in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    assert own == expected


@pytest.mark.parametrize("interpreter", interpreters().values(), ids=interpreters())
def test_it_works_in_an_empty_environment(environment, interpreter, tmp_path):
    python = environment(interpreter)
    run(python, "-c", USE, cwd=tmp_path)
    for name in ("bernoulli.stan", "bernoulli.data.json"):
        shutil.copy(ROOT / "examples" / name, tmp_path)
    fit = ["bernoulli.stan", "pathfinder", "data", "file=bernoulli.data.json", "output", "file=output.csv"]
    assert "weighted estimates are reliable" in run(python.with_name("pathfinder"), *fit, cwd=tmp_path)
    assert "theta" in run(python.with_name("pathfinder"), "summary", "output.csv", cwd=tmp_path)


@pytest.mark.parametrize("extra", EXTRAS)
def test_extras_install_what_they_name(environment, wheel, extra, tmp_path):
    python = environment(next(iter(interpreters().values()), sys.executable))
    run(python, "-m", "pip", "install", f"{wheel}[{extra}]", cwd=tmp_path, skip_without="No matching distribution")
    run(python, "-c", EXTRAS[extra], cwd=tmp_path)
