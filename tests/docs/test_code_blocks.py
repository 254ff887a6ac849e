"""Blocks of code of all pages: those in Python run as shown (`test_first_steps.py` has the first ones)."""

import re

import pytest

from tests.docs.code_blocks import FIRST_STEPS, WITH_EXAMPLES, assert_blocks_run_and_print_what_is_shown, words
from tests.docs.pages import PAGES, PICTURES, fences, page_name


NEEDED = {"docs/pymc.md": "pymc"}  # packages that pages are about
LANGUAGES = {"python", "text", "bash", "bibtex", "json", "stan", "mermaid"}


@pytest.mark.parametrize("path", [path for path in WITH_EXAMPLES if path not in FIRST_STEPS], ids=page_name)
def test_python_blocks_run_and_print_what_is_shown(path):
    if page_name(path) in NEEDED:
        pytest.importorskip(NEEDED[page_name(path)])
    assert_blocks_run_and_print_what_is_shown(path)


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_blocks_name_a_known_language(path):
    named = {re.sub(r'^python title="[^"]+"$', "python", fence) for fence in fences(path.read_text())}
    assert named <= LANGUAGES


def test_pictures_are_written_by_blocks_and_shown():
    shown, written = set(), set()
    for path in PAGES:
        text = path.read_text()
        shown |= set(re.findall(r"!\[[^\]]*\]\((?:docs/)?pictures/([^)]+)\)", text))
        written |= set(re.findall(r'savefig\("([^"]+)"', text))
    assert shown == written == {path.name for path in PICTURES.iterdir()}


def test_words_ignore_numbers_but_not_lines():
    assert words("a  b 1.5 c\n  -2 x\n") == ["a b", ""]
    assert words("a b 3\n4") == words("a  b 1.5 c\n  -2 x\n")
    assert words("a b 3") != words("a c 3")
