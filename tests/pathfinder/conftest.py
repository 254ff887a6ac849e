import jax
import pytest


@pytest.fixture(autouse=True, scope="package")
def strict_jax():
    """Promotions of rank and dtype are mistakes in the engine, and warnings are errors by pyproject.toml."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield
