"""The incomplete beta function where rounding is amplified, against mpmath 1.4 with 40 digits (November 2026)."""

import jax
import numpy as np
import pytest

from pathfinder.stan._library.numerics.incomplete_beta import log_beta_tails


# a, b, x, log of the lower tail, its derivatives in a and in b
CASES = [
    (
        48331.4792338357,
        116.27201374606558,
        0.9966215770912067,
        -10.132752018557523,
        -1.045724460661928e-3,
        0.36492860075,
    ),
    (62496.356, 0.0593, 0.99998268, -4.4169597964089686, -2.7609083155211622e-5, 17.859538928715),
]


@pytest.mark.parametrize(("a", "b", "x", "value", "in_a", "in_b"), CASES)
def test_lower_tail(a, b, x, value, in_a, in_b):
    found, slopes = jax.value_and_grad(lambda a, b: log_beta_tails(a, b, x, 1 - x)[0], (0, 1))(a, b)
    np.testing.assert_allclose(found, value, 1e-10)
    np.testing.assert_allclose(slopes, (in_a, in_b), 1e-7)
