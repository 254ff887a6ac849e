"""Generalized Pareto fit to the upper tail of the importance ratios."""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float


MIN_TAIL = 5  # shorter tails are left alone, as in Stan's psis.hpp, PSIS.jl and ArviZ


class GeneralizedPareto(NamedTuple):
    """Generalized Pareto distribution with location 0; a heavy tail has `shape` > 0."""

    shape: Float[Any, "*batch"]
    scale: Float[Any, "*batch"]


def fit_generalized_pareto(exceedances: Float[Any, "*batch tail"]) -> GeneralizedPareto:
    """Fit by the empirical-Bayes estimator of Zhang and Stephens (2009, section 4).

    `shape` is the `k` of Vehtari et al. (2024), minus the `k` of Zhang and Stephens. It
    is shrunk towards 1/2 with the weight of ten observations; `scale` is not adjusted for
    that. Cost and memory: O(tail^1.5) for each vector of the batch.

    Args:
        exceedances: Tail ratios (not logs) minus the cutoff, ascending, all finite and >= 0.
            Zeros are no exceedances: they are left out, as if the vector were shorter, so
            that tails of different lengths fit into one array.

    Returns:
        The fit; both fields are NaN where it does not exist: fewer than `MIN_TAIL`
        exceedances, no spread among them, or a first quartile too far below the largest
        for its inverse to be finite (by 305 orders of magnitude in double precision).

    Raises:
        ValueError: If the last axis is shorter than `MIN_TAIL`.
    """
    xp = exceedances.__array_namespace__()
    max_tail = exceedances.shape[-1]
    if max_tail < MIN_TAIL:
        raise ValueError(f"`exceedances` needs at least {MIN_TAIL} values, got {max_tail}.")
    count = xp.sum(exceedances > 0, axis=-1, keepdims=True)
    start = xp.minimum(max_tail - count, max_tail - 1)
    # floor(count / 4 + 1/2) of the exceedances, counted from one.
    first_quartile = start + xp.maximum((count + 2) // 4, 1) - 1
    quartile = xp.take_along_axis(exceedances, first_quartile, axis=-1)
    smallest = xp.take_along_axis(exceedances, start, axis=-1)
    largest = exceedances[..., -1:]
    resolved = quartile > 1e3 * float(xp.finfo(exceedances.dtype).tiny) * largest
    exists = (count >= MIN_TAIL) & (smallest < largest) & resolved

    # Relative to the largest, so that the fit does not depend on the unit. Where there is no
    # fit a row of ones goes through the formulas and keeps the unused branch finite.
    unit = xp.where(exists, largest, 1.0)
    x = xp.where(exists, exceedances / unit, 1.0)
    x_quartile = xp.where(exists, quartile / unit, 1.0)
    n = xp.where(exists, count, max_tail).astype(x.dtype)

    def shape_given(theta):
        # A zero adds log1p(0) = 0 to the sum.
        return xp.sum(xp.log1p(-theta[..., None] * x[..., None, :]), axis=-1) / n

    def scale_given(theta, shape):
        # -shape / theta tends to the mean as theta tends to 0: the exponential distribution.
        mean = xp.sum(x, axis=-1, keepdims=True) / n
        return xp.where(theta == 0, mean, -shape / xp.where(theta == 0, 1.0, theta))

    # The number of grid points follows the number of exceedances, the array their bound.
    num_grid = 30 + xp.floor(xp.sqrt(n))
    grid = xp.arange(1, 30 + int(max_tail**0.5) + 1, dtype=x.dtype)
    grid = xp.reshape(grid, (1,) * (x.ndim - 1) + (-1,))
    in_grid = grid <= num_grid
    grid = xp.where(in_grid, grid, 1.0)
    theta = (1 - xp.sqrt(num_grid / (grid - 0.5))) / (3 * x_quartile) + 1
    shape = shape_given(theta)
    log_profile = -n * (xp.log(scale_given(theta, shape)) + shape + 1)
    log_profile = xp.where(in_grid, log_profile, -xp.inf)
    weights = xp.exp(log_profile - xp.max(log_profile, axis=-1, keepdims=True))
    theta_mean = xp.sum(theta * weights, axis=-1, keepdims=True) / xp.sum(weights, axis=-1, keepdims=True)
    shape_mean = shape_given(theta_mean)
    shape_shrunk = (n * shape_mean + 10 * 0.5) / (n + 10)
    return GeneralizedPareto(
        shape=xp.where(exists, shape_shrunk, xp.nan)[..., 0][()],
        scale=xp.where(exists, scale_given(theta_mean, shape_mean) * unit, xp.nan)[..., 0][()],
    )


def log_quantile(distribution: GeneralizedPareto, survival: Float[Any, "*batch tail"]) -> Float[Any, "*batch tail"]:
    """Logarithm of the quantile scale * (survival^(-shape) - 1) / shape that is exceeded so often.

    In logs because the quantile itself overflows for the shapes of several hundred that a
    tail of widely spaced weights gets; `survival` lies strictly between 0 and 1.
    """
    xp = survival.__array_namespace__()
    shape, scale = distribution.shape[..., None], distribution.scale[..., None]
    # At epsilon the quantile is its limit at shape 0, -scale * log(survival), within rounding.
    epsilon = float(xp.finfo(survival.dtype).eps)
    shape = xp.where(xp.abs(shape) < epsilon, epsilon, shape)
    exponent = -shape * xp.log(survival)
    log_expm1 = xp.maximum(exponent, 0.0) + xp.log(-xp.expm1(-xp.abs(exponent)))
    return xp.log(scale) + log_expm1 - xp.log(xp.abs(shape))
