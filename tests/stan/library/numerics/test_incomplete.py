"""Logs of incomplete beta and gamma functions and their slopes in the shapes, against mpmath 1.4.1 with 40 digits.

Recipe: `log(betainc(a, b, 0, x, regularized=True))`, `diff(lambda u: log(betainc(u, b, 0, x, ...)), a)`, and the same
with `gammainc`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.densities import DISTRIBUTIONS


# a, b, x, log I, log (1 - I), d log I / da, d log I / db
BETA = np.array(
    [
        (1.2, 0.7, 0.3, -1.7860173302542066535, -0.18347395187703907847, -1.3704184891794825009, 1.3895519742164478027),
        (
            30,
            40,
            0.5,
            -0.12126421469630820049,
            -2.1698029951000442088,
            -0.028267522980606882977,
            0.024443996158834452871,
        ),
        (
            0.2,
            0.4,
            0.02,
            -1.0934588380268662033,
            -0.40805182703694227351,
            -5.1552056035322281968,
            1.0173982258196852455,
        ),
        (50, 2, 1e-5, -571.71445741975672261, 0.0, -11.493317625677686336, 3.5188033774970710633),
        (300, 400, 0.6, -3.245776801526648068e-20, -44.874347154235029312, -1.1057e-20, 1.1719e-20),
    ]
).T
# a, x, log P, log Q, d log P / da, d log Q / da
GAMMA = np.array(
    [
        (1.2, 0.21, -2.0825571742733623341, -0.13308709361894006706, -2.14897198705681469, 0.30590505638751957655),
        (17, 12, -2.289757643239124896, -0.10679599818097624077, -0.45246815813600936848, 0.050996435944726763177),
        (0.3, 0.3, -0.3188874775711746147, -1.2981272458577810441, -1.2074615445406649772, 3.2147835396114364698),
        (3.55, 1e-4, -35.220276091283306148, -5.0585779012854e-16, -10.61157606381530041, 5.3679484174225651861e-15),
        (3.55, 60, -8.9011232634362974055e-23, -50.773279660713824795, -2.66312e-22, 2.9918928709204766019),
        (16.5, 15, -0.96039264756824541821, -0.48246911928021950752, -0.25144913262386693949, 0.15591596634365650314),
        (
            1000,
            1100,
            -0.0010598847333686435803,
            -6.8501250144362652883,
            -1.106070464571544622e-4,
            0.10430232455568978801,
        ),
        (
            1000,
            950,
            -2.8994282926292987066,
            -0.056628222190107070661,
            -0.064501814612591813464,
            0.0037580239968009354371,
        ),
    ]
).T


def _with_slopes(function, argnums):
    def total(*arguments):
        value = function(*arguments)
        return jnp.sum(value), value

    return jax.grad(total, argnums=argnums, has_aux=True)


def test_beta_tails_and_slopes():
    a, b, x, lower, upper, slope_a, slope_b = BETA
    beta = DISTRIBUTIONS["beta"]
    with jax.enable_x64():
        slopes, value = jax.jit(_with_slopes(beta.lcdf, (1, 2)))(x, a, b)
        complement = jax.jit(beta.lccdf)(x, a, b)
    np.testing.assert_allclose(value, lower, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(complement, upper, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slopes[0], slope_a, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(slopes[1], slope_b, rtol=1e-11, atol=1e-15)


def test_gamma_tails_and_slopes():
    a, x, lower, upper, slope_lower, slope_upper = GAMMA
    gamma = DISTRIBUTIONS["gamma"]
    with jax.enable_x64():
        (slope_p,), p = jax.jit(_with_slopes(gamma.lcdf, (1,)))(x, a, np.ones_like(a))
        (slope_q,), q = jax.jit(_with_slopes(gamma.lccdf, (1,)))(x, a, np.ones_like(a))
    for computed, expected in ((p, lower), (q, upper), (slope_p, slope_lower), (slope_q, slope_upper)):
        np.testing.assert_allclose(computed, expected, rtol=2e-12, atol=1e-15)


def test_slope_of_the_student_t_tail_in_the_degrees_of_freedom():
    y, nu = np.array([-40.0, -3.0, -5.0]), np.array([4.0, 0.7, 200.0])
    with jax.enable_x64():
        (slope,), _ = jax.jit(_with_slopes(DISTRIBUTIONS["student_t"].lcdf, (1,)))(y, nu, 0.0, 1.0)
    expected = [-2.6077643784175154323, -1.1978868713827834691, -0.0036090030956697446259]
    np.testing.assert_allclose(slope, expected, rtol=1e-11)


def test_slope_of_the_beta_binomial_cdf():
    with jax.enable_x64():
        slope = jax.jit(jax.grad(DISTRIBUTIONS["beta_binomial"].lcdf, argnums=2))(3, 10, 0.7, 1.4)
    np.testing.assert_allclose(slope, -0.78134118481966913562, rtol=1e-12)


def test_second_derivatives_exist():
    with jax.enable_x64():
        curvature = jax.jit(jax.hessian(DISTRIBUTIONS["gamma"].lcdf, argnums=1))(2.0, 3.0, 1.0)
        step = 1e-4
        slope = jax.jit(jax.vmap(jax.grad(DISTRIBUTIONS["gamma"].lcdf, argnums=1), in_axes=(None, 0, None)))
        low, high = slope(2.0, np.array([3.0 - step, 3.0 + step]), 1.0)
    np.testing.assert_allclose(curvature, (high - low) / (2 * step), rtol=1e-6)


def test_large_shapes_converge():
    """Student t with 1e6 degrees of freedom against the normal with its first correction, of order 1 / nu."""
    from scipy import stats

    with jax.enable_x64():
        value = jax.jit(DISTRIBUTIONS["student_t"].lcdf)(-3.0, 1e6, 0.0, 1.0)
    np.testing.assert_allclose(value, stats.t.logcdf(-3.0, 1e6), rtol=1e-10)
