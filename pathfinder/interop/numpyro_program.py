"""Functions of the unconstrained vector that a NumPyro model gives.

They are objects that are equal for equal calls of one model, so that compiled programs are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import handlers
from numpyro.distributions.transforms import biject_to
from numpyro.infer import util
from numpyro.primitives import Messenger

from pathfinder._arrays.placed import default_dtype
from pathfinder._errors import BoundaryValueError
from pathfinder.interop.numpyro_arguments import NumpyroCall, StaticValue
from pathfinder.interop.numpyro_enumeration import funsor_handlers, summed_log_likelihood
from pathfinder.interop.numpyro_sites import anyhow


@dataclass(frozen=True)
class SitePart:
    """A parameter and its place in the unconstrained vector."""

    name: str
    shape: tuple[int, ...]
    unconstrained_shape: tuple[int, ...]
    offset: int

    @property
    def unconstrained_size(self) -> int:
        """How many unconstrained numbers it is made of."""
        return int(np.prod(self.unconstrained_shape, dtype=np.int64))


@dataclass(frozen=True)
class NumpyroProgram:
    """A call of a model with what was found of its sites.

    Args:
        call: The call.
        parts: The parameters.
        dim: Length of the unconstrained vector.
        discrete: Sites that are summed over.
        depth: How many batch axes plates take, if there are such sites.
        deterministic: Deterministic sites.
        observed: Observed ones.
        held: Values of sites that have no prior.
    """

    call: NumpyroCall
    parts: tuple[SitePart, ...]
    dim: int
    discrete: tuple[str, ...]
    depth: int
    deterministic: tuple[str, ...]
    observed: tuple[str, ...]
    held: tuple[tuple[str, StaticValue], ...]
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self):
        # Every call of a compiled program asks for it.
        object.__setattr__(self, "_hash", hash((self.call, self.parts, self.discrete, self.held)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def model(self) -> Callable[..., Any]:
        """The model with a key where it asks for one, as NumPyro's samplers run it."""
        return _SomeKey(self.random_model)

    @property
    def random_model(self) -> Callable[..., Any]:
        """The model with the values of sites that have no prior."""
        held = {name: value.value for name, value in self.held}
        return handlers.substitute(self.call.model, data=held) if held else self.call.model

    def summed(self, model: Callable[..., Any]) -> Callable[..., Any]:
        """A model within the handlers that sum over discrete sites."""
        funsor = funsor_handlers(self.discrete[0])
        return funsor.enum(funsor.config_enumerate(model), -self.depth - 1)

    def unconstrained(self, position: Any) -> dict[str, Any]:
        """Parameters without their constraints, by name."""
        return {
            part.name: position[part.offset : part.offset + part.unconstrained_size].reshape(part.unconstrained_shape)
            for part in self.parts
        }

    def traced(self, model: Callable[..., Any], data: Any) -> dict[str, Any]:
        """The sites of a run of a model with given data."""
        args, kwargs = self.call.arguments(data)
        return handlers.trace(model).get_trace(*args, **kwargs)

    def constrained(self, position: Any, data: Any, *, deterministic: bool = False) -> dict[str, Any]:
        """Parameters by name, with deterministic sites if wanted."""
        args, kwargs = self.call.arguments(data)
        # Discrete sites take some value, of which parameters know nothing.
        model = handlers.seed(self.random_model, 0) if self.discrete else self.model
        return util.constrain_fn(model, args, kwargs, self.unconstrained(position), return_deterministic=deterministic)

    def with_discrete(self, key: Any, position: Any, data: Any) -> dict[str, Any]:
        """The sites of a run with the parameters at a position, and draws of discrete sites given these."""
        funsor = funsor_handlers(self.discrete[0])
        conditioned = handlers.substitute(self.random_model, data=self.constrained(position, data))
        filled = funsor.infer_discrete(funsor.config_enumerate(conditioned), temperature=1, rng_key=key)
        return self.traced(handlers.seed(filled, key), data)


class _SomeKey(Messenger):
    """Gives a model that asks for a random key always the same, as NumPyro's samplers do."""

    def process_message(self, msg):
        if msg["type"] == "prng_key" and msg["value"] is None:
            msg["value"] = jax.random.key(0)


class _AsManyAsObserved(Messenger):
    """Gives distributions of observations the batch axes of these, outside of plates too."""

    def process_message(self, msg):
        if msg["type"] == "sample" and msg["is_observed"]:
            shape = jnp.shape(msg["value"])
            batch_shape = shape[: len(shape) - msg["fn"].event_dim]
            if batch_shape != msg["fn"].batch_shape:
                msg["fn"] = msg["fn"].expand(batch_shape)


@dataclass(frozen=True)
class _OfProgram:
    """A function that a program gives."""

    program: NumpyroProgram


