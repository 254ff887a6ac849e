"""The functions of the Stan library, by name."""

from pathfinder.stan._library.functions.containers import CONTAINERS
from pathfinder.stan._library.functions.elementwise import ELEMENTWISE
from pathfinder.stan._library.functions.function import Function as Function
from pathfinder.stan._library.functions.gaussian_process import GAUSSIAN_PROCESS
from pathfinder.stan._library.functions.linear_algebra import LINEAR_ALGEBRA
from pathfinder.stan._library.functions.operators import NAMED_OPERATORS
from pathfinder.stan._library.functions.operators import OPERATORS as OPERATORS
from pathfinder.stan._library.functions.special.bessel import BESSEL
from pathfinder.stan._library.functions.special.first_passage import FIRST_PASSAGE
from pathfinder.stan._library.functions.special.gamma import GAMMA_FUNCTIONS
from pathfinder.stan._library.functions.special.hypergeometric import HYPERGEOMETRIC
from pathfinder.stan._library.functions.special.quantiles import SPECIAL
from pathfinder.stan._library.functions.sums import SUMS


FUNCTIONS: dict[str, Function] = {
    **NAMED_OPERATORS,
    **ELEMENTWISE,
    **GAMMA_FUNCTIONS,
    **SPECIAL,
    **BESSEL,
    **HYPERGEOMETRIC,
    **FIRST_PASSAGE,
    **SUMS,
    **CONTAINERS,
    **LINEAR_ALGEBRA,
    **GAUSSIAN_PROCESS,
}
