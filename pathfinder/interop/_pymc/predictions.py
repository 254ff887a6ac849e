"""Draws from the posterior predictive distribution of PyMC models, by PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pathfinder.interop._pymc.frozen import frozen_model


class PymcPredictions:
    """Simulated values of the observed variables, given draws of the free ones.

    Args:
        model: The PyMC model; predictions are for the data that it has now.
    """

    @classmethod
    def of(cls, model: Any) -> PymcPredictions | None:
        """Those of a model, if PyMC can copy it and it has observed variables."""
        if not model.observed_RVs:
            return None
        try:
            return cls(model)
        except (NotImplementedError, ValueError):
            return None

    def __init__(self, model: Any):
        # PyMC would also draw anew what depends on data, unless it is told that they are those of the fit.
        self._model = frozen_model(model)

    def __call__(self, draws: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
        """Simulated values by name, with a leading axis of draws.

        Args:
            draws: Draws by name; of the free variables at least.
            seed: Of the random numbers.
        """
        import pymc

        free = {variable.name: np.asarray(draws[variable.name]) for variable in self._model.free_RVs}
        found = pymc.sample_posterior_predictive(
            [dict(zip(free, values, strict=True)) for values in zip(*free.values(), strict=True)],
            model=self._model,
            random_seed=np.random.default_rng(seed),
            progressbar=False,
            return_inferencedata=False,
        )
        return {variable.name: np.asarray(found[variable.name])[0] for variable in self._model.observed_RVs}
