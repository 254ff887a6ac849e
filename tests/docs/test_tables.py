"""Tables of the pages against what they describe."""

import re

from pathfinder import Status, constraints
from tests.docs import arguments
from tests.docs.pages import SETTINGS_PAGE, SITE, settings_table, table


def test_table_of_settings_is_that_of_their_declarations():
    shown = table(SETTINGS_PAGE.read_text(), "option")
    assert shown == settings_table(), "`python -m tests.docs.pages` rewrites it"


def test_arguments_are_those_of_the_grammar():
    shown = arguments.PAGE.read_text()
    assert shown.endswith(arguments.generated()), "`python -m tests.docs.arguments` rewrites them"
    assert "| `num_paths` | `4` |" in shown
    assert "| `max_chain_gradients` |" in shown


def test_table_of_statuses_has_all_in_order():
    shown = table((SITE / "results.md").read_text(), "status")
    names = re.findall(r"^\| `(\w+)` \|", shown, re.MULTILINE)
    assert names == [status.name for status in Status if status != Status.RUNNING]


def test_table_of_constraints_has_all():
    shown = table((SITE / "models.md").read_text(), "constraint")
    names = re.findall(r"^\| `(\w+)[`(]", shown, re.MULTILINE)
    assert set(names) == {name for name in vars(constraints) if not name.startswith("_")}
