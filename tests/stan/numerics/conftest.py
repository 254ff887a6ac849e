import jax
import pytest


@pytest.fixture(autouse=True)
def float64():
    """The references have double precision."""
    with jax.enable_x64(True):
        yield
