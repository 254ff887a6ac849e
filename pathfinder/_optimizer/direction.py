"""The L-BFGS direction from the newest pairs of a path."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pathfinder._arrays.namespace import Array, namespace, scan
from pathfinder._normals.inverse_hessian import Pairs
from pathfinder._optimizer.chosen import Chosen


def newest_pairs(pairs: Pairs, end: Int[Array, " lane"], history_size: int, lanes: Chosen | None = None) -> Pairs:
    """The `history_size` pairs before row `end` of some lanes, or of all."""
    numbers = None if lanes is None else lanes.numbers
    if isinstance(end, np.ndarray) and numbers is None and (end == end[0]).all():
        # All lanes are as far: nothing needs to be copied.
        return Pairs(*[part[:, end[0] - history_size : end[0]] for part in pairs])
    xp = namespace(pairs.positions, end)
    window = end[:, None] + xp.arange(-history_size, 0, dtype=end.dtype)[None, :]
    own = (xp.arange(len(end)) if numbers is None else numbers)[:, None]
    return Pairs(pairs.positions[own, window], pairs.gradients[own, window])


def two_loop(
    pairs: Pairs,
    num_pairs: Int[Array, " lane"],
    initial: Float[Array, "lane dim"],
    gradient: Float[Array, "lane dim"],
) -> Float[Array, "lane dim"]:
    """The L-BFGS directions from the newest `num_pairs` pairs (Nocedal and Wright 2006, algorithm 7.4).

    The initial inverse Hessian is the diagonal `initial`, scaled to fit the newest pair (their equation 7.20 where it
    is the identity; without pairs the direction is steepest descent).
    """
    xp = namespace(gradient)
    history_size = pairs.positions.shape[1]
    inner = xp.vecdot(pairs.positions, pairs.gradients)
    used = xp.arange(history_size, 0, -1, dtype=num_pairs.dtype)[None, :] <= num_pairs[:, None]
    rho = xp.where(used, 1.0 / xp.where(used, inner, 1.0), 0.0)
    newest = pairs.gradients[:, -1]
    curvature = xp.vecdot(initial, newest * newest) * rho[:, -1]
    has_pairs = num_pairs > 0
    scale = xp.where(has_pairs[:, None], initial / xp.where(has_pairs, curvature, 1.0)[:, None], 1.0)

    by_age = [xp.swapaxes(part, 0, 1) for part in (*pairs, rho)]
    q, a = scan(_backward, -gradient, *by_age, reverse=True)
    direction, _ = scan(_forward, scale * q, *by_age, a)
    return direction


def _backward(q, s, y, rho):
    a = (rho * namespace(q).vecdot(s, q))[:, None]
    return q - a * y, a


def _forward(q, s, y, rho, a):
    return q + (a - (rho * namespace(q).vecdot(y, q))[:, None]) * s, None
