"""The distributions of the Stan library: densities, cdfs and samplers on JAX arrays."""

from pathfinder.stan._library.densities.continuous import (
    bounded,
    gamma,
    location_scale,
    normal,
    pareto,
    positive,
    wiener,
)
from pathfinder.stan._library.densities.counts import (
    bounded_counts,
    categorical,
    ordinal,
    poisson_binomial,
    unbounded_counts,
)
from pathfinder.stan._library.densities.distribution import Distribution as Distribution
from pathfinder.stan._library.densities.multivariate import elliptical, glm, matrix, state_space
from pathfinder.stan._library.densities.multivariate.state_space import hmm_hidden_state_prob as hmm_hidden_state_prob


_FAMILIES = (
    normal,
    location_scale,
    positive,
    gamma,
    pareto,
    bounded,
    bounded_counts,
    unbounded_counts,
    poisson_binomial,
    ordinal,
    categorical,
    glm,
    elliptical,
    matrix,
    state_space,
    wiener,
)

# By Stan's name without its suffix
DISTRIBUTIONS: dict[str, Distribution] = {
    name: distribution for family in _FAMILIES for name, distribution in family.DISTRIBUTIONS.items()
}
