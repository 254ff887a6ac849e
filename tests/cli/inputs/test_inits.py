"""Where paths start, for every form of `init=`."""

import json
import re

import numpy as np
import pytest

from pathfinder._fitting.initial_points import initial_points
from pathfinder_cli._arguments.parse import parse
from pathfinder_cli._inputs.inits import read_inits
from pathfinder_cli._inputs.input_file import read_input_file
from pathfinder_cli._models.source import ModelOptions, ModelSource
from tests.cli.conftest import FEW_DRAWS, new_files


RECORDED_PARTIAL = {"mu": 1}


@pytest.fixture
def eight_schools(folder):
    source = ModelSource.read("eight_schools_noncentered.py")
    with source.module.running(source):
        return source.module.bind(source, read_input_file("eight_schools.json"), ModelOptions())


def inits(model, *words, warnings=None):
    config = parse(["pathfinder", "num_paths=3", *words], program="m")
    return read_inits(config, model, [].append if warnings is None else warnings.append)


def write(path, values):
    path.write_text(json.dumps(values))


def test_a_radius(eight_schools):
    points, failures = inits(eight_schools, "init=0.5")
    assert points.center.shape == (3, 10)
    assert not points.center.any()
    assert (points.radius == 0.5).all()
    assert (points.max_tries == 100).all()
    assert failures == {}


def test_radius_zero_is_one_try_at_zero(eight_schools):
    points, _ = inits(eight_schools, "init=0")
    assert not points.radius.any()
    assert (points.max_tries == 1).all()


def test_all_parameters(eight_schools, folder):
    write(folder / "i.json", {"theta_trans": list(range(8)), "mu": -3, "tau": 2.5, "theta": 7, "other": [1]})
    points, _ = inits(eight_schools, "init=i.json")
    np.testing.assert_allclose(points.center, [[*range(8), -3, np.log(2.5)]] * 3)
    assert not points.radius.any()


def test_parameters_that_are_missing_start_at_random(eight_schools, folder):
    write(folder / "i.json", {"tau": 2.5})
    points, _ = inits(eight_schools, "init=i.json")
    np.testing.assert_allclose(points.center[0], [0] * 9 + [np.log(2.5)])
    np.testing.assert_array_equal(points.radius[0], [2.0] * 9 + [0])
    write(folder / "i.json", {})
    points, _ = inits(eight_schools, "init=i.json")
    assert not points.center.any()
    assert (points.radius == 2).all()


def test_given_values_equal_to_those_that_stand_for_missing_ones(eight_schools, folder):
    write(folder / "i.json", {"mu": 0.8765, "theta_trans": [0] * 8})
    points, _ = inits(eight_schools, "init=i.json")
    np.testing.assert_allclose(points.center[0], [0] * 8 + [0.8765, 0])
    np.testing.assert_array_equal(points.radius[0], [0.0] * 9 + [2])


def test_a_file_for_each_path(eight_schools, folder):
    for number, value in enumerate((5, 6, 7)):
        write(folder / f"i_{number + 4}.json", {"mu": value})
    points, _ = inits(eight_schools, "init=i.json", "id=4")
    assert points.center[:, 8].tolist() == [5, 6, 7]


def test_r_dump(eight_schools, folder):
    (folder / "i.R").write_text("mu <- 4\n")
    warnings = []
    points, _ = inits(eight_schools, "init=i.R", warnings=warnings)
    assert points.center[0, 8] == 4
    assert len(warnings) == 1


