"""Models of NumPyro: the density that NumPyro's own samplers see, with the sites by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from pathfinder._errors import NoParametersError
from pathfinder._variables import Block, Variable
from pathfinder.interop.numpyro_arguments import NumpyroCall, StaticValue, bound_arguments
from pathfinder.interop.numpyro_enumeration import funsor_handlers
from pathfinder.interop.numpyro_program import (
    ConstrainSites,
    GenerateSites,
    NumpyroProgram,
    ObservedSites,
    PredictSites,
    SiteDensity,
    SiteLogLikelihood,
    SitePart,
    UnconstrainSites,
    first_values,
)
from pathfinder.interop.numpyro_sites import Site, enumeration_depth, read_sites


def numpyro_fields(model: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The fields of `pathfinder.Model` for a NumPyro model.

    Args:
        model: The model.
        args: Its positional arguments, as its samplers are given them.
        kwargs: Its named ones.

    Raises:
        ValueError: If it is no function, or a site cannot be fitted; says which, why, and what to do.
        ImportError: If sites are to be enumerated, and funsor is not there.
        NoParametersError: If there are no parameters.
    """
    if not callable(model):
        kind = type(model).__name__
        raise ValueError(
            f"A NumPyro model is a function that samples its sites, but an object of type {kind} was given."
        )
    call, data, sites = bound_arguments(model, args, kwargs, read_sites)
    for site in sites:
        if site.warning:
            warnings.warn(site.warning, stacklevel=4)
    program = _program(call, data, sites)
    dims = {site.name: _dims(site) for site in sites}
    drawn = not any(site.in_scan and site.kind == "discrete" for site in sites)
    blocks = _blocks(program, drawn)
    variables = [
        Variable(site.name, site.shape, dims[site.name], blocks[site.kind]) for site in sites if site.kind in blocks
    ]
    observed = [site for site in sites if site.kind == "observed"]
    return {
        "dim": program.dim,
        "density": SiteDensity(program),
        "constrain_fn": ConstrainSites(program),
        "unconstrain_fn": partial(UnconstrainSites(program), data=data),
        "named_fn": partial(_named, tuple(part.name for part in program.parts)),
        "variables": tuple(sorted(variables, key=lambda variable: variable.block != "parameters")),
        "data": data,
        "generate_fn": GenerateSites(program) if program.discrete and drawn else None,
        "data_fn": _NamedData(program, observed),
        "observed": tuple(site.name for site in observed),
        "data_dims": {site.name: own for site in observed if (own := dims[site.name]) is not None},
        "log_likelihood_fn": SiteLogLikelihood(program) if observed else None,
        "predictive_fn": PredictSites(program) if observed and drawn else None,
        "observed_variables": tuple(
            Variable(site.name, site.shape, dims[site.name], "generated quantities") for site in observed
        ),
        "static_arguments": call.static_names,
        "name": getattr(model, "__name__", None) or "model",
        "coords": {plate.name: np.arange(plate.size) for site in sites for plate in site.plates},
    }


def _program(call: NumpyroCall, data: Mapping[str, Any], sites: Sequence[Site]) -> NumpyroProgram:
    parts, offset = [], 0
    for site in sites:
        if site.kind == "parameter":
            part = SitePart(site.name, site.shape, site.unconstrained_shape, offset)
            parts.append(part)
            offset += part.unconstrained_size
    if not parts:
        raise NoParametersError(reason="The NumPyro model has no latent continuous site.")
    discrete = tuple(site.name for site in sites if site.kind == "discrete")
    if discrete:
        funsor_handlers(discrete[0])
    held = tuple(site.name for site in sites if site.kind == "held")
    if held:
        warnings.warn(
            f"numpyro.param sites have no prior and keep their first values: {', '.join(map(repr, held))}. Use "
            "numpyro.sample with a prior to fit them.",
            stacklevel=5,
        )
    return NumpyroProgram(
        call,
        tuple(parts),
        offset,
        discrete,
        enumeration_depth(sites) if discrete else 0,
        tuple(site.name for site in sites if site.kind == "deterministic"),
        tuple(site.name for site in sites if site.kind == "observed"),
        tuple((name, StaticValue(value)) for name, value in first_values(call, data, held).items()),
    )


def _blocks(program: NumpyroProgram, drawn: bool) -> dict[str, Block]:
    """The kinds of sites that have draws, and the blocks that these are in."""
    blocks: dict[str, Block] = {"parameter": "parameters"}
    if not program.discrete:
        blocks["deterministic"] = "transformed parameters"
    elif drawn:
        # Deterministic sites may depend on the discrete ones.
        blocks["discrete"] = blocks["deterministic"] = "generated quantities"
    else:
        warnings.warn(
            "Discrete sites within a scan are summed over, but NumPyro cannot draw them: draws of "
            f"{', '.join(map(repr, (*program.discrete, *program.deterministic)))} are left out.",
            stacklevel=5,
        )
    return blocks


def _dims(site: Site) -> tuple[str, ...] | None:
    """Names of the axes of a site, the usual ones where it has none; None if it has none at all."""
    if not any(site.dims):
        return None
    return tuple(f"{site.name}_dim_{axis}" if name is None else name for axis, name in enumerate(site.dims))


def _named(names: tuple[str, ...], parameters: Any) -> dict[str, Any]:
    """Parameters by the names of their sites.

    Raises:
        ValueError: If it is no dictionary of these.
    """
    if not isinstance(parameters, Mapping) or set(parameters) != set(names):
        given = ", ".join(map(str, parameters)) if isinstance(parameters, Mapping) else repr(parameters)
        raise ValueError(
            f"Parameters are a dictionary by site, and the model's are {', '.join(names)}; given: {given}."
        )
    return {name: parameters[name] for name in names}


class _NamedData:
    """The data by name: values of observed sites, and arguments that are no such values."""

    def __init__(self, program: NumpyroProgram, observed: Sequence[Site]):
        self._program, self._observed = program, observed

    def __call__(self, data: Mapping[str, Any]) -> dict[str, np.ndarray]:
        own = {site.observed_leaf for site in self._observed}
        computed: dict[str, Any] = {}
        if any(site.observed_leaf is None and site.observed_value is None for site in self._observed):
            computed = ObservedSites(self._program)(data)
        named = {}
        for site in self._observed:
            if site.observed_leaf is not None:
                value = data[site.observed_leaf]
            else:
                value = computed[site.name] if site.observed_value is None else site.observed_value
            named[site.name] = np.asarray(value)
        arguments = {name: value for name, value in data.items() if name not in own}
        arguments |= _static_arrays(self._program.call, own)
        for name, value in arguments.items():
            if isinstance(value, jax.Array) and jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
                value = jax.random.key_data(value)
            named[f"{name}_argument" if name in named else name] = np.asarray(value)
        return named


def _static_arrays(call: NumpyroCall, used: set[str | None]) -> dict[str, Any]:
    """Arguments that are arrays of numbers, but no data."""
    leaves = zip(call.names, call.values, strict=True)
    return {
        name: leaf.value
        for name, leaf in leaves
        if leaf is not None
        and name not in used
        and isinstance(leaf.value, np.ndarray | jax.Array)
        and np.asarray(leaf.value).dtype.kind in "biuf"
    }
