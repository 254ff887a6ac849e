"""The table holds every distribution function of Stan 2.35.

Their names, in stan_2_35_names.json, are those of `stanc --dump-stan-math-signatures`, by suffix.
"""

import json
from pathlib import Path

import pytest

from pathfinder.stan._library.densities import DISTRIBUTIONS


NAMES = json.loads(Path(__file__).with_name("stan_2_35_names.json").read_text())


@pytest.mark.parametrize("function", NAMES)
def test_every_function_is_there(function):
    missing = [n for n in NAMES[function] if n not in DISTRIBUTIONS or getattr(DISTRIBUTIONS[n], function) is None]
    assert missing == []


def test_kinds_and_arguments_fit():
    scalars = {"int", "real"}
    for name, distribution in DISTRIBUTIONS.items():
        if distribution.kind == "univariate":
            assert set(distribution.arguments) <= scalars, name
        else:
            assert set(distribution.arguments) - scalars, name
