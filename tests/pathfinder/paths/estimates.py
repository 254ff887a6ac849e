"""Fits by the options for approximations, and their estimates of the ELBO made again."""

import jax
import jax.numpy as jnp
import numpy as np

import pathfinder
from pathfinder._arrays.streams import Stream, counted_keys, path_keys
from pathfinder._density.compiled import CompiledDensity
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.scoring import draw_lanes, score_lanes
from tests.pathfinder.plain_fits import QUICK


RACING = {"schedule": "race", "diagonals": "bank", "covariance_history": 12}


def fit(model, *arguments, **options):
    return pathfinder.fit(model, *arguments, **{**QUICK, **options})


def elbo_key(seed, path, counter):
    lane = path_keys(jnp.asarray([0, seed], jnp.uint32), np.array([path]), Stream.ELBO)
    return counted_keys(lane, np.array([counter]))[0]


def elbo_of(model, normal, key, num_draws):
    lane = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], normal)
    keys = counted_keys(key, np.arange(num_draws))[None]
    density = CompiledDensity(model.density, model.dim, model.dtype)
    scored = score_lanes(draw_lanes(lane, keys), np.zeros(1, np.int64), density)
    return estimate_elbo(scored.log_p[0], scored.log_q[0])
