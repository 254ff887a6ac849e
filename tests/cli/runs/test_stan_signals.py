"""Ctrl-C while a Stan program is evaluated on data, traced and compiled."""

import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import new_files
from tests.cli.console.test_signals import WITH_SIGNALS


PROGRAMS = {
    "data": """\
transformed data {
  real s = 0;
  print("begun");
  while (s < 1e9) s += 1;
}
parameters { real x; }
model { x ~ normal(s, 1); }""",
    "many iterations": """\
transformed data {
  real s = 0;
  print("begun");
  for (i in 1 : 1000000000) s += 1;
}
parameters { real x; }
model { x ~ normal(s, 1); }""",
    "compiling": """\
transformed data { print("begun"); }
parameters { real x; }
model {
  real y = x;
  int i = 0;
  while (i < 400) { y = sin(y) * exp(-square(y)) + x; i += 1; }
  target += -square(y);
}""",
}


@pytest.mark.parametrize("wait", [0.0, pytest.param(3.0, marks=pytest.mark.slow)], ids=["at once", "later"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_interrupted(folder, program, wait):
    (folder / "m.stan").write_text(PROGRAMS[program])
    command = [sys.executable, "-m", "pathfinder_cli", "m.stan", "pathfinder"]
    run = subprocess.Popen(
        [sys.executable, "-c", WITH_SIGNALS, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert "begun\n" in run.stdout
    time.sleep(wait)  # so that the signal comes at another stage
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert err == "Error: stopped by SIGINT; nothing was written.\n"
    assert run.returncode == 130
    assert new_files(folder) == {"m.stan"}
