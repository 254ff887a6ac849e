"""Text of programs and statements: what `parse` reads back as the same tree."""

from collections.abc import Iterable, Iterator

from pathfinder.stan._syntax.expression_text import print_expression, print_sized_type, print_unsized_type
from pathfinder.stan._syntax.tree import (
    Argument,
    Assignment,
    Block,
    Break,
    CallStatement,
    Continue,
    Declaration,
    Expression,
    FatalError,
    For,
    ForEach,
    FunctionDefinition,
    If,
    JacobianIncrement,
    Print,
    Profile,
    Program,
    Reject,
    Return,
    Sampling,
    Skip,
    Statement,
    StringLiteral,
    TargetIncrement,
    Truncation,
    While,
)


INDENT = "  "


def print_program(program: Program) -> str:
    """The program in the order of its blocks, without comments, deprecated forms and needless parentheses."""
    blocks = (
        ("data", program.data),
        ("transformed data", program.transformed_data),
        ("parameters", program.parameters),
        ("transformed parameters", program.transformed_parameters),
        ("model", program.model),
        ("generated quantities", program.generated_quantities),
    )
    lines: list[str] = []
    if program.functions is not None:
        lines += ["functions {", *_indented(_functions(program.functions)), "}"]
    for title, block in blocks:
        if block is not None:
            lines += [f"{title} {{", *_indented(_all(block.statements)), "}"]
    return "".join(f"{line}\n" for line in lines)


def _functions(functions: Iterable[FunctionDefinition]) -> Iterator[str]:
    for function in functions:
        returned = "void" if function.return_type is None else print_unsized_type(function.return_type)
        head = f"{returned} {function.name.text}({', '.join(map(_argument, function.arguments))})"
        if function.body is None:
            yield f"{head};"
        else:
            yield from _with_body(head, function.body)


def _argument(node: Argument) -> str:
    return f"{'data ' * node.data_only}{print_unsized_type(node.type)} {node.name.text}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"{INDENT}{line}" for line in lines)


def _all(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        yield from _lines(statement)


def _lines(node: Statement) -> Iterator[str]:
    match node:
        case Block(statements):
            yield "{"
            yield from _indented(_all(statements))
            yield "}"
        case Profile(name, body):
            yield from _with_body(f"profile({print_expression(name)})", body)
        case While(condition, body):
            yield from _with_body(f"while ({print_expression(condition)})", body)
        case For(variable, lower, upper, body):
            ends = f"{print_expression(lower)}:{print_expression(upper)}"
            yield from _with_body(f"for ({variable.text} in {ends})", body)
        case ForEach(variable, container, body):
            yield from _with_body(f"for ({variable.text} in {print_expression(container)})", body)
        case If():
            yield from _if(node)
        case _:
            yield f"{_simple(node)};"


def _if(node: If) -> Iterator[str]:
    """A chain of `else if` stays at one depth."""
    head = f"if ({print_expression(node.condition)})"
    if node.if_false is None:
        yield from _with_body(head, node.if_true)
        return
    if_true = node.if_true
    if _takes_else(if_true):
        if_true = Block((if_true,), span=if_true.span)
    lines = list(_with_body(head, if_true))
    opening = "else"
    if isinstance(if_true, Block):
        opening = f"{lines.pop()} else"  # "} else"
    yield from lines
    if isinstance(node.if_false, If):
        first, *rest = _if(node.if_false)
        yield f"{opening} {first}"
        yield from rest
    else:
        yield from _with_body(opening, node.if_false)


def _takes_else(node: Statement) -> bool:
    """Whether an `else` behind this statement would belong to an `if` in it."""
    while True:
        match node:
            case If(_, _, None):
                return True
            case If(_, _, last) | While(_, last) | For(_, _, _, last) | ForEach(_, _, last) if last is not None:
                node = last
            case _:
                return False


def _with_body(head: str, body: Statement) -> Iterator[str]:
    if isinstance(body, Block):
        yield f"{head} {{"
        yield from _indented(_all(body.statements))
        yield "}"
    else:
        yield head
        yield from _indented(_lines(body))


def _simple(node: Statement) -> str:
    """A statement on one line, without its semicolon."""
    match node:
        case Declaration(declared, name, value):
            text = f"{print_sized_type(declared)} {name.text}"
            return text if value is None else f"{text} = {print_expression(value)}"
        case Assignment(target, operator, value):
            return f"{print_expression(target)} {operator} {print_expression(value)}"
        case Sampling(outcome, distribution, arguments, truncation):
            text = f"{print_expression(outcome)} ~ {distribution.text}({_listed(arguments)})"
            return text if truncation is None else f"{text} {_truncation(truncation)}"
        case TargetIncrement(value):
            return f"target += {print_expression(value)}"
        case JacobianIncrement(value):
            return f"jacobian += {print_expression(value)}"
        case CallStatement(call):
            return print_expression(call)
        case Print(arguments):
            return f"print({_listed(arguments)})"
        case Reject(arguments):
            return f"reject({_listed(arguments)})"
        case FatalError(arguments):
            return f"fatal_error({_listed(arguments)})"
        case Return(value):
            return "return" if value is None else f"return {print_expression(value)}"
        case Break():
            return "break"
        case Continue():
            return "continue"
        case Skip():
            return ""
    raise TypeError(f"{type(node).__name__} is no statement")


def _listed(nodes: Iterable[Expression | StringLiteral]) -> str:
    return ", ".join(print_expression(node) for node in nodes)


def _truncation(node: Truncation) -> str:
    lower, upper = ("" if end is None else print_expression(end) for end in (node.lower, node.upper))
    return f"T[{lower}, {upper}]"
