"""Densities where differences of large numbers would cancel, against mpmath 1.4.1 with 50 digits (November 2026).

Each number is the textbook formula evaluated there, for example `loggamma((nu + 1) / 2) - loggamma(nu / 2) - ...`.
"""

import jax
import numpy as np
import pytest

from pathfinder.stan._library.densities import DISTRIBUTIONS


DENSITIES = [
    ("student_t", (2.0, 1e8, 0.5, 1.5), -1.8244036463128371154),
    ("neg_binomial_2", (7, 4.5, 1e10), -2.4966195836689957866),
    ("beta_binomial", (30, 100, 1e7, 2e7), -2.6988313366586511229),
    ("beta_binomial", (3, 10, 1e-5, 2e12), -91.004776431168217344),
    ("neg_binomial_2_log", (2, -800.0, 7.0), -1600.5596157879354227),
    ("neg_binomial_2_log", (2, 700.0, 0.3), -211.99594756171617105),
    ("binomial_logit", (3, 10, 800.0), 4.787491742782045994 - 5600.0),
    ("binomial_logit", (3, 10, -800.0), 4.787491742782045994 - 2400.0),
    ("beta", (0.3, 1e7, 2e7), -77793.375165146188116),
    ("exp_mod_normal", (-3.0, 1.0, 0.5, 40.0), -32.563535057517102102),
    ("exp_mod_normal", (2.0, 1.0, 0.1, 1000.0), -48.511116343262163509),
    ("poisson_log", (0, -1000.0), 0.0),
    ("poisson_log", (2, -1000.0), -2000.0 - np.log(2)),
    ("bernoulli_logit", (0, 800.0), -800.0),
    (
        "von_mises",
        (1e-3, 0.0, 1e6),
        0.5 * np.log(1e6) - 0.5 * np.log(2 * np.pi) - 0.5 - 1e6 * (-(1e-12) / 24) - 1.25e-7,
    ),
    ("std_normal", (1e10,), -5e19),
]
LOWER_TAILS = [
    ("std_normal", (-13.0,), -87.989719971022519666),
    ("std_normal", (-30.0,), -454.32124395634319711),
    ("std_normal", (-1e5,), -5000000012.4318639983),
    ("skew_normal", (-3.0, 0.0, 1.0, 2.0), -28.21144295604376498),
    ("skew_normal", (-0.5, 0.0, 1.0, 30.0), -122.60126034117059668),
    ("skew_normal", (0.4, 0.0, 1.0, 5.0), -1.1645721744951976838),
    ("skew_normal", (-6.0, 0.0, 1.0, -4.0), -20.043621769414760346),
    ("student_t", (-40.0, 4.0, 0.0, 1.0), -13.661067211281880193),
    ("student_t", (-3.0, 0.7, 0.0, 1.0), -1.9541442690121192337),
    ("student_t", (-5.0, 200.0, 0.0, 1.0), -14.285355697552927272),
    ("von_mises", (-2.8, 0.5, 4.0), -9.0954862338057983624),
    ("von_mises", (2.5, -1.0, 12.0), -1.3795569796819477635e-9),
    ("beta_binomial", (3, 10, 0.7, 1.4), -0.53964788146896021068),
    ("beta_binomial", (40, 400, 90.0, 30.0), -97.945576959956895942),
    ("cauchy", (-1e12, 0.0, 1.0), -np.log(np.pi * 1e12)),
    ("logistic", (-1000.0, 0.0, 1.0), -1000.0),
    ("exponential", (1e-20, 1.0), np.log(1e-20)),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), DENSITIES)
def test_density(name, arguments, expected):
    with jax.enable_x64():
        value = DISTRIBUTIONS[name].log_density(*arguments)
    np.testing.assert_allclose(value, expected, rtol=1e-12)


@pytest.mark.parametrize(("name", "arguments", "expected"), LOWER_TAILS)
def test_lower_tail(name, arguments, expected):
    with jax.enable_x64():
        value = DISTRIBUTIONS[name].lcdf(*arguments)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-15)


def test_slope_of_neg_binomial_2_with_large_precision():
    with jax.enable_x64():
        slope = jax.grad(DISTRIBUTIONS["neg_binomial_2"].log_density, argnums=1)(7, 4.5, 1e10)
    np.testing.assert_allclose(slope, 0.55555555530555555567, rtol=1e-12)


def test_slope_of_student_t_with_many_degrees_of_freedom():
    with jax.enable_x64():
        slope = jax.grad(DISTRIBUTIONS["student_t"].log_density, argnums=1)(2.0, 1e8, 0.5, 1.5)
    # 5e-17 in truth: the terms, of order 1e-8, cancel
    np.testing.assert_allclose(slope, 0.0, atol=1e-15)


def test_slope_of_the_normal_tail():
    with jax.enable_x64():
        slope = jax.grad(DISTRIBUTIONS["std_normal"].lcdf)(-1e5)
    np.testing.assert_allclose(slope, 1e5 + 1e-5, rtol=1e-15)
