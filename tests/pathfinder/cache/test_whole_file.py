"""Files that are written whole or not at all."""

import pytest

from pathfinder._cache.whole_file import write_whole


def test_the_content_takes_the_place_of_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    write_whole(path, lambda file: file.write(b"after"))
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_fault_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def half(file):
        file.write(b"aft")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, half)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["nowhere/a.txt", "folder"])
def test_errors_name_the_file_that_was_asked_for(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=rf"\] [^']*'{tmp_path / name}'$"):
        write_whole(tmp_path / name, lambda file: file.write(b"after"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
