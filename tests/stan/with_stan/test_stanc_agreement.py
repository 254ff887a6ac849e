"""stanc 2.40 says the same about the programs of the tables, and knows what came to Stan after 2.35."""

from itertools import product

import pytest

from pathfinder.stan._checking.environment import CONDITIONED, suffix
from pathfinder.stan._types.tables import LIBRARY
from tests.stan import checked_expressions, checked_programs
from tests.stan.broken_programs import BROKEN
from tests.stan.types.test_tables import dumped  # noqa: F401  # a fixture
from tests.stan.with_stan.stanc import Stanc


STRICTER = ("target += 1i;",)  # stanc lets it through, and its C++ does not compile


@pytest.fixture(scope="module")
def stanc():
    with Stanc() as process:
        yield process


def verdicts(stanc, texts):
    return {text: stanc(text) == "" for text in texts}


def in_program(declared, expressions, block="model"):
    return [f"{declared}{block} {{ print({expression}); }}" for expression in expressions.strip().splitlines()]


def test_accepted_programs(stanc):
    found = verdicts(stanc, checked_programs.ACCEPTED.strip().splitlines())
    assert [text for text, accepted in found.items() if not accepted] == []


def test_refused_programs(stanc):
    texts = [*checked_programs.REFUSED.strip().splitlines(), *(text for text, *_ in BROKEN)]
    found = verdicts(stanc, [text for text in texts if not any(part in text for part in STRICTER)])
    assert [text for text, accepted in found.items() if accepted] == []


def test_accepted_expressions(stanc):
    expressions = "\n".join(line.split("  ->  ")[0] for line in checked_expressions.TYPES.strip().splitlines())
    texts = in_program(checked_expressions.DECLARED, expressions, "generated quantities")
    texts += in_program(checked_expressions.FUNCTIONS, checked_expressions.HIGHER_ORDER)
    assert [text for text, accepted in verdicts(stanc, texts).items() if not accepted] == []


def test_refused_expressions(stanc):
    texts = in_program(checked_expressions.DECLARED, checked_expressions.REFUSED, "generated quantities")
    texts += in_program(checked_expressions.FUNCTIONS, checked_expressions.REFUSED_HIGHER_ORDER)
    assert [text for text, accepted in verdicts(stanc, texts).items() if accepted] == []


def test_newer_functions(stanc, dumped):  # noqa: F811
    """Every signature that 2.35 has not is a signature of 2.40: functions with just these types may use them."""
    for name in LIBRARY:
        known = dumped.get(name, set())
        combinations = [
            (arguments, signature)
            for signature in LIBRARY[name]
            for arguments in product(*signature.arguments)
            if f"({', '.join(map(str, arguments))}) => {signature.result}" not in known
        ]
        step = 1 + len(combinations) // 60  # a sample of the largest families
        texts = [_wrapped(name, i, *found) for i, found in enumerate(combinations[::step])]
        assert not texts or stanc("functions {\n" + "\n".join(texts) + "\n}") == "", name


def _wrapped(name, i, arguments, signature):
    """A function with the arguments of another one, which it calls."""
    heads = [f"{'data ' * (j in signature.data_only)}{kind} a{j}" for j, kind in enumerate(arguments)]
    names = [f"a{j}" for j in range(len(arguments))]
    call = f"{names[0]} | {', '.join(names[1:])}" if name.endswith(CONDITIONED) else ", ".join(names)
    ending = suffix(name) if suffix(name) in ("_rng", "_jacobian") else ""
    return f"{signature.result} wrapped{i}{ending}({', '.join(heads)}) {{ return {name}({call}); }}"
