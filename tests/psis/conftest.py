import warnings

import jax
import pytest


@pytest.fixture(scope="session")
def arviz():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # announces its refactoring when imported
        import arviz
    return arviz


@pytest.fixture
def strict_jax():
    with (
        jax.enable_x64(True),
        jax.numpy_rank_promotion("raise"),
        jax.numpy_dtype_promotion("strict"),
    ):
        yield
