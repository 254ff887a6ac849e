"""Devices, precision, and the cache of compiled programs."""

import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import stanio

from pathfinder_cli._arguments.grammar import Engine
from pathfinder_cli._commands import backend as _backend
from pathfinder_cli._commands.backend import _default_folder, _prune, available_cores, start_jax
from pathfinder_cli._errors import RunError
from tests import compilation
from tests.cli.conftest import FEW_DRAWS, new_files


RUN = ("data", "file=bernoulli.data.json", "random", "seed=1", "pathfinder", *FEW_DRAWS)
PROBE = """
import pathfinder_cli._commands.backend as backend
from pathfinder_cli._arguments.grammar import Engine
backend.available_cores = lambda: 3
devices = backend.start_jax(Engine(ENGINE), THREADS)
import jax, os
with backend.compilation_cache():
    dtype = jax.jit(lambda x: jax.numpy.sort(x + 1))(jax.numpy.ones(1)).dtype
print(len(devices), jax.device_count(), os.environ.get("JAX_PLATFORMS"), dtype, os.environ.get("XLA_FLAGS"))
"""


def started(engine="", threads=1, **environ):
    """What a process sees after JAX was started in it, and has compiled something."""
    program = PROBE.replace("ENGINE", engine).replace("THREADS", str(threads))
    environment = {**compilation.as_users_have_it(), **environ}
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert ended.stderr == ""
    return ended.stdout.split()


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


def cache_files(folder):
    return sorted(path for path in folder.rglob("*-cache"))


def test_the_second_run_compiles_nothing(process, folder, monkeypatch):
    for name in compilation.CACHE:
        monkeypatch.delenv(name)
    environ = {"XDG_CACHE_HOME": str(folder / "cache")}
    seconds, written = [], []
    for _ in range(2):
        begin = time.monotonic()
        ended = process("bernoulli.py", *RUN, environ=environ)
        seconds.append(time.monotonic() - begin)
        assert (ended.returncode, ended.stderr) == (0, "")
        written.append({path: path.stat().st_mtime_ns for path in cache_files(folder / "cache")})
    print(f"first run {seconds[0]:.1f} s, second run {seconds[1]:.1f} s")  # noqa: T201
    assert len(written[0]) > 10
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "content", [b"", pytest.param(b"\0" * 100, marks=pytest.mark.slow), pytest.param(None, marks=pytest.mark.slow)]
)
def test_spoilt_entries_are_made_anew(folder, content):
    cache = folder / "cache"
    started(XDG_CACHE_HOME=str(cache))
    sizes = {path: path.stat().st_size for path in cache_files(cache)}
    for path in sizes:
        path.write_bytes(path.read_bytes()[:20] if content is None else content)
    for _ in range(2):
        assert started(XDG_CACHE_HOME=str(cache))[3] == "float64"
    assert {path: path.stat().st_size for path in cache_files(cache)} == sizes
    (machine,) = (cache / "pathfinder-vi").iterdir()
    assert machine.stat().st_mode & 0o77 == 0  # programs of others must not get in


def test_an_unwritable_cache_is_no_matter(folder):
    (folder / "file").write_text("")
    for variable in ("XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR"):
        assert started(**{variable: str(folder / "file")})[3] == "float64"


def test_a_cache_of_the_users_choice(folder):
    started(JAX_COMPILATION_CACHE_DIR=str(folder / "mine"), XDG_CACHE_HOME=str(folder / "not"))
    assert cache_files(folder / "mine")
    assert not (folder / "not").exists()


@pytest.mark.parametrize(
    ("system", "environ", "start"),
    [
        ("linux", {}, "~/.cache/pathfinder-vi/xla-"),
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/pathfinder-vi/xla-"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "~/.cache/pathfinder-vi/xla-"),
        ("darwin", {}, "~/Library/Caches/pathfinder-vi/xla-"),
    ],
)
def test_the_folder_of_the_cache(system, environ, start):
    assert _default_folder(system, environ).startswith(os.path.expanduser(start))
    assert re.search(r"xla-\w+-[0-9a-f]{8}$", _default_folder(system, environ))


def test_the_oldest_entries_of_a_large_cache_go(tmp_path):
    for age in range(10):
        path = tmp_path / f"{age}-cache"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 - age, 1000 - age))
    _prune(tmp_path, 1000)
    assert len(list(tmp_path.iterdir())) == 10
    _prune(tmp_path, 999)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{age}-cache" for age in range(4)]


def test_there_is_at_least_one_core(monkeypatch):
    assert available_cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


@pytest.mark.parametrize(
    "words",
    [
        ("weights=component",),
        ("resample=stratified",),
        ("resample=without_replacement",),
        ("optimizer=jaxopt",),
        ("schedule=race",),
        ("refine=true",),
        ("platform=cpu",),
        ("time_limit=1000",),
        ("progress=true",),
    ],
)
def test_every_extension(cli, folder, words):
    outcome = cli("bernoulli.py", *RUN, "output", "save_cmdstan_config=1", "engine", *words)
    assert outcome.code == 0
    name, value = words[0].split("=")
    assert f"\nengine\n  weights = {'component' if name == 'weights' else 'mixture (Default)'}\n" in outcome.out
    saved = json.loads((folder / "output_config.json").read_text())["engine"][name]
    assert str(saved).lower() == value
    theta = stanio.read_csv("output.csv")[1][0][:, 3]
    if words == ("resample=without_replacement",):
        assert len(set(theta)) == 40


def test_a_time_limit_ends_paths_early(cli, folder):
    outcome = cli("m_unbounded.py", "random", "seed=1", "pathfinder", *FEW_DRAWS, "engine", "time_limit=1e-9")
    assert outcome.code == 1
    assert "Error: no path produced an approximation.\n  path 1, 2, 3, 4: Stopped by a time limit" in outcome.err
    assert new_files(folder) == set()


def test_the_module_needs_no_jax_to_be_imported():
    assert "jax" not in vars(_backend)
