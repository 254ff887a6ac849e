"""Nothing to be fitted."""

from pathfinder import Model


def model(data):
    return Model.from_log_density(lambda params: 0.0, {})
