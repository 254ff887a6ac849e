"""Model files in Python, mostly those that do not work."""

import sys
from textwrap import dedent

import numpy as np
import pytest

from pathfinder import Model
from pathfinder_cli._errors import InputError, RunError
from pathfinder_cli._inputs.input_file import InputFile
from pathfinder_cli._models.python_file import FileData, MissingData, bind, check, check_model, running
from pathfinder_cli._models.source import ModelOptions, ModelSource
from tests.cli.conftest import new_files


GOOD = """
from pathfinder import Model

def model(data):
    return Model.from_log_density(lambda params: -params["x"] ** 2, {"x": 0.0}, name=f"got {sorted(data)}")
"""
NO_DATA = InputFile("", "json", {})


def source_of(text, path="m.py"):
    return ModelSource(path, dedent(text).encode())


def bound(text, data=NO_DATA):
    source = source_of(text)
    check(source)
    with running(source):
        return bind(source, data, ModelOptions())


def test_a_model_is_bound_to_its_data(folder):
    model = bound(GOOD, InputFile("d.json", "json", {"b": np.array(1), "a": np.array([1.0])}))
    assert isinstance(model, Model)
    assert model.name == "got ['a', 'b']"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def model(data:\n", r"^Error: m.py, line 1: .*: def model\(data:$"),
        ("x = 1\n  y = 2\n", "^Error: m.py, line 2: unexpected indent"),
        ("x = 1\0", "^Error: m.py"),
        ("# coding: klingon\n", "^Error: m.py.*klingon"),
        ("x = 1", r"^Error: m.py has no function `model`. A model file defines model\(data\)"),
        ("model = 3", "has no function `model`"),
        ("def model():\n    pass", r"model is called as model\(data\), but: too many positional arguments"),
        ("def model(a, b):\n    pass", r"model is called as model\(data\), but: missing a required argument: 'b'"),
        ("def model(data):\n    pass", "must return a pathfinder.Model, not None .is a `return` missing"),
        ("def model(data):\n    return {}", "must return a pathfinder.Model, not an object of type dict"),
        ("import not_there", "^Error: m.py, line 1: ModuleNotFoundError: No module named 'not_there'"),
        ("def model(data):\n    return foo", "^Error: m.py, line 2, in model: NameError: name 'foo' is not defined"),
        ("def model(data):\n    raise ValueError", "^Error: m.py, line 2, in model: ValueError$"),
        ("def model(data):\n    exit(3)", "^Error: m.py, line 2, in model: SystemExit: 3"),
        ("def model(data):\n    return 1 / 0", "line 2, in model: ZeroDivisionError: division by zero"),
        ("def model(data):\n    return model(data)", "in model: RecursionError"),
    ],
)
def test_mistakes_are_told_with_their_place(text, message):
    with pytest.raises(RunError, match=message):
        bound(text)


@pytest.mark.usefixtures("folder")
def test_a_mistake_in_the_density_is_told_with_its_place():
    text = """
    from pathfinder import Model

    def log_density(params):
        return params["y"]

    def model(data):
        return Model.from_log_density(log_density, {"x": 0.0})
    """
    with pytest.raises(RunError, match="^Error: m.py, line 5, in log_density: .*KeyError: 'y'") as caught:
        bound(text)
    assert "The parameters are 'x'" in str(caught.value)


def test_a_mistake_in_a_neighbour_is_told_with_its_place(folder):
    (folder / "neighbour_that_fails.py").write_text("def f():\n    return 1 / 0\n")
    (folder / "broken.py").write_text("a =\n")
    with pytest.raises(RunError, match="^Error: neighbour_that_fails.py, line 2, in f: ZeroDivisionError"):
        bound("from neighbour_that_fails import f\n\ndef model(data):\n    return f()")
    with pytest.raises(RunError, match="^Error: .*broken.py, line 1: invalid syntax: a =$"):
        bound("import broken")
    assert str(folder) not in sys.path


@pytest.mark.usefixtures("folder")
def test_a_model_without_parameters_is_named_as_cmdstan_does():
    text = "from pathfinder import Model\ndef model(data):\n    return Model.from_log_density(lambda p: 0.0, {})"
    with pytest.raises(RunError, match="^Model has 0 parameters, cannot run Pathfinder.\nError: "):
        bound(text)


@pytest.mark.usefixtures("folder")
def test_code_that_looks_for_its_module_finds_it():
    text = """
    from __future__ import annotations
    import dataclasses, os

    @dataclasses.dataclass
    class Sizes:
        n: int

    assert os.path.basename(__file__) == "m.py"
    assert __name__ != "__main__"
    """
    bound(dedent(text) + GOOD)


def test_check_does_not_run_the_file(folder):
    check(source_of("import pathlib; pathlib.Path('ran').touch()"))
    assert new_files(folder) == set()


def test_check_model_runs_the_file_only(folder):
    check_model(source_of("def model(data):\n    raise ValueError"))
    with pytest.raises(RunError, match="no function"):
        check_model(source_of(""))


def test_errors_of_this_program_in_between_pass():
    with pytest.raises(ZeroDivisionError), running(source_of("")):
        _ = 1 / 0
    with pytest.raises(InputError, match="as it is"), running(source_of("")):
        raise InputError("as it is", "")


def test_data_are_numbers_and_arrays():
    values = {"n": np.array(3), "x": np.array(0.5), "y": np.array([[1, 2]]), "t": {"1": np.array(4)}}
    data = FileData(values, "d.json")
    assert type(data["n"]) is int
    assert type(data["x"]) is float
    assert data["y"].tolist() == [[1, 2]]
    assert data["t"] == {"1": 4}
    assert data.get("z") is None
    assert "z" not in data


def test_data_that_are_missing():
    with pytest.raises(MissingData) as caught:
        FileData({"a": np.array(1)}, "d.json")["z"]
    assert isinstance(caught.value, KeyError)
    assert str(caught.value) == (
        "Exception: variable does not exist; processing stage=data initialization; variable name=z\n"
        'Error: file "d.json": the model needs `z`; the file has `a`.'
    )
    with pytest.raises(MissingData, match="no data file was given; use `data file=<name>`"):
        FileData({}, "")["z"]
