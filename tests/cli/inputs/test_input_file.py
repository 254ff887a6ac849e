import os
import threading

import numpy as np
import pytest

from pathfinder_cli._errors import InputError
from pathfinder_cli._inputs.input_file import input_warnings, read_input_file
from tests.cli.golden import recorded_errors


def test_no_file():
    assert read_input_file("") == ("", "json", {})
    assert input_warnings("") == []


@pytest.mark.parametrize("name", ["data.json", "a.b.json", "sub.dir/data.json"])
def test_json_by_its_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"N": 2}')
    assert input_warnings(name) == []
    assert read_input_file(name) == (name, "json", {"N": np.int64(2)})


@pytest.mark.parametrize("name", ["data.R", "data", ".json", "x..json", "data.json.", "data.JSON", "d.json/data"])
def test_any_other_name_is_an_r_dump(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("N <- 2")
    assert read_input_file(name) == (name, "rdump", {"N": np.int64(2)})
    assert [text.splitlines()[0] for text in input_warnings(name)] == [
        f"Warning: file '{name}' is being read as an 'RDump' file."
    ]


def test_missing_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        read_input_file("nope.json")
    message, detail = str(caught.value).split("\n")
    assert message == 'Can\'t open specified file, "nope.json"'
    assert detail == f'Error: cannot read "nope.json": No such file or directory (looked in {tmp_path}).'


@pytest.mark.parametrize(("name", "reason"), [(".", "Is a directory"), ("a\0b.json", "null"), ("x" * 300, "too long")])
def test_other_names_that_cannot_be_opened(name, reason):
    with pytest.raises(InputError, match=f"(?s)Can't open specified file.*{reason}"):
        read_input_file(name)


def test_named_pipe(tmp_path):
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=('{"N": 2}',))
    writer.start()
    assert read_input_file(str(path)).values == {"N": 2}
    writer.join()


def test_warning_of_cmdstan():
    (command,) = [c for c in recorded_errors()["commands"] if c["title"] == "RDump file"]
    assert input_warnings("bernoulli.data.R") == [command["stderr"].rstrip("\n")]


def test_missing_file_of_cmdstan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (command,) = [c for c in recorded_errors()["commands"] if c["title"] == "file does not exist"]
    with pytest.raises(InputError) as caught:
        read_input_file("nope.json")
    assert caught.value.message == command["stderr"].rstrip("\n")


def test_a_current_folder_that_was_removed(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InputError, match=r"cannot read .*looked in a folder that is not there any more"):
        read_input_file("x.json")
