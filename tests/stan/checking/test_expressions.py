"""Every expression has the type that Stan gives it."""

import pytest

from pathfinder.stan import parse
from pathfinder.stan._checking.programs import CheckedProgram, check
from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.tree import Binary, Call, Expression, Index, Print, StringLiteral, Variable
from tests.stan import checked_expressions as table


def printed(expression: str, declared: str = table.DECLARED, block: str = "model") -> tuple[CheckedProgram, Expression]:
    """The expression as the one thing that a program prints."""
    checked = check(parse(f"{declared}{block} {{ print({expression}); }}"))
    found = checked.program.model if block == "model" else checked.program.generated_quantities
    assert found is not None
    (statement,) = found.statements
    assert isinstance(statement, Print)
    (found,) = statement.arguments
    assert not isinstance(found, StringLiteral)
    return checked, found


def type_of(expression: str) -> str:
    checked, found = printed(expression, block="generated quantities")
    return str(checked.type_of(found))


@pytest.mark.parametrize("line", table.TYPES.strip().splitlines())
def test_types(line):
    expression, expected = line.split("  ->  ")
    assert type_of(expression) == expected


@pytest.mark.parametrize("expression", table.REFUSED.strip().splitlines())
def test_refused(expression):
    with pytest.raises(ValueError, match="line "):
        type_of(expression)


@pytest.mark.parametrize("call", table.HIGHER_ORDER.strip().splitlines())
def test_functions_that_take_functions(call):
    checked, found = printed(call, table.FUNCTIONS)
    name = call.split("(")[0]
    expected = {"ode": "array[] vector", "dae": "array[] vector", "red": "real"}.get(name[:3])
    if name.startswith("integrate"):
        expected = "real" if "1d" in name else "array[,] real"
    assert str(checked.type_of(found)) == (expected or "vector")
    assert isinstance(found, Call)
    passed = found.arguments[0]
    assert isinstance(passed, Variable)
    assert str(checked.type_of(passed)) == "function"
    definition = checked.definition(passed)
    if passed.name in ("sum", "softmax"):
        assert definition is None
    else:
        assert definition is not None
        assert definition.name.text == passed.name.replace("_lup", "_lp")


@pytest.mark.parametrize("call", table.REFUSED_HIGHER_ORDER.strip().splitlines())
def test_functions_that_take_other_functions(call):
    with pytest.raises(StanTypeError):
        printed(call, table.FUNCTIONS)


@pytest.mark.parametrize(
    "text", ["+".join(["p"] * 5000), "p" + "'" * 0 + " * 1" * 5000, "av" + "[1:2]" * 300, "pv" + "'" * 3000]
)
def test_long_chains(text):
    """They lean to the left, and are deeper than Python's stack."""
    assert type_of(text) in ("real", "array[] vector", "vector")


def test_parts_have_types_too():
    checked, found = printed("v[n + 1] * m")
    assert isinstance(found, Binary)
    assert isinstance(found.left, Index)
    assert str(checked.type_of(found.left)) == "real"
    assert str(checked.type_of(found.left.base)) == "vector"
    assert str(checked.type_of(found.left.indices[0])) == "int"  # pyright: ignore[reportArgumentType]
    assert str(checked.type_of(found)) == "matrix"


@pytest.mark.parametrize(
    ("expression", "data_only"),
    [
        ("r", True),
        ("p", False),
        ("r + p", False),
        ("pv[n]", False),
        ("v[n]", True),
        ("sum(pv)", False),
        ("size(pv)", True),
        ("num_elements(pv) * r", True),
        ("{r, p}", False),
        ("(r, p).1", True),
        ("(r, p).2", False),
        ("t.2", True),
        ("n ? p : r", False),
        ("-pv'", False),
        ("target()", False),
        ("int_step(p)", True),
    ],
)
def test_what_depends_on_parameters(expression, data_only):
    checked, found = printed(expression)
    assert checked.data_only(found) is data_only


def test_nothing_depends_on_parameters_in_generated_quantities():
    check(parse(f"{table.DECLARED} generated quantities {{ vector[3] x = linspaced_vector(3, 0, p); }}"))
