"""The sites of a NumPyro model, read from one trace in which nothing is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from numpyro import handlers
from numpyro.distributions import constraints, transforms

from pathfinder.interop.numpyro_arguments import NumpyroCall


class Plate(NamedTuple):
    """A plate around a site.

    Args:
        name: Its name.
        dim: Its axis, counted from the right end of the batch axes.
        size: Its size.
    """

    name: str
    dim: int
    size: int


@dataclass(frozen=True)
class Site:
    """A site of a model.

    Args:
        name: Its name.
        kind: "held" are sites without a prior, whose values stay what they are at first.
        shape: Shape of its value.
        num_batch_axes: How many axes come before those of one event.
        plates: The plates around it.
        event_dims: Names of the axes of one event, as far as the model gives them.
        in_scan: Whether its first axis is that of a scan.
        unconstrained_shape: Shape of what it is without its constraint, if it is a parameter.
        distribution: Name of its distribution.
        observed_leaf: The argument that is its value, if there is one.
        observed_value: Its value, if that is no argument and depends on none of the data.
        warning: What its users should know.
    """

    name: str
    kind: Literal["parameter", "discrete", "observed", "deterministic", "held"]
    shape: tuple[int, ...]
    num_batch_axes: int = 0
    plates: tuple[Plate, ...] = ()
    event_dims: tuple[str, ...] = ()
    in_scan: bool = False
    unconstrained_shape: tuple[int, ...] = ()
    distribution: str = ""
    observed_leaf: str | None = None
    observed_value: Any = field(default=None, compare=False, repr=False)
    warning: str = ""

    @property
    def dims(self) -> tuple[str | None, ...]:
        """Names of its axes: plates and those that the model names, None for others."""
        names: list[str | None] = [None] * len(self.shape)
        for plate in self.plates:
            axis = self.num_batch_axes + plate.dim
            # Deterministic sites may have any shape within a plate.
            if 0 <= axis < len(names) and self.shape[axis] == plate.size:
                names[axis] = plate.name
        for axis, name in zip(range(self.num_batch_axes, len(names)), self.event_dims, strict=False):
            names[axis] = name
        return tuple(names)


def read_sites(call: NumpyroCall, data: Mapping[str, Any]) -> list[Site]:
    """The sites of a model but for factors, in the order of the trace.

    Raises:
        ValueError: If a plate is subsampled, or a site is of a kind that no sampler of NumPyro takes either.
    """
    found: list[Site] = []
    refused: list[ModelRefusedError] = []

    def run(data):
        args, kwargs = call.arguments(data)
        leaves = {id(value): name for name, value in data.items()}
        for site in handlers.trace(anyhow(call.model)).get_trace(*args, **kwargs).values():
            try:
                read = _READERS.get(site["type"], _nothing)(site, leaves)
            except ModelRefusedError as error:
                refused.append(error)
            else:
                found.extend([] if read is None else [read])
        return 0

    jax.eval_shape(run, dict(data))
    if refused:  # raised here, as JAX adds to the words of errors that pass it
        raise refused[0]
    return found


def anyhow(model: Callable[..., Any]) -> Callable[..., Any]:
    """A model with some values of its sites, which are of no account."""
    return handlers.substitute(handlers.seed(model, 0), substitute_fn=_some_value)


def _some_value(site: Any) -> Any:
    # To sample some distributions takes long to trace, and improper ones cannot be sampled from.
    if site["type"] != "sample" or site["value"] is not None or site["fn"].support.is_discrete:
        return site["value"] if site["type"] == "sample" else None
    return jnp.zeros(site["kwargs"].get("sample_shape", ()) + site["fn"].shape())


def _nothing(site: Any, leaves: Any) -> None:
    return None


def _plate(site: Any, leaves: Any) -> None:
    size, subsample_size = site["args"]
    if subsample_size is not None and subsample_size < size:
        raise ModelRefusedError(
            f"Plate '{site['name']}' takes a random subsample of {subsample_size} of {size}; Pathfinder needs the "
            "whole plate (leave out `subsample_size`)."
        )


def _deterministic(site: Any, leaves: Any) -> Site | None:
    try:
        shape = jnp.shape(site["value"])
    except TypeError:  # something that is no array
        return None
    return Site(site["name"], "deterministic", shape, len(shape), _plates(site))


def _held(site: Any, leaves: Any) -> Site:
    return Site(site["name"], "held", ())


def _sample(site: Any, leaves: Any) -> Site | None:
    distribution = innermost(site["fn"])
    kind = type(distribution).__name__
    name, value = site["name"], site["value"]
    if site["is_observed"] and kind == "Unit":
        return None
    shape = jnp.shape(value)
    common: dict[str, Any] = {
        "name": name,
        "shape": shape,
        "num_batch_axes": len(shape) - site["fn"].event_dim,
        "plates": _plates(site),
        "event_dims": tuple(site["infer"].get("event_dims", ())),
        "in_scan": "_scan_current_index" in site["infer"],
        "distribution": kind,
    }
    if site["is_observed"]:
        leaf = leaves.get(id(value))
        known = None if leaf is not None or isinstance(value, Tracer) else np.asarray(value)
        return Site(**common, kind="observed", observed_leaf=leaf, observed_value=known)
    if kind == "Delta":
        raise ModelRefusedError(
            f"Site '{name}' is a Delta, which has no density; use numpyro.deterministic('{name}', value)."
        )
    support = site["fn"].support
    if support.is_discrete:
        if not site["fn"].has_enumerate_support:
            raise ModelRefusedError(
                f"Site '{name}' ({kind}) is discrete and cannot be enumerated; sum it out in the model, or give its "
                "observations."
            )
        return Site(**common, kind="discrete")
    unconstrained, warning = _unconstrained_shape(name, kind, support, shape)
    return Site(**common, kind="parameter", unconstrained_shape=unconstrained, warning=warning)


def _unconstrained_shape(name: str, kind: str, support: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
    inner, warning = support, ""
    while type(inner).__name__ == "_IndependentConstraint":
        inner = inner.base_constraint
    if inner is constraints.circular:
        warning = (
            f"Site '{name}' ({kind}) is an angle, of which an interval is fitted that does not close to a circle. "
            f"Use numpyro.handlers.reparam(model, config={{'{name}': CircularReparam()}})."
        )
    try:
        return tuple(transforms.biject_to(support).inverse_shape(shape)), warning
    except (NotImplementedError, KeyError, TypeError) as error:
        advice = "write it as a function of sites whose support is unconstrained"
        if inner is constraints.sphere:
            advice = (
                "use ProjectedNormal with "
                f"numpyro.handlers.reparam(model, config={{'{name}': ProjectedNormalReparam()}})"
            )
        raise ModelRefusedError(
            f"Site '{name}' ({kind}) has the support {support}, which no unconstrained numbers can be mapped to; "
            f"{advice}."
        ) from error


def _plates(site: Any) -> tuple[Plate, ...]:
    return tuple(Plate(frame.name, frame.dim, frame.size) for frame in site["cond_indep_stack"])


_READERS: Mapping[str, Callable[[Any, Any], Site | None]] = {
    "plate": _plate,
    "sample": _sample,
    "deterministic": _deterministic,
    "param": _held,
    "mutable": _held,
}


def innermost(distribution: Any) -> Any:
    """A distribution without what only expands or masks it."""
    while type(distribution).__name__ in ("ExpandedDistribution", "MaskedDistribution", "Independent"):
        distribution = distribution.base_dist
    return distribution


def enumeration_depth(sites: Sequence[Site]) -> int:
    """How many batch axes plates take, in a model whose discrete sites are to be summed over.

    Raises:
        ValueError: If a site has a batch axis that is in no plate, which could not be told from the sum.
    """
    discrete = next(site.name for site in sites if site.kind == "discrete")
    for site in sites:
        if site.kind == "deterministic" or site.kind == "held":
            continue
        in_plates = {site.num_batch_axes + plate.dim for plate in site.plates}
        for axis in range(1 if site.in_scan else 0, site.num_batch_axes):
            if axis not in in_plates and site.shape[axis] > 1:
                raise ModelRefusedError(
                    f"Site '{site.name}' has a batch axis of size {site.shape[axis]} that is in no numpyro.plate; "
                    f"enumeration of '{discrete}' needs one: with numpyro.plate(name, {site.shape[axis]})."
                )
    return max((-plate.dim for site in sites if site.kind != "deterministic" for plate in site.plates), default=0)


class ModelRefusedError(ValueError):
    """A NumPyro model that cannot be fitted; says which site is the reason and what to do."""
