import pytest

from pathfinder_cli._errors import UsageError
from pathfinder_cli._inputs.init_files import init_files


def found(name, existing, *, num_paths=2, first_id=1):
    return init_files(name, num_paths=num_paths, first_id=first_id, exists=set(existing).__contains__)


def refused(*arguments, **options):
    with pytest.raises(UsageError) as error:
        found(*arguments, **options)
    text = error.value.text
    assert text.splitlines()[-1].startswith("Error: "), "CmdStanPy would not show it"
    return text


def test_one_path_uses_the_name_as_it_is():
    assert found("x.json", ["x.json", "x_1.json"], num_paths=1) == ("x.json",)
    assert found("x", ["x"], num_paths=1) == ("x",)


def test_one_path_falls_back_to_its_numbered_file():
    assert found("x.json", ["x_1.json"], num_paths=1) == ("x_1.json",)


@pytest.mark.parametrize("name", ["x.json", "x.dat", "json", "", "./x"])
def test_one_path_without_a_file_is_refused_as_for_data(name):
    assert refused(name, [], num_paths=1).startswith(f'Can\'t open specified file, "{name}"\n\n')


def test_numbered_files_come_before_the_shared_one():
    assert found("d/x.json", ["d/x.json", "d/x_1.json", "d/x_2.json"]) == ("d/x_1.json", "d/x_2.json")


def test_numbering_starts_at_the_id():
    assert found("x.R", ["x_7.R", "x_8.R"], first_id=7) == ("x_7.R", "x_8.R")


def test_more_files_than_paths_do_no_harm():
    assert found("x.json", ["x_1.json", "x_2.json", "x_3.json"]) == ("x_1.json", "x_2.json")


def test_without_numbered_files_all_paths_share_one():
    assert found("x.json", ["x.json", "x_2.json"], num_paths=3) == ("x.json",) * 3


def test_a_second_suffix_is_dropped_or_kept():
    assert found("init.v1.json", ["init_1.json", "init_2.json"]) == ("init_1.json", "init_2.json")
    assert found("init.v1.json", ["init.v1_1.json", "init.v1_2.json"]) == ("init.v1_1.json", "init.v1_2.json")


def test_a_missing_numbered_file_is_named():
    text = refused("x.json", ["x_1.json", "x_2.json"], num_paths=4)
    assert text.startswith('Found "x_1.json" but cannot open "x_3.json"\n')
    assert 'up to "x_4.json"' in text


def test_no_file_at_all_names_both_that_were_tried():
    assert refused("x.json", []).startswith(
        'Searching for  ""x_1.json" and base file "x.json""\nCan\'t open either of specified files,\n\n'
    )


@pytest.mark.parametrize("name", ["abc", "json", ""])
def test_several_paths_need_an_extension(name):
    assert refused(name, [name]).startswith(f'Found: "{name}" but user specified files must end in .json or .R\n')


@pytest.mark.parametrize(("name", "extension"), [("x.JSON", ".JSON"), ("x.csv", ".csv"), ("./x", "./x"), ("x.", ".")])
def test_several_paths_need_a_known_extension(name, extension):
    assert refused(name, [name]).startswith(f"file ending of {extension} is not supported by cmdstan\n")
