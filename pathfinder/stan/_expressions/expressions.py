"""Values of expressions: on data at once, in JAX where parameters take part, for all lanes of the present context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._expressions.alternatives import Alternatives, distributed, selected
from pathfinder.stan._expressions.calls import at_every_step, call_library, evaluate_call
from pathfinder.stan._expressions.positions import range_position, read_cell, require_parts
from pathfinder.stan._expressions.ragged import Stretch, read_ragged
from pathfinder.stan._library.functions import OPERATORS, Function
from pathfinder.stan._state.run import Run, as_type, here, known_int
from pathfinder.stan._syntax.tree import (
    ArrayLiteral,
    Binary,
    Call,
    Conditional,
    Expression,
    ImaginaryLiteral,
    Index,
    IntLiteral,
    RealLiteral,
    RowVectorLiteral,
    Slice,
    TargetValue,
    Transpose,
    TupleElement,
    TupleLiteral,
    Unary,
    Variable,
)
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.indices import At, Many, RaggedError
from pathfinder.stan._values.lanes import (
    Lanes,
    is_static,
    lift,
    narrowed,
)
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.steps import Step, settle
from pathfinder.stan._values.uneven import side_by_side
from pathfinder.stan._values.value import Value


def evaluate(run: Run, node: Expression) -> Value:
    """The value of an expression.

    Raises:
        StanEvaluationError: If it has none with these data; the message names the place.
        ConflictError: If iterations that run side by side would have to run one after another.
        RaggedError: If lanes need containers of different sizes.
    """
    return settle(symbolic(run, node))


def symbolic(run: Run, node: Expression) -> Value:
    """As `evaluate`, but the variable of a sequential loop plus a number stays a `Step`."""
    return _EVALUATE[type(node)](run, node)


def _variable(run: Run, node: Variable) -> Value:
    machine = run.machine
    cell = machine.variables.find(node.name)
    if cell.padded:
        with run.at(node):
            require_parts(run, cell, ())
    value = machine.variables.read(cell)
    if isinstance(value, Step):
        return Step(value.scan, narrowed(value.table, machine.frame.context))
    return machine.conditions.gate(narrowed(value, machine.frame.context))


def _binary(run: Run, node: Binary) -> Value:
    if node.operator in ("&&", "||"):
        return _logical(run, node)
    first, links = run.remembered(run.links, node)
    left = symbolic(run, first)
    for link, types in links:
        right = symbolic(run, link.right)
        with run.at(link):
            left = _operated(run, link, OPERATORS[link.operator], types, (left, right))
    return left


def _operated(run: Run, node: Expression, function: Function, types: Sequence[Type], values: Sequence[Value]) -> Value:
    if not any(isinstance(value, Alternatives) for value in values):
        return at_every_step(run, function, types, values, node)

    def operated(given: Sequence[Value]) -> Value:
        with run.at(node):
            return at_every_step(run, function, types, given, node)

    return distributed(run, operated, values)


def _logical(run: Run, node: Binary) -> Value:
    left = evaluate(run, node.left)
    decisive = node.operator == "||"
    if is_static(left) and not isinstance(left, Lanes):
        if bool(left) == decisive:
            return int(decisive)
        return _truth(run, node.right)
    types = (run.type_of(node.left), run.type_of(node.right))
    if isinstance(left, Lanes) and is_static(left):
        # the right side is evaluated only where it decides, as it may index out of range elsewhere
        return _only_where(run, node, left, decisive)
    undecided = run.machine.conditions.select(left, np.asarray(not decisive), np.asarray(decisive))
    with run.machine.where(undecided):
        right = evaluate(run, node.right)
    return call_library(run, OPERATORS[node.operator], types, [left, right], node)


def _only_where(run: Run, node: Binary, left: Lanes, decisive: bool) -> Value:
    truth = lift(left, run.machine.frame.context) != 0
    lanes = np.flatnonzero(truth != decisive)
    part = run.machine.frame.context.part(lanes)
    with run.machine.within(part):
        right = lift(_truth(run, node.right), part) if len(lanes) else np.zeros(0, dtype=np.int64)
    if is_static(right):
        result = truth.astype(np.int64)
        result[lanes] = right
        return Lanes(result, run.machine.frame.context)
    return Lanes(jnp.asarray(truth.astype(np.int64)).at[lanes].set(right), run.machine.frame.context)


def _truth(run: Run, node: Expression) -> Value:
    value = evaluate(run, node)
    return call_library(run, OPERATORS["!="], (run.type_of(node), Type("int")), [value, 0], node)


def _unary(run: Run, node: Unary) -> Value:
    value = symbolic(run, node.operand)
    operator = {"-": "u-", "+": "u+"}.get(node.operator, node.operator)
    with run.at(node):
        return _operated(run, node, OPERATORS[operator], (run.type_of(node.operand),), [value])


def _transpose(run: Run, node: Transpose) -> Value:
    value = evaluate(run, node.operand)
    with run.at(node):
        return _operated(run, node, OPERATORS["'"], (run.type_of(node.operand),), [value])


def _conditional(run: Run, node: Conditional) -> Value:
    machine, type_ = run.machine, run.type_of(node)
    condition = evaluate(run, node.condition)
    if is_static(condition) and not isinstance(condition, Lanes):
        return as_type(type_, evaluate(run, node.if_true if condition else node.if_false))
    if is_static(condition):
        truth = lift(condition, machine.frame.context) != 0
        if np.all(truth) or not np.any(truth):
            return as_type(type_, evaluate(run, node.if_true if len(truth) and truth[0] else node.if_false))
        lanes = np.flatnonzero(truth), np.flatnonzero(~truth)
        parts = []
        for expression, chosen in zip((node.if_true, node.if_false), lanes, strict=True):
            part = machine.frame.context.part(chosen)
            with machine.within(part):
                parts.append(lift(as_type(type_, evaluate(run, expression)), part))
        if _shapes(parts[0]) != _shapes(parts[1]):
            raise RaggedError(machine.frame.context, truth.astype(np.int64))
        return Lanes(_interleaved(parts, np.argsort(np.concatenate(lanes))), machine.frame.context)
    truth = machine.conditions.truth(condition)
    with machine.where(truth):
        if_true = as_type(type_, evaluate(run, node.if_true))
    with machine.where(machine.conditions.negation(truth)):
        if_false = as_type(type_, evaluate(run, node.if_false))
    return selected(run, truth, if_true, if_false)


def _shapes(lanes: Any) -> Any:
    """Shapes of the elements of arrays with lanes."""
    return tuple(map(_shapes, lanes)) if isinstance(lanes, tuple) else np.shape(lanes)[1:]


def _interleaved(parts: Sequence[Any], order: np.ndarray) -> Any:
    """Entries of two arrays in another order."""
    if isinstance(parts[0], tuple):
        return tuple(_interleaved(elements, order) for elements in zip(*parts, strict=True))
    if all(is_static(part) for part in parts):
        return np.concatenate([np.asarray(part) for part in parts])[order]
    return jnp.concatenate([jnp.asarray(part) for part in parts])[order]


def _index(run: Run, node: Index) -> Value:
    base, indices = run.remembered(run.chained, node)
    if isinstance(base, Variable):
        positions = positions_of(run, indices)
        with run.at(node):
            return read_variable(run, base, positions)
    value = evaluate(run, base)
    positions = positions_of(run, indices)
    return distributed(run, lambda given: _elements_of(run, node, given[0], positions), [value])


def _elements_of(run: Run, node: Index, value: Value, positions: Sequence[Any]) -> Value:
    with run.at(node):
        if any(isinstance(position, Stretch) for position in positions):
            return read_ragged(run.machine, value, positions)
        return read(value, positions, run.machine.frame.root)


def read_variable(run: Run, variable: Variable, positions: list[Any]) -> Value:
    """Elements of a variable at this point of the evaluation."""
    value = read_cell(run, run.machine.variables.find(variable.name), positions)
    return value if isinstance(value, Step) else run.machine.conditions.gate(narrowed(value, run.machine.frame.context))


def positions_of(run: Run, indices: Sequence[Expression | Slice]) -> list[Any]:
    """What stands in the brackets behind a variable or an expression."""
    positions: list[Any] = []
    for index in indices:
        if isinstance(index, Slice):
            ends = [None if end is None else here(run, symbolic(run, end)) for end in (index.lower, index.upper)]
            positions.append(range_position(run, *ends))
            continue
        value = symbolic(run, index)
        positions.append(Many(value) if run.type_of(index).dims else At(value))
    return positions


def _tuple_element(run: Run, node: TupleElement) -> Value:
    return evaluate(run, node.base)[node.position - 1]


def _tuple(run: Run, node: TupleLiteral) -> Value:
    return tuple(evaluate(run, element) for element in node.elements)


def _array(run: Run, node: ArrayLiteral) -> Value:
    element = run.type_of(node).array(-1)
    values = [as_type(element, evaluate(run, element_node)) for element_node in node.elements]
    return distributed(run, lambda given: side_by_side(given, run.machine.frame.root), values)


def _row_vector(run: Run, node: RowVectorLiteral) -> Value:
    real = Type("complex" if run.type_of(node).base.startswith("complex") else "real")
    if not node.elements:
        return np.zeros(0)
    values = [as_type(real, evaluate(run, element)) for element in node.elements]
    return distributed(run, lambda given: side_by_side(given, run.machine.frame.root), values)


def _call(run: Run, node: Call) -> Value:
    return evaluate_call(run, node, evaluate, symbolic)


def _target(run: Run, node: TargetValue) -> Value:
    run.machine.log.refuse_lanes("target()")
    return run.machine.frame.target


_EVALUATE: dict[type, Callable[[Run, Any], Value]] = {
    IntLiteral: lambda run, node: node.value,
    RealLiteral: lambda run, node: np.float64(node.value),
    ImaginaryLiteral: lambda run, node: np.complex128(1j * node.value),
    Variable: _variable,
    Call: _call,
    TargetValue: _target,
    ArrayLiteral: _array,
    RowVectorLiteral: _row_vector,
    TupleLiteral: _tuple,
    Unary: _unary,
    Binary: _binary,
    Transpose: _transpose,
    Conditional: _conditional,
    Index: _index,
    TupleElement: _tuple_element,
}


def concrete_int(run: Run, node: Expression, what: str) -> int:
    """An integer that has to be known from the data and the same for all lanes.

    Raises:
        UntraceableError: If it depends on parameters or differs between lanes.
    """
    return known_int(run, evaluate(run, node), what, node)
