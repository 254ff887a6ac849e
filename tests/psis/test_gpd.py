"""The generalized Pareto fit against the estimator in plain loops, and against known shapes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from psis import fit_generalized_pareto
from psis._gpd import GeneralizedPareto, log_quantile


SHAPES = [-1.5, -0.3, 0.0, 0.4, 1.2]


def draw(shape, size, rng):
    uniform = rng.uniform(size=size)
    exceedances = -np.log(uniform) if shape == 0 else (uniform**-shape - 1) / shape
    return np.sort(exceedances, axis=-1)


def fit_by_loops(tail):
    """Zhang and Stephens (2009), from the formulas; no guards."""
    tail = [float(x) for x in tail if x > 0]
    n = len(tail)

    def shape_given(theta):
        return sum(math.log1p(-theta * x) for x in tail) / n

    num_grid = 30 + int(math.sqrt(n))
    quartile = tail[int(n / 4 + 0.5) - 1]
    thetas, profiles = [], []
    for j in range(1, num_grid + 1):
        theta = 1 / tail[-1] + (1 - math.sqrt(num_grid / (j - 0.5))) / (3 * quartile)
        shape = shape_given(theta)
        thetas.append(theta)
        profiles.append(n * (math.log(-theta / shape) - shape - 1))
    weights = [1 / sum(math.exp(min(other - one, 700)) for other in profiles) for one in profiles]
    theta = sum(w * t for w, t in zip(weights, thetas, strict=True)) / sum(weights)
    shape = shape_given(theta)
    return (n * shape + 5) / (n + 10), -shape / theta


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("num_tail", [5, 6, 7, 20, 190])
def test_fit_is_the_estimator_of_the_paper(shape, num_tail):
    tail = draw(shape, num_tail, np.random.default_rng(num_tail))
    fit = fit_generalized_pareto(tail)
    assert (fit.shape, fit.scale) == pytest.approx(fit_by_loops(tail), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_known_shape_is_recovered(shape):
    n = 4000
    fit = fit_generalized_pareto(draw(shape, (50, n), np.random.default_rng(1)))
    unshrunk = (fit.shape * (n + 10) - 5) / n
    if shape > -0.5:  # where maximum likelihood is regular: standard error (1 + k) / sqrt(n)
        assert np.mean(unshrunk) == pytest.approx(shape, abs=4 * (1 + shape) / math.sqrt(50 * n) + 1 / n)
        assert np.std(unshrunk) == pytest.approx((1 + shape) / math.sqrt(n), rel=4 / math.sqrt(100))
        assert np.mean(fit.scale) == pytest.approx(1, abs=0.02)
    else:  # faster than that, and biased by the grid's upper end
        np.testing.assert_allclose(unshrunk, shape, atol=0.15)


def test_zeros_are_no_exceedances():
    tails = np.sort(np.random.default_rng(2).exponential(size=(4, 30)), axis=-1)
    padded = np.where(np.arange(30) < np.array([0, 3, 18, 25])[:, None], 0.0, tails)
    fit = fit_generalized_pareto(padded)
    for i, num_zeros in enumerate([0, 3, 18, 25]):
        alone = fit_generalized_pareto(tails[i, num_zeros:])
        assert fit.shape[i] == pytest.approx(alone.shape, rel=1e-12)
        assert fit.scale[i] == pytest.approx(alone.scale, rel=1e-12)


@pytest.mark.parametrize("unit", [1e-250, 1e-3, 1e250])
def test_unit_scales_the_scale_only(unit):
    tail = draw(0.5, 40, np.random.default_rng(3))
    fit, scaled = fit_generalized_pareto(tail), fit_generalized_pareto(unit * tail)
    assert scaled.shape == pytest.approx(fit.shape, rel=1e-9)
    assert scaled.scale == pytest.approx(unit * fit.scale, rel=1e-9)


def test_exponential_point_of_the_grid_is_finite():
    # With 16 to 24 exceedances, of which the largest is three times the first quartile, theta = 0
    # is a point of the grid, where -shape / theta is 0 / 0.
    tail = np.concatenate([np.linspace(0.2, 1.0, 5), np.linspace(1.1, 3.0, 15)])
    assert tail[int(20 / 4 + 0.5) - 1] * 3 == tail[-1]
    fit = fit_generalized_pareto(tail)
    near = fit_generalized_pareto(np.concatenate([tail[:-1], [3.0 + 1e-7]]))
    assert fit.shape == pytest.approx(near.shape, abs=1e-6)
    assert fit.scale == pytest.approx(near.scale, abs=1e-6)


NO_FIT = {
    "four exceedances": [0, 0, 0, 1.0, 2.0, 3.0, 4.0],
    "no exceedance": [0.0] * 7,
    "no spread": [0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 2.0],
    "quartile too small": [1e-307, 1e-306, 1e-100, 1e-50, 1e-10, 1e-5, 1.0],
}


@pytest.mark.parametrize("tail", NO_FIT.values(), ids=NO_FIT)
def test_no_fit_is_nan(tail):
    fit = fit_generalized_pareto(np.array(tail))
    assert np.isnan(fit.shape)
    assert np.isnan(fit.scale)


def test_short_axis_is_refused():
    with pytest.raises(ValueError, match="needs at least 5 values, got 4"):
        fit_generalized_pareto(np.ones(4))


@pytest.mark.usefixtures("strict_jax")
def test_jit_agrees_with_numpy():
    tails = np.stack([draw(shape, 7, np.random.default_rng(4)) for shape in SHAPES] + list(NO_FIT.values()))
    compiled = jax.jit(fit_generalized_pareto)
    fit, expected = compiled(jnp.asarray(tails)), fit_generalized_pareto(tails)
    np.testing.assert_allclose(fit.shape, expected.shape, rtol=1e-9)
    np.testing.assert_allclose(fit.scale, expected.scale, rtol=1e-9)
    assert float(compiled(jnp.asarray(tails[0])).shape) == pytest.approx(expected.shape[0], rel=1e-9)


@pytest.mark.usefixtures("strict_jax")
def test_float32_is_kept():
    tail = draw(0.4, 100, np.random.default_rng(5))
    expected = fit_generalized_pareto(tail)
    for fit in (
        fit_generalized_pareto(tail.astype(np.float32)),
        jax.jit(fit_generalized_pareto)(jnp.asarray(tail, dtype=jnp.float32)),
    ):
        assert fit.shape.dtype == fit.scale.dtype == np.float32
        assert float(fit.shape) == pytest.approx(expected.shape, abs=1e-5)
        assert float(fit.scale) == pytest.approx(expected.scale, rel=1e-5)


@pytest.mark.parametrize("shape", [*SHAPES, 1e-17, -1e-9])
def test_log_quantile_inverts_the_distribution_function(shape):
    survival = np.array([0.999, 0.7, 0.2, 1e-3])
    distribution = GeneralizedPareto(np.float64(shape), np.float64(2.5))
    z = np.exp(log_quantile(distribution, survival)) / 2.5
    inverted = np.exp(-z) if abs(shape) < 1e-6 else (1 + shape * z) ** (-1 / shape)
    np.testing.assert_allclose(inverted, survival, rtol=1e-7)


def test_log_quantile_beyond_overflow():
    distribution = GeneralizedPareto(np.float64(400.0), np.float64(1.0))
    expected = 400 * math.log(100) - math.log(400)  # 1842 - 6
    assert log_quantile(distribution, np.array([0.01]))[0] == pytest.approx(expected, rel=1e-12)
