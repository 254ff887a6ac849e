"""Interactions of the parameters of a traced log density, found without evaluating it.

As sparsity of Hessians in automatic differentiation (Walther 2008, "Computing sparse Hessians with automatic
differentiation"): linear operations pass on what their arguments depend on, others make that interact. What is found
may be too much, never too little, but for functions whose derivatives JAX is told to be others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal

from pathfinder._patterns.dependence import DenseError, Dependence, Interactions, UnknownError, side_by_side_arrays
from pathfinder._patterns.rules import (
    ELEMENTWISE,
    LINEAR,
    MOVES,
    NO_DERIVATIVE,
    PIECEWISE_LINEAR,
    Constant,
    product_of,
    program_called,
)


MOST_TURNS = 20_000  # of operations in a loop, which is gone through turn by turn


def interactions_of(function: Callable[[Any], Any], dim: int, dtype: Any) -> Interactions:
    """The interactions of the parameters of a scalar function of a vector.

    Args:
        function: The function.
        dim: Number of parameters.
        dtype: Their type.

    Raises:
        DenseError: If some interact with too many others, as far as can be told.
    """
    traced = jax.make_jaxpr(function)(jax.ShapeDtypeStruct((dim,), dtype))
    walk = _Walk(dim)
    walk.closed(traced, [Dependence.of_parameters(dim)])
    return walk.interactions


class _Walk:
    """A program on its way from the parameters to the log density."""

    def __init__(self, dim: int):
        self.dim, self.interactions = dim, Interactions(dim)

    def closed(self, program: ClosedJaxpr, arguments: Sequence[Any]) -> list[Any]:
        return self.open(program.jaxpr, [Constant.known(value) for value in program.consts], arguments)

    def open(self, program: Jaxpr, constants: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
        values: dict[Any, Any] = dict(zip((*program.constvars, *program.invars), (*constants, *arguments), strict=True))

        def read(variable: Any) -> Any:
            return Constant.known(variable.val) if isinstance(variable, Literal) else values[variable]

        for equation in program.eqns:
            found = self.equation(equation, [read(variable) for variable in equation.invars])
            values.update(zip(equation.outvars, found, strict=True))
        return [read(variable) for variable in program.outvars]

    def equation(self, equation: JaxprEqn, arguments: list[Any]) -> list[Any]:
        """The results of one operation."""
        name = equation.primitive.name
        if all(isinstance(own, Constant) for own in arguments):
            return Constant.results(equation, arguments)
        inner = program_called(equation)
        if inner is not None:
            return self.closed(inner, arguments)
        if name == "scan":
            return self.scan(equation, arguments)
        if name == "cond":
            return self.branches(equation, arguments)
        shapes = _shapes(equation.outvars)
        if name in NO_DERIVATIVE:
            return [Dependence.nothing(shape, self.dim) for shape in shapes]
        if name in MOVES:
            return [self.move(equation, arguments)]
        return [self.elementwise(equation, arguments, shapes)] if len(shapes) == 1 else self.unknown(arguments, shapes)

    def dependence(self, value: Any) -> Dependence:
        return Dependence.nothing(value.shape, self.dim) if isinstance(value, Constant) else value

    def move(self, equation: JaxprEqn, arguments: list[Any]) -> Dependence:
        """An operation that is linear in arrays whose elements it moves, or adds up."""
        found = MOVES[equation.primitive.name](equation, arguments, self.dim)
        if found is None:
            return self.unknown(arguments, _shapes(equation.outvars))[0]
        return found

    def elementwise(self, equation: JaxprEqn, arguments: list[Any], shapes: list[tuple[int, ...]]) -> Dependence:
        """An operation on elements, or one that is not known."""
        name, shape = equation.primitive.name, shapes[0]
        parts = [self.dependence(own) for own in arguments]
        if name == "dot_general":
            return product_of(equation, arguments, parts, self.interactions)
        is_known = name in LINEAR or name in PIECEWISE_LINEAR or name in ELEMENTWISE
        if not is_known or any(own.shape not in (shape, ()) for own in parts):
            return self.unknown(arguments, shapes)[0]
        parts = [own if own.shape == shape else own.taken(np.zeros(shape, np.int64)) for own in parts]
        total = parts[0]
        for own in parts[1:]:
            total = total.joined(own)
        if name in LINEAR or name in PIECEWISE_LINEAR:
            return total
        if name == "mul":
            self.interactions.between(*parts)
        elif name == "div":
            if not parts[1].is_nothing:
                self.interactions.between(*parts)
                self.interactions.within(parts[1])
        elif not (name == "integer_pow" and equation.params["y"] in (0, 1)):
            self.interactions.within(total)
        return total

    def unknown(self, arguments: list[Any], shapes: list[tuple[int, ...]]) -> list[Dependence]:
        """Everything that goes into an operation interacts, and all that comes out depends on it."""
        parts = [self.dependence(own).everything(()) for own in arguments]
        total = parts[0]
        for own in parts[1:]:
            total = total.joined(own)
        try:
            self.interactions.within(total)
        except DenseError as error:
            raise UnknownError(str(error)) from error
        return [total.taken(np.zeros(shape, np.int64)) for shape in shapes]

    def scan(self, equation: JaxprEqn, arguments: list[Any]) -> list[Any]:
        """A loop, turn by turn."""
        params, body = equation.params, equation.params["jaxpr"]
        length, num_consts, num_carry = params["length"], params["num_consts"], params["num_carry"]
        if length * _num_operations(body.jaxpr) > MOST_TURNS:
            return self.unknown(arguments, _shapes(equation.outvars))
        consts, carry, rows = (
            arguments[:num_consts], arguments[num_consts : num_consts + num_carry], arguments[num_consts + num_carry :]
        )  # fmt: skip
        rows = [own.at_once(length) if isinstance(own, Constant) else own for own in rows]
        kept: list[list[Dependence]] = []
        turns = range(length - 1, -1, -1) if params["reverse"] else range(length)
        for turn in turns:
            own = [row[turn] if isinstance(row, list) else row.taken(row.numbers[turn]) for row in rows]
            results = self.closed(body, [*consts, *carry, *own])
            carry = results[:num_carry]
            kept.append([self.dependence(result) for result in results[num_carry:]])
        if params["reverse"]:
            kept.reverse()
        return [*carry, *_stacked(kept, equation.outvars[num_carry:], self.dim)]

    def branches(self, equation: JaxprEqn, arguments: list[Any]) -> list[Any]:
        """What any branch of a condition depends on."""
        results: list[Dependence] | None = None
        for branch in equation.params["branches"]:
            own = [self.dependence(result) for result in self.closed(branch, arguments[1:])]
            results = own if results is None else [one.joined(other) for one, other in zip(results, own, strict=True)]
        assert results is not None
        return results


def _num_operations(program: Jaxpr) -> int:
    count = 0
    for equation in program.eqns:
        inner = program_called(equation)
        own = 1 if inner is None else _num_operations(inner.jaxpr)
        if equation.primitive.name == "scan":
            own = equation.params["length"] * _num_operations(equation.params["jaxpr"].jaxpr)
        count += own
    return count


def _stacked(kept: list[list[Dependence]], variables: Sequence[Any], dim: int) -> list[Dependence]:
    stacked = []
    for place, variable in enumerate(variables):
        parts = [Dependence((1, *turn[place].shape), turn[place].on) for turn in kept]
        (shape,) = _shapes([variable])
        stacked.append(side_by_side_arrays(parts, shape, 0) if parts else Dependence.nothing(shape, dim))
    return stacked


def _shapes(variables: Sequence[Any]) -> list[tuple[int, ...]]:
    return [variable.aval.shape for variable in variables]
