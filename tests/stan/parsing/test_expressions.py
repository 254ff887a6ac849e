"""Precedence and associativity against the table of the Stan reference manual."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathfinder.stan._syntax.expression_text import print_expression
from pathfinder.stan._syntax.tree import (
    Binary,
    Call,
    Conditional,
    ImaginaryLiteral,
    Index,
    IntLiteral,
    RealLiteral,
    Slice,
    Transpose,
    TupleElement,
    TupleLiteral,
    Unary,
    Variable,
)
from tests.stan.reading import the_expression


# From loose to tight, as in the table of operators of the manual, with `^` above the prefix operators.
LEVELS = [["||"], ["&&"], ["==", "!="], ["<", "<=", ">", ">="], ["+", "-"], ["*", "/", "%", ".*", "./"], ["\\", "%/%"]]
BINARY = [(operator, level) for level, operators in enumerate(LEVELS) for operator in operators]


def explicit(node):
    """The expression with all parentheses."""
    match node:
        case Binary(operator, left, right):
            return f"({explicit(left)} {operator} {explicit(right)})"
        case Unary(operator, operand):
            return f"({operator}{explicit(operand)})"
        case Transpose(operand):
            return f"({explicit(operand)}')"
        case Conditional(condition, if_true, if_false):
            return f"({explicit(condition)} ? {explicit(if_true)} : {explicit(if_false)})"
        case Index(base, indices):
            return f"{explicit(base)}[{', '.join(map(explicit, indices))}]"
        case _:
            return print_expression(node)


@pytest.mark.parametrize(("first", "low"), BINARY)
@pytest.mark.parametrize(("second", "high"), BINARY)
def test_binary_operators(first, low, second, high):
    tree = the_expression(f"a {first} b {second} c")
    expected = f"(a {first} (b {second} c))" if high > low else f"((a {first} b) {second} c)"
    assert explicit(tree) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("a .^ b ^ c", "(a .^ (b ^ c))"),
        ("-a ^ b", "(-(a ^ b))"),
        ("a ^ -b", "(a ^ (-b))"),
        ("a ^ -b ^ c", "(a ^ (-(b ^ c)))"),
        ("a ^ -b * c", "((a ^ (-b)) * c)"),
        ("-a * b", "((-a) * b)"),
        ("a \\ -b", "(a \\ (-b))"),
        ("!a == b", "((!a) == b)"),
        ("- - a", "(-(-a))"),
        ("-a'", "(-(a'))"),
        ("a ^ b'", "(a ^ (b'))"),
        ("a''", "((a')')"),
        ("a[1]'", "(a[1]')"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b ? c : d : e", "(a ? (b ? c : d) : e)"),
        ("a || b ? c + d : e && f", "((a || b) ? (c + d) : (e && f))"),
        ("a<-b", "(a < (-b))"),
        ("a + b<-c", "((a + b) < (-c))"),
        ("a.*b", "(a .* b)"),
        ("(a + b) * c", "((a + b) * c)"),
    ],
)
def test_grouping(text, expected):
    assert explicit(the_expression(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1_000", ("int", 1000)),
        ("2147483647", ("int", 2**31 - 1)),
        ("1.", ("real", 1.0)),
        (".5", ("real", 0.5)),
        ("1_0.2_5e-1_0", ("real", 10.25e-10)),
        ("2E+3", ("real", 2000.0)),
        ("3i", ("imaginary", 3.0)),
        ("1.5e1i", ("imaginary", 15.0)),
    ],
)
def test_numbers(text, expected):
    node = the_expression(text)
    kinds = {IntLiteral: "int", RealLiteral: "real", ImaginaryLiteral: "imaginary"}
    assert isinstance(node, IntLiteral | RealLiteral | ImaginaryLiteral)
    assert (kinds[type(node)], node.value) == expected


def test_indices():
    node = the_expression("x[1, :, 2:, :3, a:b, , c ? d : e : f]")
    assert isinstance(node, Index)
    found = ["all" if index == the_all() else print_expression(index) for index in node.indices]
    assert found == ["1", "all", "2:", ":3", "a:b", "all", "c ? d : e:f"]
    assert [isinstance(index, Slice) for index in node.indices] == [False, True, True, True, True, True, True]


def the_all():
    node = the_expression("x[]")
    assert isinstance(node, Index)
    (index,) = node.indices
    return index


def test_elements_of_tuples():
    assert the_expression("x.1.2") == the_expression("(x.1).2")
    node = the_expression("x.12")
    assert isinstance(node, TupleElement)
    assert node.position == 12
    single = the_expression("(1,)")
    assert isinstance(single, TupleLiteral)
    assert len(single.elements) == 1


@pytest.mark.parametrize(
    ("text", "conditional", "count"),
    [
        ("f()", False, 0),
        ("f(a)", False, 1),
        ("f(a | b, c)", True, 3),
        ("f(a | )", True, 1),
        ("f_lpdf(a)", True, 1),
        ("f_lpdf(a, b)", False, 2),
    ],
)
def test_calls(text, conditional, count):
    node = the_expression(text)
    assert isinstance(node, Call)
    assert (node.conditional, len(node.arguments)) == (conditional, count)


def test_spans_cover_the_text():
    text = "model { x = (aa + bb[1]) * f(c); }"
    node = the_expression("(aa + bb[1]) * f(c)")
    assert isinstance(node, Binary)
    assert node.span.text == "(aa + bb[1]) * f(c)"
    assert node.left.span.text == "(aa + bb[1])"
    assert node.right.span.text == "f(c)"
    assert (node.span.line, node.span.column) == (1, text.index("(") + 1)


def trees(children):
    """Expressions of any shape, without regard to types."""
    operators = [operator for level in LEVELS for operator in level] + ["^", ".^"]
    span = the_expression("x").span
    one = st.tuples(children)
    return (
        st.builds(lambda op, a, b: Binary(op, a, b, span=span), st.sampled_from(operators), children, children)
        | st.builds(lambda op, a: Unary(op, a, span=span), st.sampled_from("!-+"), children)
        | st.builds(lambda a: Transpose(a, span=span), children)
        | st.builds(lambda a, b, c: Conditional(a, b, c, span=span), children, children, children)
        | st.builds(lambda a, i: Index(a, i, span=span), children, one)
        | st.builds(lambda a, b, c: Index(a, (Slice(b, c, span=span),), span=span), children, children, children)
        | st.builds(lambda a: TupleElement(a, 1, span=span), children)
    )


LEAVES = st.sampled_from(["a", "1", "2.5", "3i", "f(x | y)", "{a, b}", "[1, 2]", "(a, b)", "(a,)", "target()"])


@given(st.recursive(LEAVES.map(the_expression), trees, max_leaves=12))
def test_any_tree_survives_printing(tree):
    assert the_expression(print_expression(tree)) == tree


def test_one_variable_is_no_call():
    assert the_expression("f") == Variable("f", span=the_expression("f").span)
