"""Functions applied to values: the library's, the user's, distributions, and random numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from pathfinder.stan._demands.sizes import check_argument_sizes, check_equal_sizes, check_sizes
from pathfinder.stan._expressions.alternatives import distributed
from pathfinder.stan._expressions.argument_checks import check_arguments, is_checked
from pathfinder.stan._expressions.distribution_calls import CDF_SUFFIXES, DENSITY_SUFFIXES, distribution_value
from pathfinder.stan._expressions.indexing_calls import SHAPES, SLICES, size_value, slice_value
from pathfinder.stan._expressions.ragged import REDUCERS, Ragged, RaggedUseError, over_elements
from pathfinder.stan._expressions.random_calls import SIZED, random_value
from pathfinder.stan._library.densities import DISTRIBUTIONS, hmm_hidden_state_prob
from pathfinder.stan._library.functions import FUNCTIONS, OPERATORS, Function
from pathfinder.stan._library.transforms.functions import CONSTRAIN_FUNCTIONS, JACOBIAN_FUNCTIONS
from pathfinder.stan._state.run import Run, known_int
from pathfinder.stan._syntax.tree import Binary, Call, Expression, Node
from pathfinder.stan._types.types import INT, SCALARS, Type
from pathfinder.stan._values.contexts import deepest
from pathfinder.stan._values.lanes import (
    aligned,
    array_of,
    context_of,
    entering,
    from_data,
    is_static,
    lift,
    now,
    over_lanes,
    shape_of_value,
    wrap,
)
from pathfinder.stan._values.steps import Step, settle, step_of, table_of
from pathfinder.stan._values.uneven import UnevenArray, size_of_uneven
from pathfinder.stan._values.value import Value


Evaluate = Callable[[Run, Expression], Value]

_NUMBERS = {int, np.int64, np.float64}
_NAMES = {id(function): name for name, function in (*FUNCTIONS.items(), *OPERATORS.items())}


def evaluate_call(run: Run, node: Call, evaluate: Evaluate, symbolic: Evaluate) -> Value:
    """The value of `f(...)`, a function of the user or of the library.

    Args:
        run: The evaluation.
        node: The call.
        evaluate: Evaluates an argument.
        symbolic: Evaluates an argument that may be a size and is left a `Step` then.
    """
    from pathfinder.stan._expressions.higher_order_calls import HIGHER_ORDER

    definition = run.checked.definition(node)
    name = run.checked.library_name(node)
    if definition is None and name in HIGHER_ORDER:
        return HIGHER_ORDER[name](run, node, evaluate)
    if definition is None and name in SLICES:
        with run.at(node):
            values = [symbolic(run, argument) for argument in node.arguments]
            return distributed(run, lambda given: _slice(run, name, given, node), values)
    types = tuple(run.type_of(argument) for argument in node.arguments)
    if definition is None and name in FUNCTIONS and all(type_ == INT for type_ in types):
        with run.at(node):
            values = [symbolic(run, argument) for argument in node.arguments]
            if is_checked(name):
                check_arguments(run, name, list(map(settle, values)), node)
            return at_every_step(run, FUNCTIONS[name], types, values, node)
    values = [evaluate(run, argument) for argument in node.arguments]
    if definition is not None:
        return distributed(run, lambda given: run.call_user(run, definition, list(given)), values)
    return distributed(run, lambda given: _library_value(run, name, types, given, node), values)


def _slice(run: Run, name: str, values: Sequence[Value], node: Call) -> Value:
    with run.at(node):
        return slice_value(run, name, list(values), node)


def _library_value(run: Run, name: str, types: Sequence[Type], values: Sequence[Value], node: Call) -> Value:
    with run.at(node):
        if name in ("size", "num_elements") and isinstance(values[0], UnevenArray):
            return size_of_uneven(name, values[0])
        if any(isinstance(value, Ragged) for value in values):
            return _ragged_call(run, name, types, values, node)
        if name in SHAPES:
            return size_value(name, types[0], values[0])
        return call_named(run, name, types, values, node)


def at_every_step(run: Run, function: Function, types: Sequence[Type], values: Sequence[Value], node: Node) -> Value:
    """A function applied to values of which some may be known for every step of a scan, so that the result is, too."""
    if not any(isinstance(value, Step) for value in values):
        return call_library(run, function, types, values, node)
    scans = {value.scan for value in values if isinstance(value, Step)}
    known = [
        isinstance(value, Step) or (is_static(value) and type_.rank == 0)
        for value, type_ in zip(values, types, strict=True)
    ]
    if len(scans) == 1 and all(known):
        try:
            return step_of(scans.pop(), _tabulated(run, function, types, list(map(table_of, values)), node))
        except (ValueError, ArithmeticError):
            if run.machine.frame.mask is None:
                raise
            # it has no value in an iteration that the condition leaves out
    return call_library(run, function, types, list(map(settle, values)), node)


def _tabulated(run: Run, function: Function, types: Sequence[Type], tables: Sequence[Value], node: Node) -> Value:
    """A function of numbers, applied to their values at all steps."""
    if function.elementwise:
        return call_library(run, function, types, tables, node)
    root = run.machine.frame.root
    context = deepest([context_of(table, root) for table in tables], root)
    arrays = np.broadcast_arrays(*(array_of(table) if context.is_root else lift(table, context) for table in tables))
    columns = [
        array_of(call_library(run, function, types, [wrap(array[..., step], context) for array in arrays], node))
        for step in range(arrays[0].shape[-1])
    ]
    return wrap(np.stack(columns, axis=-1), context)


def call_named(run: Run, name: str, types: Sequence[Type], values: Sequence[Value], node: Node) -> Value:
    """The value of a function of the library, of whatever kind, by its full name."""
    check_arguments(run, name, values, node)
    base, _, suffix = name.rpartition("_")
    if suffix in (*DENSITY_SUFFIXES, *CDF_SUFFIXES) and base in DISTRIBUTIONS:
        return distribution_value(run, base, suffix, types, values)
    if suffix == "rng" and base in DISTRIBUTIONS:
        if base in SIZED:
            return random_value(run, base, types[1:], values[1:], known_int(run, values[0], "a size", node))
        return random_value(run, base, types, values)
    if name in JACOBIAN_FUNCTIONS:
        value, log_jacobian = call_library(run, JACOBIAN_FUNCTIONS[name], types, values, node)
        if run.jacobian:
            run.machine.target.increment(log_jacobian)
        return value
    if name == "hmm_marginal":
        return distribution_value(run, name, "lpdf", types, values)
    if name == "hmm_hidden_state_prob":
        check_argument_sizes(name, list(map(shape_of_value, values)))
        context = deepest([context_of(value, run.machine.frame.root) for value in values], run.machine.frame.root)
        return over_lanes(hmm_hidden_state_prob, values, context)
    return call_library(run, FUNCTIONS[name] if name in FUNCTIONS else CONSTRAIN_FUNCTIONS[name], types, values, node)


def call_library(run: Run, function: Function, types: Sequence[Type], values: Sequence[Value], node: Node) -> Value:
    """The value of a function of the library, for all lanes of its arguments."""
    function = _scaling(function, types)
    if function.elementwise and function.numpy and not function.typed and all(type(v) in _NUMBERS for v in values):
        return function.numpy(*values)
    if any(isinstance(value, Ragged) for value in values):
        return _ragged_operator(run, function, types, values, node)
    root = run.machine.frame.root
    context = deepest([context_of(value, root) for value in values], root)
    static = all(is_static(value) for value in values)
    if any(type_.rank for type_ in types):
        _require_sizes(function, types, values, node)
    if function.elementwise or function is OPERATORS["./"]:
        arrays = aligned(values, context)
        evaluate = function.numpy if static and function.numpy else function.evaluate
        evaluate = partial(evaluate, tuple(types)) if function.typed else evaluate
        if static:
            value = evaluate(*arrays) if function.numpy else now(evaluate, arrays)
            return wrap(from_data(value, arrays), context)
        return wrap(evaluate(*map(entering, arrays)), context)
    sizes = {
        position: known_int(run, values[position], "a size", node)
        for position in function.static
        if position < len(values)
    }
    others = [position for position in range(len(values)) if position not in sizes]

    def with_sizes(evaluate, *arrays):
        given = dict(zip(others, arrays, strict=True)) | sizes
        arguments = [given[position] for position in range(len(values))]
        return evaluate(tuple(types), *arguments) if function.typed else evaluate(*arguments)

    if context.is_root and static and function.numpy:
        return from_data(with_sizes(function.numpy, *(values[position] for position in others)), values)
    return over_lanes(partial(with_sizes, function.evaluate), [values[position] for position in others], context)


def _require_sizes(function: Function, types: Sequence[Type], values: Sequence[Value], node: Node) -> None:
    """Check the sizes of arguments that have to fit each other.

    Raises:
        SizeError: If they do not.
    """
    shapes = [() if isinstance(value, tuple) else shape_of_value(value) for value in values]
    name = _NAMES.get(id(function), "")
    if isinstance(node, Call) and (node.function.text in FUNCTIONS):
        name = node.function.text  # several names may mean one function
    elif isinstance(node, Binary):
        name = node.operator
    if function.elementwise or function is OPERATORS["./"]:
        check_equal_sizes(name, types, shapes)
    else:
        check_sizes(name, types, shapes)


def _ragged_operator(run: Run, function: Function, types: Sequence[Type], values: Sequence[Value], node: Node) -> Value:
    """An elementwise function of vectors whose sizes differ between iterations."""
    if function is OPERATORS["'"]:
        return values[0]
    if function is OPERATORS["*"] and types[0].base == "row_vector" and all(isinstance(v, Ragged) for v in values):
        return REDUCERS["dot_product"](run.machine, *values)
    if not function.elementwise and function is not OPERATORS["./"]:
        raise RaggedUseError("the sizes of these vectors differ between iterations")
    scalars = [Type("int" if type_.base == "int" else "real") for type_ in types]
    return over_elements(values, lambda parts: call_library(run, function, scalars, parts, node))


def _ragged_call(run: Run, name: str, types: Sequence[Type], values: Sequence[Value], node: Node) -> Value:
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
