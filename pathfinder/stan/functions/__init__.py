"""The functions of the Stan library, by name."""

from pathfinder.stan.functions._function import Function as Function
from pathfinder.stan.functions.bessel import BESSEL
from pathfinder.stan.functions.containers import CONTAINERS
from pathfinder.stan.functions.elementwise import ELEMENTWISE
from pathfinder.stan.functions.first_passage import FIRST_PASSAGE
from pathfinder.stan.functions.gamma_functions import GAMMA_FUNCTIONS
from pathfinder.stan.functions.gaussian_process import GAUSSIAN_PROCESS
from pathfinder.stan.functions.hypergeometric import HYPERGEOMETRIC
from pathfinder.stan.functions.linear_algebra import LINEAR_ALGEBRA
from pathfinder.stan.functions.operators import NAMED_OPERATORS
from pathfinder.stan.functions.operators import OPERATORS as OPERATORS
from pathfinder.stan.functions.special import SPECIAL
from pathfinder.stan.functions.sums import SUMS


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
