"""Normal densities with structure, for log densities that users write: exact, with one factor for value and gradient.

In: covariances as matrices or as operators that know their structure, and values. Out: log densities, predictions and
factors with derivatives of their own, in JAX. Uses `_arrays` alone; the Stan compiler and the engine stand on it.
"""

from pathfinder.gaussian import kernels as kernels
from pathfinder.gaussian._conditional import conditional as conditional
from pathfinder.gaussian._dense.quadratic import (
    inverse_quadratic_and_log_determinant as inverse_quadratic_and_log_determinant,
)
from pathfinder.gaussian._dense.safe_cholesky import safe_cholesky as safe_cholesky
from pathfinder.gaussian._log_density import normal_log_density as normal_log_density
