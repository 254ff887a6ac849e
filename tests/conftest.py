from tests import compilation


compilation.set_up()  # before JAX is loaded

import jax  # noqa: E402
import pytest  # noqa: E402


jax.config.update("jax_enable_x64", True)


@pytest.fixture(autouse=True, scope="module")
def drop_compiled_programs():
    """A process may map so much memory in so many pieces, and XLA crashes when thousands of programs go beyond it."""
    yield
    jax.clear_caches()
