"""Types of expressions.

Source: Stan reference manual, "Expressions".
"""

from pathfinder.stan._checking.calls import call_type, check_place
from pathfinder.stan._checking.embedded_laplace import refuse_embedded_laplace
from pathfinder.stan._checking.environment import Environment, is_discrete, suffix
from pathfinder.stan._syntax.diagnostics import Diagnostic, StanTypeError
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
from pathfinder.stan._types.operators import (
    array_type,
    binary_type,
    indexed_type,
    prefix_type,
    row_vector_type,
    transposed_type,
)
from pathfinder.stan._types.types import COMPLEX, FUNCTION, INT, REAL, Type, common_type


def check_expression(environment: Environment, expression: Expression) -> Type:
    """Find the types of an expression and of its parts.

    Raises:
        StanTypeError: If it has none.
    """
    # Chains such as `a + b + c + ...` lean to the left and are longer than Python's stack is deep.
    spine = [expression]
    while (inner := _leftmost(spine[-1])) is not None:
        spine.append(inner)
    for node in reversed(spine):
        _check_node(environment, node)
    return environment.types[id(expression)]


def check_int(environment: Environment, expression: Expression, what: str) -> None:
    """Check an expression that must be an integer; `what` names it in messages."""
    found = check_expression(environment, expression)
    if found != INT:
        raise StanTypeError(f"{what} must be `int`, found `{found}`.", expression.span)


def _leftmost(node: Expression) -> Expression | None:
    match node:
        case Binary():
            return node.left
        case Transpose() | Unary():
            return node.operand
        case Index() | TupleElement():
            return node.base
        case Conditional():
            return node.condition
    return None


def _check_node(environment: Environment, node: Expression) -> None:
    """Find the type of a node whose leftmost part has its type already."""
    types = environment.types
    match node:
        case Variable():
            _check_variable(environment, node)
        case IntLiteral():
            environment.record(node, INT, dependent=False)
        case RealLiteral():
            environment.record(node, REAL, dependent=False)
        case ImaginaryLiteral():
            environment.record(node, COMPLEX, dependent=False)
        case Call():
            refuse_embedded_laplace(node.function)
            for argument in node.arguments:
                _check_argument(environment, argument)
            call_type(environment, node)
        case TargetValue():
            _check_target(environment, node)
        case ArrayLiteral() | RowVectorLiteral() | TupleLiteral():
            _check_elements(environment, node)
        case Unary():
            found = prefix_type(node.operator, types[id(node.operand)], node.span)
            environment.record(node, found, dependent=environment.depends(node.operand))
        case Transpose():
            found = transposed_type(types[id(node.operand)], node.span)
            environment.record(node, found, dependent=environment.depends(node.operand))
        case Binary():
            _check_binary(environment, node)
        case Conditional():
            _check_conditional(environment, node)
        case Index():
            is_single = check_indices(environment, node)
            found = indexed_type(types[id(node.base)], is_single, node.span)
            environment.record(node, found, dependent=environment.depends(node.base))
        case TupleElement():
            found = element_type(types[id(node.base)], node)
            whole = node.base.elements[node.position - 1] if isinstance(node.base, TupleLiteral) else node.base
            dependent = environment.depends(whole) and not is_discrete(found)
            environment.record(node, found, dependent=dependent)


def _check_variable(environment: Environment, node: Variable) -> None:
    variable = environment.variables.get(node.name)
    if variable is None:
        if environment.is_function(node.name):
            raise StanTypeError(f"`{node.name}` is a function, and no value.", node.span)
        raise environment.unknown("The variable", node.name, node.span)
    if environment.place.in_size and variable.block not in ("data", "transformed data", "model", "functions"):
        raise StanTypeError(
            f"The size of a variable of a block depends on data only, and `{node.name}` is no data.", node.span
        )
    environment.record(node, variable.type, dependent=environment.variable_depends(variable))


def _check_argument(environment: Environment, argument: Expression) -> None:
    """Check an argument of a call, the one place where the name of a function is allowed."""
    if not isinstance(argument, Variable) or argument.name in environment.variables:
        check_expression(environment, argument)
    elif environment.is_function(argument.name):
        if suffix(argument.name) in ("_lupdf", "_lupmf"):
            check_place(environment.place, argument.name, argument.span)
        environment.record(argument, FUNCTION, dependent=False)
    else:
        raise environment.unknown("The variable", argument.name, argument.span)


def _check_target(environment: Environment, node: TargetValue) -> None:
    place = environment.place
    if place.block not in ("model", "transformed parameters") and place.suffix != "_lp":
        raise StanTypeError(
            "`target()` can be read only in `model`, in `transformed parameters` and in functions with the suffix "
            "`_lp`.",
            node.span,
        )
    environment.record(node, REAL, dependent=True)


def _check_elements(environment: Environment, node: ArrayLiteral | RowVectorLiteral | TupleLiteral) -> None:
    types = [check_expression(environment, element) for element in node.elements]
    spans = [element.span for element in node.elements]
    match node:
        case ArrayLiteral():
            found = array_type(types, spans)
        case RowVectorLiteral():
            found = row_vector_type(types, spans)
        case TupleLiteral():
            found = Type("tuple", 0, tuple(types))
    environment.record(node, found, dependent=environment.depends(*node.elements))


def _check_binary(environment: Environment, node: Binary) -> None:
    left, right = environment.types[id(node.left)], check_expression(environment, node.right)
    found = binary_type(node.operator, left, right, node.span)
    environment.record(node, found, dependent=environment.depends(node.left, node.right))
    if node.operator == "/" and found == INT:
        hint = "If it is meant, write `%/%`; else make one side real, as in `1.0 * a / b`."
        environment.warnings.append(
            Diagnostic("Division of integers rounds towards zero.", node.left.span.through(node.right.span), hint)
        )


def _check_conditional(environment: Environment, node: Conditional) -> None:
    condition = environment.types[id(node.condition)]
    if condition != INT:
        raise StanTypeError(f"The condition before `?` must be `int`, found `{condition}`.", node.condition.span)
    if_true, if_false = check_expression(environment, node.if_true), check_expression(environment, node.if_false)
    found = common_type(if_true, if_false)
    if found is None:
        raise StanTypeError(
            f"Both values of `?` must be of one type, found `{if_true}` and `{if_false}`.", node.if_false.span
        )
    environment.record(node, found, dependent=environment.depends(node.condition, node.if_true, node.if_false))


def check_indices(environment: Environment, node: Index) -> list[bool]:
    """Check what stands in the brackets, and tell for each index whether it is a single one."""
    is_single = []
    for index in node.indices:
        if isinstance(index, Slice):
            for end in (index.lower, index.upper):
                if end is not None:
                    check_int(environment, end, "An end of a range")
            is_single.append(False)
            continue
        found = check_expression(environment, index)
        if found not in (INT, INT.array()):
            raise StanTypeError(f"An index must be `int`, `array[] int` or a range, found `{found}`.", index.span)
        is_single.append(found == INT)
    return is_single


def element_type(base: Type, node: TupleElement) -> Type:
    """Type of `a.1`, given that of `a`.

    Raises:
        StanTypeError: If `a` is no tuple, or has fewer elements.
    """
    if base.base != "tuple" or base.dims:
        raise StanTypeError(f"Only tuples have elements such as `.{node.position}`, found `{base}`.", node.span)
    if not 1 <= node.position <= len(base.elements):
        noun = "element" if len(base.elements) == 1 else "elements"
        raise StanTypeError(f"This tuple has {len(base.elements)} {noun}, and none is `.{node.position}`.", node.span)
    return base.elements[node.position - 1]
