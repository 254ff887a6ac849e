"""What simulation-based calibration comes to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Int

from pathfinder._sampling.uniform_ranks import UniformRanks
from pathfinder._variables import Variable, flatten_draws


if TYPE_CHECKING:
    import pandas as pd


LEVEL = 0.05  # at which calibration is doubted
CLEAR = 0.1  # of a mean or spread of ranks, what is worth a word


@dataclass(frozen=True)
class Calibration:
    """Ranks of parameters that data were simulated with, among the draws of fits to these data.

    Where fits are right, each rank is uniform on 0, 1, ..., `num_draws` (Talts et al. 2018).

    Args:
        name: Name of the model.
        variables: Of what there are ranks.
        ranks: By name, arrays of shape `(data_set, *shape)`; -1 for fits that failed.
        parameters: What data were simulated with, in the same shapes.
        num_draws: How many draws of each fit a parameter was ranked among.
        has_failed: Whether a fit has no draws.
        is_reliable: Whether the fit says that its draws can be trusted.
        only_reliable: Whether other fits are left out.
        seed: Seed of the data sets and fits.
    """

    name: str
    variables: tuple[Variable, ...]
    ranks: Mapping[str, Int[np.ndarray, "data_set ..."]] = dataclasses.field(repr=False)
    parameters: Mapping[str, np.ndarray] = dataclasses.field(repr=False)
    num_draws: int
    has_failed: Bool[np.ndarray, " data_set"] = dataclasses.field(repr=False)
    is_reliable: Bool[np.ndarray, " data_set"] = dataclasses.field(repr=False)
    only_reliable: bool
    seed: int | None

    @property
    def is_included(self) -> Bool[np.ndarray, " data_set"]:
        """Which data sets count: those whose fits did not fail, or are reliable if only these are wanted."""
        return ~self.has_failed & (self.is_reliable | (not self.only_reliable))

    @property
    def p_value(self) -> float:
        """Smallest p-value of a scalar times their number: small if there is one whose ranks are not uniform."""
        return min(1.0, float(np.min(self.summary()["p_value"].to_numpy())) * len(self._columns))

    @property
    def is_calibrated(self) -> bool:
        """Whether nothing speaks against uniform ranks, at a level of 0.05 for all scalars together."""
        return self.p_value >= LEVEL

    def summary(self) -> pd.DataFrame:
        """How the ranks of every scalar are distributed, one row each.

        `mean` is that of ranks between 0 and 1, which is 0.5 if fits are right, more if posteriors are too low, less if
        they are too high. `spread` is their standard deviation relative to that of a uniform distribution: above 1 if
        posteriors are too narrow, below if they are too wide. `p_value` is that of the empirical cumulative
        distribution at all places together, `outside` the number of places at which it leaves its 95% band, and
        `chi_square` with its `p_chi_square` are those of the histogram.
        """
        import pandas as pd

        low, high = self._uniform.band()
        rows = []
        for ranks in self._columns.values():
            unit = (ranks + 0.5) / (self.num_draws + 1)
            counts = self._uniform.counts_below(ranks)
            chi_square, p_chi_square = self._uniform.chi_square(ranks)
            uniform_sd = np.sqrt((1 - (self.num_draws + 1.0) ** -2) / 12)
            rows.append(
                {
                    "mean": unit.mean(),
                    "spread": np.sqrt(np.mean((unit - 0.5) ** 2)) / uniform_sd,
                    "p_value": self._uniform.p_value(ranks),
                    "outside": int(np.sum((counts < low) | (counts > high))),
                    "chi_square": chi_square,
                    "p_chi_square": p_chi_square,
                }
            )
        return pd.DataFrame(rows, index=pd.Index(list(self._columns), name="variable"))

    def plot(
        self,
        kind: Literal["ecdf", "histogram"] = "ecdf",
        var_names: Sequence[str] | None = None,
        *,
        probability: float = 0.95,
        axes: Any = None,
    ) -> np.ndarray:
        """Draw the ranks of each scalar with a band that uniform ranks stay in.

        Args:
            kind: "ecdf" draws their empirical cumulative distribution minus the uniform one, with a band for all places
                at once; "histogram" their histogram, with a band for each bin alone.
            var_names: Names of variables, or of scalars as in `summary()`; all if None.
            probability: Of staying within the band.
            axes: As many axes of matplotlib; new ones if None.

        Returns:
            The axes, one for each scalar.

        Raises:
            ValueError: If a name is not known, or there are too few axes.
        """
        from pathfinder._sampling.rank_plots import draw_ranks

        return draw_ranks(self._uniform, self._chosen(var_names), kind, probability, axes)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        included = self.is_included
        unreliable = int(np.sum(~self.has_failed & ~self.is_reliable))
        what = "left out" if self.only_reliable else "included"
        yield (
            f"Calibration of '{self.name}': {int(included.sum())} of {len(included)} data sets, ranks among "
            f"{self.num_draws} draws"
        )
        yield f"{int(self.has_failed.sum())} fits failed and are left out, {unreliable} are unreliable and {what}"
        table = self.summary()
        columns = (table[name].to_numpy() for name in ("p_value", "mean", "spread"))
        rows = sorted(zip(*columns, table.index, strict=True))
        bad = [row for row in rows if row[0] * len(rows) < LEVEL]
        if not bad:
            yield f"Nothing speaks against calibration (p = {self.p_value:.2g} for {len(rows)} scalars together)"
        for p_value, mean, spread, name in bad:
            yield f"{name} is not calibrated (p = {p_value:.1g}): {_in_words(mean, spread)}"

    @cached_property
    def _uniform(self) -> UniformRanks:
        return UniformRanks(int(self.is_included.sum()), self.num_draws)

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        """Ranks of each scalar by its name, of the data sets that count."""
        if not self.is_included.any():
            raise ValueError("No fit counts: all of them failed, or are unreliable.")
        flat = flatten_draws(self.variables, self.ranks)[self.is_included]
        names = [column for variable in self.variables for column in variable.columns("bracket")]
        return dict(zip(names, flat.T, strict=True))

    def _chosen(self, var_names: Sequence[str] | None) -> dict[str, np.ndarray]:
        if var_names is None:
            return self._columns
        wanted = [var_names] if isinstance(var_names, str) else var_names
        columns = {variable.name: variable.columns("bracket") for variable in self.variables}
        unknown = [name for name in wanted if name not in columns and name not in self._columns]
        if unknown:
            raise ValueError(f"There are ranks of {', '.join(columns)}, but not of {', '.join(map(repr, unknown))}.")
        return {own: self._columns[own] for name in wanted for own in columns.get(name, [name])}


def _in_words(mean: float, spread: float) -> str:
    words = []
    if abs(mean - 0.5) > CLEAR / 2:
        words.append("too low" if mean > 0.5 else "too high")
    if abs(spread - 1) > CLEAR:
        words.append("too narrow" if spread > 1 else "too wide")
    return f"posteriors are {' and '.join(words)}" if words else "the shape of the posteriors is wrong"
