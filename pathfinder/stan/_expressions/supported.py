"""Which functions of Stan's library can be evaluated, and where each of them comes from.

The type checker knows all functions of Stan; a call of one that is not here is an error before anything runs.
"""

from __future__ import annotations

from pathfinder._close_names import close_name
from pathfinder.stan._checking.programs import CheckedProgram
from pathfinder.stan._expressions.distribution_calls import CDF_SUFFIXES, DENSITY_SUFFIXES
from pathfinder.stan._expressions.higher_order_calls import HIGHER_ORDER
from pathfinder.stan._expressions.indexing_calls import SHAPES, SLICES
from pathfinder.stan._library.densities import DISTRIBUTIONS
from pathfinder.stan._library.functions import FUNCTIONS
from pathfinder.stan._library.transforms.functions import CONSTRAIN_FUNCTIONS, JACOBIAN_FUNCTIONS
from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.traversal import nodes
from pathfinder.stan._syntax.tree import Call, Sampling


def is_supported(name: str) -> bool:
    """Whether a function of the library, by its full name, can be evaluated."""
    if name in _TABLES:
        return True
    base, _, suffix = name.rpartition("_")
    distribution = DISTRIBUTIONS.get(base)
    if distribution is None:
        return False
    if suffix in DENSITY_SUFFIXES:
        return distribution.log_density is not None
    return suffix in (*CDF_SUFFIXES, "rng") and getattr(distribution, suffix) is not None


OTHERS = {"hmm_marginal", "hmm_hidden_state_prob"}

_TABLES = {*FUNCTIONS, *HIGHER_ORDER, *SLICES, *SHAPES, *CONSTRAIN_FUNCTIONS, *JACOBIAN_FUNCTIONS, *OTHERS}


def require_supported(checked: CheckedProgram) -> None:
    """Check that every function of the library that a program calls is here.

    Raises:
        StanTypeError: If one is not; names its place and the nearest one that is.
    """
    for node in nodes(checked.program):
        if not isinstance(node, Call | Sampling) or checked.definition(node) is not None:
            continue
        name = checked.library_name(node)
        if is_supported(name):
            continue
        place = node.function if isinstance(node, Call) else node.distribution
        near = close_name(name, sorted(_TABLES))
        hint = f"The nearest function that is: `{near}`." if near else ""
        raise StanTypeError(f"`{name}` is a function of Stan, but cannot be evaluated here.", place.span, hint)
