"""The pattern of a density, found from its program and proved by products with its Hessian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pathfinder._arrays.devices import on_host
from pathfinder._density.either import Density
from pathfinder._pattern import Pattern
from pathfinder._patterns.dependence import DenseError
from pathfinder._patterns.ordering import MOST_PRODUCTS, banded_order
from pathfinder._patterns.program import interactions_of


TOLERANCE = 1e-6  # relative difference of products, in double precision


class FoundPattern(NamedTuple):
    """What was found.

    Args:
        pattern: The pattern; None if there is none.
        reason: Why there is none; empty if there is one.
        num_gradients: Evaluations of the gradient that it took, a product counting as two.
    """

    pattern: Pattern | None
    reason: str
    num_gradients: int


class WrongPatternError(ValueError):
    """A pattern that the density does not have."""


def find_pattern(
    density: Density, points: Float[np.ndarray, "point dim"], pattern: Pattern | None = None
) -> FoundPattern:
    """Find the pattern of a density, and prove it at some points.

    Args:
        density: The density, of one fit.
        points: Where it is proved: a product of the Hessian with random numbers is that of its entries in the pattern.
        pattern: A pattern to prove instead of looking for one.

    Raises:
        WrongPatternError: If a given pattern is not that of the density.
    """
    if not density.has_products:
        if pattern is not None:
            raise WrongPatternError("`pattern` needs a log density in JAX: others give no products with their Hessian.")
        return FoundPattern(None, "the log density is not one of JAX", 0)
    if pattern is not None and pattern.dim != density.dim:
        raise WrongPatternError(
            f"`pattern` has {pattern.dim} parameters in its order, and the model {density.dim} unconstrained ones."
        )
    given, function = pattern, density.traced_function
    if pattern is None:
        assert function is not None  # as there are products
        try:
            found = interactions_of(
                lambda position: function(position, density.data_of_fit), density.dim, density.dtype
            )
        except DenseError as error:
            return FoundPattern(None, f"there is {error}", 0)
        pattern = banded_order(found.pairs)
        if pattern is None:
            return FoundPattern(None, f"no order needs at most {MOST_PRODUCTS} products", 0)
    error, num_gradients = _mismatch(density, pattern, points)
    tolerance = max(TOLERANCE, float(np.sqrt(np.finfo(density.dtype).eps)))
    if error is None:
        return FoundPattern(None, "the Hessian is not finite where the pattern would be proved", num_gradients)
    if error > tolerance:
        if given is not None:
            raise WrongPatternError(
                f"`pattern` is not that of the log density: a product with its Hessian differs by {error:.2g} of its "
                "size from what the entries in the pattern give. Leave it out to have one looked for."
            )
        return FoundPattern(None, f"products with the Hessian differ by {error:.2g}", num_gradients)
    return FoundPattern(pattern, "", num_gradients)


def probes_of(pattern: Pattern) -> list[Float[np.ndarray, "probe dim"]]:
    """Vectors whose products with the Hessian hold all of its entries, in parts of one size.

    The first part is 1 on every (2 w + 1)-th parameter of the chain (Curtis, Powell and Reid 1974); the others are unit
    vectors of the border, with zeros where there are no more.
    """
    num_chain = pattern.dim - pattern.border
    period = min(2 * pattern.width + 1, num_chain)
    chain = np.zeros((period, pattern.dim))
    places = np.arange(num_chain)
    chain[places % period, pattern.order[:num_chain]] = 1.0
    border = np.zeros((-(-pattern.border // period) * period, pattern.dim))
    border[np.arange(pattern.border), pattern.order[num_chain:]] = 1.0
    return [chain, *np.split(border, len(border) // period)] if pattern.border else [chain]


def _mismatch(density: Density, pattern: Pattern, points: Float[np.ndarray, "point dim"]) -> tuple[float | None, int]:
    """The largest relative difference of a product from that of the entries in the pattern; None without a Hessian."""
    parts = probes_of(pattern)
    vector = np.random.default_rng(0).normal(size=pattern.dim)
    asked = np.zeros_like(parts[0])
    asked[0] = vector
    num_gradients, worst = 0, None
    for point in points:
        products = [_products(density, point, probes) for probes in [asked, *parts]]
        num_gradients += len(products) * (1 + 2 * len(asked))
        if not all(np.isfinite(own).all() for own in products):
            continue
        expected = products[0][0]
        assembled = _assembled_product(pattern, products[1:], vector)
        scale = max(1e-300, float(np.linalg.norm(expected)))
        error = float(np.linalg.norm(assembled - expected)) / scale
        worst = error if worst is None else max(worst, error)
    return worst, num_gradients


def _assembled_product(
    pattern: Pattern, products: Sequence[Float[np.ndarray, "probe dim"]], vector: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, " dim"]:
    """The product of the entries in the pattern with a vector."""
    order, num_chain = pattern.order, pattern.dim - pattern.border
    period = len(products[0])
    own, entries = vector[order], products[0][:, order]
    total = np.zeros(pattern.dim)
    rows = np.arange(num_chain)
    for offset in range(-min(pattern.width, num_chain - 1), min(pattern.width, num_chain - 1) + 1):
        inside = rows[(rows + offset >= 0) & (rows + offset < num_chain)]
        total[inside] += entries[(inside + offset) % period, inside] * own[inside + offset]
    if pattern.border:
        border = np.concatenate(products[1:])[: pattern.border][:, order]
        total += own[num_chain:] @ border
        total[num_chain:] += border[:, :num_chain] @ own[:num_chain]
    result = np.empty(pattern.dim)
    result[order] = total
    return result


def _products(density: Density, point: np.ndarray, probes: np.ndarray) -> Float[np.ndarray, "probe dim"]:
    arrays = density.arrays((np.asarray(point[None], density.dtype), np.asarray(probes, density.dtype)))
    return np.asarray(on_host(density.hessian_products(*arrays))[2][0], np.float64)
