"""Quantiles of the standard normal distribution, in NumPy: loading SciPy's takes longer than a fit.

Algorithm: Wichura (1988), "The percentage points of the normal distribution", AS 241, PPND16. Relative errors are of
the size of rounding.
"""

import numpy as np
from jaxtyping import Float


_CENTRAL = (
    (
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
_INTERMEDIATE = (
    (
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
_FAR = (
    (
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ),
)


def normal_quantile(probability: Float[np.ndarray, "*shape number"]) -> Float[np.ndarray, "*shape number"]:
    """The numbers that a standard normal number is below with given probabilities, which are within (0, 1)."""
    exact = probability.astype(np.float64, copy=False)  # else its polynomials lose a digit in single precision
    centred = exact - 0.5
    square = 0.180625 - centred * centred
    quantile = centred * _ratio(_CENTRAL, square)
    outer = np.nonzero(square < 0.0)
    if len(outer[0]):
        chosen, side = exact[outer], centred[outer]
        root = np.sqrt(-np.log(np.minimum(chosen, 1.0 - chosen)))
        tail = _ratio(_INTERMEDIATE, root - 1.6)
        far = np.nonzero(root > 5.0)
        if len(far[0]):
            tail[far] = _ratio(_FAR, root[far] - 5.0)
        quantile[outer] = np.copysign(tail, side)
    return quantile.astype(probability.dtype, copy=False)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], at: np.ndarray) -> np.ndarray:
    """The ratio of two polynomials."""
    above, below = (_polynomial(each, at) for each in coefficients)
    above /= below
    return above


def _polynomial(coefficients: tuple[float, ...], at: np.ndarray) -> np.ndarray:
    """A polynomial, of which the constant coefficient comes first."""
    value = at * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        value += coefficient
        value *= at
    value += coefficients[0]
    return value
