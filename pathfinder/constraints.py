"""Constraints on parameters, for `Model.from_log_density`: those of NumPyro.

`positive`, `unit_interval`, `interval(lower, upper)`, `greater_than(lower)`, `less_than(upper)`, `simplex`,
`ordered_vector`, `lower_cholesky`, `corr_cholesky`, `positive_definite` and every other constraint in
`numpyro.distributions.constraints` for which NumPyro has a bijection from the unconstrained space.
"""

from numpyro.distributions.constraints import (
    corr_cholesky as corr_cholesky,
)
from numpyro.distributions.constraints import (
    corr_matrix as corr_matrix,
)
from numpyro.distributions.constraints import (
    greater_than as greater_than,
)
from numpyro.distributions.constraints import (
    interval as interval,
)
from numpyro.distributions.constraints import (
    less_than as less_than,
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
