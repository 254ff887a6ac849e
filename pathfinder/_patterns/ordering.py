"""An order of the parameters in which a pattern of interactions is banded, but for a border."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Int
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from pathfinder._pattern import Pattern


MOST_PRODUCTS = 24  # 2 w + 1 + k: with more, a covariance of low rank is the better bargain
FEWEST_OF_BORDER = 20  # neighbours that a parameter of the border has more than
BORDER_RATIO = 8  # and how many times the usual number


def banded_order(pairs: Any) -> Pattern | None:
    """Parameters with many more neighbours than is usual are the border; reverse Cuthill-McKee orders the others.

    Their own order stays if it is no worse.

    Args:
        pairs: An entry for each pair of parameters that interact.

    Returns:
        The pattern; None if it is not banded enough.
    """
    dim = pairs.shape[0]
    counts = np.diff(pairs.indptr)
    is_border = counts > max(FEWEST_OF_BORDER, BORDER_RATIO * float(np.median(counts)))
    chain, border = np.flatnonzero(~is_border), np.flatnonzero(is_border)
    if len(border) >= MOST_PRODUCTS or len(chain) == 0:
        return None
    among: Any = csr_array(pairs[chain][:, chain])
    width = _width(among, np.arange(len(chain)))
    permuted = np.asarray(reverse_cuthill_mckee(among, symmetric_mode=True), np.int64)
    if _width(among, permuted) < width:
        width, chain = _width(among, permuted), chain[permuted]
    if 2 * width + 1 + len(border) > MOST_PRODUCTS:
        return None
    assert len(chain) + len(border) == dim
    return Pattern(np.concatenate([chain, border]), width, len(border))


def _width(pairs: Any, order: Int[np.ndarray, " place"]) -> int:
    """How far apart interacting parameters are in an order."""
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    entries = coo_array(pairs)
    if entries.nnz == 0:
        return 0
    rows, columns = entries.coords
    return int(np.abs(places[rows] - places[columns]).max())
