"""stanc accepts and refuses the same generated programs."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathfinder.stan._checking.environment import CONDITIONED, suffix
from pathfinder.stan._syntax.operators import BINARY_POWER
from pathfinder.stan._types.signature import BASES
from pathfinder.stan._types.tables import LIBRARY
from pathfinder.stan._types.types import Type
from tests.stan.with_stan.stanc import Stanc, require_same_verdict


MAX_DIMS = 3
SIZES = {"vector": "[2]", "row_vector": "[2]", "matrix": "[2, 2]"}
VARIABLES = {Type(base, dims): f"{base}_{dims}" for base in BASES for dims in range(MAX_DIMS)}
DECLARED = "\n".join(
    f"  {'array[' + ', '.join('2' * kind.dims) + '] ' if kind.dims else ''}"
    f"{kind.base}{SIZES.get(kind.base.removeprefix('complex_'), '')} {name};"
    for kind, name in VARIABLES.items()
)
CLOSE = {base: base for base in BASES}
CLOSE |= {"real": "int", "complex": "real", "int": "real", "vector": "row_vector", "matrix": "vector"}
FUNCTIONS = sorted(name for name in LIBRARY if suffix(name) != "_jacobian")


@pytest.fixture(scope="module")
def stanc():
    with Stanc() as process:
        yield process


@st.composite
def calls(draw):
    """A call of a function of the library with arguments that fit, or nearly."""
    name = draw(st.sampled_from(FUNCTIONS))
    signature = draw(st.sampled_from(LIBRARY[name]))
    arguments = []
    for kinds in signature.arguments:
        kind = draw(st.sampled_from(kinds))
        if draw(st.integers(0, 2)) == 0:
            kind = Type(CLOSE[kind.base], kind.dims)
        arguments.append(VARIABLES.get(kind, "1"))
    if name.endswith(CONDITIONED) and arguments:
        return f"{name}({arguments[0]} | {', '.join(arguments[1:])})"
    return f"{name}({', '.join(arguments)})"


def _larger(parts):
    index = st.sampled_from(["1", ":", "1:2", "int_1", ""])
    return st.one_of(
        st.tuples(parts, st.sampled_from(sorted(BINARY_POWER)), parts).map(lambda found: f"({' '.join(found)})"),
        st.tuples(st.sampled_from(["-", "!", "+"]), parts).map("".join),
        parts.map(lambda part: f"{part}'"),
        st.tuples(parts, parts).map(lambda pair: f"(int_0 ? {pair[0]} : {pair[1]})"),
        st.tuples(parts, parts).map(lambda pair: f"{{{pair[0]}, {pair[1]}}}"),
        st.tuples(parts, parts).map(lambda pair: f"[{pair[0]}, {pair[1]}]"),
        st.tuples(parts, parts, st.integers(1, 3)).map(lambda found: f"({found[0]}, {found[1]}).{found[2]}"),
        st.tuples(parts, st.lists(index, min_size=1, max_size=3)).map(
            lambda found: f"({found[0]})[{','.join(found[1])}]"
        ),
    )


EXPRESSIONS = st.recursive(st.sampled_from([*VARIABLES.values(), "1", "2.5", "3i"]), _larger, max_leaves=5)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(expression=st.one_of(EXPRESSIONS, calls()))
def test_expressions(stanc, expression):
    text = f"data {{\n{DECLARED}\n}}\ngenerated quantities {{\n  print({expression});\n}}\n"
    require_same_verdict(stanc, text)
