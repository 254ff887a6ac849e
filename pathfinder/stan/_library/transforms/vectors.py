"""Transforms of vectors: ordered, simplex, sum to zero and unit vectors.

Source: Stan reference manual, "Constraint Transforms".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp

from pathfinder.stan._demands.demand import tolerance
from pathfinder.stan._library.transforms.transform import Rule, Transform


Pair = tuple[jax.Array, jax.Array]


def _size(size: int) -> int:
    return size


def _one_less(size: int) -> int:
    return max(size - 1, 0)


def _ordered(free: jax.Array, size: int) -> Pair:
    steps = jnp.concatenate([free[:1], jnp.exp(free[1:])])
    return jnp.cumsum(steps), jnp.sum(free[1:])


def _ordered_free(xp: ModuleType, value: Any, size: int) -> Any:
    return xp.concatenate([value[:1], xp.log(xp.diff(value))])


def _ordered_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    # a step of zero is a violation: the smallest amount above it is allowed
    amounts = value[:-1] - value[1:]
    yield "The elements must increase", xp.where(amounts < 0, -1.0, xp.abs(amounts)), -0.5


def _positive_ordered(free: jax.Array, size: int) -> Pair:
    return jnp.cumsum(jnp.exp(free)), jnp.sum(free)


def _positive_ordered_free(xp: ModuleType, value: Any, size: int) -> Any:
    return xp.log(xp.diff(value, prepend=xp.zeros(1, value.dtype)))


def _positive_ordered_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield "The first element must not be negative", -value[:1], 0.0
    yield from _ordered_rules(xp, value)


def sum_to_zero(free: Any) -> jax.Array:
    """The orthonormal map onto vectors of one element more that sum to zero, along the first axis."""
    n = jnp.arange(1, free.shape[0] + 1, dtype=free.dtype).reshape(-1, *[1] * (free.ndim - 1))
    scaled = free / jnp.sqrt(n * (n + 1))
    nothing = jnp.zeros_like(free, shape=(1, *free.shape[1:]))
    rest = jnp.concatenate([jax.lax.cumsum(scaled, 0, reverse=True), nothing])
    return rest - jnp.concatenate([nothing, n * scaled])


def sum_to_zero_free(xp: ModuleType, value: Any) -> Any:
    """Inverse of `sum_to_zero`, along the first axis."""
    n = xp.arange(1, value.shape[0], dtype=value.dtype).reshape(-1, *[1] * (value.ndim - 1))
    return (xp.cumsum(value, 0)[:-1] - n * value[1:]) / xp.sqrt(n * (n + 1))


def _sum_to_zero(free: jax.Array, size: int) -> Pair:
    return sum_to_zero(free), jnp.zeros((), free.dtype)


def _sum_to_zero_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield "The elements must sum to zero", abs(xp.sum(value)), tolerance(xp, value)


def _simplex(free: jax.Array, size: int) -> Pair:
    log_value = jax.nn.log_softmax(sum_to_zero(free))
    return jnp.exp(log_value), jnp.sum(log_value) + 0.5 * math.log(size)


def _simplex_free(xp: ModuleType, value: Any, size: int) -> Any:
    return sum_to_zero_free(xp, xp.log(value))  # a constant added to the logarithms changes nothing


def _stick_breaking(free: jax.Array, size: int) -> Pair:
    shifted = free - jnp.log(jnp.arange(size - 1, 0, -1, dtype=free.dtype))
    log_part, log_rest = jax.nn.log_sigmoid(shifted), jax.nn.log_sigmoid(-shifted)
    log_stick = jnp.concatenate([jnp.zeros(1, free.dtype), jnp.cumsum(log_rest)])
    log_value = log_stick + jnp.concatenate([log_part, jnp.zeros(1, free.dtype)])
    return jnp.exp(log_value), jnp.sum(log_part + log_rest + log_stick[:-1])


def _stick_breaking_free(xp: ModuleType, value: Any, size: int) -> Any:
    rest = xp.cumsum(value[::-1])[::-1][1:]  # from the end, where nothing cancels
    return xp.log(value[:-1]) - xp.log(rest) + xp.log(xp.arange(size - 1, 0, -1, dtype=value.dtype))


def simplex_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    """A simplex, along the last axis."""
    yield "The elements of a simplex must not be negative", -value, 0.0
    yield "The elements of a simplex must sum to one", abs(xp.sum(value, -1) - 1), tolerance(xp, value)


def _unit_vector(free: jax.Array, size: int) -> Pair:
    square = jnp.sum(free * free)
    return free / jnp.sqrt(square), -0.5 * square


def _unit_vector_free(xp: ModuleType, value: Any, size: int) -> Any:
    return value


def _unit_vector_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield "A unit vector must have length one", abs(xp.sum(value * value) - 1), tolerance(xp, value)


SIMPLEX = Transform(_one_less, _simplex, _simplex_free, simplex_rules)  # Stan 2.37 and later
STICK_BREAKING = Transform(_one_less, _stick_breaking, _stick_breaking_free, simplex_rules)  # before

VECTOR_TRANSFORMS: dict[str, Transform] = {
    "ordered": Transform(_size, _ordered, _ordered_free, _ordered_rules),
    "positive_ordered": Transform(_size, _positive_ordered, _positive_ordered_free, _positive_ordered_rules),
    "simplex": SIMPLEX,
    "simplex:stick_breaking": STICK_BREAKING,
    "sum_to_zero_vector": Transform(
        _one_less, _sum_to_zero, lambda xp, value, size: sum_to_zero_free(xp, value), _sum_to_zero_rules
    ),
    "unit_vector": Transform(_size, _unit_vector, _unit_vector_free, _unit_vector_rules),
}
