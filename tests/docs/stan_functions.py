"""The page of the functions and distributions of Stan's library that programs can call, from the tables in the code.

`python -m tests.docs.stan_functions` rewrites it.
"""

import textwrap
from collections.abc import Iterable, Iterator
from types import ModuleType

from pathfinder.stan._checking.embedded_laplace import EMBEDDED_LAPLACE
from pathfinder.stan._expressions import higher_order_calls, indexing_calls
from pathfinder.stan._expressions.higher_order_calls import HIGHER_ORDER
from pathfinder.stan._expressions.indexing_calls import SHAPES, SLICES
from pathfinder.stan._expressions.supported import OTHERS, is_supported
from pathfinder.stan._library import densities
from pathfinder.stan._library.densities import DISTRIBUTIONS
from pathfinder.stan._library.functions import (
    OPERATORS,
    containers,
    elementwise,
    gaussian_process,
    linear_algebra,
    operators,
    sums,
)
from pathfinder.stan._library.functions.special import bessel, first_passage, hypergeometric
from pathfinder.stan._library.functions.special import gamma as gamma_functions
from pathfinder.stan._library.functions.special import quantiles as special
from pathfinder.stan._library.transforms import functions as _constraint_functions
from pathfinder.stan._library.transforms import table as _transforms
from pathfinder.stan._library.transforms.functions import CONSTRAIN_FUNCTIONS, JACOBIAN_FUNCTIONS
from pathfinder.stan._library.transforms.table import TRANSFORMS
from pathfinder.stan._types.higher_order import HIGHER_ORDER as HIGHER_ORDER_SIGNATURES
from pathfinder.stan._types.tables import LIBRARY
from tests.docs.pages import SITE


PAGE = SITE / "stan-functions.md"

_INTRODUCTION = """\
# Functions of Stan programs

What [Stan programs](stan.md) can call, under the names of Stan's library; signatures are those of the
[Stan functions reference](https://mc-stan.org/docs/functions-reference/). This page is made from the tables in the
code by `python -m tests.docs.stan_functions`, and a test compares the two.
"""
_DISTRIBUTIONS = """\
Density: `_lpdf` or `_lpmf`, their unnormalized forms, and `~`, which keep all constants. Cdf: `_cdf`, `_lcdf` and
`_lccdf`, and with them truncation. A dash stands for what is missing here, in most cases because
Stan has none either.
"""
_MISSING = """\
Functions of Stan's library that cannot be called here; a call is an error that shows its place, and names the nearest
function that can.
"""
_FUNCTION_MODULES: dict[str, tuple[ModuleType, dict]] = {
    "Element by element": (elementwise, elementwise.ELEMENTWISE),
    "Gamma and beta functions": (gamma_functions, gamma_functions.GAMMA_FUNCTIONS),
    "Bessel functions": (bessel, bessel.BESSEL),
    "Hypergeometric functions": (hypergeometric, hypergeometric.HYPERGEOMETRIC),
    "First passage times": (first_passage, first_passage.FIRST_PASSAGE),
    "Special functions": (special, special.SPECIAL),
    "Sums, products and statistics": (sums, sums.SUMS),
    "Containers": (containers, containers.CONTAINERS),
    "Linear algebra": (linear_algebra, linear_algebra.LINEAR_ALGEBRA),
    "Covariance functions of Gaussian processes": (gaussian_process, gaussian_process.GAUSSIAN_PROCESS),
    "Operators under their names": (operators, operators.NAMED_OPERATORS),
}


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_sections()])


def missing() -> list[str]:
    """Functions that Stan's library has, and a program here cannot call."""
    known = {name for name in {*LIBRARY, *HIGHER_ORDER_SIGNATURES} if not is_supported(name)}
    return sorted(known | EMBEDDED_LAPLACE)


def _sections() -> Iterator[str]:
    yield "## Operators\n"
    yield _names((f"`{_symbol(operator)}`" for operator in OPERATORS), operators)
    for heading, (module, table) in _FUNCTION_MODULES.items():
        yield f"## {heading}\n"
        yield _functions(table, module)
    yield "## Sizes and parts\n"
    yield _functions([*SHAPES, *SLICES], indexing_calls)
    yield "## Functions of functions\n"
    yield _functions(HIGHER_ORDER, higher_order_calls)
    yield "## Hidden Markov models\n"
    yield _functions(OTHERS, None)
    yield "## Constraints as functions\n"
    yield _functions({*CONSTRAIN_FUNCTIONS, *JACOBIAN_FUNCTIONS}, _constraint_functions)
    yield "## Constrained types\n"
    yield _functions((word for word in TRANSFORMS if ":" not in word), _transforms)
    yield "## Distributions\n"
    yield _DISTRIBUTIONS
    yield distributions_table()
    yield "## Not there\n"
    yield _MISSING
    yield _functions(missing(), None)


def distributions_table() -> str:
    """One row for each distribution."""
    rows = ["| distribution | arguments | density | cdf | random numbers | module |", "|---|---|---|---|---|---|"]
    families = [module for module in vars(densities).values() if hasattr(module, "DISTRIBUTIONS")]
    for name, distribution in sorted(DISTRIBUTIONS.items()):
        module = next(family.__name__ for family in families if name in family.DISTRIBUTIONS)
        cells = [f"`{name}`", ", ".join(distribution.arguments)]
        cells += [_mark(function) for function in (distribution.log_density, distribution.lcdf, distribution.rng)]
        rows.append(f"| {' | '.join([*cells, f'`{module}`'])} |")
    return "\n".join(rows) + "\n"


def _mark(function: object) -> str:
    return "—" if function is None else "yes"


def _symbol(operator: str) -> str:
    """As it is written: the sign `u-` of the table is a `-` in front of its operand."""
    return f"{operator[1]}x" if operator in ("u-", "u+") else f"x{operator}" if operator == "'" else operator


def _functions(names: Iterable[str], module: ModuleType | None) -> str:
    return _names((f"`{name}`" for name in sorted(names)), module)


def _names(names: Iterable[str], module: ModuleType | None) -> str:
    text = textwrap.fill(", ".join(names) + ".", width=120, break_long_words=False, break_on_hyphens=False)
    return f"{text}\n" if module is None else f"{text}\n\nModule: `{module.__name__}`.\n"


if __name__ == "__main__":
    PAGE.write_text(page())
