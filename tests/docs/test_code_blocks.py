"""Every Python block of the README and the pages runs, and prints what is shown below it, apart from the numbers."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.docs.pages import PAGES, ROOT, fences, has_examples, page_name, run_examples


LANGUAGES = {"python", "python no-run", "text", "bash", "bibtex", "json", "stan", "mermaid"}


def words(text):
    """Each line up to its first number: what does not depend on rounding, timing or the version of JAX."""
    return [" ".join(re.split(r"[-+]?\d", line, maxsplit=1)[0].split()) for line in text.rstrip().splitlines()]


@pytest.mark.parametrize("path", list(filter(has_examples, PAGES)), ids=page_name)
def test_python_blocks_run_and_print_what_is_shown(path):
    for example in run_examples(path):
        if example.shown is not None:
            where = f"{page_name(path)}:{example.line}; `python -m tests.docs.pages` rewrites the outputs"
            assert words(example.printed) == words(example.shown), where


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_blocks_name_a_known_language(path):
    assert set(fences(path.read_text())) <= LANGUAGES


def test_command_of_readme_writes_its_output(tmp_path):
    commands = re.findall(r"^pathfinder .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for command in commands:
        arguments = [sys.executable, "-m", "pathfinder_cli", *shlex.split(command)[1:]]
        completed = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert completed.returncode == 0, completed.stderr
    draws = [line for line in (tmp_path / "output.csv").read_text().splitlines() if not line.startswith("#")]
    assert draws[0].startswith("lp_approx__,lp__,path__,theta_trans.1,")
    assert len(draws) == 1 + 1000


def test_words_ignore_numbers_but_not_lines():
    assert words("a  b 1.5 c\n  -2 x\n") == ["a b", ""]
    assert words("a b 3\n4") == words("a  b 1.5 c\n  -2 x\n")
    assert words("a b 3") != words("a c 3")
