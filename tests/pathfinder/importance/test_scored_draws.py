"""Log densities of draws under the model, their own normal and the mixture, on the host and compiled."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from pathfinder._density.host import HostDensity
from pathfinder._importance.scored_draws import score_draws, score_paths
from tests.pathfinder.importance.sources import (
    BOTH,
    DIM,
    KINDS,
    NUM_PATHS,
    SETTINGS,
    all_positions,
    density,
    devices,
    fitted,
    normals,
    source_of,
)


def shifted(x, data):
    return -0.25 * jnp.sum((x - data) ** 4)


def reference(lanes, lane):
    core = lanes.scale[lane][:, None] * lanes.core[lane]
    return multivariate_normal(lanes.mean[lane], core @ core.T)


@BOTH
@pytest.mark.parametrize("num_fits", [None, 2])
def test_scores_of_paths(kind, num_fits):
    """Against scipy, with a path that failed."""
    count = num_fits or 1
    data = np.arange(float(count * DIM)).reshape(count, DIM)
    lanes, succeeded = normals(count * NUM_PATHS), np.arange(count * NUM_PATHS) != 1
    lanes.core[1] = np.nan
    own = density(kind, shifted, num_fits, data if num_fits else data[0])
    paths = fitted(kind, own, lanes, succeeded)
    scores = score_paths(paths)
    for lane in np.flatnonzero(succeeded):
        positions = all_positions(paths.source, np.full(SETTINGS.num_draws, lane), np.arange(SETTINGS.num_draws))
        fit = lane // NUM_PATHS
        np.testing.assert_allclose(scores["log_p"][lane], [shifted(x, data[fit]) for x in positions], rtol=1e-10)
        np.testing.assert_allclose(scores["log_q"][lane], reference(lanes, lane).logpdf(positions), rtol=1e-9)
        beside = [path for path in range(fit * NUM_PATHS, (fit + 1) * NUM_PATHS) if succeeded[path]]
        log_densities = [reference(lanes, path).logpdf(positions) for path in beside]
        mixture = logsumexp(log_densities, axis=0) - np.log(len(beside))
        np.testing.assert_allclose(scores["log_mixture"][lane], mixture, rtol=1e-9)
    assert all(np.isnan(values[1]).all() for values in scores.values())


def test_scores_of_the_host_are_those_of_compiled_programs():
    lanes = normals()
    found = {}
    for kind in KINDS:
        found[kind] = score_paths(fitted(kind, density(kind), lanes))
    for name, values in found["host"].items():
        np.testing.assert_allclose(values, found["compiled"][name], rtol=1e-11, atol=1e-11)


@BOTH
def test_no_path_and_no_density(kind):
    own = density(kind)
    nothing = score_paths(fitted(kind, own, normals(), np.zeros(NUM_PATHS, bool)))
    assert all(np.isnan(values).all() for values in nothing.values())
    settings = dataclasses.replace(SETTINGS, calculate_lp=False)
    scores = score_paths(fitted(kind, own, normals(), settings=settings))
    assert np.isnan(scores["log_p"]).all()
    assert np.isfinite(scores["log_q"]).all()


class Counted(HostDensity):
    """A density that knows how many points it was asked for."""

    def values(self, positions, fits=None):
        self.data["asked"].append(positions.shape)
        return -0.5 * np.sum(positions**2, axis=-1)

    def __post_init__(self):
        """Its data stay as they are."""


def test_the_density_is_asked_for_nothing_but_the_draws():
    own = Counted(shifted, DIM, np.dtype(float), {"asked": []})
    lanes, indices = np.array([0, 0, 2]), np.array([3, 140, 7])
    source = source_of("host", own, normals())
    scores = score_draws(own, source, lanes, indices, devices("host"), evaluate=True)
    assert own.data["asked"] == [(3, DIM)]
    np.testing.assert_allclose(scores["log_p"], -0.5 * np.sum(all_positions(source, lanes, indices) ** 2, axis=1))


def test_single_precision_stays_single():
    lanes = normals()
    single = dataclasses.replace(
        lanes, **{name: getattr(lanes, name).astype(np.float32) for name in ("mean", "scale", "core")}
    )
    own = HostDensity(lambda x, data: -0.5 * jnp.sum(x**2), DIM, np.dtype(np.float32))
    paths = fitted("host", own, single)
    ((_, positions),) = paths.source.positions(np.zeros(2, int), np.arange(2))
    assert positions.dtype == np.float32
    scores, double = score_paths(paths), score_paths(fitted("host", density("host"), lanes))
    for name, values in scores.items():
        np.testing.assert_allclose(values, double[name], rtol=1e-3, atol=1e-3)
