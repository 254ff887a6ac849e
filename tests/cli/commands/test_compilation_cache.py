"""The cache of compiled programs."""

import os
import re
import time

import pytest

from pathfinder._cache.folders import programs_folder, pruned
from tests import compilation
from tests.cli.commands.started_jax import RUN, started


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
    assert len(written[0]) == 3  # the density, with its gradient, and the variables of draws
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
    assert programs_folder(system, environ).startswith(os.path.expanduser(start))
    assert re.search(r"xla-\w+-[0-9a-f]{8}$", programs_folder(system, environ))


def test_the_oldest_entries_of_a_large_cache_go(tmp_path):
    for age in range(10):
        path = tmp_path / f"{age}-cache"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 - age, 1000 - age))
    pruned(tmp_path, 1000)
    assert len(list(tmp_path.iterdir())) == 10
    pruned(tmp_path, 999)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{age}-cache" for age in range(4)]
