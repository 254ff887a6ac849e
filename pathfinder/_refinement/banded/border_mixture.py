"""Normals of the chain at many borders, whose mixture follows a border that a single normal cannot.

As in integrated nested Laplace approximations (Rue, Martino and Chopin 2009): the border's marginal density is nearly
normal, and so is the chain's at each border; only their joint density is not, as the chain's covariance changes with
the border. Here the normals are proposals of importance sampling, so that nothing has to be exact.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from pathfinder._normals.band_algebra import symmetric_product
from pathfinder._normals.bordered import BorderedNormal
from pathfinder._refinement.banded.border_mode import BorderMode
from pathfinder._refinement.banded.conditional_modes import ConditionalMode, conditional_modes
from pathfinder._refinement.banded.curvatures import PatternDensity


NUM_COMPONENTS = 64
WIDENED = 1.1  # what the border's deviations are multiplied by, since its tails are not those of a normal
CHAIN_TOLERANCE = 1e-2  # nats that a mode of the chain may lack
TRACE_VECTORS = 64  # of the estimate of a trace
STRONG = 3.0  # dependence of the chain's covariance on a direction of the border, from which its spread counts
SHIFT_DRAWS = 4  # of each component, for what the chain's mean is off its mode


@dataclasses.dataclass
class ChainNormal:
    """A normal of chain and border, in the order of the pattern.

    Args:
        mode: The chain's mode at its border.
        border: The border's part of the negative Hessian, relative to the chain's: L^-1 C.
        corner: Lower Cholesky factor of the precision of the border alone.
    """

    mode: ConditionalMode
    border: Float[np.ndarray, "chain border"]
    corner: Float[np.ndarray, "border border"]

    def normal(self, density: PatternDensity, shift: Float[np.ndarray, " chain"]) -> BorderedNormal:
        """The normal, with the mean of the chain moved."""
        mean = self.mode.point.copy()
        mean[: len(shift)] += shift
        band, border, corner = (
            np.asarray(part, density.dtype) for part in (self.mode.factor.factor, self.border, self.corner)
        )
        return BorderedNormal(density.as_parameters(mean), band, border, corner, density.pattern.order)


def border_components(density: PatternDensity, mode: BorderMode) -> list[ChainNormal]:
    """Components at points spread evenly over the border's marginal normal.

    Each is narrow in directions of the border on which the chain's covariance depends, and as wide as a kernel of so
    many points needs in the others.

    Args:
        density: The density in the order of its pattern.
        mode: The border's mode and curvature.

    Raises:
        BudgetSpentError: If it would take too many evaluations.
    """
    directions, dependence = _directions(mode)
    places = WIDENED * ndtri(_even_points(NUM_COMPONENTS, density.num_border))
    steps = places @ directions.T
    starts = mode.at.mode.point + np.concatenate([steps @ mode.at.slopes.T, steps], axis=1)
    kernel = _widths(dependence) * directions
    corner = np.linalg.cholesky(np.linalg.inv(kernel @ kernel.T))
    modes = [own for own in conditional_modes(density, starts, CHAIN_TOLERANCE) if own is not None and own.is_proper]
    if not modes:
        return []
    borders, _ = density.borders(np.stack([own.point for own in modes]))
    return [ChainNormal(own, own.factor.solve_lower(part), corner) for own, part in zip(modes, borders, strict=True)]


def central_component(mode: BorderMode) -> ChainNormal:
    """The normal at the border's mode, as narrow as its ELBO is highest where the chain's covariance changes."""
    directions, dependence = _directions(mode)
    own = directions / np.sqrt(1.0 + dependence)
    corner = np.linalg.cholesky(np.linalg.inv(own @ own.T))
    factor = mode.at.mode.factor
    return ChainNormal(mode.at.mode, factor.solve_lower(mode.at.precision.border), corner)


def common_shift(
    density: PatternDensity, components: list[ChainNormal], noise: Float[np.ndarray, "component half chain"]
) -> Float[np.ndarray, " chain"]:
    """How far the mean of the chain is off its mode, by the average score of draws: the same for all components.

    Args:
        density: The density in the order of its pattern.
        components: The components.
        noise: Standard normal numbers; each is used with both signs.

    Raises:
        BudgetSpentError: If it would take too many evaluations.
    """
    points = []
    for own, part in zip(components, noise, strict=True):
        chain = own.mode.factor.solve_upper(part.T).T
        both = np.tile(own.mode.point, (2 * len(part), 1))
        both[:, : density.num_chain] += np.concatenate([chain, -chain])
        points.append(both)
    values, gradients = density.gradients(np.concatenate(points))
    scores = np.where(np.isfinite(values)[:, None], gradients[:, : density.num_chain], 0.0)
    scores = scores.reshape(len(components), -1, density.num_chain)
    finite = np.isfinite(values).reshape(len(components), -1).all(axis=1)
    shifts = [own.mode.factor.solve(part.mean(axis=0)) for own, part in zip(components, scores, strict=True)]
    return np.mean(np.stack(shifts)[finite], axis=0) if finite.any() else np.zeros(density.num_chain)


def _directions(mode: BorderMode) -> tuple[Float[np.ndarray, "border border"], Float[np.ndarray, " border"]]:
    """Independent directions of the border, a standard deviation long, and how the chain's covariance depends on each.

    That is twice the Kullback-Leibler divergence of the chain's normals a standard deviation apart, but for the means:
    tr(A^-1 A' A^-1 A') / 2, estimated with a few vectors.
    """
    rng = np.random.default_rng(0)
    factor = mode.at.mode.factor
    vectors = rng.normal(size=(len(factor.band), TRACE_VECTORS))
    drawn = factor.solve_upper(vectors)
    changes = [factor.solve_lower(symmetric_product(slope, drawn)) for slope in mode.at.band_slopes]
    information = np.array([[np.sum(one * other) for other in changes] for one in changes]) / (2 * TRACE_VECTORS)
    root = np.linalg.cholesky(mode.curvature)
    half = np.linalg.solve(root, np.linalg.solve(root, information).T)
    dependence, vectors = np.linalg.eigh(0.5 * (half + half.T))
    return np.linalg.solve(root.T, vectors), np.maximum(dependence, 0.0)


def _widths(dependence: Float[np.ndarray, " border"]) -> Float[np.ndarray, " border"]:
    """Standard deviations of a component in each direction, relative to those of the border."""
    num_strong = np.sum(dependence > STRONG)
    usual = (4.0 / ((len(dependence) + 2) * NUM_COMPONENTS)) ** (1.0 / (len(dependence) + 4))  # Silverman's rule
    apart = 1.5 * NUM_COMPONENTS ** (-1.0 / max(1, num_strong))
    return np.minimum(usual, np.maximum(apart, 1.0 / np.sqrt(np.maximum(dependence, 1e-12))))


def _even_points(count: int, dim: int) -> Float[np.ndarray, "point dim"]:
    """Points of the open unit cube that are spread evenly: multiples of powers of a generalized golden ratio."""
    ratio = 2.0
    for _ in range(50):
        ratio = (1.0 + ratio) ** (1.0 / (dim + 1))
    return (0.5 + np.arange(count)[:, None] * ratio ** -np.arange(1.0, dim + 1)) % 1.0
