import jax
import pytest


@pytest.fixture(autouse=True, scope="package")
def strict_jax():
    """Other people's models promote ranks and types as they like."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield
