"""Programs are accepted or refused, with a message that points at the place, and answer questions about themselves."""

import time

import pytest

from pathfinder.stan import StanSyntaxError, parse
from pathfinder.stan._checking.programs import check
from pathfinder.stan._syntax.diagnostics import StanError, StanTypeError
from pathfinder.stan._syntax.tree import Assignment, Call, Sampling, TargetIncrement
from tests.stan import checked_programs as table
from tests.stan import every_form as programs
from tests.stan.broken_programs import BROKEN


@pytest.mark.parametrize(("text", "line", "column", "phrase"), BROKEN)
def test_the_message_points_at_the_place(text, line, column, phrase):
    with pytest.raises(StanError) as caught:
        check(parse(text))
    span = caught.value.diagnostic.span
    assert (span.line, span.column) == (line, column)
    assert phrase in str(caught.value)


@pytest.mark.parametrize("text", table.ACCEPTED.strip().splitlines())
def test_accepted(text):
    check(parse(text))


@pytest.mark.parametrize("text", table.REFUSED.strip().splitlines())
def test_refused(text):
    with pytest.raises(StanError):
        check(parse(text))


@pytest.mark.parametrize("text", [programs.EIGHT_SCHOOLS, programs.TYPES.replace("real<lower=a> r", "real r")])
def test_larger_programs(text):
    check(parse(text))


def test_the_whole_message():
    with pytest.raises(StanTypeError) as caught:
        check(parse("parameters {\n  vector[3] y;\n}\nmodel {\n  y ~ normal(0, [[1]]);\n}\n", name="m.stan"))
    assert str(caught.value) == (
        "m.stan, line 5, column 17: The second argument of `normal` must be `real`, `array[] real`, `vector` or "
        "`row_vector`, found `matrix`.\n"
        "  5 |   y ~ normal(0, [[1]]);\n"
        "    |                 ^^^^^\n"
        "Available:\n"
        "  reals ~ normal(reals, reals)\n"
        "  where reals is real | array[] real | vector | row_vector"
    )


def test_kinds_of_errors():
    assert issubclass(StanTypeError, ValueError)
    assert not issubclass(StanTypeError, StanSyntaxError)


FUNCTIONS = """
functions {
  real twice(real x);
  real twice(int n) { return 2 * n; }
  real twice(real x) { return 2 * x; }
  real foo_lpdf(real y, real a) { return -a * y; }
  real bar_lpmf(int n) { return foo_lupdf(n | 1); }
}
parameters { real y; }
model {
  y ~ normal(0, 1);
  3 ~ poisson(twice(y));
  y ~ foo(twice(1));
  3 ~ bar();
  target += foo_lupdf(y | 2);
  target += sin(y);
}
"""


def test_which_function_is_called():
    checked = check(parse(FUNCTIONS))
    model = checked.program.model
    assert model is not None
    normal, poisson, foo, bar, unnormalized, sine = model.statements
    for statement, name in ((normal, "normal_lpdf"), (poisson, "poisson_lpmf")):
        assert isinstance(statement, Sampling)
        assert checked.definition(statement) is None
        assert checked.library_name(statement) == name
    functions = checked.program.functions
    assert functions is not None
    _, of_int, of_real, foo_lpdf, bar_lpmf = functions
    assert isinstance(foo, Sampling)
    assert isinstance(bar, Sampling)
    assert isinstance(poisson, Sampling)
    assert checked.definition(foo) is foo_lpdf
    assert checked.library_name(foo) == "foo_lpdf"
    assert checked.definition(bar) is bar_lpmf
    # The definition is meant, not its declaration.
    assert checked.definition(poisson.arguments[0]) is of_real  # pyright: ignore[reportArgumentType]
    assert checked.definition(foo.arguments[0]) is of_int  # pyright: ignore[reportArgumentType]
    assert isinstance(unnormalized, TargetIncrement)
    assert isinstance(unnormalized.value, Call)
    assert checked.definition(unnormalized.value) is foo_lpdf
    assert checked.library_name(unnormalized.value) == "foo_lupdf"
    assert isinstance(sine, TargetIncrement)
    assert isinstance(sine.value, Call)
    assert checked.definition(sine.value) is None
    assert checked.library_name(sine.value) == "sin"


def test_targets_of_assignments_have_types():
    checked = check(parse("model { array[2] tuple(real, vector[3]) x; x[1].2[2:3] = [1, 2]'; }"))
    assert checked.program.model is not None
    statement = checked.program.model.statements[1]
    assert isinstance(statement, Assignment)
    assert str(checked.type_of(statement.target)) == "vector"


