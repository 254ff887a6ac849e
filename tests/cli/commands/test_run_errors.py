"""Runs that fail, whole or in part: what is said of it, and that no file is left."""

import json
import re

import pytest

from tests.cli.commands.printed import comments_and_draws
from tests.cli.conftest import FEW_DRAWS, new_files


def test_an_older_file_is_replaced_only_by_success(bernoulli, folder):
    (folder / "output.csv").write_text("older")
    assert bernoulli("data", "file=x.json").code == 1
    assert (folder / "output.csv").read_text() == "older"
    assert bernoulli().code == 0
    assert (folder / "output.csv").read_text() != "older"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("pathfinder", "data", "file=missing.json"), 'Can\'t open specified file, "missing.json"'),
        (("pathfinder",), "Error: the model needs `N`, but no data file was given; use `data file=<name>`."),
        (("pathfinder", "data", "file=bernoulli.py"), "Error: "),
        (("pathfinder", "output", "file=missing/x.csv"), 'the folder "missing" does not exist'),
        (("pathfinder", "output", "file=x.json", "save_cmdstan_config=1"), "the folder"),
        (("pathfinder", "engine", "resample=without_replacement", "pathfinder"), "misplaced"),
        (
            ("pathfinder", "num_draws=9", "engine", "resample=without_replacement"),
            "cannot choose num_psis_draws=1000 of",
        ),
        (("pathfinder", "engine", "platform=tpu"), "Error: engine platform=tpu is not available here; available: cpu"),
    ],
)
def test_errors_before_the_run_leave_no_file(cli, folder, words, message):
    if "x.json" in " ".join(words):
        (folder / "x_config.json").mkdir()
        message = "it is a folder"
    before = new_files(folder)
    data = () if "data" in words or words == ("pathfinder",) else ("data", "file=bernoulli.data.json")
    outcome = cli("bernoulli.py", *data, *words)
    assert outcome.code == 1
    assert message in outcome.err
    assert any(re.match("E[rx]", line) for line in outcome.err.splitlines()) or "misplaced" in outcome.err
    assert new_files(folder) == before


@pytest.mark.parametrize(
    ("model", "words", "messages"),
    [
        ("m_noparams", (), ["Model has 0 parameters, cannot run Pathfinder."]),
        (
            "m_reject",
            ("num_paths=2",),
            [
                "Initialization between (-2, 2) failed after 100 attempts. \n Try specifying",
                "Initialization failed.\nPathfinder iteration: 0 failed.",
                "Pathfinder iteration: 1 failed.",
                "Error: no path produced an approximation.\n  path 1, 2: No initial point",
                "At the last point tried the log density is -inf.",
            ],
        ),
        ("m_reject", ("num_paths=1", "init=0"), ["Initialization failed.\nError: no path", "path 1: No initial point"]),
    ],
)
def test_failed_runs_leave_no_file(cli, folder, model, words, messages):
    outcome = cli(f"{model}.py", "pathfinder", *FEW_DRAWS, *words)
    assert outcome.code == 1
    for message in messages:
        assert message in outcome.err
    assert new_files(folder) == set()
    if model == "m_reject":
        rejected = "Rejecting initial value:\n  Log probability evaluates to log(0), i.e. negative infinity.\n"
        assert outcome.out.count(rejected) == (1 if "init=0" in words else 200)
        assert ("No pathfinders ran successfully\n" in outcome.out) == ("num_paths=1" not in words)


def test_a_path_that_fails_is_left_out(cli, folder):
    outcome = cli("m_domain.py", "random", "seed=1", "pathfinder", *FEW_DRAWS, "num_paths=6", "save_single_paths=1")
    assert outcome.code == 0
    failed = {int(number) for number in re.findall(r"Pathfinder iteration: (\d+) failed.", outcome.err)}
    assert failed
    assert len(failed) < 6
    _, draws = comments_and_draws(folder / "output.csv")
    assert set(draws["path__"]) <= {number + 1 for number in set(range(6)) - failed}
    for number in range(6):
        text = (folder / f"output_path_{number + 1}.csv").read_text()
        assert text.count(f", {number + 1}, ") == (0 if number in failed else 30)
        assert "0" in json.loads((folder / f"output_path_{number + 1}.json").read_text())


def test_mistakes_of_the_model_while_it_runs_are_told_with_their_place(cli, folder):
    (folder / "m.py").write_text(
        "import jax\n"
        "import jax.numpy as jnp\n"
        "from pathfinder import Model\n"
        "@jax.custom_jvp\n"
        "def square(x):\n"
        "    return x * x\n"
        "@square.defjvp\n"
        "def _(primals, tangents):\n"
        "    return nowhere\n"
        "def model(data):\n"
        "    return Model.from_log_density(lambda params: -square(params['x']), {'x': 0.0})\n"
    )
    outcome = cli("m.py", "pathfinder", *FEW_DRAWS)
    assert outcome.code == 1
    assert "Error: m.py, line 9" in outcome.err
    assert "NameError: name 'nowhere' is not defined" in outcome.err
    assert new_files(folder) == {"m.py"}
