"""Keys of JAX with a generator that is compiled in a third of the time, and gives the same random numbers.

On a CPU JAX lowers its Threefry generator to a loop, at each place that draws. Here it is written out
(docs/decisions/threefry.md).
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import define_prng_impl

from pathfinder._arrays.streams import threefry


@partial(jax.jit, static_argnames="shape")
def _words(key, *, shape):
    """Two random words for each entry of an array."""
    counters = jnp.arange(math.prod(shape), dtype=np.uint32).reshape(shape)
    return threefry(key, jnp.zeros_like(counters), counters)


def _random_bits(key, width, shape):
    first, second = _words(key, shape=shape)
    if width == 64:
        return (first.astype(np.uint64) << np.uint64(32)) | second.astype(np.uint64)
    return (first ^ second).astype(f"uint{width}")


def _split(key, shape):
    return jnp.stack(_words(key, shape=shape), axis=-1)


@jax.jit
def _fold_in(key, number):
    number = number.astype(np.uint32)
    return jnp.stack(threefry(key, jnp.zeros_like(number), number), axis=-1)


def _seed(seed):
    return jax.random.key_data(jax.random.key(seed, impl="threefry2x32"))


_WRITTEN_OUT = define_prng_impl(
    key_shape=(2,), seed=_seed, split=_split, random_bits=_random_bits, fold_in=_fold_in, name="written_out", tag="out"
)


def written_out(key: jax.Array) -> jax.Array:
    """The same key, with the generator that is compiled fast."""
    return jax.random.wrap_key_data(jax.random.key_data(key), impl=_WRITTEN_OUT)


def as_of_jax(key: jax.Array) -> jax.Array:
    """The same key, with JAX's own generator, for functions that take no other."""
    return jax.random.wrap_key_data(jax.random.key_data(key), impl="threefry2x32")
