"""The command line that mirrors CmdStan's method `pathfinder`.

Importing this package loads neither NumPy nor JAX: help, `info` and mistakes in the command line
are answered without them.
"""

from pathfinder_cli._main import main as main
from pathfinder_cli._main import run_executable as run_executable
