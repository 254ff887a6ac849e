"""Loading without looking for garbage."""

import subprocess
import sys

import pytest


PROBE = """
import gc, sys
from pathfinder_cli._commands.loading import loading
before = gc.get_freeze_count()
try:
    with loading():
        print(gc.isenabled())
        FAILS
except ValueError:
    pass
print(gc.isenabled(), gc.get_freeze_count() > before)
"""


@pytest.mark.parametrize("fails", ["pass", "raise ValueError"])
@pytest.mark.parametrize("is_new", [True, False])
def test_garbage_is_looked_for_again_afterwards(is_new, fails):
    program = PROBE.replace("FAILS", fails)
    if not is_new:
        program = f"import sys; sys.modules['jax'] = sys\n{program}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [str(not is_new), "True", str(is_new)]
