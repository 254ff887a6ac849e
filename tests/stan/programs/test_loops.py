"""Programs with loops: their log densities and gradients against Stan's own kernels, and how the loops run."""

import pytest

from tests.stan.programs.corpus import LOOPS
from tests.stan.programs.stored_numbers import assert_same_loops, assert_same_numbers


@pytest.mark.parametrize("name", LOOPS)
def test_value_and_gradient_are_those_of_stan(name):
    assert_same_numbers(name)


@pytest.mark.parametrize("name", LOOPS)
def test_loops_run_as_they_did(name):
    assert_same_loops(name)
