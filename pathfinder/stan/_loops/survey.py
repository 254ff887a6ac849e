"""Where a sequential loop will touch arrays: their indices at all steps, found before the loop is run.

The statements of the body are visited without being run. What they compute of data and of the loop's variable alone is
followed, and so the indices in brackets become known at every step, those that move with local variables included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from pathfinder.stan._expressions.expressions import positions_of, symbolic
from pathfinder.stan._state.errors import StanEvaluationError
from pathfinder.stan._state.run import Run, as_type
from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._syntax.traversal import assigned, mentioned, nodes
from pathfinder.stan._syntax.tree import (
    Assignment,
    Block,
    Call,
    Declaration,
    Expression,
    For,
    ForEach,
    If,
    Index,
    Profile,
    Statement,
    Variable,
    While,
)
from pathfinder.stan._types.types import Type, declared_type
from pathfinder.stan._values.indices import RaggedError
from pathfinder.stan._values.lanes import Lanes, is_static, lift
from pathfinder.stan._values.steps import Step
from pathfinder.stan._values.value import Value


_INT = Type("int")


class Survey:
    """The indices behind each name in a loop's body.

    Attributes:
        uses: By name, the positions of every use; None for one whose indices are not known.
    """

    def __init__(self, run: Run, names: frozenset[str]) -> None:
        self.uses: dict[str, list[list[Any] | None]] = {}
        self._run = run
        self._unknown = set(names)  # variables whose values are not followed

    def know(self, name: str) -> None:
        """A variable is known from the data at the beginning of each step."""
        self._unknown.discard(name)

    def visit(self, statement: Statement | None) -> None:
        """Go through a statement."""
        match statement:
            case None:
                pass
            case Block(statements):
                with self._run.machine.nested():
                    for inner in statements:
                        self.visit(inner)
            case Profile(body=body):
                self.visit(body)
            case Declaration():
                self._look(statement.type, statement.value)
                self._follow(statement.name.text, declared_type(statement.type), statement.value, is_new=True)
            case Assignment(target=Variable(name)) if statement.operator == "=":
                self._look(statement.target, statement.value)
                self._follow(name, self._run.type_of(statement.target), statement.value)
            case If():
                self._look(statement.condition)
                for side in (statement.if_true, statement.if_false):
                    self._alone(side)
            case For():
                self._look(statement.lower, statement.upper)
                self._loop(statement)
            case ForEach() | While():
                self._look(statement.container if isinstance(statement, ForEach) else statement.condition)
                self._unknown |= assigned(statement.body)
                if isinstance(statement, ForEach):
                    self._unknown.add(statement.variable.text)
                self.visit(statement.body)
                self._unknown |= assigned(statement.body)
            case _:
                self._look(statement)
                self._unknown |= assigned(statement)

    def _alone(self, statement: Statement | None) -> None:
        """A statement that may not be run."""
        if statement is not None:
            before = set(self._unknown)
            self.visit(statement)
            self._unknown |= before | assigned(statement)

    def _loop(self, node: For) -> None:
        machine = self._run.machine
        ends = [self._value(end) for end in (node.lower, node.upper)]
        self._unknown |= assigned(node.body)
        if all(end is not None and not isinstance(end, Step) for end in ends):
            low, high = (np.asarray(lift(end, machine.frame.context)) for end in ends)
            counts = np.maximum(high - low + 1, 0)
            context = machine.frame.context.iterations(counts)
            within = np.arange(context.size) - (np.cumsum(counts) - counts)[context.parent_lane]
            with machine.nested(), machine.within(context):
                machine.variables.declare(node.variable.text, _INT, Lanes(low[context.parent_lane] + within, context))
                known = node.variable.text not in self._unknown
                self._unknown.discard(node.variable.text)
                self.visit(node.body)
                if not known:
                    self._unknown.add(node.variable.text)
        else:
            self._unknown.add(node.variable.text)
            self.visit(node.body)
        self._unknown |= assigned(node.body)

    def _follow(self, name: str, type_: Type, value: Expression | None, *, is_new: bool = False) -> None:
        found = self._value(value) if value is not None and type_ == _INT else None
        if is_new or found is not None:
            self._run.machine.variables.declare(name, type_, 0 if found is None else as_type(type_, found))
        if found is None:
            self._unknown.add(name)
        else:
            self._unknown.discard(name)

    def _value(self, node: Expression) -> Value:
        """The value of an expression; None if it is not known from the data."""
        if not self._is_known(node):
            return None
        try:
            value = symbolic(self._run, node)
        except (StanEvaluationError, ConflictError, RaggedError):
            return None
        return value if isinstance(value, Step) or is_static(value) else None

    def _is_known(self, node: Any) -> bool:
        machine = self._run.machine
        calls = [at for at in nodes(node) if isinstance(at, Call)]
        if any(self._run.checked.definition(at) is not None or at.function.text.endswith("_rng") for at in calls):
            return False
        return all(name not in self._unknown and machine.frame.scope.find(name) is not None for name in mentioned(node))

    def _look(self, *pieces: Any) -> None:
        """Take down the indices in expressions."""
        for node in _outermost(pieces):
            if isinstance(node, Variable):
                self.uses.setdefault(node.name, []).append(None)
                continue
            base, indices = self._run.chained(node)
            if isinstance(base, Variable):
                self.uses.setdefault(base.name, []).append(self._positions(indices))
            else:
                self._look(base)
            self._look(*indices)

    def _positions(self, indices: Any) -> list[Any] | None:
        found: list[Any] = []
        for index in indices:
            try:
                known = self._is_known(index)
                found += positions_of(self._run, (index,)) if known else [None]
            except (StanEvaluationError, ConflictError, RaggedError):
                found.append(None)
        return found


def _outermost(pieces: Iterable[Any]) -> Iterator[Index | Variable]:
    """Variables, and what is indexed, without what is in its brackets."""
    for piece in pieces:
        inside: set[int] = set()
        for node in nodes(piece):
            if id(node) in inside:
                continue
            if isinstance(node, Index):
                inside.update(id(at) for at in nodes(node) if at is not node)
                yield node
            elif isinstance(node, Variable):
                yield node
