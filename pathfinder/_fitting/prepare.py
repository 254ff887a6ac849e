"""Compile what fits of a model need before there is one."""

import numpy as np

from pathfinder._arrays.devices import Devices
from pathfinder._draws.named_draws import variables_at
from pathfinder._fitting.drivers import density_of
from pathfinder._model.model import Model
from pathfinder._settings import Settings


def compile_for_fits(model: Model) -> None:
    """Compile the log density, with and without gradient, and what constrains draws; what is to be kept, is kept.

    Args:
        model: A model in JAX.
    """
    settings = Settings()
    density = density_of(model, model.data, None, settings, Devices.host())
    position = np.zeros((1, model.dim), model.dtype)
    density.values_and_gradients(position)
    density.values(position)
    variables_at(model, position, cache=settings.cache)
