"""Constraints on parameters, for `Model.from_log_density`: those of NumPyro.

`positive`, `unit_interval`, `interval(lower, upper)`, `greater_than(lower)`, `less_than(upper)`, `simplex`,
`ordered_vector`, `lower_cholesky`, `corr_cholesky`, `positive_definite` and every other constraint in
`numpyro.distributions.constraints` for which NumPyro has a bijection from the unconstrained space.
"""

from typing import Any as _Any

from numpyro.distributions import constraints as _numpyro
from numpyro.distributions.constraints import (
    corr_cholesky as corr_cholesky,
)
from numpyro.distributions.constraints import (
    corr_matrix as corr_matrix,
)
from numpyro.distributions.constraints import (
    lower_cholesky as lower_cholesky,
)
from numpyro.distributions.constraints import (
    ordered_vector as ordered_vector,
)
from numpyro.distributions.constraints import (
    positive as positive,
)
from numpyro.distributions.constraints import (
    positive_definite as positive_definite,
)
from numpyro.distributions.constraints import (
    positive_ordered_vector as positive_ordered_vector,
)
from numpyro.distributions.constraints import (
    real as real,
)
from numpyro.distributions.constraints import (
    simplex as simplex,
)
from numpyro.distributions.constraints import (
    unit_interval as unit_interval,
)
from numpyro.distributions.constraints import (
    zero_sum as zero_sum,
)

from pathfinder._model.constraint_checks import check_bounds as _check_bounds
from pathfinder._model.constraint_checks import check_interval as _check_interval


def interval(lower_bound: _Any, upper_bound: _Any) -> _Any:
    """Numbers between two bounds, or arrays of them.

    Raises:
        ValueError: If a lower bound is not below its upper bound, or a bound is not finite.
    """
    _check_interval(lower_bound, upper_bound)
    return _numpyro.interval(lower_bound, upper_bound)


def greater_than(lower_bound: _Any) -> _Any:
    """Numbers above a bound.

    Raises:
        ValueError: If the bound is not finite.
    """
    _check_bounds(lower_bound, None)
    return _numpyro.greater_than(lower_bound)


def less_than(upper_bound: _Any) -> _Any:
    """Numbers below a bound.

    Raises:
        ValueError: If the bound is not finite.
    """
    _check_bounds(None, upper_bound)
    return _numpyro.less_than(upper_bound)
