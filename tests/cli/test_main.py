"""The commands, what they load, and what becomes of errors."""

import os
import subprocess
import sys

import pytest

import pathfinder
import pathfinder_cli
from pathfinder_cli import main
from pathfinder_cli._main import exit_status
from tests.cli.conftest import FEW_DRAWS, new_files


HEAVY = ("numpy", "jax", "numpyro", "stanio", "tqdm")


def loaded_by(*words):
    """The heavy modules that a command line has loaded, and its exit status."""
    program = (
        "import sys\n"
        "from pathfinder_cli import main\n"
        f"code = main({list(words)!r})\n"
        f"print('LOADED', code, [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return ended.stdout.rpartition("LOADED ")[2].strip()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("help",), 0),
        (("--version",), 0),
        (("info",), 0),
        (("bernoulli.py", "help"), 0),
        (("bernoulli.py", "help-all"), 0),
        (("bernoulli.py", "pathfinder", "num_paths", "help"), 0),
        (("bernoulli.py", "info"), 0),
        (("bernoulli.py",), 1),
        (("bernoulli.py", "pathfinder", "num_paths=0"), 1),
        (("bernoulli.py", "sample"), 1),
        (("bernoulli.py", "pathfinder", "output", "file=out/"), 1),
        (("missing.py", "pathfinder"), 1),
        (("bernoulli.stan", "pathfinder"), 1),
        (("compile", "help"), 0),
        (("compile",), 1),
        (("summary", "--help"), 0),
        (("summary",), 1),
    ],
)
def test_nothing_heavy_is_loaded(words, code):
    assert loaded_by(*words) == f"{code} []"


def test_without_words_the_usage_is_printed(cli):
    outcome = cli()
    assert outcome.code == 1
    assert outcome.out.startswith("Usage: pathfinder MODEL pathfinder")
    assert outcome.err == ""


@pytest.mark.parametrize("word", ["help", "--help", "-h"])
def test_help(cli, word):
    outcome = cli(word)
    assert outcome.code == 0
    for command in ("compile", "summary", ".py"):
        assert command in outcome.out


def test_version(cli):
    out = cli("--version").out
    assert pathfinder.__version__ in out
    assert "2.35.0" in out


def test_a_model_without_words_gets_its_usage(cli):
    outcome = cli("bernoulli.py")
    assert outcome.code == 1
    assert outcome.out.startswith("Usage: pathfinder bernoulli.py <arg1>")


def test_the_console_script_is_main():
    assert pathfinder_cli.main is main


def failing(error):
    """A command in which something goes wrong that nobody has thought of."""

    def command():
        raise error

    return command


def test_an_unforeseen_exception_is_one_line_and_how_to_report_it(capsys):
    assert exit_status(failing(ZeroDivisionError("one\n  over nothing"))) == 1
    told = capsys.readouterr().err
    assert told.startswith("Error: ZeroDivisionError: one over nothing\n")
    assert "PATHFINDER_TRACEBACK" in told
    assert "Traceback" not in told


def test_the_traceback_is_printed_on_request(capsys, monkeypatch):
    monkeypatch.setenv("PATHFINDER_TRACEBACK", "1")
    exit_status(failing(ZeroDivisionError()))
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.")]
)
def test_too_little_memory_is_no_defect(capsys, error):
    assert exit_status(failing(error)) == 1
    told = capsys.readouterr().err
    assert "not enough memory" in told
    assert "defect" not in told


def test_a_reader_that_goes_away_does_not_end_a_run(folder):
    words = f"bernoulli.py pathfinder {' '.join(FEW_DRAWS)} data file=bernoulli.data.json"
    command = f"{sys.executable} -m pathfinder_cli {words}"
    ended = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert new_files(folder) == {"output.csv"}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_behind_stdout_is_an_error(process):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "pathfinder_cli", "help"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == "Error: cannot write to standard output: No space left on device.\n"


def test_closed_standard_streams(folder):
    command = f"exec {sys.executable} -m pathfinder_cli help >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], timeout=60).returncode == 0


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_words_that_are_not_text(folder, encoding):
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    words = [sys.executable, "-m", "pathfinder_cli", "bernoulli.py", "pathfinder", "data", b"file=\xff\xe9.json"]
    ended = subprocess.run(words, capture_output=True, env=environ, timeout=60)
    assert ended.returncode == 1
    assert b"Can't open specified file" in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert new_files(folder) == set()
