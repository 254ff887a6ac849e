"""Evaluations of a density in the order of a pattern: values, gradients, and Hessians from products with few vectors.

Each product with a vector of `probes_of` holds one entry of every row of the band, or a column of the border.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import jit_unless_numpy
from pathfinder._density.either import Density
from pathfinder._density.host import HostDensity
from pathfinder._density.work import OPERATIONS_OF_STAGE
from pathfinder._pattern import Pattern
from pathfinder._patterns.find import probes_of
from pathfinder._refinement.banded.chain_factor import Precision


PRODUCT_COST = 2  # evaluations of the gradient that a product counts as
POINTS_AT_ONCE = 16  # of a compiled program


class Expansions(NamedTuple):
    """Densities, gradients and negative Hessians at points, in the order of the pattern.

    Args:
        values: Log densities; NaN where anything is not finite.
        gradients: Gradients.
        bands: The chain's part of the negative Hessians, as in `Precision`.
    """

    values: Float[np.ndarray, " point"]
    gradients: Float[np.ndarray, "point dim"]
    bands: Float[np.ndarray, "point chain width"]


class BudgetSpentError(Exception):
    """More evaluations would be needed than a stage may take."""


class PatternDensity:
    """A density of one fit, evaluated at points whose parameters are in the order of a pattern.

    Args:
        density: The density.
        pattern: The pattern.
        max_gradients: Evaluations after which `BudgetSpentError` is raised; None is by the price of one.
    """

    def __init__(self, density: Density, pattern: Pattern, max_gradients: float | None = None):
        self.density, self.pattern = density, pattern
        self.num_chain, self.num_border = pattern.dim - pattern.border, pattern.border
        self.max_gradients = 2 * OPERATIONS_OF_STAGE / density.operations if max_gradients is None else max_gradients
        self.num_gradients = self.num_densities = 0
        self._probes = probes_of(pattern)
        self._period = len(self._probes[0])

    @property
    def dtype(self) -> np.dtype:
        """Of the density."""
        return np.dtype(self.density.dtype)

    @property
    def difference(self) -> float:
        """A step for central differences, relative to the scale of what is differentiated."""
        return float(np.cbrt(np.finfo(self.dtype).eps)) * 10

    def in_order(self, vectors: Float[Any, "*points dim"]) -> Float[np.ndarray, "*points dim"]:
        """Vectors of parameters in the order of the pattern, in double precision."""
        return np.asarray(vectors, np.float64)[..., self.pattern.order]

    def as_parameters(self, vectors: Float[Any, "*points dim"]) -> Float[np.ndarray, "*points dim"]:
        """The opposite."""
        own = np.empty(vectors.shape, self.dtype)
        own[..., self.pattern.order] = vectors
        return own

    def values(self, points: Float[np.ndarray, "point dim"]) -> Float[np.ndarray, " point"]:
        """Log densities; NaN where they are not finite."""
        self.num_densities += len(points)
        (values,) = self._evaluated(lambda own: (_values(own, self.density),), points)
        return _finite(values)

    def gradients(
        self, points: Float[np.ndarray, "point dim"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "point dim"]]:
        """Log densities, NaN where anything is not finite, and gradients."""
        self._spend(len(points))
        values, gradients = self._evaluated(lambda own: _values_and_gradients(own, self.density), points)
        gradients = self.in_order(gradients)
        return np.where(_are_finite(gradients), _finite(values), np.nan), gradients

    def expansions(self, points: Float[np.ndarray, "point dim"]) -> Expansions:
        """Densities, gradients, and the chain's part of the Hessians."""
        values, gradients, products = self._products(points, self._probes[0])
        rows = np.arange(self.num_chain)
        bands = np.zeros((len(points), self.num_chain, self.pattern.width + 1))
        for offset in range(min(self.pattern.width + 1, self.num_chain)):
            columns = rows[: self.num_chain - offset]
            below = products[:, columns % self._period, columns + offset]
            above = products[:, (columns + offset) % self._period, columns]
            bands[:, offset:, offset] = -0.5 * (below + above)
        return Expansions(np.where(_are_finite(bands.reshape(len(bands), -1)), values, np.nan), gradients, bands)

    def borders(
        self, points: Float[np.ndarray, "point dim"]
    ) -> tuple[Float[np.ndarray, "point chain border"], Float[np.ndarray, "point border border"]]:
        """The other parts of the negative Hessians."""
        if self.num_border == 0:
            return np.zeros((len(points), self.num_chain, 0)), np.zeros((len(points), 0, 0))
        parts = [self._products(points, probes)[2] for probes in self._probes[1:]]
        columns = -np.concatenate(parts, axis=1)[:, : self.num_border]
        corner = columns[:, :, self.num_chain :]
        return columns[:, :, : self.num_chain].swapaxes(1, 2), 0.5 * (corner + corner.swapaxes(1, 2))

    def precisions(self, points: Float[np.ndarray, "point dim"]) -> tuple[Expansions, list[Precision]]:
        """Densities, gradients and whole negative Hessians."""
        expansions = self.expansions(points)
        parts = zip(expansions.bands, *self.borders(points), strict=True)
        return expansions, [Precision(*own) for own in parts]

    def can_afford(self, num_points: int) -> bool:
        """Whether gradients and whole Hessians at so many points are within the budget."""
        price = 1 + len(self._probes) * (1 + PRODUCT_COST * len(self._probes[0]))
        return self.num_gradients + num_points * price <= self.max_gradients

    def _products(self, points: np.ndarray, probes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self._spend(len(points) * (1 + PRODUCT_COST * len(probes)))
        probes = self.density.arrays(np.asarray(probes, self.dtype))
        values, *parts = self._evaluated(lambda own: self.density.hessian_products(own, probes), points)
        gradients, products = map(self.in_order, parts)
        usable = _are_finite(gradients) & _are_finite(products.reshape(len(products), -1))
        return np.where(usable, _finite(values), np.nan), gradients, products

    def _evaluated(self, function: Callable[[Any], tuple[Any, ...]], points: np.ndarray) -> tuple[np.ndarray, ...]:
        """A function of points; compiled programs take a fixed number of them, so that there is one."""
        own = self.as_parameters(points)
        if isinstance(self.density, HostDensity):
            return function(own)
        parts = []
        for first in range(0, len(own), POINTS_AT_ONCE):
            part = own[first : first + POINTS_AT_ONCE]
            filled = np.concatenate([part, np.repeat(part[-1:], POINTS_AT_ONCE - len(part), axis=0)])
            parts.append([leaf[: len(part)] for leaf in on_host(function(self.density.arrays(filled)))])
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def _spend(self, num_gradients: int) -> None:
        if self.num_gradients + num_gradients > self.max_gradients:
            raise BudgetSpentError
        self.num_gradients += num_gradients


@jit_unless_numpy()
def _values(points: Any, density: Density) -> Any:
    return density.values(points)


@jit_unless_numpy()
def _values_and_gradients(points: Any, density: Density) -> Any:
    return density.values_and_gradients(points)


def _finite(values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
    values = np.asarray(values, np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _are_finite(vectors: Float[np.ndarray, "point number"]) -> Bool[np.ndarray, " point"]:
    return np.asarray(np.isfinite(vectors).all(axis=1))
