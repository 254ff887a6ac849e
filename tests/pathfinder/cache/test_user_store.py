"""Fits leave their programs to those of later processes, and go on without if they cannot."""

import errno
import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

import pathfinder
from pathfinder import Model
from pathfinder._density.kept_programs import drop_programs
from tests import compilation


PROGRAM = """\
data { int<lower=0> N; vector[N] y; }
parameters { real mu; real<lower=0> sigma; }
model { y ~ normal(mu, sigma); mu ~ normal(0, 5); sigma ~ normal(0, 5); }
generated quantities { real next = normal_rng(mu, sigma); }
"""
DATA = {"N": 4, "y": [1.0, 2.0, 4.0, 3.5]}
PROCESS = f"""
import json, sys
import jax, jax.numpy as jnp, numpy as np
import pathfinder
jax.config.update("jax_enable_x64", True)
compiled = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, *_, fun_name="", **__: compiled.append(fun_name) if event.endswith("backend_compile_duration") else 0
)
def heavy(x, data):
    return -jnp.sum(jnp.log1p((x["a"] - data["y"]) ** 2)) - jnp.sum(jnp.linalg.cholesky(jnp.eye(3)) @ x["a"] ** 2)
def stan():
    model = pathfinder.Model.from_stan({PROGRAM!r}, {DATA!r})
    return pathfinder.fit(model, seed=1, progress=False).draws["next"]
def function():
    data = {{"y": np.array([0.1, 0.2, 0.3])}}
    return pathfinder.fit(heavy, {{"a": np.zeros(3)}}, data=data, seed=1, progress=False).draws["a"]
def batch():
    data = {{"y": np.arange(6.0).reshape(2, 3)}}
    return pathfinder.fit_batch(heavy, data, {{"a": np.zeros(3)}}, seed=1, progress=False).draws["a"]
fits = []
for kind in sys.argv[1:]:
    draws = globals()[kind]()
    fits.append([draws.ravel()[:50].tolist(), sorted(compiled)])
    del compiled[:]
print(json.dumps(fits))
"""


def log_density(x, data):
    return -0.5 * jnp.sum((x - data) ** 2)


def fitted(data=0.0, **options):
    """The draws of a fit, as in a process that has compiled nothing."""
    drop_programs()
    model = Model.from_log_density(log_density, np.zeros(2), data=np.full(2, data))
    return pathfinder.fit(model, seed=1, progress=False, **options).draws["x"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of the store of a user, to whom JAX gives no cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()  # JAX asks only once whether there is one
    yield tmp_path
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()
    drop_programs()


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def environment(folder):
    return {**compilation.as_users_have_it(), "XDG_CACHE_HOME": str(folder)}


@pytest.mark.parametrize("kinds", [["stan", "function"], ["batch"]])
def test_a_second_process_compiles_nothing(tmp_path, kinds):
    command = [sys.executable, "-c", PROCESS, *kinds]
    first, later = (
        json.loads(subprocess.run(command, capture_output=True, check=True, env=environment(tmp_path)).stdout)
        for _ in range(2)
    )
    for own, again in zip(first, later, strict=True):
        assert {"jit(values)", "jit(values_and_gradients)", "jit(variables)"} <= set(own[1])
        assert again[1] == []
        assert own[0] == again[0]


def test_two_processes_at_once(tmp_path):
    command = [sys.executable, "-c", PROCESS, "stan"]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path))
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert ended[0][1] == ended[1][1] == ""
    assert json.loads(ended[0][0])[0][0] == json.loads(ended[1][0])[0][0]
    assert len(files(tmp_path)) == 3


def test_other_data_of_the_same_shapes_find_the_programs(folder, compilations):
    first = fitted()
    assert len(compilations) == len(files(folder)) == 3
    np.testing.assert_array_equal(fitted(), first)
    assert not np.array_equal(fitted(1.0), first)
    assert len(compilations) == len(files(folder)) == 3


@pytest.mark.parametrize("options", [{"density_memory": 1}, {"num_paths": 9}])
def test_a_program_that_takes_much_memory_is_compiled_once(folder, compilations, options):
    def model():
        drop_programs()
        return Model.from_log_density(rows, np.zeros(2), data=np.ones((2000, 2)))

    def rows(x, data):
        return -jnp.sum(jnp.logaddexp(0.0, data @ x)) - 0.5 * jnp.sum(x**2)

    first = pathfinder.fit(model(), seed=1, progress=False, **options)
    assert len(compilations) == (4 if "density_memory" in options else 3) - 1  # values are compiled again, for fewer
    del compilations[:]
    later = pathfinder.fit(model(), seed=1, progress=False, **options)
    np.testing.assert_array_equal(first.unconstrained_draws, later.unconstrained_draws)
    assert compilations == []


def test_nothing_is_kept_if_the_user_says_so(folder, monkeypatch, compilations):
    first = fitted(cache=False)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    np.testing.assert_array_equal(fitted(), first)
    assert not files(folder)
    assert len(compilations) == 6


def test_a_cache_of_jax_is_used_instead(folder, tmp_path_factory):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("of_jax")))
    fitted()
    assert not files(folder)


def test_jax_is_left_as_it_is(folder):
    before = dict(jax.config.values)
    fitted()
    fitted()
    assert dict(jax.config.values) == before
    assert all("models-" in str(path) for path in files(folder))


@pytest.mark.parametrize("content", [b"", b"something else", None])
def test_damaged_files_are_made_again(folder, compilations, content):
    first = fitted()
    for path in files(folder):
        path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    np.testing.assert_array_equal(fitted(), first)
    assert len(compilations) == 6
    np.testing.assert_array_equal(fitted(), first)
    assert len(compilations) == 6
    assert len(files(folder)) == 3


def test_a_folder_that_cannot_be_made_is_told_of_once(folder, monkeypatch):
    first = fitted(cache=False)
    (folder / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "file"))
    with pytest.warns(UserWarning, match="Compiled programs cannot be kept in") as told:
        later = [fitted() for _ in range(2)]
    assert len(told) == 1
    for draws in later:
        np.testing.assert_array_equal(draws, first)


def test_a_full_disk_is_told_of_once(folder, monkeypatch):
    first = fitted(cache=False)

    def fails(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", fails)
    with pytest.warns(UserWarning, match="No space left on device. Later runs start slower") as told:
        later = [fitted() for _ in range(2)]
    assert len(told) == 1
    for draws in later:
        np.testing.assert_array_equal(draws, first)
    assert not files(folder)
