import pytest

from tests import problems
from tests.pathfinder.plain_fits import model_of


@pytest.fixture(scope="session")
def logistic():
    return model_of(problems.logistic_regression(30))
