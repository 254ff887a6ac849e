import gc
from pathlib import Path

from tests import compilation


compilation.set_up()  # before SciPy and JAX are loaded
# Traces make objects by the thousand: looking for cycles after every 700 of them took a sixteenth of the tests.
gc.set_threshold(20_000)

import jax  # noqa: E402
import pytest  # noqa: E402
from jax.experimental.compilation_cache import compilation_cache  # noqa: E402

from tests import annotations  # noqa: E402


annotations.set_up()
jax.config.update("jax_enable_x64", True)

from pathfinder._density.kept_programs import drop_programs  # noqa: E402


# Pieces of memory that a process has mapped, as a measure of what its programs take; Linux allows 65530.
MOST_MAPS = 2_000


@pytest.fixture(autouse=True, scope="module")
def drop_compiled_programs():
    """Thousands of programs take all memory, or more pieces of it than a process may map, and then XLA crashes."""
    yield
    maps = Path("/proc/self/maps")
    if not maps.exists() or len(maps.read_bytes().splitlines()) > MOST_MAPS:
        jax.clear_caches()
        drop_programs()


@pytest.fixture
def jax_events():
    """`jax_events(kind)` gives a list that grows by the name of each function that JAX reports such an event of."""
    listeners = []

    def names_of(kind):
        names = []

        def listen(event, _, **details):
            if event.endswith(kind):
                names.append(details["fun_name"])

        jax.monitoring.register_event_duration_secs_listener(listen)
        listeners.append(listen)
        return names

    yield names_of
    for listen in listeners:
        jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def without_cache_of_jax():
    """Programs are compiled anew: those that JAX has kept on disk have no bytes that can be kept elsewhere."""
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()  # JAX asks only once whether there is one
    yield
    jax.config.update("jax_enable_compilation_cache", True)
    compilation_cache.reset_cache()
