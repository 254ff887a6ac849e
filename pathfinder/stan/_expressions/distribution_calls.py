"""Log densities and cumulative probabilities of values with lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._demands.sizes import check_argument_sizes, check_equal_sizes
from pathfinder.stan._expressions.ragged import Ragged, over_elements, summed
from pathfinder.stan._library.densities import DISTRIBUTIONS, Distribution
from pathfinder.stan._state.run import Run, as_type
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.contexts import deepest
from pathfinder.stan._values.lanes import (
    aligned,
    context_of,
    entering,
    from_data,
    is_static,
    now,
    over_lanes,
    shape_of_value,
    wrap,
)
from pathfinder.stan._values.value import Value


DENSITY_SUFFIXES = ("lpdf", "lpmf", "lupdf", "lupmf")
CDF_SUFFIXES = ("cdf", "lcdf", "lccdf")
ELEMENT_RANK = {"int": 0, "real": 0, "ints": 1, "reals": 1, "vector": 1, "row_vector": 1, "matrix": 2}


def distribution_value(run: Run, name: str, suffix: str, types: Sequence[Type], values: Sequence[Value]) -> Value:
    """Log density, or cumulative probability, of each lane: elements are summed (or multiplied, for `_cdf`)."""
    distribution = DISTRIBUTIONS[name]
    if suffix not in DENSITY_SUFFIXES:
        distribution = replace(distribution, log_density=getattr(distribution, suffix))
    return density_value(run, distribution, name, suffix, types, values)


def density_value(
    run: Run, distribution: Distribution, name: str, suffix: str, types: Sequence[Type], values: Sequence[Value]
) -> Value:
    """What the log density of a distribution gives in each lane, summed (or multiplied, for `_cdf`) over its elements.

    Args:
        run: The evaluation.
        distribution: Need not be one of the library.
        name: Its name, for the table of sizes and for errors.
        suffix: Of the function that is called.
        types: Of the outcome and the arguments.
        values: The same.
    """
    function = distribution.log_density
    assert function is not None, f"{name}_{suffix}"
    values = _promoted(distribution, values)
    if distribution.kind == "univariate":
        is_product = suffix == "cdf"
        return univariate_value(run, function, types, values, name=f"{name}_{suffix}", is_product=is_product)
    check_argument_sizes(name, list(map(shape_of_value, values)))
    context = deepest([context_of(value, run.machine.frame.root) for value in values], run.machine.frame.root)
    return over_lanes(batched(function, distribution.arguments, types), values, context)


def univariate_value(
    run: Run,
    function: Callable[..., Any],
    types: Sequence[Type],
    values: Sequence[Value],
    *,
    name: str,
    is_product: bool = False,
) -> Value:
    """An elementwise function of containers that broadcast, summed over their elements, for each lane.

    Args:
        run: The evaluation.
        function: From arrays that broadcast to one value per element.
        types: Of the arguments.
        values: The arguments.
        name: Of the function, for errors.
        is_product: Whether the elements are multiplied instead.

    Raises:
        SizeError: If the sizes of the containers differ.
    """
    if any(isinstance(value, Ragged) for value in values):
        scalars = [Type("int" if type_.base == "int" else "real") for type_ in types]
        each = over_elements(values, lambda parts: univariate_value(run, function, scalars, parts, name=name))
        return summed(run.machine, each)
    root = run.machine.frame.root
    context = deepest([context_of(value, root) for value in values], root)
    check_equal_sizes(name, types, list(map(shape_of_value, values)))
    arrays = aligned(values, context)
    static = all(is_static(array) for array in arrays)
    result = now(function, arrays) if static else function(*map(entering, arrays))
    reduced = _reduced(result, is_product, not context.is_root)
    return wrap(from_data(reduced, arrays) if static else reduced, context)


def _promoted(distribution: Distribution, values: Sequence[Value]) -> list[Value]:
    kinds = (*distribution.arguments, *("real",) * (len(values) - len(distribution.arguments)))
    return [
        _as_real(value) if kind in ("real", "reals", "vector", "matrix", "row_vector") else value
        for kind, value in zip(kinds, values, strict=True)
    ]


def _as_real(value: Value) -> Value:
    if isinstance(value, Ragged):
        return replace(value, elements=_as_real(value.elements))
    return as_type(Type("real"), value)


def _reduced(result: Any, is_product: bool, has_lanes: bool) -> Any:
    axes = tuple(range(1 if has_lanes else 0, np.ndim(result)))
    if not axes:
        return result
    module = np if is_static(result) else jnp
    return module.prod(result, axis=axes) if is_product else module.sum(result, axis=axes)


def batched(function: Callable[..., Any], kinds: Sequence[str], types: Sequence[Type]) -> Callable[..., Any]:
    """A multivariate density over arrays of its arguments, summed over them."""
    extra = extra_axes(kinds, types)
    if not any(count > 0 for count in extra):
        return function
    mapped = jax.vmap(function, in_axes=tuple(0 if count > 0 else None for count in extra))
    return lambda *arrays: jnp.sum(mapped(*arrays))


def extra_axes(kinds: Sequence[str], types: Sequence[Type]) -> list[int]:
    """For each argument, the axes of the array around what the distribution takes as one instance."""
    return [type_.rank - ELEMENT_RANK.get(kind, type_.rank) for kind, type_ in zip(kinds, types, strict=False)]
