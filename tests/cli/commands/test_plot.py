"""Pictures of what runs wrote."""

import json
import shutil
import sys

import matplotlib.image
import matplotlib.pyplot
import numpy as np
import pytest

import pathfinder.plots._axes as axes_of_plots
from pathfinder_cli import main
from pathfinder_cli._inputs.draws_file import read_draws
from pathfinder_cli._inputs.trajectory_file import read_trajectory
from tests.cli.conftest import EIGHT_SCHOOLS, MODELS, new_files
from tests.pathfinder.plots.lines import lines


ALL = {f"output_{kind}.png" for kind in ("pairs", "weights", "elbo", "trajectory")}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the files of a run with single paths."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "data.json").write_text(json.dumps(EIGHT_SCHOOLS))
        words = ["num_draws=60", "num_psis_draws=80", "num_elbo_draws=5", "num_paths=2", "save_single_paths=1"]
        model = str(MODELS / "eight_schools_noncentered.py")
        run = [model, "random", "seed=1", "data", "file=data.json", "pathfinder", *words, "output", "sig_figs=12"]
        assert main(run) == 0
    return folder


@pytest.fixture
def run(written, folder):
    """The same files in the current folder."""
    for path in written.glob("output*"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def figures(monkeypatch):
    """The figures that are made, in their order."""
    made, empty_figure = [], axes_of_plots.empty_figure

    def make():
        made.append(empty_figure())
        return made[-1]

    monkeypatch.setattr(axes_of_plots, "empty_figure", make)
    return made


def pictures(folder):
    return {name for name in new_files(folder) if name.endswith(".png")}


def test_all_that_can_be_drawn(cli, run):
    open_before = matplotlib.pyplot.get_fignums()
    outcome = cli("plot", "output.csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert set(outcome.out.split()) == pictures(run) == ALL
    for name in ALL:
        pixels = matplotlib.image.imread(run / name)
        assert pixels.shape[0] > 300
        assert pixels.std() > 0.05
    assert matplotlib.pyplot.get_fignums() == open_before


def test_what_is_drawn_is_in_the_files(cli, run, figures):
    assert cli("plot", "output.csv", "-i", "mu", "--include_param=tau").code == 0
    pairs, weights, elbo, trajectory = figures
    draws = read_draws("output.csv")
    mu, tau, path = (draws.draws[:, draws.names.index(name)] for name in ("mu", "tau", "path__"))
    own = np.concatenate(lines(pairs.axes[2], marker=".", color="C1"))
    np.testing.assert_array_equal(own, np.column_stack([mu, tau])[path == 1])
    singles = [read_draws(f"output_path_{number}.csv").log_ratios for number in (1, 2)]
    assert len(np.concatenate([*lines(weights.axes[0], marker="o"), *lines(weights.axes[0], marker=".")])) == 120
    heights = np.concatenate([*lines(weights.axes[0], marker="o"), *lines(weights.axes[0], marker=".")])[:, 1]
    expected = np.sort(np.concatenate(singles))[::-1]
    np.testing.assert_allclose(np.log(heights[0] / heights[50]), expected[0] - expected[50])
    files = [read_trajectory(f"output_path_{number}.json") for number in (1, 2)]
    for curve, points, file in zip(
        lines(elbo.axes[0], marker="o"), lines(trajectory.axes[0], marker="o"), files, strict=True
    ):
        is_finite = np.isfinite(file.elbo)
        np.testing.assert_array_equal(curve, np.column_stack([file.iteration, file.elbo])[is_finite])
        np.testing.assert_array_equal(points, file.positions[:, :2])


def test_kinds_names_and_pairs(cli, run):
    outcome = cli("plot", "output_path_1.csv", "-k", "trajectory", "--kind=pairs", "-p", "9,10", "-o", "x", "-i", "tau")
    assert (outcome.code, outcome.out) == (0, "x_trajectory.png\nx_pairs.png\n")
    (run / "pictures").mkdir()
    assert cli("plot", "output_path_1.json", "-k", "elbo", "-o", "pictures").out == "pictures/output_path_1_elbo.png\n"


def test_draws_alone(cli, run):
    for path in run.glob("output_path*"):
        path.unlink()
    assert cli("plot", "output.csv").out == "output_pairs.png\n"
    outcome = cli("plot", "output.csv", "-k", "weights")
    assert outcome.code == 1
    assert (
        "Error: --kind=weights: the draws were resampled or have no densities; run with save_single_paths=1"
        in outcome.err
    )
    outcome = cli("plot", "output.csv", "-k", "elbo")
    assert "Error: --kind=elbo: there are no JSON files of single paths; run with save_single_paths=1." in outcome.err


def test_other_json_beside_the_draws_is_left_alone(cli, run):
    (run / "output.json").write_text('{"J": 8}')
    assert set(cli("plot", "output.csv").out.split()) == ALL


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "takes the names of CSV and JSON files"),
        (
            ("output.csv", "-k", "pair"),
            "Error: --kind=pair: it is one of pairs, weights, elbo, trajectory; did you mean",
        ),
        (("output.csv", "-p", "1"), "Error: --pair=1: give the numbers of two parameters, from 1, such as 1,2."),
        (("output.csv", "-p", "2,2"), "Error: --pair=2,2: give the numbers"),
        (("output.csv", "-p", "0,1"), "Error: --pair=0,1: give the numbers"),
        (("output.csv", "-p", "1,11", "-k", "trajectory"), "Error: --kind=trajectory: --pair names number 11"),
        (("output.csv", "-i", "tao", "-k", "pairs"), "There is no variable 'tao'; did you mean 'tau'?"),
        (("output.csv", "--pairs=1,2"), "pathfinder plot has no option --pairs; did you mean '--pair'?"),
        (("nothing.csv",), 'cannot read "nothing.csv"'),
        (("nothing.json",), 'cannot read "nothing.json"'),
        (("eight_schools.json",), '"eight_schools.json" is not a JSON file of a path'),
        (("output_path_1.json", "-k", "pairs"), "Error: --kind=pairs: there is no CSV file of draws."),
        (("output.csv", "-o", "nowhere/x"), 'cannot write output file "nowhere/x_pairs.png"'),
        (("output_path_1.json", "one.json"), "different numbers of parameters"),
    ],
)
def test_mistakes(cli, run, words, said):
    (run / "one.json").write_text('{"0": {"iter": 0, "unconstrained_parameters": [1]}}')
    outcome = cli("plot", *words)
    assert outcome.code == 1
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert "defect" not in outcome.err
    assert not pictures(run)


def test_one_parameter_has_no_trajectory(cli, folder):
    (folder / "one.json").write_text('{"0": {"iter": 0, "unconstrained_parameters": [1]}}')
    outcome = cli("plot", "one.json")
    assert outcome.code == 1
    assert outcome.err.startswith("Error: nothing can be drawn.\n  pairs: there is no CSV file of draws.\n")
    assert "trajectory: --pair names number 2, and there is no such parameter among 1." in outcome.err


def test_without_matplotlib(cli, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    outcome = cli("plot", "output.csv")
    assert outcome.code == 1
    assert outcome.err == "Error: Plots need matplotlib; install it with `pip install 'pathfinder-vi[plots]'`.\n"


def test_help(cli):
    assert cli("plot", "--help").out.startswith("Usage: pathfinder plot FILE.csv")


def test_files_of_other_methods(cli, folder):
    lines_of = ["lp__,accept_stat__,mu", *(f"{-x * x},1,{x}" for x in np.linspace(-1, 1, 50))]
    (folder / "nuts.csv").write_text("\n".join(lines_of) + "\n")
    assert cli("plot", "nuts.csv").out == "nuts_pairs.png\n"
