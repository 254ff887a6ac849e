"""Approximations with their draws, on the host or as arrays of JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import rows
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._importance.path_draws import path_draws
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._settings import Settings


DIM, NUM_PATHS = 3, 4
KEY = np.array([0, 7], np.uint32)
KINDS = ("host", "compiled")
BOTH = pytest.mark.parametrize("kind", KINDS)
SETTINGS = Settings(num_paths=NUM_PATHS, num_draws=150, num_elbo_draws=10, num_psis_draws=100)


def arrays(kind, tree):
    """A tree of arrays as those that are given to each kind of engine."""
    return jax.tree.map(np.asarray if kind == "host" else jnp.asarray, tree)


def devices(kind):
    return Devices.host() if kind == "host" else Devices.choose("cpu")


def density(kind, function=lambda x, data: -0.5 * jnp.sum(x**2), num_fits=None, data=None, dim=DIM):
    each = HostDensity if kind == "host" else CompiledDensity
    return each(function, dim, np.dtype(float), arrays(kind, data), num_fits=num_fits)


def normals(num_lanes=NUM_PATHS, dim=DIM):
    """Different dense normals, near the standard one."""
    rng = np.random.default_rng(num_lanes)
    core = 0.2 * np.tril(rng.standard_normal((num_lanes, dim, dim))) + np.eye(dim)
    scale = rng.uniform(0.9, 1.4, (num_lanes, dim))
    return LowRankNormal(0.3 * rng.standard_normal((num_lanes, dim)), scale, None, core)


def source_of(kind, own_density, lanes, settings=SETTINGS):
    """The draws of lanes, whose numbers among the random streams are those of their places."""
    keys = [path_keys(KEY, np.arange(len(lanes.mean)), stream) for stream in (Stream.DRAWS, Stream.ELBO)]
    best = np.arange(len(lanes.mean)) - 1
    return path_draws(own_density, *arrays(kind, (lanes, *keys)), best, settings, devices(kind))


def fitted(kind, own_density, lanes, succeeded=None, settings=SETTINGS):
    """The paths that came to such lanes, all of them unless it is said which."""
    succeeded = np.ones(len(lanes.mean), bool) if succeeded is None else succeeded
    source = source_of(kind, own_density, lanes, settings)
    return FittedPaths(own_density, source, succeeded, settings, devices(kind))


def all_positions(source, paths, indices):
    """Draws in the order in which they are asked for."""
    found = np.full((len(paths), source.approximations.mean.shape[-1]), np.nan)
    for numbers, positions in source.positions(paths, indices):
        assert np.isnan(found[numbers]).all()
        found[numbers] = positions
    assert not np.isnan(found).any()
    return found


def own(lanes, lane):
    """One of the normals."""
    return rows(lanes, lane)
