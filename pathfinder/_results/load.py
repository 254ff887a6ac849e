"""Results read from their files."""

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._model.model import Model
from pathfinder._model.user_functions import described
from pathfinder._results.archive import read
from pathfinder._results.result import PathfinderResult


def load(path: Any, *, model: Model | None = None) -> PathfinderResult:
    """Read a result that `PathfinderResult.save` wrote, also in another process and without the density.

    Without `model` there are the draws, diagnostics, summary, approximations and settings, and `resample` and `draw`
    on the unconstrained scale; what needs the density or the constraining transform raises an error that says so.

    Args:
        path: The file.
        model: The model that was fitted, with its data, for draws by name of other choices from the pool. Data that
            differ from those of the fit are warned of.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no saved result, is damaged or comes from a newer version, or `model` is another one.
    """
    if model is not None and not isinstance(model, Model):
        raise ValueError(f"`model` must be the pathfinder.Model that was fitted, but it is {described(model)}.")
    saved = read(path)
    try:
        own = _without_density(saved.model)
        result = PathfinderResult(model=own, **{**saved.fields, "key": np.asarray(saved.fields["key"])})
    except Exception as error:  # fields that are missing or of another type than was written
        raise ValueError(f"{str(path)!r} is damaged: {error!r}.") from error
    _require_precision(own.dtype)
    if model is not None:
        result = dataclasses.replace(result, model=_matching(model, own))
    # the caches of these properties
    vars(result).update(draws=saved.draws, unconstrained_draws=saved.unconstrained_draws)
    return result


def _matching(model: Model, saved: Model) -> Model:
    for name in ("dim", "variables", "dtype"):
        given, expected = getattr(model, name), getattr(saved, name)
        if given != expected:
            hint = " Set jax_enable_x64 as it was in the fit, before the model is made." if name == "dtype" else ""
            raise ValueError(
                f"`model` is not the one of the saved result: its {name} is {given}, not {expected}.{hint}"
            )
    own, expected = model.named_data, saved.named_data
    differing = [name for name in {**expected, **own} if not _same(own.get(name), expected.get(name))]
    if differing:
        warnings.warn(
            f"The data of `model` are not those of the fit: {', '.join(map(repr, differing))} differ. Draws made "
            "from now on use the data of `model`; the diagnostics and weights are those of the fit.",
            stacklevel=3,
        )
    return model


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f"))


def _require_precision(dtype: Any) -> None:
    """Say that JAX cannot do what the fit did.

    Warns:
        UserWarning: If the fit was made in double precision, and JAX has single.
    """
    if str(np.dtype(dtype)) == "float64" and not jax.config.read("jax_enable_x64"):
        warnings.warn(
            "The result was fitted in double precision, but jax_enable_x64 is off: `draws` are as they were saved, "
            "and other draws will be made in single precision. Call jax.config.update('jax_enable_x64', True) first.",
            stacklevel=3,
        )


def _without_density(fields: Mapping[str, Any]) -> Model:
    observed_variables = fields.get("observed_variables", ())  # which files of earlier versions do not have
    of_observed = _needs_model if observed_variables else None
    return Model(
        dim=fields["dim"],
        density=_needs_model,
        constrain_fn=_needs_model,
        unconstrain_fn=_needs_model,
        named_fn=_needs_model,
        variables=fields["variables"],
        dtype=jnp.dtype(fields["dtype"]),
        name=fields["name"],
        coords=fields["coords"],
        data=fields["named_data"] or None,
        observed=fields["observed"],
        data_dims=fields["data_dims"],
        log_likelihood_fn=of_observed,
        predictive_fn=of_observed,
        observed_variables=observed_variables,
    )


def _needs_model(*_: Any) -> Any:
    raise ValueError(
        "This result was loaded without its model, so that there are no log density and no constraining transform. "
        "Load it with pathfinder.load(path, model=model)."
    )
