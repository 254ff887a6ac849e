"""The mode and curvature of the border's marginal density, the chain being integrated out by Laplace's approximation.

Tierney and Kadane (1986); Rue, Martino and Chopin (2009). A normal that is fitted to chain and border together is far
too narrow where the border has scales of the chain, and creeps; the marginal density has neither fault.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pathfinder._refinement.banded.chain_factor import ChainFactor, Precision
from pathfinder._refinement.banded.conditional_modes import ConditionalMode, conditional_modes
from pathfinder._refinement.banded.curvatures import PatternDensity


MOST_STEPS = 30
CLIMBED = 0.02  # nats that are left when the climb ends
CHAIN_TOLERANCE = 1e-4  # nats that a mode of the chain may lack
FIRST_RADIUS = 1.0  # of a step, in each unconstrained parameter
FEWEST_RELATIVE = 1e-3  # eigenvalue of the first curvature, relative to the largest


@dataclass
class Marginal:
    """The border's marginal density at one border.

    Args:
        mode: The chain's mode there.
        gradient: Of the log marginal density.
        slopes: How the mode of the chain moves with the border.
        precision: The negative Hessian at the mode.
        band_slopes: Derivatives of its band with respect to the border, the chain moving along.
    """

    mode: ConditionalMode
    gradient: Float[np.ndarray, " border"]
    slopes: Float[np.ndarray, "chain border"]
    precision: Precision
    band_slopes: list[Float[np.ndarray, "chain width"]]

    @property
    def value(self) -> float:
        """Log marginal density, but for a constant."""
        return self.mode.log_marginal


@dataclass
class BorderMode:
    """Where the border's marginal density is highest.

    Args:
        at: The marginal density there.
        curvature: Its negative Hessian, positive definite.
    """

    at: Marginal
    curvature: Float[np.ndarray, "border border"]


def border_mode(density: PatternDensity, start: Float[np.ndarray, " dim"]) -> BorderMode | None:
    """Climb the marginal density of the border (BFGS), then take its Hessian by differences of gradients.

    Args:
        density: The density in the order of its pattern.
        start: Chain and border to begin with.

    Returns:
        The mode; None where the density or its curvature is not that of a maximum.

    Raises:
        BudgetSpentError: If it would take too many evaluations.
    """
    scales = np.full(density.num_border, FIRST_RADIUS)
    present = _marginal(density, start, scales)
    if present is None:
        return None
    curvature = _first_curvature(present)
    radius = FIRST_RADIUS
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(curvature, present.gradient)
        promised = float(step @ present.gradient)
        if promised < CLIMBED:
            break
        longest = np.abs(step).max()
        step *= min(1.0, radius / longest)
        following = _marginal(density, _moved(present, step), scales)
        expected = 1e-4 * float(step @ present.gradient)
        if following is None or not following.value >= present.value + expected:
            radius = 0.3 * min(radius, longest)
            if radius < 1e-4:
                break
            continue
        if longest >= radius:
            radius *= 2.0
        curvature = _updated(curvature, step, present.gradient - following.gradient)
        scales = np.minimum(FIRST_RADIUS, 1.0 / np.sqrt(np.diag(curvature)))
        present = following
    hessian = _curvature(density, present, 1.0 / np.sqrt(np.diag(curvature)))
    return None if hessian is None else BorderMode(present, hessian)


def _marginal(density: PatternDensity, start: np.ndarray, scales: np.ndarray) -> Marginal | None:
    """The marginal density at the border of `start`; its gradient by central differences of log determinants."""
    (mode,) = conditional_modes(density, start[None], CHAIN_TOLERANCE)
    if mode is None or not mode.is_proper:
        return None
    (border,), (corner,) = density.borders(mode.point[None])
    slopes = -mode.factor.solve(border)
    steps = density.difference * scales
    ahead = np.concatenate([slopes * steps, np.diag(steps)]).T
    expansions = density.expansions(np.concatenate([mode.point + ahead, mode.point - ahead]))
    try:
        log_dets = np.array([ChainFactor(band).log_det for band in expansions.bands])
    except np.linalg.LinAlgError:
        return None
    forwards, backwards = np.split(log_dets, 2)
    gradient = mode.gradient[density.num_chain :] + slopes.T @ mode.gradient[: density.num_chain]
    gradient = gradient - (forwards - backwards) / (2 * steps)
    differences = expansions.bands[: len(steps)] - expansions.bands[len(steps) :]
    band_slopes = list(differences / (2 * steps)[:, None, None])
    if not np.isfinite(gradient).all():
        return None
    return Marginal(mode, gradient, slopes, Precision(mode.factor.band, border, corner), band_slopes)


def _moved(present: Marginal, step: Float[np.ndarray, " border"]) -> Float[np.ndarray, " dim"]:
    """With another border, and the chain where its mode is expected."""
    return present.mode.point + np.concatenate([present.slopes @ step, step])


def _first_curvature(present: Marginal) -> Float[np.ndarray, "border border"]:
    """From the Schur complement, whose eigenvalues may be negative far from the mode."""
    half = present.mode.factor.solve_lower(present.precision.border)
    values, vectors = np.linalg.eigh(present.precision.corner - half.T @ half)
    size = np.abs(values)
    return (vectors * np.maximum(size, FEWEST_RELATIVE * size.max())) @ vectors.T


def _updated(curvature: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """By the formula of Broyden, Fletcher, Goldfarb and Shanno, if there was curvature along the step."""
    along = float(step @ change)
    product = curvature @ step
    if along <= 1e-8 * float(step @ product):
        return curvature
    return curvature - np.outer(product, product) / (step @ product) + np.outer(change, change) / along


def _curvature(density: PatternDensity, present: Marginal, scales: np.ndarray) -> np.ndarray | None:
    """The negative Hessian of the log marginal density; None if it is not positive definite."""
    columns = []
    for number, scale in enumerate(0.3 * scales):
        step = np.zeros(len(scales))
        step[number] = scale
        ends = [_marginal(density, _moved(present, sign * step), scales) for sign in (1.0, -1.0)]
        if ends[0] is None or ends[1] is None:
            return None
        columns.append((ends[1].gradient - ends[0].gradient) / (2 * scale))
    found = 0.5 * (np.array(columns) + np.array(columns).T)
    return found if np.linalg.eigvalsh(found).min() > 0 else None
