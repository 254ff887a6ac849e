"""The same steps in NumPy and compiled: equal phases, statuses and counts, and values to rounding."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._optimizer.start import Start
from tests.pathfinder.optimizer.lbfgs_runs import run_from
from tests.pathfinder.table import DENSITIES, DIM


COUNTS = ("phase", "status", "iteration", "num_gradients", "num_pairs")
# Iterations after which rounding errors have not grown to choices yet: kinks double them in every line search.
CASES = {name: (log_density, DIM, 30) for name, log_density in DENSITIES.items()} | {
    "funnel": (DENSITIES["funnel"], DIM, 15),
    "kinks": (lambda x: -jnp.sum(jnp.arange(1.0, 5.0) * jnp.abs(x)), 4, 2),
}


@pytest.mark.parametrize("options", [{}, {"scale_by_diagonal": False, "history_size": 12}], ids=["default", "long"])
@pytest.mark.parametrize("name", CASES)
def test_drivers_agree(name, options):
    log_density, dim, num_iterations = CASES[name]
    count = 6
    ends = []
    for xp in (np, jnp):
        starts = Start(
            xp.asarray(np.arange(2 * count).reshape(count, 2), dtype=xp.uint32), xp.zeros((count, dim)),
            xp.full((count, dim), 2.0), xp.full(count, 100, dtype=xp.int32),
        )  # fmt: skip
        ends.append(run_from(log_density, starts, max_lbfgs_iters=num_iterations, **options))
    (host, host_traces), (compiled, compiled_traces) = ends
    for field in COUNTS:
        np.testing.assert_array_equal(getattr(host.state, field), getattr(compiled.state, field), err_msg=field)
    for own, other in zip(host_traces, compiled_traces, strict=True):
        np.testing.assert_array_equal(own.num_gradients, other.num_gradients)
        np.testing.assert_allclose(own.log_density, other.log_density, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(own.position, other.position, rtol=1e-4, atol=1e-6)