def test_values_that_cannot_be_used_end_their_path_only(eight_schools, folder):
    write(folder / "i_1.json", {"tau": -1})
    write(folder / "i_2.json", {"theta_trans": [1, 2]})
    write(folder / "i_3.json", {"tau": 1})
    points, failures = inits(eight_schools, "init=i.json")
    assert np.isnan(points.center).all(axis=1).tolist() == [True, True, False]
    assert points.max_tries.tolist() == [1, 1, 100]
    rejection, failure = failures[0]
    assert rejection.startswith("Rejecting initial value:\n  Error evaluating the log probability")
    assert "Error: file \"i_1.json\": The given value of parameter 'tau' violates" in failure
    rejection, failure = failures[1]
    assert rejection == ""
    assert failure.startswith(
        "Unrecoverable error evaluating the log probability at the initial value.\nException: mis"
    )
    assert 'Error: file "i_2.json": `theta_trans` is declared with dimensions (8) but has (2)' in failure


def test_simplexes_and_matrices(cli, folder):
    write(folder / "i.json", {"p": [0.2, 0.3, 0.5], "m": [[1, 2, 3], [4, 5, 6]]})
    words = ("init=i.json", "random", "seed=1", "output", "sig_figs=12", "refresh=0")
    outcome = cli("shapes.py", "pathfinder", "save_single_paths=1", "num_paths=2", *FEW_DRAWS, *words)
    assert outcome.code == 0
    first, second = (
        json.loads((folder / f"output_path_{path}.json").read_text())["0"]["unconstrained_parameters"]
        for path in (1, 2)
    )
    same = np.isclose(first, second)
    assert same.sum() == 6 + 2  # a simplex of three has two coordinates
    assert [value for value in np.round(first, 9) if value in {1, 2, 3, 4, 5, 6}] == [1, 2, 3, 4, 5, 6]


def test_a_bad_file_among_several_leaves_the_others(cli, folder):
    write(folder / "i_1.json", {"theta": 0.3})
    write(folder / "i_2.json", {"theta": 1.3})
    words = ("data", "file=bernoulli.data.json", "init=i.json", "random", "seed=1")
    outcome = cli("bernoulli.py", *words, "pathfinder", "num_paths=2", *FEW_DRAWS)
    assert outcome.code == 0
    assert "Pathfinder iteration: 1 failed." in outcome.err
    assert "Pathfinder iteration: 0" not in outcome.err
    assert f"Path [1] :Initial log joint density = {3 * np.log(0.3) + 9 * np.log(0.7):f}" in outcome.out
    assert "Path [2]" not in outcome.out


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ('{"theta": 1.5}', ["Initialization between (-2, 2) failed after 1 attempts.", 'Error: file "i.json"']),
        ('{"theta": 0}', ["Initialization failed.", "Values on the boundary of a constraint cannot be used."]),
        ('{"theta": [1]}', ["Unrecoverable error", "dims declared=(); dims found=(1)"]),
        ('{"theta": "a"}', ["Variable: theta, error: string values not allowed."]),
        ('{"theta": NaN}', ["Initialization failed."]),
        ("{", ["Error in JSON parsing"]),
    ],
)
def test_files_that_cannot_be_used(cli, folder, content, messages):
    (folder / "i.json").write_text(content)
    words = ("data", "file=bernoulli.data.json", "init=i.json", "output", "refresh=0")
    outcome = cli("bernoulli.py", "pathfinder", *FEW_DRAWS, *words)
    assert outcome.code == 1
    for message in messages:
        assert message in outcome.err
    assert any(re.match("E[rx]", line) for line in outcome.err.splitlines())
    assert new_files(folder) == {"i.json"}


COMPLEX = """\
parameters {
  complex w;
  array[2] complex wa;
  complex_vector[2] cv;
  tuple(real, array[2] tuple(real, complex)) t;
  vector[2] b;
}
transformed parameters {
  real s = sum(b);
}
model {
}
"""
GIVEN = {
    "w": [1, 2],
    "wa": [[3, 4], [5, 6]],
    "cv": [[7, 8], [9, 10]],
    "t": {"1": 11, "2": [{"1": 12, "2": [13, 14]}, {"1": 15, "2": [16, 17]}]},
    "b": [18, 19],
}


