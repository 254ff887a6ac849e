"""Devices and precision."""

import os

import numpy as np
import pytest
import stanio

from pathfinder_cli._arguments.grammar import Engine
from pathfinder_cli._commands import backend
from pathfinder_cli._commands.backend import available_cores, start_jax
from pathfinder_cli._errors import RunError
from tests.cli.commands.started_jax import RUN, started
from tests.cli.conftest import new_files


COUNT = "--xla_force_host_platform_device_count"


@pytest.mark.parametrize(
    ("threads", "flags", "count", "seen_flags"),
    [
        (1, None, 1, ["None"]),
        (2, None, 2, [f"{COUNT}=2"]),
        (100, None, 3, [f"{COUNT}=3"]),
        pytest.param(1, f"{COUNT}=2", 2, [f"{COUNT}=2"], marks=pytest.mark.slow),
        (2, "--xla_cpu_enable_fast_math=false", 2, ["--xla_cpu_enable_fast_math=false", f"{COUNT}=2"]),
    ],
)
def test_threads_become_devices(threads, flags, count, seen_flags):
    seen = started(threads=threads, **({"XLA_FLAGS": flags} if flags else {}))
    assert seen[:2] == [str(count), str(count)]
    assert seen[4:] == seen_flags


def test_platform_and_precision():
    assert started()[2:4] == ["None", "float64"]
    assert started("platform='cpu', precision='single'")[2:4] == ["cpu", "float32"]


def test_a_platform_that_is_not_there(monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    with pytest.raises(RunError) as caught:
        start_jax(Engine(platform="tpu"), 1)
    assert str(caught.value) == (
        "Error: engine platform=tpu is not available here; available: cpu; the variable JAX_PLATFORMS is set to cpu."
    )


def test_a_platform_that_nobody_knows(process, folder):
    ended = process("bernoulli.py", *RUN, environ={"JAX_PLATFORMS": "abacus"})
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: JAX finds no device to compute on: ")
    assert "Traceback" not in ended.stderr
    assert new_files(folder) == set()


def test_draws_are_the_same_for_any_number_of_threads(cli, process):
    words = (*RUN, "num_paths=6", "output", "sig_figs=18")
    assert cli("bernoulli.py", *words).code == 0
    draws = stanio.read_csv("output.csv")[1]
    ended = process("bernoulli.py", *words, "num_threads=2")
    assert (ended.returncode, ended.stderr) == (0, "")
    np.testing.assert_array_equal(draws, stanio.read_csv("output.csv")[1])


def test_single_precision_gives_nearly_the_same(cli, folder):
    words = ("output", "refresh=0", "engine", "precision=single")
    assert cli("bernoulli.py", *RUN, "num_draws=500", "num_psis_draws=1000", *words).code == 0
    header, draws = stanio.read_csv("output.csv")
    assert draws[0][:, header.split(",").index("theta")].mean() == pytest.approx(0.25, abs=0.03)
    assert "#   precision = single\n" in (folder / "output.csv").read_text()
    assert cli("bernoulli.py", *RUN).code == 0  # double again


def test_there_is_at_least_one_core(monkeypatch):
    assert available_cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


def test_the_module_needs_no_jax_to_be_imported():
    assert "jax" not in vars(backend)
