"""Random streams: counter-based random numbers, one key per use.

Keys are made by folding in counters, never by splitting, so path i draws the same numbers whatever the number of paths,
of draws, of devices, and however the work is cut into batches.

The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw 2011), the default of `jax.random`;
`fold_in` gives the same keys. It is written out here because `jax.random` with a key per draw takes a second to compile
on a CPU (jax 0.10.2), and this form a twentieth of a second. Keys are pairs of uint32.
"""

from enum import IntEnum
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt32


Key = UInt32[Array, " 2"]

_PARITY = np.uint32(0x1BD11BDA)
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


class Stream(IntEnum):
    """What the random numbers of a path are for."""

    INITIAL_POINT = 0
    ELBO = 1
    DRAWS = 2
    FRESH_DRAWS = 3
    GENERATED_QUANTITIES = 4
    REFINEMENT = 5
    REFINED_DRAWS = 6
    WHOLE_FIT = 7  # not of a path: its number stands for a fit whose paths are not counted from 0


def threefry(key: UInt32[Array, "*batch 2"], first: UInt32[Array, "*batch"], second: UInt32[Array, "*batch"]):
    """Two random words for each pair of counter words."""
    k0, k1 = key[..., 0], key[..., 1]
    schedule = (k0, k1, k0 ^ k1 ^ _PARITY)
    x0, x1 = first + k0, second + k1
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = x0 ^ ((x1 << np.uint32(rotation)) | (x1 >> np.uint32(32 - rotation)))
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return x0, x1


def fold_in(key: UInt32[Array, "*batch 2"], counter: Int[Array, "*batch"]) -> UInt32[Array, "*batch 2"]:
    """A new key from a key and a counter, that of `jax.random.fold_in`."""
    counter = jnp.asarray(counter).astype(jnp.uint32)
    return jnp.stack(threefry(key, jnp.zeros_like(counter), counter), axis=-1)


def uniform(key: Key, dim: int, dtype) -> Float[Array, " dim"]:
    """Numbers uniform on (-1, 1), with as many random bits as the dtype resolves."""
    counters = jnp.arange(dim, dtype=jnp.uint32)
    high, low = threefry(jnp.broadcast_to(key, (dim, 2)), jnp.zeros_like(counters), counters)
    # Middles of 2^23 or 2^52 equal intervals of (0, 1): never 0 or 1, whose normal quantiles are infinite.
    if jnp.dtype(dtype).itemsize <= 4:
        unit = ((high >> np.uint32(9)).astype(dtype) + 0.5) * 2.0**-23
    else:
        whole = (high >> np.uint32(6)).astype(dtype) * 2.0**26 + (low >> np.uint32(6)).astype(dtype)
        unit = (whole + 0.5) * 2.0**-52
    return 2.0 * unit - 1.0


def normal(key: Key, dim: int, dtype) -> Float[Array, " dim"]:
    """Standard normal numbers."""
    return np.sqrt(2.0).astype(dtype) * jax.lax.erf_inv(uniform(key, dim, dtype))


def path_keys(key: UInt32[Array, "... 2"], paths: Int[np.ndarray, " n"], stream: Stream) -> UInt32[Array, "n 2"]:
    """The key of each path for one purpose, from one key or one for each."""
    return counted_keys(counted_keys(key, paths), np.full(len(paths), stream))


def path_numbers(first_path: int, num_paths: int) -> Int[np.ndarray, " path"]:
    """Numbers of the paths of a fit among the random streams; those outside of the range of int32 come round."""
    return (first_path + np.arange(num_paths)).astype(np.uint32).astype(np.int32)


def fit_key(key: Key, first_path: int) -> Key:
    """The key of what is not of a single path: `key` itself where paths are counted from 0."""
    # Two fits of one seed that differ in the numbers of their paths shall share no random numbers here either.
    return path_keys(key, path_numbers(first_path, 1), Stream.WHOLE_FIT)[0] if first_path else key


@jax.jit
def counted_keys(keys: UInt32[Array, "... 2"], counters: Int[Array, " n"]) -> UInt32[Array, "n 2"]:
    """One key per counter from the key beside it, or from a single one."""
    return fold_in(jnp.broadcast_to(keys, (*counters.shape, 2)), counters)


def host_generator(key: Key, purpose: str) -> np.random.Generator:
    """A generator of the host for one purpose, apart from the streams of all paths."""
    return np.random.default_rng([*map(int, np.asarray(key)), *purpose.encode()])


@partial(jax.jit, static_argnames="count")
def draw_keys(keys: UInt32[Array, "lane 2"], count: int) -> UInt32[Array, "lane draw 2"]:
    """Keys of the first draws of each lane's stream."""
    return jax.vmap(lambda key: jax.vmap(lambda draw: fold_in(key, draw))(jnp.arange(count)))(keys)
