"""Quantiles of the standard normal, by Wichura's algorithm AS 241 (1988).

SciPy has them too, but loading it takes half as long as loading JAX, and longer than the work of most fits.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


# Numerators and denominators as PPND16 of the paper has them, highest power first: good to about 1 part in 10^16.
_CENTRE = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
    ),
)  # fmt: skip
_NEAR = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
        3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1.0,
    ),
)  # fmt: skip
_FAR = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
    ),
)  # fmt: skip

CENTRE = 0.425  # distance of the probability from 1/2 up to which the first pair holds
NEAR = 5.0  # square root of minus the log of the probability of the tail, up to which the second does


def normal_quantiles(
    probabilities: Float[np.ndarray, "*shape"], out: Float[np.ndarray, "*shape"] | None = None
) -> Float[np.ndarray, "*shape"]:
    """The numbers below which a standard normal is with given probabilities, between 0 and 1 and neither of them.

    Args:
        probabilities: The probabilities.
        out: Where to write the numbers, of the dtype of the probabilities; a new array if None.
    """
    p = probabilities.astype(np.float64, copy=False)
    q = p - 0.5
    square = q * q
    np.subtract(CENTRE**2, square, out=square)
    quantiles = _ratio(_CENTRE, square)
    quantiles *= q
    in_tail = np.abs(q) > CENTRE
    tail = p[in_tail]
    root = np.sqrt(-np.log(np.minimum(tail, 1.0 - tail)))
    of_tail = _ratio(_NEAR, root - 1.6)
    is_far = root > NEAR
    if is_far.any():
        of_tail[is_far] = _ratio(_FAR, root[is_far] - NEAR)
    quantiles[in_tail] = np.copysign(of_tail, q[in_tail])
    if out is None:
        return quantiles.astype(probabilities.dtype, copy=False)
    out[...] = quantiles
    return out


def _ratio(polynomials: tuple[tuple[float, ...], tuple[float, ...]], x: np.ndarray) -> np.ndarray:
    numerator, denominator = (_polynomial(coefficients, x) for coefficients in polynomials)
    numerator /= denominator
    return numerator


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    value = coefficients[0] * x
    for coefficient in coefficients[1:-1]:
        value += coefficient
        value *= x
    value += coefficients[-1]
    return value
