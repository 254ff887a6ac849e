"""Random numbers for values with lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from pathfinder.stan._demands.sizes import check_argument_sizes, check_equal_sizes
from pathfinder.stan._expressions.distribution_calls import extra_axes
from pathfinder.stan._library.densities import DISTRIBUTIONS
from pathfinder.stan._state.run import Run, as_type
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.lanes import Lanes, aligned, entering, is_static, lift, shape_of_value, wrap
from pathfinder.stan._values.value import Value


SIZED = ("lkj_corr", "lkj_corr_cholesky")
_ARGUMENTS = {
    "multinomial": ("vector", "int"),
    "multinomial_logit": ("vector", "int"),
    "dirichlet_multinomial": ("vector", "int"),
}


def next_key(run: Run) -> Any:
    """A key for the next random numbers of this evaluation."""
    run.machine.frame.random_calls += 1
    return jax.random.fold_in(run.machine.frame.random_key, run.machine.frame.random_calls)


def random_value(run: Run, name: str, types: Sequence[Type], values: Sequence[Value], size: int | None = None) -> Value:
    """Random numbers, other ones for each lane of the present context.

    Args:
        run: The evaluation.
        name: The distribution.
        types: Types of the arguments.
        values: The arguments.
        size: The first argument of those in `SIZED`, which is left out of the others.
    """
    distribution = DISTRIBUTIONS[name]
    rng = distribution.rng
    assert rng is not None
    sampler = rng if size is None else lambda key, *arguments: rng(key, size, *arguments)
    kinds = _ARGUMENTS.get(name, distribution.arguments[1:])
    values = [
        value if kind in ("int", "ints") else as_type(Type("real"), value)
        for kind, value in zip(kinds, values, strict=True)
    ]
    key = next_key(run)
    on_data = all(is_static(value) for value in values) and not isinstance(key, Tracer)
    with jax.ensure_compile_time_eval() if on_data else nullcontext():
        if distribution.kind == "univariate":
            check_equal_sizes(f"{name}_rng", types, list(map(shape_of_value, values)))
            result = _univariate(run, sampler, values, key)
        else:
            check_argument_sizes(name, list(map(shape_of_value, values)), skip=1)
            result = _multivariate(run, _over_arrays(sampler, kinds, types), values, key)
        if on_data:
            result = np.asarray(result)
    return wrap(result, run.machine.frame.context)


def _univariate(run: Run, sampler: Callable[..., Any], values: Sequence[Value], key: Any) -> jax.Array:
    context = run.machine.frame.context
    if not values:
        return sampler(key) if context.is_root else jax.vmap(sampler)(jax.random.split(key, context.size))
    here = [value if context.is_root else Lanes(lift(value, context), context) for value in values]
    arrays = [jnp.asarray(entering(array)) for array in aligned(here, context)]
    shape = jnp.broadcast_shapes(*(array.shape for array in arrays))
    return sampler(key, *(jnp.broadcast_to(array, shape) for array in arrays))


def _multivariate(run: Run, sampler: Callable[..., Any], values: Sequence[Value], key: Any) -> jax.Array:
    context = run.machine.frame.context
    if context.is_root:
        return sampler(key, *map(entering, values))
    keys = jax.random.split(key, context.size)
    return jax.vmap(sampler)(keys, *(entering(lift(value, context)) for value in values))


def _over_arrays(rng: Callable[..., Any], kinds: Sequence[str], types: Sequence[Type]) -> Callable[..., Any]:
    """A sampler for arrays of the arguments, with other numbers for each entry."""
    extra = extra_axes(kinds, types)
    if not any(count > 0 for count in extra):
        return rng

    def several(key, *arrays):
        count = next(array.shape[0] for array, more in zip(arrays, extra, strict=True) if more > 0)
        axes = (0, *(0 if more > 0 else None for more in extra))
        return jax.vmap(rng, in_axes=axes)(jax.random.split(key, count), *arrays)

    return several
