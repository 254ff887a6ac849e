"""Every function against Stan's own kernels, by the recipe of make_references.py."""

import numpy as np
import pytest

from pathfinder.stan._library.functions import FUNCTIONS
from tests.stan.library.functions.cases import REFERENCES, grouped, value_of


# Stan's own errors, checked with mpmath: trigamma has nine digits, beta of very different arguments ten
RTOL = {"trigamma": 1e-8, "beta": 1e-10}
DIRECTION = {"eigenvectors_sym"}  # known up to the sign of each column
GROUPS = grouped(REFERENCES)


def forms(function):
    return [function.evaluate] + ([function.numpy] if function.numpy else [])


def call(function, form, types, arguments):
    values = [value_of(type_, value) for type_, value in zip(types, arguments, strict=True)]
    return np.asarray(form(types, *values) if function.typed else form(*values))


@pytest.mark.parametrize("name", sorted({name for name, _, _ in GROUPS}))
def test_values_are_those_of_stan(name):
    function = FUNCTIONS[name]
    for _, types, cases in (group for group in GROUPS if group[0] == name):
        for form in forms(function):
            if function.elementwise and len(cases) > 1:  # as lanes do
                cases = [cases[i % len(cases)] for i in range(24)]  # one shape for all spares compilations
                arguments = [np.asarray([case["arguments"][i] for case in cases]) for i in range(len(types))]
                compare(name, types, np.asarray(form(*arguments)), [case["value"] for case in cases])
                continue
            for case in cases:
                compare(name, types, call(function, form, types, case["arguments"]), case["value"])


def compare(name, types, found, expected):
    expected = np.asarray(expected, float)
    assert found.shape == expected.shape, types
    if name in DIRECTION:
        found, expected = found * np.sign(found[:1]), expected * np.sign(expected[:1])
    np.testing.assert_allclose(found, expected, RTOL.get(name, 1e-12), 1e-15, err_msg=str(types))
