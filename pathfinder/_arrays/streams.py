"""Random streams: counter-based random numbers, one key per use.

Keys are made by folding in counters, never by splitting, so path i draws the same numbers whatever the number of paths,
of draws, of devices, and however the work is cut into batches.

The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw 2011), the default of `jax.random`;
`fold_in` gives the same keys. It is written out here because `jax.random` with a key per draw takes a second to compile
on a CPU (jax 0.10.2), and this form a twentieth of a second. Keys are pairs of uint32.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.devices import xla_runs
from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace
from pathfinder._arrays.normal_quantiles import normal_quantiles


Key = UInt32[Array, " 2"]

BLOCK = 2**14  # numbers that are made at a time on the host, so that what becomes of them stays in the cache
# So many numbers at once pay for compiling what makes them, which changes no bit of them (docs/decisions/threefry.md).
COMPILED_FROM = 2**20
COMPILED_BLOCK = 2**16

CHI_SQUARE_DEGREES = 4

_PARITY = np.uint32(0x1BD11BDA)
# Bits to the left and to the right; as arrays, since NumPy makes arrays of numbers anew in each operation.
_ROTATIONS = tuple(
    tuple((np.array(bits, np.uint32), np.array(32 - bits, np.uint32)) for bits in group)
    for group in ((13, 15, 26, 6), (17, 29, 16, 24))
)


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
    CHAINS = 8
    ASCENT = 9
    SAMPLER = 10  # another library's


def threefry(key: UInt32[Array, "*#batch 2"], first: UInt32[Array, "*#batch"], second: UInt32[Array, "*#batch"]):
    """Two random words for each pair of counter words."""
    k0, k1 = key[..., 0], key[..., 1]
    schedule = (k0, k1, k0 ^ k1 ^ _PARITY)
    with np.errstate(over="ignore"):  # words come round, of which NumPy warns if there is a single one
        x0, x1 = first + k0, second + k1
        for group in range(5):
            for left, right in _ROTATIONS[group % 2]:
                x0 += x1
                carried = x1 >> right
                x1 <<= left
                x1 |= carried
                x1 ^= x0
            x0 += schedule[(group + 1) % 3]
            x1 += schedule[(group + 2) % 3] + np.uint32(group + 1)
    return x0, x1


def fold_in(key: UInt32[Array, "*#batch 2"], counter: Int[Array, "*#batch"]) -> UInt32[Array, "*#batch 2"]:
    """A new key from a key and a counter, that of `jax.random.fold_in`."""
    xp = namespace(key, counter)
    counter = xp.asarray(counter).astype(xp.uint32)
    return xp.stack(threefry(key, xp.zeros_like(counter), counter), axis=-1)


def uniform(key: UInt32[Array, "*batch 2"], dim: int, dtype: Any) -> Float[Array, "*batch dim"]:
    """Numbers uniform on (-1, 1), with as many random bits as the dtype resolves."""
    if namespace(key) is np:
        unit = _on_host(np.positive, key, dim, dtype)
    else:
        unit = _unit(key, jax.numpy.arange(dim, dtype=np.uint32), dtype)
    return 2.0 * unit - 1.0


def normal(key: UInt32[Array, "*batch 2"], dim: int, dtype: Any) -> Float[Array, "*batch dim"]:
    """Standard normal numbers."""
    if namespace(key) is np:
        return _on_host(normal_quantiles, key, dim, dtype)
    return np.sqrt(2.0).astype(dtype) * jax.lax.erf_inv(uniform(key, dim, dtype))


def chi_square(key: UInt32[Array, "*batch 2"], dim: int, dtype: Any) -> Float[Array, "*batch"]:
    """A number of the chi-square distribution with 4 degrees of freedom for each key.

    Args:
        key: Keys.
        dim: How many of the numbers of each key are for other things; those that follow are taken.
        dtype: Of the numbers.
    """
    xp = namespace(key)
    # The sum of two exponential numbers, doubled.
    unit = _unit(key, xp.arange(dim, dim + CHI_SQUARE_DEGREES // 2, dtype=np.uint32), dtype)
    return -2.0 * xp.sum(xp.log(unit), axis=-1)


def _on_host(
    function: Callable[..., Any], key: UInt32[Array, "*batch 2"], dim: int, dtype: Any
) -> Float[np.ndarray, "*batch dim"]:
    """A function of the numbers uniform on (0, 1) that belong to a key, block by block."""
    keys = key.reshape(-1, 2)
    numbers = np.empty((len(keys), dim), dtype)
    # XLA is not started for them: a fit of a function of the host can do without it.
    resolved = numbers.itemsize <= 4 or jax.config.read("jax_enable_x64")
    compiled = numbers.size >= COMPILED_FROM and resolved and xla_runs()
    block = COMPILED_BLOCK if compiled else BLOCK
    width = -(-dim // max(1, -(-dim // block)))
    height = block // max(1, width)
    for top in range(0, len(keys), height):
        for left in range(0, dim, width):
            target = numbers[top : top + height, left : left + width]
            own = keys[top : top + height]
            if compiled:
                unit = _compiled_unit(own, left, height, width, dtype)
            else:
                unit = _unit(own, np.arange(left, min(left + width, dim), dtype=np.uint32), dtype)
            function(unit[: target.shape[0], : target.shape[1]], out=target)
    return numbers.reshape(*key.shape[:-1], dim)


def _compiled_unit(
    keys: UInt32[Array, "row 2"], left: int, height: int, width: int, dtype: Any
) -> Float[np.ndarray, "height width"]:
    """The numbers of `_unit` in a block of one shape, of which the first rows and columns are those that exist."""
    padded = keys[np.minimum(np.arange(height), len(keys) - 1)]
    counters = np.arange(left, left + width, dtype=np.uint32)
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        return np.asarray(_unit_program(padded, counters, dtype=np.dtype(dtype)))


def _unit(
    key: UInt32[Array, "*batch 2"], counters: UInt32[Array, " number"], dtype: Any
) -> Float[Array, "*batch number"]:
    """The numbers uniform on (0, 1) of given counters."""
    xp = namespace(key)
    second = xp.broadcast_to(counters, (*key.shape[:-1], *counters.shape))
    high, low = threefry(key[..., None, :], xp.zeros(second.shape, xp.uint32), second)
    # Middles of 2^23 or 2^52 equal intervals of (0, 1): never 0 or 1, whose normal quantiles are infinite.
    if np.dtype(dtype).itemsize <= 4:
        unit = (high >> np.uint32(9)).astype(dtype)
        unit += 0.5
        unit *= 2.0**-23
        return unit
    unit = (high >> np.uint32(6)).astype(dtype)
    unit *= 2.0**26
    unit += (low >> np.uint32(6)).astype(dtype)
    unit += 0.5
    unit *= 2.0**-52
    return unit


_unit_program = jax.jit(_unit, static_argnames="dtype")


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


@jit_unless_numpy()
def counted_keys(keys: UInt32[Array, "... 2"], counters: Int[Array, " n"]) -> UInt32[Array, "n 2"]:
    """One key per counter from the key beside it, or from a single one."""
    return fold_in(namespace(keys, counters).broadcast_to(keys, (*counters.shape, 2)), counters)


def host_generator(key: Key, purpose: str) -> np.random.Generator:
    """A generator of the host for one purpose, apart from the streams of all paths."""
    return np.random.default_rng([*map(int, np.asarray(key)), *purpose.encode()])


@jit_unless_numpy("count")
def draw_keys(keys: UInt32[Array, "*lanes 2"], count: int) -> UInt32[Array, "*lanes draw 2"]:
    """Keys of the first draws of each lane's stream."""
    xp = namespace(keys)
    return fold_in(keys[..., None, :], xp.broadcast_to(xp.arange(count), (*keys.shape[:-1], count)))
