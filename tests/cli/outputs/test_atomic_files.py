import os
import stat
import threading

import pytest

from pathfinder_cli._outputs.atomic_files import OutputError, atomic_bytes, atomic_file, check_writable


as_user = pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")


def write(path, text="new\n"):
    with atomic_file(str(path)) as file:
        file.write(text)


def test_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "out.csv"
    with atomic_file(str(path)) as file:
        file.write("a\n")
        assert not path.exists()
    assert path.read_bytes() == b"a\n"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_bytes(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    atomic_bytes(str(path), b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    with pytest.raises(OutputError, match="does not exist"):
        atomic_bytes(str(tmp_path / "nowhere" / "out.png"), b"")
    assert os.listdir(tmp_path) == ["out.png"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_changes_when_the_block_fails(tmp_path, error):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def fail():
        with atomic_file(str(path)) as file:
            file.write("new")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_failed_write_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "out.csv"
    with pytest.raises(OutputError, match=r"out.csv\": No space left") as caught, atomic_file(str(path)):
        raise OSError(28, "No space left on device")
    assert str(caught.value).startswith("Error: cannot write output file")
    assert os.listdir(tmp_path) == []


def test_file_has_the_usual_mode(tmp_path):
    write(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("")
    assert (tmp_path / "a.csv").stat().st_mode == (tmp_path / "b.csv").stat().st_mode


def test_mode_of_an_older_file_is_kept(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o600)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "new\n"


def test_links_are_followed(tmp_path):
    target = tmp_path / "folder" / "target.csv"
    target.parent.mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_text() == "new\n"


def test_relative_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_writable("out.csv")
    write("out.csv")
    assert os.listdir(tmp_path) == ["out.csv"]


def test_null_device():
    check_writable("/dev/null")
    write("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_named_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    check_writable(str(path))
    writer = threading.Thread(target=write, args=(path,))
    writer.start()
    assert path.read_text() == "new\n"
    writer.join()
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_text_is_utf8_and_keeps_bytes_of_odd_file_names(tmp_path):
    write(tmp_path / "out.csv", "é\udcff\n")
    assert (tmp_path / "out.csv").read_bytes() == b"\xc3\xa9\xff\n"


def test_longest_name(tmp_path):
    name = "x" * 251 + ".csv"
    write(tmp_path / name)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("attempt", [check_writable, write])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no/out.csv", r'the folder ".*no" does not exist'),
        ("file/out.csv", "Not a directory|does not exist"),
        ("folder", "it is a folder"),
        ("x" * 300, "too long"),
        ("a\0b", "null"),
    ],
)
def test_what_cannot_be_written(tmp_path, attempt, name, reason):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=reason):
        attempt(f"{tmp_path}/{name}")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_checking_changes_nothing(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    check_writable(str(path))
    check_writable(str(tmp_path / "other.csv"))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.csv"]


@as_user
@pytest.mark.parametrize("attempt", [check_writable, write])
def test_protected_files_are_not_replaced(tmp_path, attempt):
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o400)
    with pytest.raises(OutputError, match="Permission denied"):
        attempt(path)
    assert path.read_text() == "old"


@as_user
def test_file_in_a_protected_folder_is_written_directly(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "out.csv"
    path.write_text("old")
    folder.chmod(0o500)
    try:
        check_writable(str(path))
        write(path)
        with pytest.raises(OutputError, match="Permission denied"):
            check_writable(str(folder / "other.csv"))
    finally:
        folder.chmod(0o700)
    assert path.read_text() == "new\n"