class SiteDensity(_OfProgram):
    """The log density that NumPyro's samplers see."""

    def __call__(self, position, data):
        """At an unconstrained vector."""
        program = self.program
        args, kwargs = program.call.arguments(data)
        model = program.summed(program.model) if program.discrete else program.model
        parameters = program.unconstrained(position)
        return -util.potential_energy(model, args, kwargs, parameters, enum=bool(program.discrete))


class ConstrainSites(_OfProgram):
    """Parameters and deterministic sites; the latter without discrete ones only, on which they may depend."""

    def __call__(self, position, data):
        """At an unconstrained vector, by name."""
        program = self.program
        values = program.constrained(position, data, deterministic=not program.discrete)
        names = [part.name for part in program.parts]
        names += [] if program.discrete else program.deterministic
        return {name: jnp.asarray(values[name]) for name in names}


class GenerateSites(_OfProgram):
    """Draws of discrete sites given the parameters, and deterministic ones with these."""

    def __call__(self, key, position, data):
        """With a typed key, at an unconstrained vector."""
        found = self.program.with_discrete(key, position, data)
        names = (*self.program.discrete, *self.program.deterministic)
        return {name: jnp.asarray(found[name]["value"]) for name in names}


class PredictSites(_OfProgram):
    """Values that observed sites might have had, given the parameters and the draws of discrete sites."""

    def __call__(self, key, position, data):
        """With a typed key, at an unconstrained vector."""
        program = self.program
        values = program.constrained(position, data)
        if program.discrete:
            # With the key of the generated quantities, so that these are what is predicted from.
            found = program.with_discrete(key, position, data)
            values |= {name: found[name]["value"] for name in program.discrete}
            key = jax.random.fold_in(key, 0)
        model = handlers.substitute(handlers.uncondition(_AsManyAsObserved(program.random_model)), data=values)
        found = program.traced(handlers.seed(model, key), data)
        return {name: jnp.asarray(found[name]["value"]) for name in program.observed}


class SiteLogLikelihood(_OfProgram):
    """Log density of every observation, discrete sites summed over."""

    def __call__(self, position, data):
        """At an unconstrained vector, by observed site."""
        program = self.program
        model = handlers.substitute(program.model, data=program.constrained(position, data))
        if program.discrete:
            arguments = program.call.arguments(data)
            return summed_log_likelihood(program.summed(model), arguments, program.observed, program.discrete)
        found = program.traced(model, data)
        return {name: found[name]["fn"].log_prob(found[name]["value"]) for name in program.observed}


class ObservedSites(_OfProgram):
    """Values of observed sites that the model computes of its data."""

    def __call__(self, data):
        """With given data, by name."""
        return _observed_values(self.program, dict(data))


class UnconstrainSites(_OfProgram):
    """The unconstrained vector of parameters by name."""

    def __call__(self, parameters: Mapping[str, Any], data: Any) -> np.ndarray:
        """With given data, on which supports may depend.

        Raises:
            ValueError: If a value has another shape, or is outside of its support.
        """
        program, dtype = self.program, default_dtype()
        values = {}
        for part in program.parts:
            values[part.name] = np.asarray(parameters[part.name], dtype)
            if values[part.name].shape != part.shape:
                raise ValueError(
                    f"Parameter '{part.name}' has shape {part.shape}, but a value of shape {values[part.name].shape} "
                    "was given."
                )
        found = _unconstrained_values(program, values, data)
        for name, (satisfied, value) in found.items():
            if not satisfied:
                raise ValueError(f"The given value of parameter '{name}' is outside of its support: {values[name]}.")
            if not np.all(np.isfinite(value)):
                raise BoundaryValueError(
                    f"The given value of parameter '{name}' is not finite on the unconstrained scale: {values[name]}. "
                    "Values on the boundary of a support cannot be used."
                )
        return np.concatenate([np.asarray(found[part.name][1]).reshape(-1) for part in program.parts])


@partial(jax.jit, static_argnums=0)
def _unconstrained_values(program, values, data):
    """Whether each parameter is in its support, and what it is without; supports may depend on other parameters."""
    found = program.traced(handlers.substitute(handlers.seed(program.random_model, 0), data=values), data)
    supports = {part.name: found[part.name]["fn"].support for part in program.parts}
    return {
        name: (jnp.all(support(values[name])), biject_to(support).inv(values[name]))
        for name, support in supports.items()
    }


@partial(jax.jit, static_argnums=0)
def _observed_values(program, data):
    found = program.traced(anyhow(program.random_model), data)
    return {name: jnp.asarray(found[name]["value"]) for name in program.observed}


def first_values(call: NumpyroCall, data: Any, names: Sequence[str]) -> dict[str, Any]:
    """What sites without a prior are at first."""
    if not names:
        return {}

    def values(data):
        args, kwargs = call.arguments(data)
        found = handlers.trace(anyhow(_SomeKey(call.model))).get_trace(*args, **kwargs)
        return {name: found[name]["value"] for name in names}

    return jax.tree_util.tree_map(np.asarray, jax.jit(values)(dict(data)))
