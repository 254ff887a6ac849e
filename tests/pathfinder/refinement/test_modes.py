"""Which paths ended in one mode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._refinement import modes as _modes


def modes_of(log_density, means, elbos=None):
    """Modes of one fit, and how often a mode was compared with all paths."""
    density = CompiledDensity(lambda x, data: log_density(x), len(means[0]), np.float64)
    elbos = -np.arange(len(means), dtype=float) if elbos is None else np.asarray(elbos, float)
    (modes,), num_densities = _modes.distinct_modes(density, jnp.asarray(means)[None], elbos[None])
    return modes, num_densities / (len(means) * (_modes.POINTS + 2))


def mixture(means, scales):
    def log_density(x):
        logs = [-0.5 * jnp.sum(((x - jnp.asarray(m)) / s) ** 2) - len(m) * np.log(s) for m, s in parts]
        return jax.scipy.special.logsumexp(jnp.stack(logs))

    parts = list(zip(means, scales, strict=True))
    return log_density


@pytest.mark.parametrize("scale", [1.0, 0.4, 0.01])
def test_modes_of_different_width(scale):
    means = [[-3.0, -3.0], [3.0, 3.0]]
    assert modes_of(mixture(means, [1.0, scale]), means) == ([0, 1], 1)


def test_three_modes_best_first():
    means = [[0.0, 0.0], [6.0, 0.0], [0.1, 0.0], [0.0, 6.0], [6.1, 0.0]]
    log_density = mixture([means[i] for i in (0, 1, 3)], [1.0] * 3)
    assert modes_of(log_density, means) == ([0, 1, 3], 2)
    assert modes_of(log_density, means, [0.0, -4.0, 1.0, -2.0, -3.0]) == ([2, 3, 4], 3)


def test_shallow_valleys_are_of_one_mode():
    means = [[-1.5], [1.5]]  # the density dips by 0.44
    assert modes_of(mixture(means, [1.0, 1.0]), means) == ([0], 1)


def test_failed_paths_are_in_no_mode():
    means = [[-3.0], [np.nan], [3.0]]
    assert modes_of(mixture([[-3.0], [3.0]], [1.0, 1.0]), means, [0.0, -np.inf, -1.0])[0] == [0, 2]


def test_functions_of_the_host_are_given_numbers():
    def value_and_grad(x):
        if not np.all(np.isfinite(x)):
            raise OverflowError
        return -0.5 * float(x @ x), -x

    model = Model.from_callable(value_and_grad, 2)
    means, elbos = np.array([[[0.0, 0.5], [np.nan, 0.0], [np.nan, np.nan]]]), np.array([[0.0, -np.inf, -np.inf]])
    density = HostDensity(model.density, model.dim, model.dtype)
    assert _modes.distinct_modes(density, means, elbos)[0] == [[0]]
    elbos[0, 1], means[0, 1] = -1.0, 1.0
    assert _modes.distinct_modes(density, means, elbos) == ([[0]], 3 * (_modes.POINTS + 2))


def test_a_mean_without_density_is_no_mode():
    means = [[1.0], [-1.0]]
    assert modes_of(lambda x: jnp.where(x[0] > 0, -x[0], -jnp.inf), means)[0] == [0]
