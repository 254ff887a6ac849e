"""Files that are whole or not there, and their folder."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from pathfinder._cache.file_store import FileStore


def store_in(folder, **options):
    """A store, and what it warns of."""
    said = []
    return FileStore(folder, said.append, **options), said


def test_what_is_written_is_read_in_another_process(tmp_path):
    store, said = store_in(tmp_path / "a" / "b")
    assert store.read("name") is None
    for content in (b"", b"content", b"other content"):
        store.write("name", content)
        assert store_in(tmp_path / "a" / "b")[0].read("name") == content
    assert store.read("another name") is None
    assert store_in(tmp_path / "a" / "b", surroundings="other versions")[0].read("name") is None
    assert not said
    (file,) = (tmp_path / "a" / "b").iterdir()
    assert file.stat().st_mode & 0o77 == 0
    assert (tmp_path / "a" / "b").stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"something else",
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content[:-1] + b"x",
    ],
)
def test_damaged_and_foreign_files_are_ignored_and_made_again(tmp_path, spoilt):
    store, said = store_in(tmp_path / "s")
    store.write("name", b"content")
    (file,) = (tmp_path / "s").iterdir()
    file.write_bytes(spoilt if isinstance(spoilt, bytes) else spoilt(file.read_bytes()))
    assert store.read("name") is None
    store.write("name", b"content")
    assert store.read("name") == b"content"
    assert not said


def test_folders_that_others_can_write_to_are_not_used(tmp_path):
    store, said = store_in(tmp_path / "s")
    store.write("name", b"content")
    (tmp_path / "s").chmod(0o777)
    assert store.read("name") is None
    store.write("name", b"content")
    assert "others can write to it" in said[0]


@pytest.mark.parametrize("code", ["EROFS", "ENOSPC"])
def test_what_cannot_be_written_is_said_once(tmp_path, monkeypatch, code):
    store, said = store_in(tmp_path / "s")
    reason = os.strerror(getattr(errno, code))

    def fails(*_, **__):
        raise OSError(getattr(errno, code), reason)

    monkeypatch.setattr(os, "replace" if code == "ENOSPC" else "makedirs", fails)
    for _ in range(3):
        store.write("name", b"content")
    folder = tmp_path / "s"
    assert said == [f'Compiled programs cannot be kept in "{folder}": {reason}. Later runs start slower.']
    assert store.read("name") is None
    assert not folder.exists() or not list(folder.iterdir())


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "s").write_text("")
    store, said = store_in(tmp_path / "s")
    store.write("name", b"content")
    assert store.read("name") is None
    assert len(said) == 1


def test_many_may_write_and_read_at_once(tmp_path):
    contents = [bytes([number]) * 100_000 for number in range(8)]

    def work(content):
        store, said = store_in(tmp_path / "s")
        for _ in range(20):
            store.write("name", content)
            assert store.read("name") in contents
        return said

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, contents)) == [[]] * 8
    assert len(list((tmp_path / "s").iterdir())) == 1


def test_it_stays_below_its_limit_and_keeps_what_was_used_last(tmp_path):
    store, _ = store_in(tmp_path / "s", limit=10_000)
    for number in range(9):
        store.write(str(number), b"x" * 1000)
        for path in (tmp_path / "s").iterdir():
            os.utime(path, (path.stat().st_mtime - 100,) * 2)
    assert store.read("0") is not None
    store.write("large", b"x" * 1000)
    kept = [name for name in [*map(str, range(9)), "large"] if store.read(name) is not None]
    assert sum(path.stat().st_size for path in (tmp_path / "s").iterdir()) <= 10_000 // 2
    assert {"0", "large"} <= set(kept)


def test_very_large_things_are_not_kept(tmp_path):
    store, said = store_in(tmp_path / "s", largest=10)
    store.write("name", b"x" * 10)
    store.write("larger", b"x" * 11)
    assert store.read("name") is not None
    assert store.read("larger") is None
    assert not said
