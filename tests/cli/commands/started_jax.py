"""What a process sees of JAX once it was started there."""

import subprocess
import sys

from tests import compilation
from tests.cli.conftest import FEW_DRAWS


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
