"""Steps on the host in single precision: what is searched stays in it."""

import jax
import numpy as np

from pathfinder._density.host import HostDensity
from pathfinder._optimizer.host_steps import advance_on_host
from pathfinder._optimizer.start import Start
from pathfinder._optimizer.state import Tolerances, init
from pathfinder._settings import Settings
from tests import problems


def test_steps_of_searches_stay_single():
    density = HostDensity(lambda x, data: problems.rosenbrock(4).log_density(x), 4, np.float32)
    center = np.full((2, 4), -1.2, np.float32)
    start = Start(np.zeros((2, 2), np.uint32), center, np.full_like(center, 0.3), np.ones(2, np.int32))
    paths = init(start, num_kept=3, num_rows=40)
    dtypes = [leaf.dtype for leaf in jax.tree.leaves(paths.state)]
    moved = advance_on_host(
        paths, density, None, Tolerances.from_settings(Settings(), np.float32), 60, history_size=3
    )  # fmt: skip
    assert (moved.state.num_gradients > moved.state.iteration + 1).any()  # some searches took several trials
    assert [leaf.dtype for leaf in jax.tree.leaves(moved.state)] == dtypes
