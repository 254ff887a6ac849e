"""The signature with the fewest promotions is meant."""

from pathfinder.stan import parse_functions
from pathfinder.stan._types.overloads import PassedArgument, candidate, library_candidates, resolve_overload
from pathfinder.stan._types.signature import type_of_text


def candidates(*heads):
    program = parse_functions("".join(f"{head};" for head in heads))
    return [candidate(definition) for definition in program.functions or ()]


def arguments(*texts):
    """Types, behind `param ` of arguments that depend on parameters."""
    return tuple(
        PassedArgument(type_of_text(text.removeprefix("param ")), not text.startswith("param ")) for text in texts
    )


def chosen(heads, *texts):
    found = resolve_overload(candidates(*heads), arguments(*texts))
    return [str(option.signature) for option in found.candidates], found.tied


def test_fewest_promotions():
    heads = ("real f(real x)", "real f(complex x)", "real f(int x)")
    assert chosen(heads, "int") == (["(int) => real"], False)
    assert chosen(heads[:2], "int") == (["(real) => real"], False)
    assert chosen(heads, "vector") == ([], False)


def test_promotions_add_up_over_the_arguments():
    heads = ("real f(complex x, int y)", "real f(real x, real y)", "real f(real x, complex y)")
    assert chosen(heads, "int", "int") == (["(complex, int) => real", "(real, real) => real"], True)
    assert chosen(heads, "real", "int") == (["(complex, int) => real", "(real, real) => real"], True)
    assert chosen(heads, "int", "real") == (["(real, real) => real"], False)


def test_data_arguments():
    heads = ("real f(data real x)",)
    assert chosen(heads, "real") == (["(data real) => real"], False)
    assert chosen(heads, "param real") == ([], False)


def test_void_functions():
    (void,) = candidates("void f(int x)")
    assert void.result is None
    assert str(void.signature) == "(int) => void"


def test_alternatives_within_one_signature():
    passed = arguments("int", "array[] int", "real")
    found = resolve_overload(library_candidates("normal_lpdf"), passed)
    assert len(found.candidates) == 1
    assert not found.tied
