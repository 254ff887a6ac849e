"""Results as ArviZ data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pathfinder._draws.observed_draws import of_observed
from pathfinder._draws.returned import ChainRows, PoolRows, ResultKeys
from pathfinder._model.model import Model
from pathfinder._model.named_data import chosen_data
from pathfinder._version import __version__


def inference_data(
    result: Any,
    returned: PoolRows | ChainRows,
    keys: ResultKeys,
    log_likelihood: bool | str | Sequence[str] | None = None,
    posterior_predictive: bool | str | Sequence[str] | None = None,
    observed: str | Sequence[str] | None = None,
) -> Any:
    """InferenceData with ArviZ < 1, DataTree with ArviZ >= 1.

    Args:
        result: The `PathfinderResult`.
        returned: What its draws are.
        keys: Its random numbers.
        log_likelihood: Generated quantities of the group of that name; by default `log_lik`. True computes it of the
            observed variables of the model.
        posterior_predictive: Likewise; by default those whose names end in `_rep`.
        observed: Data of the group `observed_data`; by default those that the model knows to be.

    Raises:
        ValueError: If a name is that of no generated quantity, or of no data, or the model cannot compute a group.
    """
    by_chain = returned.by_chain()
    wanted = {"log_likelihood": log_likelihood, "posterior_predictive": posterior_predictive}
    computed = {
        group: {name: values[by_chain] for name, values in of_observed(result, returned, keys, group).items()}
        for group, given in wanted.items()
        if given is True
    }
    return grouped_draws(
        result.model,
        {name: values[by_chain] for name, values in result.draws.items()},
        {name: values[by_chain] for name, values in _statistics(result, returned).items()},
        _attributes(result, returned),
        {group: given for group, given in wanted.items() if group not in computed},
        computed,
        observed,
    )


def grouped_draws(
    model: Model,
    chain: Mapping[str, np.ndarray],
    statistics: Mapping[str, np.ndarray],
    attributes: Mapping[str, Any],
    named: Mapping[str, Any] | None = None,
    computed: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    observed: str | Sequence[str] | None = None,
) -> Any:
    """Draws of a model in ArviZ's groups.

    Args:
        model: The model.
        chain: Draws by name, arrays of shape `(chain, draw, *shape)`.
        statistics: Numbers of every draw, arrays of shape `(chain, draw)`.
        attributes: Of all groups.
        named: Names of the generated quantities of groups, by the name of the group; of others and for None those of
            `inference_data`.
        computed: What groups that are not of generated quantities hold instead.
        observed: As of `inference_data`.

    Raises:
        ValueError: As of `inference_data`.
    """
    generated = [variable.name for variable in model.variables if variable.block == "generated quantities"]
    named, computed = named or {}, computed or {}
    defaults = {
        "log_likelihood": [name for name in generated if name == "log_lik"],
        "posterior_predictive": [name for name in generated if name.endswith("_rep")],
    }
    chosen = {group: _names(named.get(group), names) for group, names in defaults.items() if group not in computed}
    for group, names in chosen.items():
        unknown = [name for name in names if name not in generated]
        if unknown:
            raise ValueError(
                f"`{group}` names {', '.join(map(repr, unknown))}, but the generated quantities are "
                f"{', '.join(map(repr, generated)) or 'none'}."
            )
    elsewhere = {name for names in chosen.values() for name in names}
    groups: dict[str, Any] = {"posterior": {name: values for name, values in chain.items() if name not in elsewhere}}
    groups |= {group: {name: chain[name] for name in names} for group, names in chosen.items() if names}
    groups["sample_stats"] = dict(statistics)
    dims = {variable.name: list(variable.dims) for variable in model.variables if variable.dims is not None}
    coords = {name: np.asarray(values) for name, values in model.coords.items()}
    data = _from_dict(groups, coords, dims)
    data_groups = _data_groups(model, observed)
    # Apart, as data and variables of one name may have other axes.
    apart: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
        ({group: dict(values)}, _observed_dims(model, values)) for group, values in computed.items()
    ]
    if data_groups:
        apart.append((data_groups, {name: list(names) for name, names in model.data_dims.items()}))
    for others, axes in apart:
        more = _from_dict(others, coords, axes)
        data.update(more) if hasattr(data, "update") else data.extend(more)
    for group in (*groups, *computed, *data_groups):
        data[group].attrs.update(attributes)
    return data


def _statistics(result: Any, returned: PoolRows | ChainRows) -> dict[str, np.ndarray]:
    """Numbers of every draw."""
    common = {"lp": result.log_p, "lp_approx": result.log_q, "path": result.path_ids, "weight": result.weights}
    return common | returned.statistics()


def _attributes(result: Any, returned: PoolRows | ChainRows) -> dict[str, Any]:
    """What all groups say of the whole fit."""
    settings = {name: value for name, value in dataclasses.asdict(result.settings).items() if value is not None}
    return {
        "inference_library": "pathfinder-vi",
        "inference_library_version": __version__,
        "model_name": result.model.name,
        "seed": "" if result.seed is None else str(result.seed),
        "pareto_k": result.pareto_k,
        "effective_sample_size": result.effective_sample_size,
        "num_gradients": result.num_gradients,
        "num_densities": result.num_densities,
        "is_resampled": int(result.is_resampled),
        "draws_from": result.draws_from,
        "is_reliable": int(result.is_reliable),
        **returned.attributes(),
        **{f"settings_{name}": int(value) if isinstance(value, bool) else value for name, value in settings.items()},
    }


def _from_dict(groups: dict[str, Any], coords: dict[str, Any], dims: dict[str, list[str]]) -> Any:
    import arviz

    if int(arviz.__version__.split(".")[0]) < 1:
        return arviz.from_dict(**groups, coords=coords, dims=dims)
    return arviz.from_dict(groups, coords=coords, dims=dims)


def _observed_dims(model: Model, values: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    """Names of the axes behind those of chains and draws, of which a log likelihood has none for those of one event."""
    dims = {variable.name: variable.dims for variable in model.observed_variables}
    return {name: list(dims[name] or ())[: array.ndim - 2] for name, array in values.items() if dims.get(name)}


def _data_groups(model: Model, observed: str | Sequence[str] | None) -> dict[str, dict[str, np.ndarray]]:
    named = model.named_data
    chosen = [name for name in model.observed if name in named] if observed is None else chosen_data(named, observed)
    groups = {"observed_data": chosen, "constant_data": [name for name in named if name not in chosen]}
    found = {}
    for group, names in groups.items():
        axes = {axis for name in names for axis in model.data_dims.get(name, ())}
        # A number with the name of an axis is its length, and a data set of xarray cannot hold both.
        own = {name: named[name] for name in names if named[name].ndim or name not in axes}
        if own:
            found[group] = own
    return found


def _names(given: bool | str | Sequence[str] | None, default: list[str]) -> list[str]:
    if given is None or isinstance(given, bool):
        return [] if given is False else default
    return [given] if isinstance(given, str) else list(given)