def warnings(text):
    return [(warning.span.text, warning.message) for warning in check(parse(text)).warnings]


def test_division_of_integers():
    assert warnings("data { int n; } model { real x = n / 2; x = 1.0 * n / 2; x = n %/% 2; }") == [
        ("n / 2", "Division of integers rounds towards zero.")
    ]


@pytest.mark.parametrize(
    ("statements", "names"),
    [
        ("real x; real y = x;", ["x"]),
        ("real x = x;", ["x"]),
        ("real x; x = 1; real y = x;", []),
        ("vector[3] x; x[1] = 1; print(x);", []),
        ("vector[3] x; print(size(x)); x += 1;", ["x"]),
        ("array[0] int x; print(x);", []),
        ("real x; if (1) x = 2; print(x);", []),
        ("real x; if (1) { print(x); } else { x = 2; }", ["x"]),
        ("real x; for (i in 1:3) { if (i > 1) print(x); x = i; }", []),
        ("real x; for (i in 1:3) { print(x); }", ["x"]),
        ("int i; array[3] int x; x[i] = 2;", ["i"]),
        ("real x; real y; (x, y) = (1, 2); print(x, y);", []),
        ("real x; print(x, x);", ["x"]),
        ("real x; x ~ normal(0, 1);", ["x"]),
        ("{ real x; x = 1; } { real x; print(x); }", ["x"]),
        ("real x; while (x > 1) { x = 2; }", ["x"]),
        ('real x; profile("a") { x = 1; } print(x);', []),
        ("real x; target += x;", ["x"]),
        ("real x; ; for (i in 1:2) { print(x); while (1) { x = 2; break; } }", []),
        ('real x; for (i in 1:2) { profile("a") { if (i > 1) reject(x); else x = 1; } }', []),
        ("real x; reject(x);", ["x"]),
        ("array[2] real x; for (e in x) print(e);", ["x"]),
        ("tuple(real, real) x; x.1 = 1; print(x);", []),
        ("array[2] real x; int i; x[i:2] = {1, 2};", ["i"]),
    ],
)
def test_variables_without_a_value(statements, names):
    expected = [(name, f"`{name}` is read here before it has a value.") for name in names]
    assert warnings(f"model {{ {statements} }}") == expected


def test_variables_of_blocks_without_a_value():
    text = "transformed data { real a; real b; b = 1; } model { print(a, b); }"
    assert warnings(text) == [("a", "`a` is read here before it has a value.")]


def test_functions_are_looked_at_too():
    text = "functions { real f(real x) { real y; return x + y; } }"
    assert warnings(text) == [("y", "`y` is read here before it has a value.")]


def test_calls_of_void_functions_read():
    text = "functions { void f(real x) { print(x); } } model { real y; f(y); }"
    assert warnings(text) == [("y", "`y` is read here before it has a value.")]


def test_warnings_stand_in_the_order_of_the_text():
    text = "model { real x; print(x); print(1 / 2); real y; print(y); }"
    assert [span for span, _ in warnings(text)] == ["x", "1 / 2", "y"]


@pytest.mark.parametrize(
    "statement",
    [
        "print(" + "exp(" * 90 + "1" + ")" * 90 + ");",
        "print(" + "{" * 90 + "1" + "}" * 90 + ");",
        "print(" + "1 ^ " * 90 + "1);",
        "print(" + "1 ? 2 : " * 90 + "1);",
        "{" * 90 + "}" * 90,
        "if (1) " * 90 + ";",
        "for (i in 1:2) { " + "while (1) " * 90 + "; }",
    ],
)
def test_as_deep_as_the_parser_goes(statement):
    check(parse(f"model {{ {statement} }}"))


def test_speed():
    """A program of 500 lines takes some hundredths of a second."""
    line = "  target += normal_lpdf(y[1:N] | mu + sigma * x[2], exp(sigma) + 1.0 / N);\n"
    head = "data { int N; vector[N] y; vector[N] x; }\nparameters { real mu; real<lower=0> sigma; }\n"
    program = parse(f"{head}model {{\n{line * 500}}}\n")
    check(program)
    start = time.perf_counter()
    check(program)
    assert time.perf_counter() - start < 0.5  # on a busy machine


def test_warnings_in_included_files():
    included = {"a.stan": "real x; print(x);"}
    text = "model {\n  print(1 / 2);\n#include a.stan\n  print(3 / 2);\n}"
    warnings = check(parse(text, read_include=included.__getitem__)).warnings
    assert [warning.span.text for warning in warnings] == ["1 / 2", "x", "3 / 2"]
