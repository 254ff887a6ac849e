"""Executables made of models."""

import os
import shutil
import stat
import subprocess
import sys

import pytest

from pathfinder_cli._commands.compile import write_executable
from pathfinder_cli._models.source import ModelSource
from tests.cli.conftest import FEW_DRAWS, new_files


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def info_of(executable):
    return run(executable, "info").stdout.splitlines()


def test_an_executable_is_called_as_cmdstans(cli, folder):
    outcome = cli("compile", "bernoulli.py")
    assert outcome == (0, "", "")
    assert new_files(folder) == {"bernoulli"}
    ended = run("./bernoulli", "pathfinder", *FEW_DRAWS, "data", "file=bernoulli.data.json", "random", "seed=1")
    assert (ended.returncode, ended.stderr) == (0, "")
    direct = cli("bernoulli.py", "pathfinder", *FEW_DRAWS, *["data", "file=bernoulli.data.json", "random", "seed=1"])
    assert ended.stdout == direct.out
    assert "# model = bernoulli_model\n" in (folder / "output.csv").read_text()


def test_help_and_usage_name_the_executable(cli):
    cli("compile", "bernoulli.py")
    assert run("./bernoulli", "help").stdout.startswith("Usage: ./bernoulli <arg1>")
    without = run("./bernoulli")
    assert without.returncode == 1
    assert without.stdout.startswith("Usage: ./bernoulli <arg1>")


def test_the_name_can_be_chosen(cli, folder):
    (folder / "sub").mkdir()
    assert cli("compile", "-o", "sub/my model", "bernoulli.py").code == 0
    assert info_of("sub/my model")[0] == "stan_version_major = 2"
    assert cli("compile", "bernoulli.py", "-o=other").code == 0
    assert info_of("./other")[1] == "stan_version_minor = 35"
    assert new_files(folder) == {"sub", "other"}


def test_the_executable_goes_beside_the_model(cli, folder):
    (folder / "sub").mkdir()
    shutil.move("bernoulli.py", "sub")
    assert cli("compile", "sub/bernoulli.py").code == 0
    assert {path.name for path in (folder / "sub").iterdir()} >= {"bernoulli", "bernoulli.py"}


def test_it_runs_the_model_it_was_made_of(cli, folder):
    (folder / "neighbour.py").write_text("scale = 1.0\n")
    (folder / "m.py").write_text("import neighbour\n" + (folder / "bernoulli.py").read_text())
    assert cli("compile", "m.py").code == 0
    (folder / "m.py").unlink()
    (folder / "elsewhere").mkdir()
    shutil.move("m", "elsewhere")
    words = ("pathfinder", *FEW_DRAWS, "data", "file=../bernoulli.data.json")
    ended = run("./m", *words, cwd=folder / "elsewhere")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_mistakes_of_the_model_are_found_at_once(cli, folder):
    (folder / "wrong.py").write_text("def model(data:\n")
    (folder / "empty.py").write_text("")
    (folder / "failing.py").write_text("import not_there\n")
    for name, message in (("wrong", "line 1"), ("empty", "no function `model`"), ("failing", "line 1: ModuleNotFound")):
        outcome = cli("compile", f"{name}.py")
        assert outcome.code == 1
        assert message in outcome.err
    assert new_files(folder) == {"wrong.py", "empty.py", "failing.py"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "takes one model"),
        (("a.py", "b.py"), "takes one model"),
        (("bernoulli.py", "-o"), "-o needs a value."),
        (("bernoulli.py", "-o", "a", "-o", "b"), "-o is given 2 times: 'a' and 'b'."),
        (("bernoulli.py", "--output=a"), "has no option --output"),
        (("bernoulli.py", "--include-path=a"), "did you mean '--include-paths'?"),
        (("bernouli.py",), "did you mean 'bernoulli.py'?"),
        (("bernoulli.R",), "The kinds are: .stan"),
        (("missing.py",), "No such file"),
        (("bernoulli.py", "-o", "missing/name"), 'the folder "missing" does not exist'),
        (("bernoulli.py", "-o", "."), "it is a folder"),
        (("bernoulli.py", "-o", "./bernoulli.py"), "is the model itself"),
    ],
)
def test_wrong_words(cli, folder, words, message):
    before = (folder / "bernoulli.py").read_text()
    outcome = cli("compile", *words)
    assert outcome.code == 1
    assert outcome.err.startswith("Error: ")
    assert message in outcome.err
    assert new_files(folder) == set()
    assert (folder / "bernoulli.py").read_text() == before


def test_whoever_may_read_may_execute(cli, folder):
    before = os.umask(0o027)
    try:
        cli("compile", "bernoulli.py")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "bernoulli").stat().st_mode) == 0o750


@pytest.mark.parametrize("name", ["an interpreter with blanks", "$quoted`\"'\\", "x" * 200])
def test_interpreters_that_the_kernel_could_not_find(folder, name):
    interpreter = folder / name
    interpreter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    interpreter.chmod(0o755)
    source = ModelSource("bernoulli.py", (folder / "bernoulli.py").read_bytes())
    write_executable(source, "b", str(interpreter))
    assert info_of("./b")[0] == "stan_version_major = 2"


def test_any_text_survives(folder):
    source = ModelSource('it\'s \\ "odd"\n.py', bytes(range(256)) + b"'''\"\"\"\\")
    write_executable(source, "b", sys.executable)
    scope = {"__name__": "test"}
    exec((folder / "b").read_text(), scope)
    assert scope["TEXT"] == source.text
    assert scope["PATH"].endswith(source.path)
