"""What is printed is read back as the same program."""

from dataclasses import replace
from pathlib import Path

import pytest

from pathfinder.stan import parse, parse_functions, print_program
from pathfinder.stan._syntax.expression_text import print_expression
from pathfinder.stan._syntax.tree import Binary, If
from tests.stan import every_form as programs
from tests.stan.reading import the_expression, the_statement


ROOT = Path(__file__).parents[3]
FILES = sorted(path for folder in ("benchmarks", "examples", "tests") for path in (ROOT / folder).rglob("*.stan"))


def assert_round_trip(text):
    program = parse(text)
    printed = print_program(program)
    again = parse(printed)
    assert again == program
    assert not again.warnings
    assert print_program(again) == printed


@pytest.mark.parametrize("text", programs.ALL.values(), ids=programs.ALL)
def test_round_trip(text):
    assert_round_trip(text)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_round_trip_of_files(path):
    assert_round_trip(path.read_text())


def test_layout():
    text = "model{if(a){x=(1+2)*3;}else if(b)y~normal(0,((1)))T[,2];else{}for(i in 1:N){real z=x[i,];}}"
    assert print_program(parse(text)) == (
        "model {\n"
        "  if (a) {\n"
        "    x = (1 + 2) * 3;\n"
        "  } else if (b)\n"
        "    y ~ normal(0, 1) T[, 2];\n"
        "  else {\n"
        "  }\n"
        "  for (i in 1:N) {\n"
        "    real z = x[i, :];\n"
        "  }\n"
        "}\n"
    )


def test_old_forms_are_printed_as_new_ones():
    printed = print_program(parse(programs.DEPRECATED))
    assert "array[N, 2] real y;" in printed
    assert "array[N] real s;\n  real r;" in printed
    assert "s[1] = 1;" in printed
    assert "target += s[1];" in printed
    assert "r = target();" in printed
    assert "r < -1" in printed


def printed_in_model(statement):
    program = parse("model {}")
    printed = print_program(replace(program, model=replace(program.model, statements=(statement,))))
    return printed.removeprefix("model {").strip().removesuffix("}")


def test_an_else_stays_with_its_if():
    inner = the_statement("if (b) x = 1;")
    outer = If(the_expression("a"), inner, the_statement("y = 2;"), span=inner.span)
    again = the_statement(printed_in_model(outer))
    assert isinstance(again, If)
    assert again.if_false == outer.if_false


def test_long_sums_do_not_exhaust_the_stack():
    text = " + ".join(["x"] * 5000)
    tree = the_expression(text)
    assert isinstance(tree, Binary)
    assert print_expression(tree) == text


def test_functions_alone():
    text = "real f(real x) { return x; }\nvoid g();"
    program = parse_functions(text)
    assert parse(print_program(program)) == program
