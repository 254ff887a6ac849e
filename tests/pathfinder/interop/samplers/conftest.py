import jax
import pytest


@pytest.fixture(autouse=True, scope="package")
def promotions_of_users():
    """Other libraries are written for JAX as users have it."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield
