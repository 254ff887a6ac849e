"""What a model file in Python may say about its data, in the words of a Stan program.

A file that defines `data_block`, such as

    data_block = '''
      int<lower=0> N;
      array[N] int<lower=0, upper=1> y;
      vector<lower=0>[N] sigma;
    '''

has its data checked as a Stan program's are. Types are `int`, `real`, `vector`, `row_vector`,
`matrix` and arrays of these; sizes and bounds are sums and products of numbers and of the
integers declared before.
"""

import ast
import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pathfinder._data_files import Array, locate
from pathfinder_cli._errors import RunError
from pathfinder_cli._inputs.input_file import InputFile
from pathfinder_cli._inputs.validate import Declaration, Purpose, validate_variable


NAME = "data_block"

_COMMENT = re.compile(r"//[^\n]*")
_DECLARATION = re.compile(
    r"\s*(?P<whole>"
    r"(?:array\s*\[(?P<array>[^\]]*)\]\s*)?"
    r"(?P<type>int|real|vector|row_vector|matrix)\b\s*"
    r"(?:<(?P<bounds>[^>]*)>\s*)?"
    r"(?:\[(?P<sizes>[^\]]*)\]\s*)?"
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*)\s*;)"
)
_NUM_SIZES = {"int": 0, "real": 0, "vector": 1, "row_vector": 1, "matrix": 2}
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


class _Parsed(NamedTuple):
    """A declaration whose sizes and bounds are not evaluated yet."""

    name: str
    base_type: str
    sizes: tuple[str, ...]
    bounds: Mapping[str, str]
    location: str


def check_data(block: str, file: InputFile, *, model_name: str, program: str, path: str) -> dict[str, Array]:
    """Check the values of a file.

    Args:
        block: The declarations.
        file: The values.
        model_name: Name of the model.
        program: Text of the model file, to tell where a declaration stands.
        path: Name of the model file.

    Returns:
        Name to array of the declared shape, int64 or float64.

    Raises:
        RunError: If the block is malformed.
        InputError: For the first value that does not fit.
    """
    purpose = Purpose("data initialization", model_name)
    checked: dict[str, Array] = {}
    integers: dict[str, Any] = {}
    for parsed in _parse(block, program, path):
        declaration = _evaluate(parsed, integers, path)
        values = validate_variable(declaration, file, purpose)
        assert values is not None  # none may be missing
        checked[parsed.name] = values
        if parsed.base_type == "int" and not parsed.sizes:
            integers[parsed.name] = int(values)
    return checked


def _parse(block: str, program: str, path: str) -> Iterator[_Parsed]:
    text = _COMMENT.sub(lambda comment: " " * len(comment[0]), block)
    first = max(program.find(block), 0)
    position = 0
    while text[position:].strip():
        match = _DECLARATION.match(text, position)
        begin = position + len(text[position:]) - len(text[position:].lstrip())
        where = locate(path, program, first + begin)
        if not match:
            found = text[begin:].partition("\n")[0]
            raise _malformed(
                path, where.line, f"cannot read `{found}`; expected a declaration such as `int<lower=0> N;`"
            )
        sizes = (*_split(match["array"]), *_split(match["sizes"]))
        if len(_split(match["sizes"])) != _NUM_SIZES[match["type"]]:
            raise _malformed(
                path, where.line, f"`{match['whole']}`: a {match['type']} has {_NUM_SIZES[match['type']]} sizes"
            )
        end = where.column - 1 + len(match["whole"])
        yield _Parsed(
            name=match["name"],
            base_type="int" if match["type"] == "int" else "real",
            sizes=sizes,
            bounds=_bounds(match["bounds"], path, where.line),
            location=f"'{path}', line {where.line}, column {where.column - 1} to column {end}",
        )
        position = match.end()


def _split(sizes: str | None) -> tuple[str, ...]:
    return tuple(size.strip() for size in sizes.split(",")) if sizes else ()


def _bounds(text: str | None, path: str, line: int) -> dict[str, str]:
    bounds: dict[str, str] = {}
    for part in _split(text):
        keyword, equals, value = part.partition("=")
        if keyword.strip() not in ("lower", "upper") or not equals:
            raise _malformed(path, line, f"cannot read the bound `{part}`; expected lower=... or upper=...")
        bounds[keyword.strip()] = value
    return bounds


def _evaluate(parsed: _Parsed, integers: Mapping[str, Any], path: str) -> Declaration:
    def value(expression: str) -> Any:
        try:
            return _value(ast.parse(expression.strip(), mode="eval").body, integers)
        except (SyntaxError, ValueError) as error:
            known = ", ".join(integers) or "none"
            raise RunError(
                f"Error: {path}, {NAME}: cannot evaluate `{expression.strip()}` in the declaration of `{parsed.name}`; "
                f"integers declared before it: {known}."
            ) from error

    return Declaration(
        name=parsed.name,
        base_type="int" if parsed.base_type == "int" else "real",
        shape=tuple(value(size) for size in parsed.sizes),
        location=parsed.location,
        **{keyword: value(text) for keyword, text in parsed.bounds.items()},
    )


def _value(node: ast.expr, integers: Mapping[str, Any]) -> Any:
    """The value of a small arithmetic expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name) and node.id in integers:
        return integers[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, integers)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, integers), _value(node.right, integers))
    raise ValueError(ast.dump(node))


def _malformed(path: str, line: int, what: str) -> RunError:
    return RunError(f"Error: {path}, line {line}, {NAME}: {what}.")
