"""The mixture of the approximations of all paths, as a proposal density."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pathfinder._arrays.namespace import Array, fori_loop, is_nowhere, jit_unless_numpy, namespace, rows
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._normals.low_rank import LowRankNormal


@jit_unless_numpy()
def log_mixture_density(
    approximations: LowRankNormal,
    log_weights: Float[Array, "fit path"],
    fits: Int[Array, " lane"],
    draws: Float[Array, "lane draw dim"],
) -> Float[Array, "lane draw"]:
    """Log density of a mixture at draws, logsumexp_p(log w_p + log q_p(x)).

    The balance heuristic (Veach and Guibas 1995; Owen and Zhou 2000): with draws from every component in proportion to
    its weight, importance weights p(x) / sum_p w_p q_p(x) are bounded by those of the best component at x, so one poor
    component cannot spoil them, and a mode that several paths found is not counted several times.

    Args:
        approximations: Components, with leading axes fit and path.
        log_weights: Log weights of the components; -inf leaves one out.
        fits: Which fit each lane belongs to.
        draws: Points.
    """
    xp = namespace(approximations, log_weights, draws)
    if xp is np and len(fits) and np.all(fits == fits[0]):
        fits = fits[:1]  # what is made of a component is made once for all lanes

    def add(path, total):
        log_weight = log_weights[fits, path][:, None]
        takes_part = xp.isfinite(log_weight)
        if is_nowhere(takes_part):
            return total
        component = rows(approximations, (fits, path))
        log_q = over_lanes(lambda normal, points: normal.log_density(points))(component, draws)
        # A failed component may hold NaN; a density that overflows to NaN is one of zero.
        term = xp.where(takes_part & ~xp.isnan(log_q), log_weight + log_q, -xp.inf)
        return xp.logaddexp(total, term)

    # One component after another: all at once would take memory for every draw under every component.
    return fori_loop(log_weights.shape[1], add, xp.full(draws.shape[:2], -xp.inf, draws.dtype))
