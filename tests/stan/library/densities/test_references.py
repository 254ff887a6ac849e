"""Scalar distributions against Stan's own kernels: densities, cdfs and their gradients."""

import json
from itertools import groupby
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._library.densities import DISTRIBUTIONS


def _case(reference):
    return reference["name"], reference["function"]


REFERENCES = json.loads(Path(__file__).with_name("references.json").read_text())
GROUPS = {case: list(group) for case, group in groupby(REFERENCES, key=_case)}

# Where Stan's own number is the inaccurate one (mpmath, 40 digits): it forms log(1 - cdf), and its von Mises cdf is an
# approximation.
ROUGH_VALUES = {
    ("lognormal", "lccdf"): 1e-30,
    ("gumbel", "lccdf"): 1e-16,
    ("scaled_inv_chi_square", "lccdf"): 1e-16,
    ("von_mises", "lcdf"): 1e-10,
    ("von_mises", "lccdf"): 1e-10,
}
# Stan's derivatives of the normal integral are rational approximations, those of the incomplete gamma function in its
# shape stop early; from there test_incomplete.py takes over.
ROUGH_GRADIENTS = {"std_normal": 1e-4, "normal": 1e-4, "von_mises": 1e-8}
WITHOUT_GRADIENTS = {"inv_gamma", "chi_square", "inv_chi_square", "scaled_inv_chi_square"}
# Slow to compile, and from the same loop as the lower tail, whose slopes are compared
SAME_LOOP = {"beta", "beta_proportion", "student_t", "neg_binomial", "neg_binomial_2", "beta_binomial", "skew_normal"}


@pytest.mark.parametrize("case", GROUPS, ids="_".join)
def test_value_and_gradient_are_those_of_stan(case):
    name, function = case
    group = GROUPS[case]
    distribution = DISTRIBUTIONS[name]
    call = distribution.log_density if function == "density" else getattr(distribution, function)
    with jax.enable_x64():
        arguments = [np.array(column) for column in zip(*[r["arguments"] for r in group], strict=True)]
        reals = tuple(i for i, column in enumerate(arguments) if column.dtype.kind == "f")
        if function != "density" and (name in WITHOUT_GRADIENTS or (function == "lccdf" and name in SAME_LOOP)):
            reals = ()

        def total(*arguments):
            values = call(*arguments)
            return jnp.sum(values), values

        differentiated = jax.grad(total, argnums=reals, has_aux=True) if reals else lambda *a: ([], total(*a)[1])
        gradients, values = jax.jit(differentiated)(*arguments)

    expected = np.array([r["value"] for r in group])
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=ROUGH_VALUES.get(case, 1e-14))
    if not reals:
        return
    expected = np.array([r["gradient"] for r in group]).T
    rtol = ROUGH_GRADIENTS.get(name, 1e-10)
    np.testing.assert_allclose(np.array(gradients).reshape(expected.shape), expected, rtol=rtol, atol=1e-13)
