"""Options of the program's own commands, and files that a misspelt name meant."""

import pytest

from pathfinder_cli._arguments.options import only_value, split_options
from pathfinder_cli._errors import UsageError


OPTIONS = {"--sig_figs": "-s", "--output": ""}


def test_all_forms():
    words = ["a", "-s", "1", "-s=2", "--sig_figs", "3", "b=c", "--sig_figs=x=y", "-"]
    others, values = split_options("do", words, OPTIONS, "HELP")
    assert others == ["a", "b=c", "-"]
    assert values == {"--sig_figs": ["1", "2", "3", "x=y"], "--output": []}
    assert only_value("do", "--output", [], "HELP") is None
    assert only_value("do", "--output", ["x"], "HELP") == "x"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--outptu", "x"], "Error: pathfinder do has no option --outptu; did you mean '--output'?\n\nHELP"),
        (["--zzz=1"], "Error: pathfinder do has no option --zzz.\n\nHELP"),
        (["a", "--output"], "Error: pathfinder do: --output needs a value.\n\nHELP"),
        (["-s="], "Error: pathfinder do: -s needs a value.\n\nHELP"),
    ],
)
def test_errors(words, message):
    with pytest.raises(UsageError) as caught:
        split_options("do", words, OPTIONS, "HELP")
    assert caught.value.text == message


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("bernouli.py", "pathfinder"), "bernoulli.py"),
        (("bernoulli.yp", "pathfinder"), "bernoulli.py"),
        (("bernoulli.py", "pathfinder", "data", "file=bernoulli.dta.json"), "bernoulli.data.json"),
        (("bernoulli.py", "pathfinder", "num_paths=1", "init=bernouli.data.json"), "bernoulli.data.json"),
        (("bernoulli.py", "pathfinder", "init=bernouli.data.json"), "bernoulli.data.json"),
        (("explain", "mm.stan"), "m.stan"),
        (("check", "m.stna"), "m.stan"),
    ],
)
def test_a_similar_file_is_named(cli, folder, words, meant):
    (folder / "m.stan").write_text("")
    if any("init=" in word for word in words):
        words = (*words, "data", "file=bernoulli.data.json")
    outcome = cli(*words)
    assert outcome.code == 1
    assert f"did you mean {meant!r}?" in outcome.err
