"""A place to run the command line in, and a way to call it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pathfinder_cli import main


MODELS = Path(__file__).parent / "model_files"
BERNOULLI = {"N": 10, "y": [0, 1, 0, 0, 0, 0, 0, 0, 0, 1]}
EIGHT_SCHOOLS = {"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]}
FEW_DRAWS = ("num_draws=30", "num_psis_draws=40", "num_elbo_draws=5")


class Outcome(NamedTuple):
    """What a call of the command line left: exit status and console."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def default_threads() -> Iterator[None]:
    """Whatever the variables of the shell say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("STAN_NUM_THREADS", raising=False)
        yield


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Runs may set variables for JAX."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, but for the models and their data."""
    monkeypatch.chdir(tmp_path)
    for model in MODELS.glob("*.py"):
        shutil.copy(model, tmp_path)
    (tmp_path / "bernoulli.data.json").write_text(json.dumps(BERNOULLI))
    (tmp_path / "eight_schools.json").write_text(json.dumps(EIGHT_SCHOOLS))
    return tmp_path


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """The command line, called in this process."""

    def call(*words: str) -> Outcome:
        capsys.readouterr()
        code = main(words)
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def bernoulli(cli: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """A run of few draws of the model of that name; words that follow stand in the scope `pathfinder`."""

    def call(*words: str) -> Outcome:
        data = ("data", "file=bernoulli.data.json", "random", "seed=1")
        return cli("bernoulli.py", *data, "pathfinder", *FEW_DRAWS, *words)

    return call


@pytest.fixture
def process(folder: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """The command line in a process of its own."""

    def call(*words: str, **options) -> "subprocess.CompletedProcess[str]":
        environ = {**os.environ, **options.pop("environ", {})}
        command = [sys.executable, "-m", "pathfinder_cli", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120, **options)

    return call


def new_files(folder: Path) -> set[str]:
    """Names of the files that were not there from the start, hidden ones included."""
    kept = {path.name for path in MODELS.glob("*.py")} | {"bernoulli.data.json", "eight_schools.json", "__pycache__"}
    return {path.name for path in folder.iterdir()} - kept
