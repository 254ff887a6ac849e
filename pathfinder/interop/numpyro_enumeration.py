"""NumPyro models with discrete sites, which funsor sums over."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pathfinder._optional_packages import required


def funsor_handlers(site: str) -> Any:
    """NumPyro's handlers that sum over discrete sites.

    Args:
        site: One of these.

    Raises:
        ModuleNotFoundError: If funsor is not installed.
    """
    required("funsor", f"Site '{site}' is discrete, and to sum over it needs", "numpyro")
    return import_module("numpyro.contrib.funsor")


def summed_log_likelihood(enumerated: Any, arguments: Any, observed: tuple[str, ...], discrete: tuple[str, ...]) -> Any:
    """Log likelihood of every observation, summed over the discrete sites.

    Args:
        enumerated: The model with all its parameters, within the handlers of enumeration.
        arguments: Its positional and named arguments.
        observed: The observed sites.
        discrete: The sites to sum over.

    Raises:
        ValueError: If observations are not independent of each other without these.
    """
    handlers, funsor = funsor_handlers(discrete[0]), import_module("funsor")
    tools = import_module("numpyro.contrib.funsor.infer_util")
    with tools.plate_to_enum_plate():
        found = handlers.trace(enumerated).get_trace(*arguments[0], **arguments[1])
    factors = {name: _factor(funsor, found[name]) for name in (*observed, *discrete)}
    reached = {name: _reached(name, factors, discrete) for name in observed}
    likelihoods = {}
    for name in observed:
        axes, own = _plates_of(found[name]), reached[name]
        shared = own & set().union(*(reached[other] for other in observed if other != name))
        inputs = set().union(*(factors[each].inputs for each in (name, *own)))
        if shared or inputs != {*axes, *own} or any(set(axes) - set(_plates_of(found[each])) for each in own):
            raise ValueError(
                f"The values of '{name}' depend on others through discrete sites ({', '.join(sorted(own))}) that are "
                "not theirs alone, so that they have no log likelihood each. Leave out log_likelihood=True."
            )
        total = factors[name]
        for each in own:
            total = total + factors[each]
        total = total.reduce(funsor.ops.logaddexp, frozenset(own))
        likelihoods[name] = funsor.to_data(total, name_to_dim=axes)
    return likelihoods


def _factor(funsor: Any, site: Any) -> Any:
    """The log density of a site by plates and discrete sites."""
    log_prob = site["fn"].log_prob(site["value"])
    return funsor.to_funsor(log_prob, output=funsor.Real, dim_to_name=site["infer"]["dim_to_name"])


def _plates_of(site: Any) -> dict[str, int]:
    return {frame.name: frame.dim for frame in site["cond_indep_stack"] if frame.dim is not None}


def _reached(name: str, factors: Any, discrete: tuple[str, ...]) -> set[str]:
    """The discrete sites that a site depends on, also through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        more = set(factors[waiting.pop()].inputs).intersection(discrete) - found
        found |= more
        waiting += more
    return found
