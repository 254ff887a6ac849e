"""Suggestions for misspelt names and files."""

import inspect

import pytest

from pathfinder import _close_names as copied
from pathfinder_cli._arguments import close_names as own
from pathfinder_cli._arguments.close_names import close_name, did_you_mean, similar_file


@pytest.mark.parametrize("name", ["did_you_mean", "close_name"])
def test_the_copy_without_jax_is_the_same(name):
    assert inspect.getsource(getattr(own, name)) == inspect.getsource(getattr(copied, name))


def test_names():
    assert did_you_mean("Num_Path", ["id", "num_paths"]) == "; did you mean 'num_paths'?"
    assert did_you_mean("xyz", ["id", "num_paths"]) == ""
    assert did_you_mean("id", ["id"]) == ""
    assert close_name("sigm", ["sigma", "mu"]) == "sigma"
    assert close_name("sigm", ["sigma", "mu"], least_likeness=0.95) == ""


def test_files(folder):
    (folder / "sub" / "datafolder").mkdir(parents=True)
    (folder / "sub" / "Data.json").write_text("")
    assert similar_file("sub/dat.json") == "; did you mean 'sub/Data.json'?"
    assert similar_file("sub/Data.json") == ""  # it is there
    assert similar_file("sub/datafolders") == ""  # a folder is no file
    assert similar_file("nowhere/data.json") == ""
    assert similar_file("bernouli.data.json") == "; did you mean 'bernoulli.data.json'?"
    (folder / "a.json").write_text("")
    assert similar_file("b.json") == ""  # only the suffixes are alike
    assert similar_file("A.jso") == "; did you mean 'a.json'?"
    for odd in ("", "sub/", "\0", "x" * 300):
        assert similar_file(odd) == ""
