from pathlib import Path

from tests import compilation


compilation.set_up()  # before JAX is loaded

import jax  # noqa: E402
import pytest  # noqa: E402


jax.config.update("jax_enable_x64", True)


MOST_MAPS = 20_000  # of the 65530 pieces of memory that Linux lets a process map


@pytest.fixture(autouse=True, scope="module")
def drop_compiled_programs():
    """XLA crashes when thousands of programs have more pieces of memory mapped than a process may."""
    yield
    maps = Path("/proc/self/maps")
    if not maps.exists() or len(maps.read_bytes().splitlines()) > MOST_MAPS:
        jax.clear_caches()
