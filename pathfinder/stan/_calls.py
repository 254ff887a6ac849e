"""Functions applied to values: the library's, the user's, distributions, and random numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from pathfinder.stan._elements import RaggedError
from pathfinder.stan._lanes import (
    Lanes,
    aligned,
    array_of,
    context_of,
    deepest,
    freeze,
    is_static,
    lift,
    now,
    over_lanes,
    wrap,
)
from pathfinder.stan._ragged import REDUCERS, Ragged, RaggedUseError, elementwise, summed
from pathfinder.stan._run import Run, UntraceableError, as_type
from pathfinder.stan._slicing import SHAPES, SLICES, size_value, slice_value
from pathfinder.stan._syntax import Call, Expression, Node
from pathfinder.stan._types import SCALARS, Type
from pathfinder.stan.densities import DISTRIBUTIONS, Distribution
from pathfinder.stan.functions import FUNCTIONS, OPERATORS, Function


DENSITY_SUFFIXES = ("lpdf", "lpmf", "lupdf", "lupmf")
CDF_SUFFIXES = ("cdf", "lcdf", "lccdf")
ELEMENT_RANK = {"int": 0, "real": 0, "ints": 1, "reals": 1, "vector": 1, "row_vector": 1, "matrix": 2}

Evaluate = Callable[[Run, Expression], Any]


def evaluate_call(run: Run, node: Call, evaluate: Evaluate, symbolic: Evaluate) -> Any:
    """The value of `f(...)`, a function of the user or of the library.

    Args:
        run: The evaluation.
        node: The call.
        evaluate: Evaluates an argument.
        symbolic: Evaluates an argument that may be a size and is left a `Step` then.
    """
    from pathfinder.stan._higher_order_calls import HIGHER_ORDER

    definition = run.checked.definition(node)
    name = run.checked.library_name(node)
    if definition is None and name in HIGHER_ORDER:
        return HIGHER_ORDER[name](run, node, evaluate)
    if definition is None and name in SLICES:
        with run.at(node):
            return slice_value(run, name, [symbolic(run, argument) for argument in node.arguments], node)
    values = [evaluate(run, argument) for argument in node.arguments]
    if definition is not None:
        return run.call_user(run, definition, values)
    types = tuple(run.type_of(argument) for argument in node.arguments)
    with run.at(node):
        if any(isinstance(value, Ragged) for value in values):
            return _ragged_call(run, name, types, values, node)
        if name in SHAPES:
            return size_value(name, types[0], values[0])
        return call_named(run, name, types, values, node)


def call_named(run: Run, name: str, types: Sequence[Type], values: Sequence[Any], node: Node) -> Any:
    """The value of a function of the library, of whatever kind, by its full name."""
    base, _, suffix = name.rpartition("_")
    if suffix in (*DENSITY_SUFFIXES, *CDF_SUFFIXES) and base in DISTRIBUTIONS:
        return distribution_value(run, base, suffix, types, values)
    if suffix == "rng" and base in DISTRIBUTIONS:
        return random_value(run, DISTRIBUTIONS[base], types, values)
    return call_library(run, FUNCTIONS[name], types, values, node)


def call_library(run: Run, function: Function, types: Sequence[Type], values: Sequence[Any], node: Node) -> Any:
    """The value of a function of the library, for all lanes of its arguments."""
    function = _scaling(function, types)
    if any(isinstance(value, Ragged) for value in values):
        return _ragged_operator(run, function, types, values, node)
    root = run.machine.root
    context = deepest([context_of(value, root) for value in values], root)
    static = all(is_static(value) for value in values)
    if function.elementwise or function is OPERATORS["./"]:
        arrays = aligned(values, context)
        evaluate = function.numpy if static and function.numpy else function.evaluate
        evaluate = partial(evaluate, tuple(types)) if function.typed else evaluate
        if static:
            return wrap(evaluate(*arrays) if function.numpy else now(evaluate, arrays), context)
        return wrap(evaluate(*map(freeze, arrays)), context)
    sizes = {position: _size(run, values[position], node) for position in function.static if position < len(values)}
    others = [position for position in range(len(values)) if position not in sizes]

    def with_sizes(evaluate, *arrays):
        given = dict(zip(others, arrays, strict=True)) | sizes
        arguments = [given[position] for position in range(len(values))]
        return evaluate(tuple(types), *arguments) if function.typed else evaluate(*arguments)

    if context.is_root and static and function.numpy:
        return with_sizes(function.numpy, *(values[position] for position in others))
    return over_lanes(partial(with_sizes, function.evaluate), [values[position] for position in others], context)


def _ragged_operator(run: Run, function: Function, types: Sequence[Type], values: Sequence[Any], node: Node) -> Any:
    """An elementwise function of vectors whose sizes differ between iterations."""
    if function is OPERATORS["'"]:
        return values[0]
    if function is OPERATORS["*"] and types[0].base == "row_vector" and all(isinstance(v, Ragged) for v in values):
        return REDUCERS["dot_product"](run.machine, *values)
    if not function.elementwise and function is not OPERATORS["./"]:
        raise RaggedUseError("the sizes of these vectors differ between iterations")
    scalars = [Type("int" if type_.base == "int" else "real") for type_ in types]
    return elementwise(values, lambda parts: call_library(run, function, scalars, parts, node))


def _ragged_call(run: Run, name: str, types: Sequence[Type], values: Sequence[Any], node: Node) -> Any:
    if name in REDUCERS and all(isinstance(value, Ragged) for value in values):
        return REDUCERS[name](run.machine, *values)
    base, _, suffix = name.rpartition("_")
    if suffix in (*DENSITY_SUFFIXES, "lcdf", "lccdf") and base in DISTRIBUTIONS:
        return distribution_value(run, base, suffix, types, values)
    if name in FUNCTIONS:
        return call_library(run, FUNCTIONS[name], types, values, node)
    raise RaggedUseError(f"`{name}` needs vectors of one size, but here their sizes differ between iterations")


def _scaling(function: Function, types: Sequence[Type]) -> Function:
    """Multiplication and division by a scalar go element by element."""
    if function is OPERATORS["*"] and any(type_.base in SCALARS for type_ in types):
        return OPERATORS[".*"]
    if function is OPERATORS["/"] and types[1].base in SCALARS:
        return OPERATORS["./"]
    return function


def _size(run: Run, value: Any, node: Node) -> int:
    value = here(run, value)
    array = array_of(value)
    if not is_static(array):
        raise UntraceableError("a size depends on parameters; it has to be known from the data", node.span)
    if isinstance(value, Lanes):
        if np.any(array != array[0]):
            raise RaggedError(value.context, array)
        return int(array[0])
    return int(array)


def here(run: Run, value: Any) -> Any:
    """A value of the present lanes; sizes may be the same for these though they differ in other lanes."""
    if isinstance(value, Lanes) and value.context is not run.machine.context:
        return Lanes(lift(value, run.machine.context), run.machine.context)
    return value


# Distributions


def distribution_value(run: Run, name: str, suffix: str, types: Sequence[Type], values: Sequence[Any]) -> Any:
    """Log density, or cumulative probability, of each lane: elements are summed (or multiplied, for `_cdf`)."""
    distribution = DISTRIBUTIONS[name]
    function = distribution.log_density if suffix in DENSITY_SUFFIXES else getattr(distribution, suffix)
    assert function is not None, f"{name}_{suffix}"
    if any(isinstance(value, Ragged) for value in values) and distribution.kind == "univariate":
        scalars = [Type("int" if type_.base == "int" else "real") for type_ in types]
        each = elementwise(values, lambda parts: distribution_value(run, name, suffix, scalars, parts))
        return summed(run.machine, each)
    values = _promoted(distribution, values)
    root = run.machine.root
    context = deepest([context_of(value, root) for value in values], root)
    if distribution.kind == "univariate":
        check_sizes(types, values)
        arrays = aligned(values, context)
        static = all(is_static(array) for array in arrays)
        result = now(function, arrays) if static else function(*map(freeze, arrays))
        return wrap(_reduced(result, suffix, not context.is_root), context)
    return over_lanes(batched(function, distribution.arguments, types), values, context)


def _promoted(distribution: Distribution, values: Sequence[Any]) -> list[Any]:
    kinds = distribution.arguments
    return [
        as_type(Type("real"), value) if kind in ("real", "reals", "vector", "matrix", "row_vector") else value
        for kind, value in zip(kinds, values, strict=True)
    ]


def _reduced(result: Any, suffix: str, has_lanes: bool) -> Any:
    axes = tuple(range(1 if has_lanes else 0, np.ndim(result)))
    if not axes:
        return result
    module = np if is_static(result) else jnp
    return module.prod(result, axis=axes) if suffix == "cdf" else module.sum(result, axis=axes)


def check_sizes(types: Sequence[Type], values: Sequence[Any]) -> None:
    """Containers that are vectorised over need equal sizes.

    Raises:
        ValueError: If they differ.
    """
    shapes = []
    for value in values:
        shape = np.shape(array_of(value))
        shapes.append(shape[1:] if isinstance(value, Lanes) else shape)
    sizes = [shape for shape in shapes if shape]
    if any(size != sizes[0] for size in sizes):
        given = ", ".join(
            f"{type_} of size {' x '.join(map(str, shape))}" if shape else str(type_)
            for type_, shape in zip(types, shapes, strict=True)
        )
        raise ValueError(f"the arguments have different sizes: {given}")


def batched(function: Callable[..., Any], kinds: Sequence[str], types: Sequence[Type]) -> Callable[..., Any]:
    """A multivariate density over arrays of its arguments, summed over them."""
    extra = [_rank(type_) - ELEMENT_RANK.get(kind, _rank(type_)) for kind, type_ in zip(kinds, types, strict=True)]
    if not any(count > 0 for count in extra):
        return function
    mapped = jax.vmap(function, in_axes=tuple(0 if count > 0 else None for count in extra))
    return lambda *arrays: jnp.sum(mapped(*arrays))


def _rank(type_: Type) -> int:
    inner = 2 if type_.base.endswith("matrix") else 1 if type_.base.endswith("vector") else 0
    return type_.dims + inner


# Random numbers


def is_traced(key: Any) -> bool:
    """Whether a key is only known when the compiled program runs."""
    return isinstance(key, Tracer)


def next_key(run: Run) -> Any:
    """A key for the next random numbers of this evaluation."""
    run.machine.random_calls += 1
    return jax.random.fold_in(run.machine.random_key, run.machine.random_calls)


def random_value(run: Run, distribution: Distribution, types: Sequence[Type], values: Sequence[Any]) -> Any:
    """Random numbers, other ones for each lane of the present context."""
    assert distribution.rng is not None
    kinds = distribution.arguments[1:] if len(distribution.arguments) == len(values) + 1 else distribution.arguments
    values = [
        as_type(Type("real"), value) if kind != "int" and kind != "ints" else value
        for kind, value in zip(kinds, values, strict=True)
    ]
    context = run.machine.context
    key = next_key(run)
    static = all(is_static(value) for value in values) and not is_traced(key)
    lanes = [Lanes(lift(value, context), context) if not context.is_root else value for value in values]
    if distribution.kind == "univariate":
        check_sizes(types, values)
        arrays = [jnp.asarray(freeze(array)) for array in aligned(lanes, context)]
        shape = jnp.broadcast_shapes(*(array.shape for array in arrays)) if arrays else ()
        if not context.is_root and not arrays:
            shape = (context.size,)
        draw = partial(distribution.rng, key)
        if not arrays:
            result = jax.vmap(distribution.rng)(jax.random.split(key, context.size)) if shape else draw()
        else:
            result = draw(*(jnp.broadcast_to(array, shape) for array in arrays))
    else:
        one = random_batched(distribution.rng, kinds, types)
        if context.is_root:
            result = one(key, *map(freeze, values))
        else:
            keys = jax.random.split(key, context.size)
            result = jax.vmap(one)(keys, *(freeze(value.array) for value in lanes))
    result = jax.tree_util.tree_map(np.asarray, result) if static else result
    return wrap(result, context)


def random_batched(rng: Callable[..., Any], kinds: Sequence[str], types: Sequence[Type]) -> Callable[..., Any]:
    """Multivariate random numbers for arrays of the arguments, other ones for each entry."""
    extra = [_rank(type_) - ELEMENT_RANK.get(kind, _rank(type_)) for kind, type_ in zip(kinds, types, strict=True)]
    if not any(count > 0 for count in extra):
        return rng

    def several(key, *arrays):
        count = next(array.shape[0] for array, more in zip(arrays, extra, strict=True) if more > 0)
        axes = (0, *(0 if more > 0 else None for more in extra))
        return jax.vmap(rng, in_axes=axes)(jax.random.split(key, count), *arrays)

    return several
