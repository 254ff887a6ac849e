"""Values from files miss constraints by the digits that were not written."""

import numpy as np
import pytest

from pathfinder.stan._demands.demand import written_with
from pathfinder.stan._library.transforms.table import TRANSFORMS


WRITTEN = np.array([0.00302087, 0.00649881, 0.99048])  # sums to one but for 3e-7


def test_a_simplex_with_six_digits():
    simplex = TRANSFORMS["simplex"]
    with pytest.raises(ValueError, match="must sum to one, missed by 3"):
        simplex.unconstrain(WRITTEN, 3)
    with written_with(6):
        free = simplex.unconstrain(WRITTEN, 3)
        with pytest.raises(ValueError, match="must sum to one"):
            simplex.unconstrain(WRITTEN + 0.001, 3)
    np.testing.assert_allclose(simplex.constrain(free, 3)[0], WRITTEN, rtol=1e-5)
    with pytest.raises(ValueError, match="must sum to one"):
        simplex.unconstrain(WRITTEN, 3)
