"""Suggestions for misspelt files."""

from pathfinder_cli._arguments.similar_files import similar_file


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
