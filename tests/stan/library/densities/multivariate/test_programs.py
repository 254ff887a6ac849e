"""Multivariate and whole densities against Stan's own kernels, values and gradients."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.stan.library.densities.multivariate.programs import PROGRAMS, parts, point


REFERENCES = json.loads(Path(__file__).with_name("program_references.json").read_text())


@pytest.fixture(scope="module")
def computed():
    """Values and gradients of all programs, compiled at once."""

    def all_of(p):
        q = parts(p)
        return {name: call(q) for name, (_, call) in PROGRAMS.items()}

    with jax.enable_x64():
        p = point()
        return jax.jit(lambda p: (all_of(p), jax.jacrev(all_of)(p)))(p)


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference["name"])
def test_value_and_gradient_are_those_of_stan(computed, reference):
    values, gradients = computed
    name = reference["name"]
    np.testing.assert_allclose(values[name], reference["value"], rtol=1e-12)
    expected = np.array(reference["gradient"])
    rtol = 1e-5 if name.startswith("ordered_probit") else 1e-10  # Stan approximates the derivative of Phi
    np.testing.assert_allclose(gradients[name], expected, rtol=rtol, atol=1e-11 * np.abs(expected).max())


def test_every_program_has_a_reference():
    assert [reference["name"] for reference in REFERENCES] == list(PROGRAMS)
