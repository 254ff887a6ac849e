"""Log densities and gradients of programs of every construct against Stan's own kernels."""

import pytest

from tests.stan.programs.corpus import PROGRAMS
from tests.stan.running import assert_close, bound, values_and_gradients


# gradients: of solutions found by iteration, and Stan approximates that of the normal distribution function
LOOSE = {"solvers": 1e-6, "truncation": 1e-6, "truncated normals": 1e-6}


@pytest.mark.parametrize("name", PROGRAMS)
def test_value_and_gradient_are_those_of_stan(name):
    stored = PROGRAMS[name]
    values, gradients = values_and_gradients(bound(stored.text, stored.data))
    assert_close(values, stored.values, 1e-8)
    for gradient, of_stan in zip(gradients, stored.gradients, strict=True):
        assert_close(gradient, of_stan, LOOSE.get(name, 1e-8))
