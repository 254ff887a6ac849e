import threading

import jax
import pytest

import pathfinder
from tests import problems
from tests.pathfinder.plain_fits import PLAIN, QUICK, model_of


@pytest.fixture(autouse=True, scope="package")
def strict_jax():
    """Promotions of rank and dtype are mistakes in the engine, and warnings are errors by pyproject.toml."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def compilations(jax_events):
    """Names of what XLA compiles from here on."""
    for thread in threading.enumerate():  # of earlier tests, whose programs nobody has waited for
        if thread.name.startswith("pathfinder-compile"):
            thread.join(60)
    return jax_events("backend_compile_duration")


@pytest.fixture(scope="session")
def normal():
    """A normal with known mean and covariance."""
    return problems.normal([1.0, -2.0, 3.0], [[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])


@pytest.fixture(scope="session")
def correlated(normal):
    """That normal, and a plain fit of it."""
    return normal, pathfinder.fit(model_of(normal), seed=1, progress=False, **PLAIN)


@pytest.fixture(scope="session")
def logistic_model():
    return model_of(problems.logistic_regression(10))


@pytest.fixture(scope="session")
def logistic_fit(logistic_model):
    """A plain fit of few draws."""
    return pathfinder.fit(logistic_model, seed=4, **QUICK)


@pytest.fixture(scope="session")
def long_model():
    """Paths of several hundred iterations."""
    return model_of(problems.rosenbrock(50))


@pytest.fixture(scope="session")
def funnel_model():
    return model_of(problems.funnel(10))
