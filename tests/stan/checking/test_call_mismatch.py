"""Messages about calls name the argument, what it must be and what is available."""

from pathfinder.stan._checking.call_mismatch import Called, explain_mismatch, explain_tie, ordinal
from pathfinder.stan._types.overloads import PassedArgument, library_candidates
from pathfinder.stan._types.signature import type_of_text


def arguments(texts):
    return tuple(PassedArgument(type_of_text(text), data_only=True) for text in texts)


def mismatch_of(name, *texts):
    return explain_mismatch(Called(name), library_candidates(name), arguments(texts))


def test_the_nearest_signatures_come_first():
    mismatch = mismatch_of("dot_product", "vector", "array[] real")
    assert mismatch.message == (
        "The second argument of `dot_product` must be `vector` or `row_vector`, found `array[] real`."
    )
    assert mismatch.position == 1
    assert mismatch.hint.splitlines()[:2] == [
        "Available:",
        "  dot_product(vector | row_vector, vector | row_vector) => real",
    ]


def test_at_most_five_signatures_are_shown():
    mismatch = mismatch_of("size")
    assert mismatch.message == "`size` takes 1 argument, found 0: ()."
    assert len(mismatch.hint.splitlines()) == 7
    assert mismatch.hint.endswith("and 67 more")


def test_counts_of_arguments():
    mismatch = mismatch_of("to_matrix", "matrix", "int")
    assert mismatch.message == "`to_matrix` takes 1, 3 or 4 arguments, found 2: (matrix, int)."


def test_ordinals():
    assert [ordinal(i) for i in (0, 7, 8)] == ["first", "eighth", "9th"]


def test_the_outcome_of_a_distribution_is_counted_apart():
    called, candidates = Called("normal", is_sampled=True), library_candidates("normal_lpdf")
    mismatch = explain_mismatch(called, candidates, arguments(["real", "real", "matrix"]))
    assert mismatch.message.startswith("The second argument of `normal` must be `real`, ")
    assert mismatch.position == 2
    assert mismatch.hint.splitlines()[1] == "  reals ~ normal(reals, reals)"
    mismatch = explain_mismatch(called, candidates, arguments(["matrix", "real", "real"]))
    assert mismatch.message.startswith("The outcome of `normal` must be `real`, ")
    mismatch = explain_mismatch(called, candidates, arguments(["real", "int"]))
    assert mismatch.message == "`normal` takes 2 arguments, found 1: (int)."


def test_functions_in_front_are_named():
    mismatch = explain_mismatch(Called("f", behind="g"), library_candidates("sqrt"), arguments(["tuple(int)"]))
    assert (
        mismatch.message
        == "The first argument of `f` behind `g` cannot be `tuple(int)` here; the arguments are (tuple(int))."
    )


def test_ties():
    mismatch = explain_tie(Called("f"), library_candidates("multiply")[:2], arguments(["int", "int"]))
    assert mismatch.message == "`f` with arguments (int, int) may mean several functions."
    assert (
        mismatch.hint
        == "Available:\n  f(matrix, matrix) => matrix\n  f(complex_matrix, complex_matrix) => complex_matrix"
    )
