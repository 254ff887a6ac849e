"""What the evaluator needs to know of a distribution of the Stan library."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

import jax.numpy as jnp


Kind = Literal["univariate", "multivariate", "whole"]


@dataclass(frozen=True)
class Distribution:
    """The functions `foo_lpdf`, `foo_cdf`, ..., `foo_rng` of a distribution `foo`; `None` where Stan has none.

    A univariate density (and cdf) is elementwise on arrays that broadcast and returns one value per element; a
    multivariate one takes one instance and returns a scalar; a whole one takes the full argument list of a call and
    returns the sum. All constants are kept. Invalid parameters give NaN, outcomes outside the support -inf.

    Attributes:
        arguments: What each argument is, outcome first: `int`, `real`, `vector`, `matrix`, `ints`, `reals`.
        log_density: Log density or log mass of the outcome.
        kind: How the functions treat axes.
        cdf: Probability of at most the outcome.
        lcdf: Its logarithm, accurate in the lower tail.
        lccdf: Logarithm of the probability of more than the outcome, accurate in the upper tail.
        rng: `rng(key, *parameters)`. Univariate: the parameters have one shape, and so has the result.
    """

    arguments: tuple[str, ...]
    log_density: Callable[..., Any] | None = None
    kind: Kind = "univariate"
    cdf: Callable[..., Any] | None = None
    lcdf: Callable[..., Any] | None = None
    lccdf: Callable[..., Any] | None = None
    rng: Callable[..., Any] | None = None


def as_reals(*values):
    """The values as arrays of one floating dtype: that of the floating ones, else JAX's default."""
    floating = [v for v in values if jnp.issubdtype(jnp.result_type(v), jnp.floating)]
    dtype = jnp.result_type(*floating) if floating else jnp.result_type(float)
    return tuple(jnp.asarray(v, dtype) for v in values)


def on_reals(function):
    """`function` with its arguments, integers too, converted to one floating dtype first."""

    @wraps(function)
    def converted(*arguments):
        return function(*as_reals(*arguments))

    return converted


def _sampler(function):
    @wraps(function)
    def converted(key, *parameters):
        return function(key, *as_reals(*parameters))

    return converted


def _exponential(function):
    def evaluate(*values):
        value = function(*values)
        # XLA's float32 exponential of a NaN that is known when compiling is whatever stands in memory (jaxlib 0.10).
        return jnp.where(jnp.isnan(value), value, jnp.exp(value))

    return evaluate


def univariate(arguments, log_density, *, lcdf=None, lccdf=None, rng=None):
    """A univariate distribution from functions that expect arrays of one floating dtype."""
    return Distribution(
        arguments=tuple(arguments.split()),
        log_density=on_reals(log_density),
        cdf=on_reals(_exponential(lcdf)) if lcdf else None,
        lcdf=on_reals(lcdf) if lcdf else None,
        lccdf=on_reals(lccdf) if lccdf else None,
        rng=_sampler(rng) if rng else None,
    )


def as_integers(values):
    """Integral reals as JAX's default integers, what a sampler of counts returns."""
    return jnp.asarray(values).astype(int)