@pytest.fixture
def complex_model(folder):
    (folder / "c.stan").write_text(COMPLEX)
    source = ModelSource.read("c.stan")
    with source.module.running(source):
        return source.module.bind(source, read_input_file(""), ModelOptions())


def test_complex_numbers_and_tuples_are_used(complex_model, folder):
    write(folder / "i.json", GIVEN)
    points, failures = inits(complex_model, "init=i.json")
    assert failures == {}
    assert not points.radius.any()
    assert sorted(points.center[0]) == list(range(1, 20))
    values = complex_model.constrain(points.center[0])
    assert values["cv.2.imag"] == 10
    assert values["t:2.1:2.imag"] == 14
    assert values["t:2.2:1"] == 15
    write(folder / "i.json", {"w": [1, 2], "t": {"1": 4}})
    points, _ = inits(complex_model, "init=i.json")
    assert sorted(points.center[0][points.radius[0] == 0]) == [1, 2, 4]
    (folder / "i.R").write_text("w <- c(1, 2)\ncv <- structure(c(3, 4, 5, 6), .Dim = c(2, 2))\n")
    points, _ = inits(complex_model, "init=i.R")
    assert complex_model.constrain(points.center[0])["cv.1.imag"] == 5  # columns first
    assert (points.radius[0] == 0).sum() == 6


@pytest.mark.parametrize(
    ("values", "variable", "dims"),
    [
        ({"w": [1, 2, 3]}, "w", "position=0; dims declared=(2); dims found=(3)"),
        ({"w": 1}, "w", "dims declared=(2); dims found=()"),
        ({"cv": 5}, "cv", "dims declared=(2,2); dims found=()"),
        ({"wa": [[1, 2]]}, "wa", "position=0; dims declared=(2,2); dims found=(1,2)"),
        ({"t": {"2": [{"1": 1, "2": [1, 2]}]}}, "t.2.1", "position=0; dims declared=(2); dims found=(1)"),
        ({"t": 5}, "t.1", "dims declared=(); dims found=()"),
    ],
)
def test_complex_numbers_and_tuples_of_another_shape(complex_model, folder, values, variable, dims):
    write(folder / "i.json", values)
    _, failures = inits(complex_model, "init=i.json")
    assert f"processing stage=parameter initialization; variable name={variable}; " in failures[0][1]
    if values != {"t": 5}:
        assert dims in failures[0][1]
    else:
        assert "`t` is a tuple" in failures[0][1]


def test_names_that_the_model_does_not_have(complex_model, folder):
    write(folder / "i.json", {**GIVEN, "bb": 1, "s": 3, "lp__": 1, "zzz": 1, "t": {"1": 1, "3": 1}})
    warnings = []
    inits(complex_model, "init=i.json", warnings=warnings)
    assert len(warnings) == 3
    assert "the model has no parameter 't.3'" in warnings[0]
    assert "the model has no parameter 'bb', whose values are not used; did you mean 'b'?" in warnings[1]
    assert "'zzz', whose values are not used." in warnings[2]


def test_the_same_in_python(complex_model):
    given = {"w": 1 + 2j, "wa": [3 + 4j, 5 + 6j], "cv": np.array([7 + 8j, 9 + 10j]), "b": [18, 19]}
    given["t"] = (11, (np.array([12, 15]), np.array([13 + 14j, 16 + 17j])))
    points = initial_points(complex_model, given, 2, None)
    assert sorted(points.center[1]) == list(range(1, 20))
    for changes, message in (
        ({"bb": 1}, "'bb' is no parameter of the model; did you mean 'b'"),
        ({"cv": 5}, r"`cv` has the shape \[2\], but \[\] was given"),
        ({"w": "a"}, r"`w` needs numbers in the shape \[\]; 'a' was given"),
        ({"b": [1j, 2]}, "`b` needs real numbers"),
        ({"t": 5}, "`t` is a tuple of 2, but 5 was given"),
    ):
        with pytest.raises(ValueError, match=message):
            initial_points(complex_model, {**given, **changes}, 2, None)
