"""What a newcomer tries first runs as it is shown: the README, and pages on fits, models, results and questions."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.docs.code_blocks import FIRST_STEPS, WITH_EXAMPLES, assert_blocks_run_and_print_what_is_shown
from tests.docs.pages import ROOT, page_name


@pytest.mark.parametrize("path", FIRST_STEPS, ids=page_name)
def test_python_blocks_run_and_print_what_is_shown(path):
    assert path in WITH_EXAMPLES
    assert_blocks_run_and_print_what_is_shown(path)


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
