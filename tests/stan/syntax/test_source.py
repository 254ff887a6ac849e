"""Places in programs, whatever the file's line ends and characters."""

import pytest

from pathfinder import Model
from pathfinder._data_files.texts import decoded
from pathfinder.stan import StanError, StanSyntaxError, parse
from pathfinder.stan._syntax.source import Source


LINES = ["parameters {", "\treal x; // größe → ℝ", "}", "model {", "\t/* é */ x ~ normal(0, s);", "}", ""]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
def test_errors_have_the_same_place_whatever_the_line_ends(tmp_path, end, mark):
    path = tmp_path / "m.stan"
    path.write_bytes(mark + end.join(LINES).encode())
    with pytest.raises(StanError) as caught:
        Model.from_stan(path)
    place, text, underlined = str(caught.value).splitlines()[:3]
    assert place == f"{path}, line 5, column 24: The variable `s` is not known here."
    assert text == "  5 | \t/* é */ x ~ normal(0, s);"
    assert underlined == "    | \t" + " " * 22 + "^"


def test_included_texts_may_have_other_line_ends(tmp_path):
    (tmp_path / "part.stan").write_bytes(b"\xef\xbb\xbfx ~ normal(0, 1);\r\nx ~ normal(0, s);\r\n")
    (tmp_path / "m.stan").write_bytes(b"parameters { real x; }\nmodel {\n#include part.stan\n}\n")
    with pytest.raises(StanError, match="part.stan, line 2, column 15: The variable `s` is not known here."):
        Model.from_stan(tmp_path / "m.stan")


def test_comments_may_be_no_utf_8(tmp_path):
    (tmp_path / "m.stan").write_bytes(b"parameters { real x; } // gr\xf6\xdfe\nmodel { x ~ normal(0, 1); }\n")
    assert Model.from_stan(tmp_path / "m.stan").dim == 1


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("parameters { real größe; }", "line 1, column 21: `ö` cannot stand here."),
        ("parameters { real\u00a0x; }", r"line 1, column 18: The character U\+00A0 cannot stand here."),
        (decoded(b"parameters { real \xf6; }"), r"line 1, column 19: The character U\+FFFD cannot stand here."),
        ("parameters { real x; }\0", r"line 1, column 23: The character U\+0000 cannot stand here."),
    ],
)
def test_characters_that_cannot_stand_in_programs(program, message):
    with pytest.raises(StanSyntaxError, match=message):
        parse(program)


def test_positions():
    source = Source("m", "ab\n\ncd")
    assert [source.position(offset) for offset in range(7)] == [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2), (3, 3)]
    assert [source.line(number) for number in (1, 2, 3)] == ["ab", "", "cd"]
