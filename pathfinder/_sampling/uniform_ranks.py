"""Whether ranks are uniform: bands of their cumulative distribution that hold everywhere at once, and chi-square."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy import stats


NUM_SIMULATIONS = 10_000
FEWEST_PER_BIN = 10  # expected number of ranks in each bin of a histogram


class UniformRanks:
    """What ranks that are uniform on 0, 1, ..., `num_draws` look like.

    The bands are those of Säilynoja, Bürkner and Vehtari (2022, Statistics and Computing 32, algorithm 2): at each
    place the number of smaller ranks is binomial, and the level of its tails is chosen by simulation such that all
    places are within the band with the wanted probability.

    Args:
        num_ranks: How many ranks there are.
        num_draws: The largest rank.
    """

    def __init__(self, num_ranks: int, num_draws: int):
        self.num_ranks, self.num_draws = num_ranks, num_draws
        self.places = np.arange(1, num_draws + 1) / (num_draws + 1)  # of smaller ranks than 1, 2, ...
        below = stats.binom.cdf(np.arange(-1, num_ranks + 1), num_ranks, self.places[:, None])
        # for each place and number of smaller ranks, the probability of one as far out
        self._tails = np.minimum(1.0, 2 * np.minimum(below[:, 1:], 1 - below[:, :-1]))

    def counts_below(self, ranks: Int[np.ndarray, " rank"]) -> Int[np.ndarray, " place"]:
        """How many ranks are smaller than 1, 2, ..., `num_draws`."""
        return np.cumsum(np.bincount(ranks, minlength=self.num_draws + 1))[:-1]

    def p_value(self, ranks: Int[np.ndarray, " rank"]) -> float:
        """How often uniform ranks are as far out, at the place where they are farthest."""
        level = self._tails[np.arange(self.num_draws), self.counts_below(ranks)].min()
        return float((1 + np.sum(self._levels <= level * (1 + 1e-12))) / (1 + NUM_SIMULATIONS))

    def band(self, probability: float = 0.95) -> tuple[Float[np.ndarray, " place"], Float[np.ndarray, " place"]]:
        """Fewest and most ranks below each place, of uniform ranks with this probability at all places at once."""
        tail = np.quantile(self._levels, 1 - probability) / 2
        return tuple(stats.binom.ppf(q, self.num_ranks, self.places) for q in (tail, 1 - tail))  # type: ignore[return-value]

    @property
    def num_bins(self) -> int:
        """Bins of a histogram: as many of equal width as have enough ranks in each."""
        most = max(2, self.num_ranks // FEWEST_PER_BIN)
        return max(size for size in range(1, self.num_draws + 2) if (self.num_draws + 1) % size == 0 and size <= most)

    def histogram(self, ranks: Int[np.ndarray, " rank"]) -> Int[np.ndarray, " bin"]:
        """How many ranks are in each bin."""
        return np.bincount(ranks * self.num_bins // (self.num_draws + 1), minlength=self.num_bins)

    def chi_square(self, ranks: Int[np.ndarray, " rank"]) -> tuple[float, float]:
        """Chi-square of the histogram, and its p-value."""
        expected = self.num_ranks / self.num_bins
        statistic = float(((self.histogram(ranks) - expected) ** 2 / expected).sum())
        return statistic, float(stats.chi2.sf(statistic, self.num_bins - 1))

    @cached_property
    def _levels(self) -> Float[np.ndarray, " simulation"]:
        """The smallest probability of a tail at any place, of uniform ranks."""
        rng = np.random.default_rng(0)  # the same bands for the same numbers
        levels = []
        for size in np.diff(np.linspace(0, NUM_SIMULATIONS, 11).astype(int)):
            counts = rng.multinomial(self.num_ranks, np.full(self.num_draws + 1, 1 / (self.num_draws + 1)), size)
            levels.append(self._tails[np.arange(self.num_draws), np.cumsum(counts, axis=1)[:, :-1]].min(axis=1))
        return np.concatenate(levels)
