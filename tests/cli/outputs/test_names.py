from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathfinder_cli._arguments.file_names import split_suffix
from pathfinder_cli._arguments.grammar import DEFAULTS, Engine, Output
from pathfinder_cli._errors import UsageError
from pathfinder_cli._outputs.names import OutputNames, output_name, output_names


def configured(*, id=1, num_paths=2, save_single_paths=False, **output):
    pathfinder = replace(DEFAULTS.pathfinder, num_paths=num_paths, save_single_paths=save_single_paths)
    return replace(DEFAULTS, id=id, pathfinder=pathfinder, output=Output(**output))


@pytest.mark.parametrize(
    ("name", "base", "suffix"),
    [
        ("out.csv", "out", ".csv"),
        ("a.tar.gz", "a.tar", ".gz"),
        (".csv", ".csv", ""),
        ("out.", "out.", ""),
        ("x..csv", "x..csv", ""),
        ("foo.bar.", "foo", ".bar."),
        ("out", "out", ""),
        ("", "", ""),
        ("dir.d/out", "dir.d/out", ""),
        ("dir.d/.csv", "dir.d/.csv", ""),
        ("../out.csv", "../out", ".csv"),
        ("a.b..c", "a", ".b..c"),
    ],
)
def test_the_suffix_begins_at_the_last_dot_that_stands_alone(name, base, suffix):
    assert split_suffix(name) == (base, suffix)


@given(st.text("ab./"))
def test_the_parts_of_a_name_make_up_the_name(name):
    assert "".join(split_suffix(name)) == name


@pytest.mark.parametrize(
    ("template", "arguments", "expected"),
    [
        ("output.csv", {}, "output.csv"),
        ("run", {}, "run.csv"),
        ("run.txt", {}, "run.txt"),
        ("output.csv", {"tag": "_path", "number": 3}, "output_path_3.csv"),
        ("run.txt", {"tag": "_path", "number": 0}, "run_path_0.txt"),
        ("output.csv", {"suffix": ".json"}, "output.json"),
        ("run", {"suffix": ".json", "tag": "_config"}, "run_config.json"),
        ("d/diag.dat", {"suffix": ".json", "tag": "_path", "number": 1}, "d/diag_path_1.json"),
    ],
)
def test_names_follow_the_template(template, arguments, expected):
    assert output_name(template, **arguments) == expected


def test_by_default_only_the_draws_are_written():
    assert output_names(configured()) == OutputNames("output.csv", (), (), None)


def test_several_paths_write_numbered_files():
    names = output_names(configured(id=3, save_single_paths=True, file="d/run.txt"))
    assert names.path_draws == ("d/run_path_3.txt", "d/run_path_4.txt")
    assert names.trajectories == ("d/run_path_3.json", "d/run_path_4.json")


def test_a_diagnostic_file_alone_asks_for_both_kinds_and_names_the_trajectories():
    names = output_names(configured(diagnostic_file="diag.json"))
    assert names.path_draws == ("output_path_1.csv", "output_path_2.csv")
    assert names.trajectories == ("diag_path_1.json", "diag_path_2.json")


@pytest.mark.parametrize(
    ("arguments", "trajectory"),
    [({"save_single_paths": True}, "output.json"), ({"diagnostic_file": "diag.txt"}, "diag.json")],
)
def test_a_single_path_writes_its_draws_to_the_main_file(arguments, trajectory):
    names = output_names(configured(num_paths=1, **arguments))
    assert names == OutputNames("output.csv", (), (trajectory,), None)


def test_the_configuration_is_named_after_the_draws():
    names = output_names(configured(file="cfg.csv", diagnostic_file="diag", save_cmdstan_config=True))
    assert names.configuration == "cfg_config.json"


def test_a_report_is_named_as_it_is_wanted():
    assert output_names(configured()).report is None
    names = output_names(replace(configured(save_cmdstan_config=True), engine=Engine(report="a/page")))
    assert names.report == "a/page"
    assert names.all() == ["output.csv", "output_config.json", "a/page"]


@pytest.mark.parametrize("name", ["out/", "..", "a/..", "a/.", "x.."])
@pytest.mark.parametrize("argument", ["file", "diagnostic_file"])
def test_names_of_folders_are_ill_formed(argument, name):
    with pytest.raises(UsageError) as refused:
        output_names(configured(**{argument: name}))
    assert refused.value.text == f"Ill-formed output filename {name}\n\n"


@pytest.mark.parametrize("name", ["", "."])
def test_draws_need_a_file(name):
    with pytest.raises(UsageError, match="cannot be the name of the output file"):
        output_names(configured(file=name))


@pytest.mark.parametrize("num_paths", [1, 2])
def test_two_files_never_share_a_name(num_paths):
    with pytest.raises(UsageError, match=r"two output files would both be called run.*\.json"):
        output_names(configured(num_paths=num_paths, save_single_paths=True, file="run.json"))
