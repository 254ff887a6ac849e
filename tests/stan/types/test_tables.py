"""The rules give exactly the signatures that stanc prints.

The fixture was made on 2026-11-21 with the stanc 2.35.0 of httpstan:

    stanc --dump-stan-math-signatures | gzip -9n > tests/stan/types/stan_math_signatures_2.35.txt.gz

What came to Stan after that is asked of stanc 2.40 in `test_stanc_agreement`.
"""

import gzip
from itertools import product
from pathlib import Path

import pytest

from pathfinder.stan._types.higher_order import HIGHER_ORDER
from pathfinder.stan._types.signature import GROUPS, row, rows
from pathfinder.stan._types.tables import LIBRARY


FIXTURE = Path(__file__).parent / "stan_math_signatures_2.35.txt.gz"
NEW_ROWS = {  # of functions that had others in 2.35
    "log_softmax": 3,
    "softmax": 3,
    "to_matrix": 2,
    "wiener_lpdf": 6,
}


@pytest.fixture(scope="module")
def dumped():
    found: dict[str, set[str]] = {}
    for line in gzip.decompress(FIXTURE.read_bytes()).decode().splitlines():
        if line:
            name = line[: line.index("(")]
            found.setdefault(name, set()).add(line[len(name) :])
    return found


def expanded(name):
    """Signatures without alternatives, as stanc prints them; it does not print `data`."""
    return [
        f"({', '.join(map(str, arguments))}) => {signature.result}"
        for signature in LIBRARY[name]
        for arguments in product(*signature.arguments)
    ]


def test_the_fixture_is_whole(dumped):
    assert len(dumped) == 500
    assert sum(map(len, dumped.values())) == 21_721


def test_every_name_is_known(dumped):
    assert {name for name in dumped if name not in LIBRARY} == {name for name in HIGHER_ORDER if name in dumped}


def test_nothing_is_missing(dumped):
    missing = {name: dumped[name] - set(expanded(name)) for name in dumped if name in LIBRARY}
    assert {name: found for name, found in missing.items() if found} == {}


def test_nothing_is_there_that_stan_has_not(dumped):
    extra = {name: set(expanded(name)) - dumped[name] for name in dumped if name in LIBRARY}
    assert {name: len(found) for name, found in extra.items() if found} == NEW_ROWS


def test_no_signature_stands_twice():
    """A call that fits two equal signatures would look ambiguous."""
    for name in LIBRARY:
        found = expanded(name)
        assert len(found) == len(set(found)), name


def test_functions_that_take_functions(dumped):
    """stanc prints the function as its own signature in front of the other arguments."""
    for name in HIGHER_ORDER:
        demands = HIGHER_ORDER[name]
        ours = set()
        for call in demands.calls:
            arguments = ", ".join(str(types[0]) for types in call.arguments)
            ours.add(f"({str(demands.function)}, {arguments}) => {call.result}")
        assert demands.variadic or ours == dumped[name], name


def test_names_of_the_library():
    assert "normal_lpdf" in LIBRARY
    assert "normal_lupdf" not in LIBRARY  # the same function
    assert "ode_rk45" not in LIBRARY
    assert len(list(LIBRARY)) == len(LIBRARY) == len(set(LIBRARY))
    with pytest.raises(KeyError):
        LIBRARY["nromal_lpdf"]


def test_rows():
    pair = rows("(#vector | #real, data int) => #matrix")
    assert [str(signature) for signature in pair] == [
        "(vector | real, data int) => matrix",
        "(complex_vector | complex, data int) => complex_matrix",
    ]
    assert pair[0].data_only == (1,)
    assert str(row("() => tuple(real, array[,] int)")) == "() => tuple(real, array[,] int)"


@pytest.mark.parametrize("group", GROUPS)
def test_groups_of_types_have_names(group):
    assert str(row(f"({group}) => real")) == f"({group}) => real"
