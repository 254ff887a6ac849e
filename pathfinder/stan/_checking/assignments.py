"""Assignments: what may be assigned to, and what to it.

Source: Stan reference manual, "Statements", "Assignment statement".
"""

from collections.abc import Iterator

from pathfinder.stan._checking.environment import Environment
from pathfinder.stan._checking.expressions import check_expression, check_indices, element_type
from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.traversal import variables_read
from pathfinder.stan._syntax.tree import Assignment, Expression, Index, Slice, TupleElement, TupleLiteral, Variable
from pathfinder.stan._types.operators import indexed_type, updated_type
from pathfinder.stan._types.types import Type, promotions


def check_assignment(environment: Environment, statement: Assignment) -> None:
    """Check an assignment.

    Raises:
        StanTypeError: If its target cannot be assigned to, or not this value.
    """
    target = _check_target(environment, statement.target)
    _check_reads(statement.target)
    value = check_expression(environment, statement.value)
    if statement.operator == "=":
        check_assignable(target, value, statement.value.span)
    else:
        updated_type(statement.operator.removesuffix("="), target, value, statement.span)


def check_assignable(target: Type, value: Type, span: Span) -> None:
    """Check that a value can be stored in a variable, if need be with promotions."""
    if promotions(value, target) is None:
        raise StanTypeError(f"A variable of type `{target}` cannot be given a value of type `{value}`.", span)


def _check_target(environment: Environment, target: Expression) -> Type:
    if isinstance(target, TupleLiteral):
        elements = tuple(_check_target(environment, element) for element in target.elements)
        return environment.record(target, Type("tuple", 0, elements), dependent=environment.depends(*target.elements))
    chain: list[Index | TupleElement] = []
    base = target
    while isinstance(base, Index | TupleElement):
        chain.append(base)
        base = base.base
    assert isinstance(base, Variable)  # the parser lets nothing else through
    found = _check_variable(environment, base)
    is_part_of_many = False
    for node in reversed(chain):
        if isinstance(node, TupleElement):
            found = element_type(found, node)
        else:
            is_single = check_indices(environment, node)
            if is_part_of_many:
                raise StanTypeError(
                    "Behind an index that selects several elements no further one can stand in an assignment.",
                    node.span,
                    "Put all indices into one pair of brackets.",
                )
            found = indexed_type(found, is_single, node.span)
            is_part_of_many = not all(is_single)
        environment.record(node, found, dependent=environment.depends(node.base))
    return found


def _check_variable(environment: Environment, node: Variable) -> Type:
    variable = environment.variables.get(node.name)
    if variable is None:
        if environment.is_function(node.name):
            raise StanTypeError(f"`{node.name}` is a function and cannot be assigned to.", node.span)
        raise environment.unknown("The variable", node.name, node.span)
    if variable.fixed:
        raise StanTypeError(f"`{node.name}` is {variable.fixed} and cannot be assigned to.", node.span)
    block = environment.place.block
    if variable.is_global and variable.block != block:
        raise StanTypeError(
            f"`{node.name}` is declared in `{variable.block}` and cannot be assigned to in `{block}`.", node.span
        )
    return environment.record(node, variable.type, dependent=environment.variable_depends(variable))


def _check_reads(target: Expression) -> None:
    """Refuse `x[x[1]] = ...`, `(a, a) = ...` and `(i, x[i]) = ...`, where the order of what is done would matter."""
    paths = [(part, _path(part)) for part in _parts(target)]
    for i, (part, path) in enumerate(paths):
        for _, earlier in paths[:i]:
            length = min(len(path), len(earlier))
            if path[:length] == earlier[:length]:
                raise StanTypeError("One variable cannot be assigned to twice at once.", part.span)
    assigned = {path[0] for _, path in paths}
    for part, _ in paths:
        for read in _read_in_indices(part):
            if read.name in assigned:
                raise StanTypeError(f"`{read.name}` cannot be read where it is assigned to.", read.span)


def _parts(target: Expression) -> Iterator[Expression]:
    if isinstance(target, TupleLiteral):
        for element in target.elements:
            yield from _parts(element)
    else:
        yield target


def _path(part: Expression) -> tuple[str | int, ...]:
    """The name of the variable and the positions in tuples; indices do not count."""
    steps: list[str | int] = []
    while not isinstance(part, Variable):
        assert isinstance(part, Index | TupleElement)
        if isinstance(part, TupleElement):
            steps.append(part.position)
        part = part.base
    return part.name, *reversed(steps)


def _read_in_indices(part: Expression) -> Iterator[Variable]:
    while isinstance(part, Index | TupleElement):
        if isinstance(part, Index):
            for index in part.indices:
                ends = (index.lower, index.upper) if isinstance(index, Slice) else (index,)
                for end in ends:
                    if end is not None:
                        yield from variables_read(end)
        part = part.base
