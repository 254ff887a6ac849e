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


def test_a_report_is_written(bernoulli, folder):
    outcome = bernoulli("num_paths=2", "id=5", "engine", "report=page.html")
    assert (outcome.code, outcome.err) == (0, "")
    text = (folder / "page.html").read_text()
    assert "<title>Pathfinder fit of " in text
    assert "theta" in text
    assert text.count("<img ") == 3
    assert "The model has one parameter, and paths are drawn over two." in text
    assert "Path 0 is path 5 of the other output" in text
    assert new_files(folder) == {"output.csv", "page.html"}
    assert "\n  report = page.html\n" in outcome.out


def test_a_report_draws_the_paths_without_files_of_them(cli, folder):
    words = ("pathfinder", *FEW_DRAWS, "data", "file=eight_schools.json", "engine", "report=page.html")
    assert cli("eight_schools_noncentered.py", "random", "seed=1", *words).code == 0
    assert 'alt="trajectory"' in (folder / "page.html").read_text()
    assert new_files(folder) == {"output.csv", "page.html"}


def test_a_report_has_a_place_before_anything_runs(bernoulli, folder):
    outcome = bernoulli("engine", "report=nowhere/page.html")
    assert outcome.code == 1
    assert 'cannot write output file "nowhere/page.html": the folder "nowhere" does not exist' in outcome.err
    assert "Path [1]" not in outcome.out
    assert "would both be called output.csv" in bernoulli("engine", "report=output.csv").err
    assert (
        "Ill-formed output filename"
        in bernoulli("engine", "report=pages/").out + bernoulli("engine", "report=pages/").err
    )
    assert new_files(folder) == set()


def test_a_time_limit_ends_paths_early(cli, folder):
    outcome = cli("m_unbounded.py", "random", "seed=1", "pathfinder", *FEW_DRAWS, "engine", "time_limit=1e-9")
    assert outcome.code == 1
    assert "Error: no path produced an approximation.\n  path 1, 2, 3, 4: Stopped by a time limit" in outcome.err
    assert new_files(folder) == set()
