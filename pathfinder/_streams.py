"""Random streams: one key per use, from the seed, the path and what the numbers are for.

Keys are made by folding in counters, never by splitting, so path i draws the same numbers whatever the number of paths,
of draws, of devices, and however the work is cut into batches.
"""

from enum import IntEnum

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key


class Stream(IntEnum):
    """What the random numbers of a path are for."""

    INITIAL_POINT = 0
    ELBO = 1
    DRAWS = 2
    FRESH_DRAWS = 3
    GENERATED_QUANTITIES = 4


def path_keys(key: Key[Array, ""], paths: Int[np.ndarray, " n"], stream: Stream) -> Key[Array, " n"]:
    """The key of each path for one purpose."""
    return _fold(_fold(key, paths), np.full(len(paths), stream))


def counted_keys(keys: Key[Array, " n"], counters: Int[np.ndarray, " n"]) -> Key[Array, " n"]:
    """One key per counter from the key beside it."""
    return _fold(keys, counters)


@jax.jit
def _fold(keys, counters):
    keys = jnp.broadcast_to(keys, counters.shape)
    return jax.vmap(jax.random.fold_in)(keys, counters)


def host_generator(key: Key[Array, ""], purpose: str) -> np.random.Generator:
    """A generator of the host for one purpose, apart from the streams of all paths."""
    words = np.asarray(jax.random.key_data(key)).ravel()
    return np.random.default_rng([*map(int, words), *purpose.encode()])
