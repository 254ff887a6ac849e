"""The distributions of the Stan library: densities, cdfs and samplers on JAX arrays."""

from pathfinder.stan.densities import (
    _bounded,
    _bounded_counts,
    _categorical,
    _counts,
    _gamma,
    _glm,
    _location_scale,
    _matrix,
    _multivariate,
    _normal,
    _ordinal,
    _pareto,
    _poisson_binomial,
    _positive,
    _state_space,
    _wiener,
)
from pathfinder.stan.densities._distribution import Distribution as Distribution
from pathfinder.stan.densities._state_space import hmm_hidden_state_prob as hmm_hidden_state_prob


_FAMILIES = (
    _normal,
    _location_scale,
    _positive,
    _gamma,
    _pareto,
    _bounded,
    _bounded_counts,
    _counts,
    _poisson_binomial,
    _ordinal,
    _categorical,
    _glm,
    _multivariate,
    _matrix,
    _state_space,
    _wiener,
)

# By Stan's name without its suffix
DISTRIBUTIONS: dict[str, Distribution] = {
    name: distribution for family in _FAMILIES for name, distribution in family.DISTRIBUTIONS.items()
}
