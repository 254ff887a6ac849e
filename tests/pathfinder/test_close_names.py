"""Suggestions for misspelt names."""

from pathfinder._close_names import close_name, did_you_mean


def test_names():
    assert did_you_mean("Num_Path", ["id", "num_paths"]) == "; did you mean 'num_paths'?"
    assert did_you_mean("xyz", ["id", "num_paths"]) == ""
    assert did_you_mean("id", ["id"]) == ""
    assert close_name("sigm", ["sigma", "mu"]) == "sigma"
    assert close_name("sigm", ["sigma", "mu"], least_likeness=0.95) == ""
