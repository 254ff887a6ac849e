"""Results as ArviZ data."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pathfinder._version import __version__


if TYPE_CHECKING:
    from pathfinder._result import PathfinderResult


def to_inferencedata(result: "PathfinderResult") -> Any:
    """InferenceData with ArviZ < 1, DataTree with ArviZ >= 1; one chain in both."""
    import arviz

    model = result.model
    posterior = {name: values[None] for name, values in result.draws.items()}
    sample_stats = {
        "lp": result.log_p[None],
        "lp_approx": result.log_q[None],
        "path": result.path_ids[None],
        "weight": result.weights[None],
    }
    dims = {variable.name: list(variable.dims) for variable in model.variables if variable.dims is not None}
    coords = {name: np.asarray(values) for name, values in model.coords.items()}
    attrs = {
        "inference_library": "pathfinder-vi",
        "inference_library_version": __version__,
        "model_name": model.name,
        "seed": "" if result.seed is None else str(result.seed),
        "pareto_k": result.pareto_k,
        "effective_sample_size": result.effective_sample_size,
        "num_gradients": result.num_gradients,
        "num_densities": result.num_densities,
        "is_resampled": int(result.is_resampled),
        **{
            f"settings_{name}": int(value) if isinstance(value, bool) else value
            for name, value in dataclasses.asdict(result.settings).items()
            if value is not None
        },
    }
    if int(arviz.__version__.split(".")[0]) < 1:
        data = arviz.from_dict(posterior=posterior, sample_stats=sample_stats, coords=coords, dims=dims)
    else:
        data = arviz.from_dict({"posterior": posterior, "sample_stats": sample_stats}, coords=coords, dims=dims)
    for group in ("posterior", "sample_stats"):
        data[group].attrs.update(attrs)
    return data
