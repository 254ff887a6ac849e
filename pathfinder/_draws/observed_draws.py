"""What a model says of its observations at each draw: their log likelihood, and values that they might have had."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pathfinder._draws.returned import ChainRows, PoolRows, ResultKeys
from pathfinder._model.model import Model


_WORDS = {"log_likelihood": "log likelihood of each observation", "posterior_predictive": "predictive distribution"}


def of_observed(result: Any, returned: PoolRows | ChainRows, keys: ResultKeys, group: str) -> dict[str, np.ndarray]:
    """One of the two for all returned draws, by the names of the observed variables and in batches.

    Predictions have the random numbers of the generated quantities, on which they may depend.

    Args:
        result: The `PathfinderResult`.
        returned: What its draws are.
        keys: Its random numbers.
        group: "log_likelihood" or "posterior_predictive".

    Raises:
        ValueError: If the model does not know it.
    """
    model: Model = result.model
    if group == "posterior_predictive" and model.predict_draws_fn is not None:
        return model.predict_draws_fn(result.draws, result.seed or 0)
    if group == "log_likelihood" and model.log_likelihood_fn is not None:
        functions: dict[str, Any] = {"constrain_fn": model.log_likelihood_fn, "generate_fn": None}
    elif group == "posterior_predictive" and model.predictive_fn is not None:
        functions = {"constrain_fn": no_variables, "generate_fn": model.predictive_fn}
    else:
        raise ValueError(
            f"{group}=True needs a model that knows the {_WORDS[group]}, as those of Model.from_numpyro and "
            f"Model.from_pymc with observations do; of others give the name of a generated quantity as `{group}`."
        )
    seen = dataclasses.replace(model, **functions, variables=model.observed_variables, warn_fn=None)
    return returned.named(seen, keys, cache=result.settings.cache)


def no_variables(position: Any, data: Any) -> dict[str, Any]:
    """None, in place of parameters by name."""
    return {}
