"""PyMC models with their data and dims as constants."""

from typing import Any


def frozen_model(model: Any) -> Any:
    """A model of its own with the data that a model has now.

    Raises:
        NotImplementedError, ValueError: If PyMC cannot copy the model, as those within others.
    """
    from pymc.model.transform.optimization import freeze_dims_and_data

    # PyMC copies no initial values, and refuses models that have some.
    starts = dict(model.rvs_to_initial_values)
    model.rvs_to_initial_values.update(dict.fromkeys(starts))
    try:
        return freeze_dims_and_data(model)
    finally:
        model.rvs_to_initial_values.update(starts)
