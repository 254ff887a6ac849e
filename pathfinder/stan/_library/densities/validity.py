"""NaN for invalid parameters, -inf outside the support.

Comparisons with NaN are false. So parameters are tested for being valid, outcomes for being outside: then NaN among
either gives NaN, as Stan's rejection asks for.
"""

import jax.numpy as jnp


def positive_finite(x):
    """True where 0 < x < inf."""
    return (x > 0) & (x < jnp.inf)


def probability(x):
    """True where 0 <= x <= 1."""
    return (x >= 0) & (x <= 1)


def checked(value, valid, outside=None):
    """`value`, but -inf where `outside`, and NaN where not `valid`."""
    if outside is not None:
        value = jnp.where(outside, -jnp.inf, value)
    # Added, not selected: parameters shared by all outcomes then cost no pass over these, forwards or backwards.
    return value + jnp.where(valid, 0.0, jnp.nan)


def is_simplex(x):
    """True for a vector without negative elements that sums to one, within Stan's 1e-8 in double precision."""
    return jnp.all(x >= 0) & (jnp.abs(jnp.sum(x) - 1) <= jnp.sqrt(jnp.finfo(x.dtype).eps))


def is_increasing(x):
    """True for a vector of finite, strictly increasing elements."""
    return jnp.all(jnp.isfinite(x)) & jnp.all(x[1:] > x[:-1])
