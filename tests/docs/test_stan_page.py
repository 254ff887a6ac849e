"""The pages on Stan programs: what they say of the code, and the programs on them."""

import re

import pytest

from pathfinder.stan import check, parse
from pathfinder.stan._expressions.supported import is_supported
from pathfinder.stan._types.tables import LIBRARY
from tests.docs import stan_functions
from tests.docs.pages import PAGES, ROOT, SITE, page_name, table


STAN_BLOCK = re.compile(r"^```stan\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_page_of_functions_is_what_its_script_makes():
    assert stan_functions.PAGE.read_text() == stan_functions.page(), "`python -m tests.docs.stan_functions` rewrites it"


def test_page_of_functions_has_every_function_that_can_be_called():
    text = stan_functions.PAGE.read_text()
    for name in filter(is_supported, LIBRARY):
        base, _, suffix = name.rpartition("_")
        distribution = f"| `{base}` |" in text and suffix in ("lpdf", "lpmf", "cdf", "lcdf", "lccdf", "rng")
        assert distribution or f"`{name}`" in text, name


@pytest.mark.parametrize("path", [path for path in PAGES if STAN_BLOCK.search(path.read_text())], ids=page_name)
def test_programs_on_the_pages_are_correct(path):
    for program in STAN_BLOCK.findall(path.read_text()):
        check(parse(program))


def test_tests_that_the_table_of_features_names_exist():
    features = table((SITE / "stan.md").read_text(), "feature")
    named = re.findall(r"`(tests/[\w/]+\.py)`", features)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).is_file()] == []
