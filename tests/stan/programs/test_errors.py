"""Messages name the place, what was expected, what came, and what may have been meant."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfinder.stan import StanSyntaxError, parse, print_program
from pathfinder.stan._parsing.lexer import tokenize
from pathfinder.stan._syntax.source import Source
from tests.stan import every_form as programs


def message(text, **options):
    with pytest.raises(StanSyntaxError) as caught:
        parse(text, name="m.stan", **options)
    return str(caught.value)


def test_the_whole_message():
    assert message("data {\n  int N;\n  rael x;\n}\n") == (
        "m.stan, line 3, column 3: Expected a declaration or `}` in `data`, found `rael`.\n"
        "  3 |   rael x;\n"
        "    |   ^^^^\n"
        "Did you mean `real`?"
    )


def test_a_missing_semicolon_is_shown_where_it_belongs():
    assert message("model {\n  real x\n  x = 1;\n}") == (
        "m.stan, line 2, column 9: Expected `;` after the declaration, found `x`.\n  2 |   real x\n    |         ^"
    )


def test_tabs_are_kept():
    assert message("model {\n\tx\t= ;\n}").endswith("  2 | \tx\t= ;\n    | \t \t  ^")


def test_an_included_file_is_named():
    text = "functions {\n#include bad.stan\n}"
    assert message(text, read_include={"bad.stan": "\nreal f(;"}.__getitem__) == (
        "bad.stan, line 2, column 8: Expected a type, found `;`.\n"
        "  2 | real f(;\n"
        "    |        ^\n"
        "included from m.stan, line 2, column 1"
    )


CASES = {
    "": "line 1, column 1: This program is empty.",
    "modle {}": "Did you mean `model`?",
    "transformed dta {}": "Expected `data` or `parameters` after `transformed`, found `dta`.",
    "transfromed data {}": "Did you mean `transformed data`?",
    "model {} data {}": "`data` stands before `model`.",
    "data {} data {}": "The block `data` stands twice.",
    "model {": "Expected a statement or `}`, found the end of the program.",
    "model { x = 1 }": "column 15: Expected `;` after the statement, found `}`.",
    "model { whlie (1) { } }": "Did you mean `while`?",
    "model { a + b; }": "Expected an assignment or `~` after the expression, found `;`.",
    "model { f(x)\n y = 1; }": "line 1, column 13: Expected `;` after the call, found `y`.",
    "model { rael x; }": "Did you mean `real`?",
    "model { real x[2; }": "Expected `,` or `]` after the size of the array, found `;`.",
    "model { array[2] real x[3]; }": "The sizes of an array stand twice.",
    "model { real<lower=0> x; }": "Bounds can stand only at the top of a block",
    "model { simplex[3] x; }": "`simplex` can stand only at the top of a block",
    "data { simplex<lower=0>[3] x; }": "`simplex` takes no bounds.",
    "data { real<lowr=0> x; }": "Did you mean `lower`?",
    "data { real<lower=0, offset=1> x; }": "Expected `upper`, found `offset`.",
    "data { int<offset=1> x; }": "Expected `lower` or `upper`, found `offset`.",
    "data { real<lower=0 x; }": "Expected `,` or `>` after the bound, found `x`.",
    "data { matrix[2] x; }": "`matrix` has 2 sizes, found 1.",
    "data { vector x; }": "Expected `[` after `vector`, found `x`.",
    "data { real x = 1; }": "Variables of this block cannot be given a value.",
    "data { x = 1; }": "Expected a declaration or `}` in `data`, found `x`.",
    "data { int for; }": "`for` is reserved and cannot be the name of a variable.",
    "data { int a__; }": "it ends in two underscores.",
    "data { int 1; }": "Expected the name of a variable, found `1`.",
    "functions { f(real x) {} }": "Expected a function, which begins with the type of its result, found `f`.",
    "functions { simplex f() {} }": "`simplex` is no type of an argument or a result.",
    "model { if x = 1; }": "Expected `(` after `if`, found `x`.",
    "model { if (x = 1) ; }": "Equality is written `==`.",
    "model { if (x) real<lower=0> y; }": "Bounds can stand only at the top",
    "model { for (i = 1) ; }": "Loops are written `for (i in 1:n)`.",
    "model { y ~ normal(0, 1; }": "Expected `,` or `)` after the argument of `normal`, found `;`.",
    "model { y ~ 3; }": "Expected the name of a distribution after `~`, found `3`.",
    "model { y ~ normal(0 | 1); }": "No `|` stands among the arguments behind `~`.",
    "model { f_lpdf(y | 1); }": "The value of this call is not used.",
    "model { x = f(a; }": "The `(` of line 1 is not closed.",
    "model { x = 1 +; }": "Expected an expression, found `;`.",
    "model { x = a ? b; }": "Expected `:` between the two values of `?`, found `;`.",
    "model { x = {}; }": "Arrays without elements cannot be written like this.",
    'model { x = "a"; }': "Strings stand only in",
    "model { x = real; }": "Expected an expression, found `real`.",
    "model { target = 1; }": "The log density so far is read as `target()`.",
    "model { (x) = 1; }": "This cannot be assigned to.",
    "model { (x)[1] = 1; }": "This cannot be assigned to.",
    "model { f(x) = 1; }": "This cannot be assigned to.",
    "model { (a, 1) = b; }": "This cannot be assigned to.",
    "model { x' = 1; }": "This cannot be assigned to.",
    "model { x = 2147483648; }": "This integer is too large.",
    f"model {{ x = {'9' * 5000}; }}": "This integer is too large.",
    f"model {{ x = {'(' * 500}; }}": "This is nested too deeply.",
    f"model {{ {'{' * 500} }}": "This is nested too deeply.",
    f"data {{ {'tuple(' * 500} x; }}": "This is nested too deeply.",
    "model { x = _y; }": "Names begin with a letter.",
    "model { x = é; }": "`é` cannot stand here.",
    'model { print("a); }': "A string ends on the line where it begins.",
    "model { /* }": "This comment has no end.",
    "#include a.stan": "No way to read included files was given.",
}


@pytest.mark.parametrize(("text", "part"), CASES.items(), ids=[text[:30] for text in CASES])
def test_messages(text, part):
    assert part in message(text)


def test_includes_that_cannot_be_had():
    assert "`a.stan` cannot be found." in message("#include <a.stan>", read_include={}.__getitem__)
    loop = {"a.stan": '#include "b.stan"', "b.stan": "#include a.stan"}
    assert "`a.stan` includes itself." in message("#include a.stan", read_include=loop.__getitem__)


def test_warnings_come_in_the_order_of_the_text():
    program = parse(programs.DEPRECATED)
    found = [(warning.span.line, warning.span.text) for warning in program.warnings]
    assert found == [
        (2, "# an old comment"),
        (3, "real y[N, 2]"),
        (5, "real s[N]"),
        (6, "<-"),
        (7, "increment_log_prob(s[1])"),
        (8, "get_lp()"),
    ]
    assert str(program.warnings[3]) == (
        "model, line 6, column 8: `<-` is deprecated.\n  6 |   s[1] <- 1;\n    |        ^^\nWrite `=`."
    )


def test_old_types_of_arguments():
    program = parse("functions { real[,] f(vector[] x) { return y; } }")
    assert [warning.hint for warning in program.warnings] == ["Write `array[,] real`.", "Write `array[] vector`."]
    assert print_program(program).startswith("functions {\n  array[,] real f(array[] vector x) {")


def test_includes_are_put_in_place():
    files = {"one.stan": "real x; #include two.stan\n", "two.stan": "real y;"}
    program = parse("data { #include one.stan\nreal z; }", read_include=files.__getitem__)
    assert program == parse("data { real x, y, z; }")
    assert program.data is not None
    assert [statement.span.source.name for statement in program.data.statements] == ["one.stan", "two.stan", "model"]


TOKENS = [[token.text for token in tokenize(Source(name, text), None, [])] for name, text in programs.ALL.items()]
WORDS = sorted({word for words in TOKENS for word in words})


@st.composite
def mutated(draw):
    """A program with some tokens dropped, doubled, exchanged or replaced."""
    tokens = list(draw(st.sampled_from(TOKENS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(tokens) - 1))
        width = draw(st.integers(0, 3))
        tokens[at : at + width] = draw(st.lists(st.sampled_from(WORDS), max_size=3))
        if not tokens:
            break
    return draw(st.sampled_from([" ", "\n"])).join(tokens)


def read_or_refuse(text):
    with suppress(StanSyntaxError):
        program = parse(text)
        printed = print_program(program)
        try:
            again = parse(printed)
        except StanSyntaxError as error:
            pytest.fail(f"printed, but not read back: {error}")
        assert again == program


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_mutated_programs_are_read_or_refused(text):
    read_or_refuse(text)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(programs.ALL.values())), st.data())
def test_mutated_characters_are_read_or_refused(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 5, len(text))))
    read_or_refuse(text[:start] + data.draw(st.text(max_size=5)) + text[end:])


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(text):
    read_or_refuse(text)
