"""What every part of the evaluator needs: the checked program, the machine's state, and errors with their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._checking.programs import CheckedProgram
from pathfinder.stan._state.errors import StanEvaluationError, UntraceableError
from pathfinder.stan._state.machine import Machine
from pathfinder.stan._state.report import LoopReport, LoopWays
from pathfinder.stan._state.steering import ConflictError, Then
from pathfinder.stan._syntax.diagnostics import StanError
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.tree import Binary, Expression, FunctionDefinition, Index, Node, Slice, Statement
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.indices import RaggedError, UnknownSizeError
from pathfinder.stan._values.lanes import Lanes, Symbolic, array_of, from_data, is_static, lift
from pathfinder.stan._values.steps import Step, settle
from pathfinder.stan._values.value import Value


Execute = Callable[["Run", Statement, Then], None]  # how a statement and what comes after it are run


@dataclass(eq=False)
class Run:
    """One evaluation of a program; what changes while it runs is in `machine`.

    Attributes:
        checked: The program with its types.
        machine: The state.
        call_user: Evaluates a user's function: `call_user(run, definition, values, types)`.
        reports: How loops were compiled, by their places in the program.
        print_line: Receives what `print` says; None discards it.
        jacobian: Whether `jacobian +=` and the transforms of parameters count.
        on_data: Whether all values are known, so that `reject` is an error at once.
        loops: The ways loops may run.
    """

    checked: CheckedProgram
    machine: Machine
    call_user: Callable[[Run, FunctionDefinition, list[Value]], Value]
    reports: dict[Span, LoopReport] = field(default_factory=dict)
    print_line: Callable[[str], None] | None = None
    jacobian: bool = True
    on_data: bool = False
    loops: LoopWays = "auto"
    _memory: dict[tuple[str, int], tuple[Node, Any]] = field(default_factory=dict, repr=False)

    def type_of(self, expression: Expression) -> Type:
        """Type of an expression."""
        return self.checked.type_of(expression)

    def chained(self, node: Expression) -> tuple[Expression, tuple[Expression | Slice, ...]]:
        """What is indexed and all indices, `x[i][j]` taken as `x[i, j]`."""
        indices: tuple[Expression | Slice, ...] = ()
        while isinstance(node, Index):
            if indices and any(isinstance(at, Slice) or self.type_of(at).dims for at in node.indices):
                break
            indices = (*node.indices, *indices)
            node = node.base
        return node, indices

    def links(self, node: Expression) -> tuple[Expression, list[tuple[Binary, tuple[Type, Type]]]]:
        """The first operand of `a + b - c`, and the operators from left to right with the types that they are given."""
        chain: list[tuple[Binary, tuple[Type, Type]]] = []
        while isinstance(node, Binary) and node.operator not in ("&&", "||"):
            chain.append((node, (self.type_of(node.left), self.type_of(node.right))))
            node = node.left
        return node, chain[::-1]

    def remembered(self, function: Callable[[Any], Any], node: Node) -> Any:
        """What a function of the text alone gives for a node, which is computed once."""
        found = self._memory.get((function.__name__, id(node)))
        if found is None:
            # the node is kept, so that no other one gets its identity
            found = self._memory[(function.__name__, id(node))] = (node, function(node))
        return found[1]

    def at(self, node: Node) -> _At:
        """Give errors of the host a place in the program."""
        return _At(node)


class _At:
    """As a context manager; a class, since generators take several times as long to enter."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or isinstance(error, StanError | ConflictError | RaggedError):
            return
        if isinstance(error, UnknownSizeError):
            raise UntraceableError(f"{error}", self.node.span) from error
        if isinstance(error, jax.errors.JAXTypeError):
            raise UntraceableError("this has to be known from the data", self.node.span) from error
        if isinstance(error, ValueError | TypeError | ArithmeticError | IndexError | np.linalg.LinAlgError):
            raise StanEvaluationError(f"{error}", self.node.span) from error


def here(run: Run, value: Value) -> Value:
    """A value of the present lanes; sizes may be the same for these though they differ in other lanes."""
    if isinstance(value, Lanes) and value.context is not run.machine.frame.context:
        return Lanes(lift(value, run.machine.frame.context), run.machine.frame.context)
    return value


def known_int(run: Run, value: Value, what: str, node: Node) -> int:
    """An integer that has to be known from the data and the same for all lanes.

    Raises:
        UntraceableError: If it depends on parameters.
        RaggedError: If it differs between lanes.
    """
    value = here(run, settle(value))
    array = array_of(value)
    if not is_static(array):
        raise UntraceableError(f"{what} depends on parameters; it has to be known from the data", node.span)
    if np.ndim(array) and np.any(array != array[0]):
        raise RaggedError(value.context, array)
    return int(array[0] if np.ndim(array) else array)


def as_type(type_: Type, value: Value) -> Value:
    """A value promoted to a type: integers to reals, and both to complex numbers."""
    if isinstance(value, Step) and type_.base in ("int", "real") and not type_.dims:
        return Step(value.scan, as_type(type_, value.table))
    value = settle(value)
    if type_.base == "tuple":
        return tuple(as_type(element, part) for element, part in zip(type_.elements, value, strict=True))
    if isinstance(value, Lanes):
        return Lanes(as_type(type_, value.array), value.context)
    if isinstance(value, Symbolic):
        return value.mapped(lambda part: as_type(type_, part))
    kind = "c" if type_.base.startswith("complex") else "i" if type_.base == "int" else "f"
    dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
    if kind == "i" or dtype.kind == kind:
        return value
    if is_static(value):
        return from_data(np.asarray(value, dtype=np.float64 if kind == "f" else np.complex128), [value])
    real = jnp.zeros(()).dtype
    return jnp.asarray(value, real if kind == "f" else jnp.result_type(real, jnp.complex64))
