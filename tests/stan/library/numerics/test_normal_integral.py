"""The normal integral and Owen's T, against mpmath 1.4 with 60 digits (November 2026)."""

import jax
import numpy as np
import pytest

from pathfinder.stan._library.numerics.normal_integral import log_mills, log_ndtr, log_ndtr_difference
from pathfinder.stan._library.numerics.owens_t import owens_t


# x, log(ncdf(x)), npdf(x) / ncdf(x)
LOG_NDTR = [
    (-1e8, -5000000000000019.3, 100000000.00000001),
    (-1e5, -5000000012.431864, 100000.00001),
    (-40.0, -804.60844201375379, 40.024968847207264),
    (-21.0, -224.46571583141447, 21.047405496518665),
    (-20.0, -203.91715537109726, 20.049753068527851),
    (-5.0, -15.064998393988726, 5.1865039671258421),
    (-0.3, -0.96210281816885067, 0.99816596885848333),
    (0.0, -0.69314718055994531, 0.79788456080286536),
    (2.5, -0.0062290254858600024, 0.017637825486916735),
    (30.0, -4.9067139271481871e-198, 1.4736461348785475e-196),
]
# h, a, the integral, and its derivatives in h and in a
OWENS_T = [
    (0.0, 1.0, 0.125, 0.0, 0.079577471545947668),
    (0.5, 3.0, 0.15108404307601841, -0.1525121642372209, 0.0045598654639838589),
    (-2.0, -4.0, -0.011375065974089603, -0.026995483256593992, 1.6045705816869922e-17),
    (10.0, 0.1, 2.618907292249097e-24, -2.6265108143324621e-23, 1.843433271869463e-23),
    (30.0, 2.5, 2.4533569635740936e-198, -7.3682306743927376e-197, 0.0),
    (0.1, 50.0, 0.23008608093720961, -0.19847615995143419, 2.3596845212217728e-10),
    (5.0, 0.9, 1.4332524965861534e-7, -7.4335470598020963e-7, 1.3128917028782951e-11),
]


@pytest.mark.parametrize(("x", "value", "slope"), LOG_NDTR)
def test_log_ndtr(x, value, slope):
    np.testing.assert_allclose(jax.value_and_grad(log_ndtr)(x), (value, slope), 1e-13)


def test_series_meets_the_complementary_error_function():
    for x in (-20.0000001, -19.9999999):
        np.testing.assert_allclose(log_ndtr(x), -203.91715537109726 + 20.049753 * (x + 20), 1e-14)


def test_log_mills_is_the_tail_over_the_density():
    for t, value, _ in LOG_NDTR[2:]:
        np.testing.assert_allclose(log_mills(-t), value + 0.5 * (t * t + np.log(2 * np.pi)), 1e-13)


def test_difference_in_either_tail():
    # log(ncdf(-10) - ncdf(-11)), which is log(ncdf(11) - ncdf(10))
    expected = -53.231310225583125
    np.testing.assert_allclose(log_ndtr_difference(-11.0, -10.0), expected, 1e-13)
    np.testing.assert_allclose(log_ndtr_difference(10.0, 11.0), expected, 1e-13)


@pytest.mark.parametrize(("h", "a", "value", "in_h", "in_a"), OWENS_T)
def test_owens_t(h, a, value, in_h, in_a):
    found, slopes = jax.value_and_grad(owens_t, (0, 1))(h, a)
    np.testing.assert_allclose(found, value, 1e-13)
    np.testing.assert_allclose(slopes, (in_h, in_a), 1e-13)


def test_owens_t_of_infinities():
    np.testing.assert_allclose(owens_t(np.inf, 2.0), 0.0)
    np.testing.assert_allclose(owens_t(0.0, np.inf), 0.25)
    np.testing.assert_allclose(owens_t(1.0, np.inf), 0.5 * np.exp(log_ndtr(-1.0)), 1e-14)
