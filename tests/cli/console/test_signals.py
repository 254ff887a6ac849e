"""Runs that are stopped from outside."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from pathfinder_cli import main
from pathfinder_cli._console.signals import Stopped, stoppable
from pathfinder_cli._main import exit_status
from pathfinder_cli._outputs.atomic_files import atomic_file
from tests.cli.conftest import FEW_DRAWS, new_files


SLOW_MODEL = """
import time
import numpy as np
import jax
from pathfinder import Model

def log_density(params):
    def step(total, i):
        return total + jax.numpy.sin(params["x"] * i), None
    total = jax.lax.scan(step, -0.5 * params["x"] ** 2, np.arange(SIZE, dtype=float))[0]
    return -0.5 * params["x"] ** 2 + 0 * total

def model(data):
    print("model is made", flush=True)
    WAIT
    return Model.from_log_density(log_density, {"x": 0.0})
"""


# Tests that run in the background or under nohup have these signals ignored, also in what they start.
WITH_SIGNALS = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def started(folder, *, size=100, wait="pass", after="model is made", shell=""):
    """A run that has come as far as to print some text."""
    (folder / "slow.py").write_text(SLOW_MODEL.replace("SIZE", str(size)).replace("WAIT", wait))
    words = ["-m", "pathfinder_cli", "slow.py", "pathfinder", *FEW_DRAWS, "save_single_paths=1", "output", "refresh=1"]
    command = [sys.executable, *words]
    if shell:
        command = ["bash", "-c", f"{shell} exec {' '.join(command)}"]
    run = subprocess.Popen(
        [sys.executable, "-c", WITH_SIGNALS, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    for line in run.stdout:
        if after in line:
            return run
    raise AssertionError(run.communicate())


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def terminate_and_wait():
    terminate()
    time.sleep(10)


def terminate_once_written(folder):
    """Wait until a hidden file has its first lines."""
    while not any(path.stat().st_size for path in folder.glob(".pathfinder-*.tmp")):
        time.sleep(0.001)
    terminate()


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow)],
    ids=["TERM", "INT", "HUP"],
)
def test_stopped_in_the_models_code(folder, number, code):
    run = started(folder, wait="time.sleep(100)")
    run.send_signal(number)
    _, err = run.communicate(timeout=60)
    assert run.returncode == code
    assert err == f"Error: stopped by {number.name}; nothing was written.\n"
    assert new_files(folder) == {"slow.py"}


def test_stopped_in_compiled_code(folder):
    """Each evaluation of this density takes seconds, in which the interpreter does not get its turn."""
    run = started(folder, size=400_000_000)
    time.sleep(4)
    begin = time.monotonic()
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 143
    assert time.monotonic() - begin < 20
    assert "stopped by SIGTERM" in err
    assert new_files(folder) == {"slow.py"}


def test_stopped_while_files_are_written(folder):
    """The signal comes between two lines of a file."""
    begun = threading.Thread(target=terminate_once_written, args=(folder,), daemon=True)
    begun.start()
    words = ["pathfinder", "num_paths=1", "num_draws=100000", "data", "file=bernoulli.data.json"]
    assert main(["bernoulli.py", *words]) == 143
    begun.join()
    assert new_files(folder) == set()


def test_ignored_signals_stay_ignored(folder):
    run = started(folder, wait="time.sleep(1)", shell="trap '' INT HUP;")
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGHUP)
    _, err = run.communicate(timeout=100)
    assert (run.returncode, err) == (0, "")


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Stopped), stoppable():
        terminate_and_wait()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_in_another_thread_there_are_no_signals_to_wait_for():
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["info"])))
    thread.start()
    thread.join()
    assert codes == [0]


def test_a_keyboard_interrupt_from_elsewhere(capsys):
    def interrupt():
        raise KeyboardInterrupt

    assert exit_status(interrupt) == 130
    assert capsys.readouterr().err == "Error: stopped by SIGINT; nothing was written.\n"


def test_an_exception_that_nothing_catches_leaves_no_file(tmp_path):
    def write():
        with atomic_file(str(tmp_path / "x")) as file:
            file.write("half")
            raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        write()
    assert list(tmp_path.iterdir()) == []
