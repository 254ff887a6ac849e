"""What the command line has beyond CmdStan's arguments."""

import json

import pytest
import stanio

from tests.cli.commands.started_jax import RUN
from tests.cli.conftest import FEW_DRAWS, new_files


@pytest.mark.parametrize(
    "words",
    [
        ("weights=component",),
        ("resample=stratified",),
        ("resample=without_replacement",),
        ("optimizer=jaxopt",),
        ("schedule=race",),
        ("refine=true",),
        ("platform=cpu",),
        ("time_limit=1000",),
        ("progress=true",),
    ],
)
def test_every_extension(cli, folder, words):
    outcome = cli("bernoulli.py", *RUN, "output", "save_cmdstan_config=1", "engine", *words)
    assert outcome.code == 0
    name, value = words[0].split("=")
    assert f"\nengine\n  weights = {'component' if name == 'weights' else 'mixture (Default)'}\n" in outcome.out
    saved = json.loads((folder / "output_config.json").read_text())["engine"][name]
    assert str(saved).lower() == value
    theta = stanio.read_csv("output.csv")[1][0][:, 3]
    if words == ("resample=without_replacement",):
        assert len(set(theta)) == 40


def test_a_time_limit_ends_paths_early(cli, folder):
    outcome = cli("m_unbounded.py", "random", "seed=1", "pathfinder", *FEW_DRAWS, "engine", "time_limit=1e-9")
    assert outcome.code == 1
    assert "Error: no path produced an approximation.\n  path 1, 2, 3, 4: Stopped by a time limit" in outcome.err
    assert new_files(folder) == set()
