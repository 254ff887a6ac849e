"""The help pages, against those of a real executable: names and layout, not the descriptions."""

import re

import pytest

from pathfinder_cli._arguments.grammar import ARGUMENTS, METHOD
from pathfinder_cli._arguments.help import argument_help, info, tree_help, usage
from pathfinder_cli._arguments.parse import Page, parse
from pathfinder_cli._errors import UsageError
from tests.cli.golden import GOLDEN


RECORDED = GOLDEN / "help"
PROGRAM = "./bernoulli"
OTHER_METHODS = [value.name for value in METHOD.values if not value.available]

# What differs from CmdStan's pages beyond the descriptions, as (CmdStan's line, ours, reason).
DIFFERENCES = [
    ("Defaults to sample", "Defaults to nothing, one has to be chosen", "no run starts without a method"),
    ('Defaults to ""', "Defaults to profile.csv", "the profile file's default, as the echo shows it"),
    ("Valid values: All", "Valid values: a finite radius >= 0, or the path of a file", "other radii are refused"),
    (
        "Valid values: Path to existing file",
        "Valid values: the path of an existing file, or nothing",
        "the data file: a description",
    ),
    (
        "Valid values: Path to existing file",
        "Valid values: the path of a file in an existing folder",
        "an output file need not exist",
    ),
    (
        "Valid values: Valid path and write access to the folder",
        "Valid values: the path of a file in an existing folder",
        "the profile file: a description",
    ),
    (
        "Defaults to 1 or the value of the STAN_NUM_THREADS environment variable if set.",
        "Defaults to STAN_NUM_THREADS if it is set, else 1",
        "a description",
    ),
]


def answer(*words):
    page = parse(words, program=PROGRAM)
    assert isinstance(page, Page)
    return page.text


def skeleton(text):
    """The lines of a page with descriptions masked, those of unavailable methods and `engine` left out."""
    pages, _, rest = text.partition("Usage: ")
    blocks, hidden = [], None
    for block in pages.split("\n\n"):
        lines = block.splitlines()
        if not lines:
            continue
        indent, name = len(lines[0]) - len(lines[0].lstrip()), lines[0].strip()
        if hidden is not None and indent > hidden:
            continue
        unavailable = name in (*OTHER_METHODS, "engine")
        hidden = indent if unavailable else None
        if name != "engine":
            lines[1] = re.sub(r"\S.*", "<description>", lines[1])
            blocks += [*lines[: 2 if unavailable else None], ""]
    return [*blocks, *usage_skeleton(rest.splitlines())]


def usage_skeleton(lines):
    """Rows keep their name with its padding; sentences are masked, but not the usage line."""
    first, *others = lines
    kept = [first]
    for line in others:
        row = re.match(r"  [\w-]+ +(?=\S)", line)
        if row and row[0].strip() != "engine":
            kept.append(row[0] + "<description>")
        elif not row:
            kept.append(re.sub(r"^(?!See ).+|(?<= \] ).+", "<sentence>", line))
    return kept


def without_known_differences(theirs, ours):
    """The lines that differ and are not in the table, and the rows of the table that were used."""
    known = {(theirs, ours) for theirs, ours, _ in DIFFERENCES}
    pairs = [(a.strip(), b.strip()) for a, b in zip(theirs, ours, strict=True) if a != b]
    return [pair for pair in pairs if pair not in known], {pair for pair in pairs if pair in known}


@pytest.mark.parametrize(
    ("file", "words", "expected"),
    [
        ("help", ["help"], 0),
        ("help-all", ["help-all"], 7),
        ("pathfinder_help", ["pathfinder", "help"], 0),
        ("pathfinder_help-all", ["pathfinder", "help-all"], 0),
        ("pathfinder_num_paths_help", ["pathfinder", "num_paths", "help"], 0),
        ("data_help", ["data", "help"], 0),
    ],
)
def test_layout_and_names_are_cmdstans(file, words, expected):
    theirs, ours = skeleton((RECORDED / f"{file}.txt").read_text()), skeleton(answer(*words))
    different, used = without_known_differences(theirs, ours)
    assert different == []
    assert len(used) == expected


def test_no_arguments_print_the_usage_text_and_fail():
    with pytest.raises(UsageError) as refused:
        parse([], program=PROGRAM)
    assert (refused.value.stream, refused.value.exit_code) == ("stdout", 1)
    assert skeleton(refused.value.text) == skeleton((RECORDED / "usage_no_arguments.txt").read_text())
    assert refused.value.text == answer("help")


def test_info_is_cmdstans():
    assert info() == (RECORDED / "info.txt").read_text()


@pytest.mark.parametrize("file", ["help", "pathfinder_help-all", "help-all"])
def test_no_description_is_cmdstans(file):
    def descriptions(text):
        text = re.sub(r" *(Valid \w+|Defaults to|Usage|See).*|.*<.*>.*", "", text)
        return {line.strip() for line in text.splitlines() if len(line.split()) > 3}

    theirs = (RECORDED / f"{file}.txt").read_text()
    assert descriptions(theirs)
    assert not descriptions(theirs) & descriptions(answer(file) if file != "pathfinder_help-all" else tree_help())


@pytest.mark.parametrize(
    "words",
    ["info", "info help", "pathfinder info", "pathfinder num_paths=2 info", "data info", "id=3 info junk"],
)
def test_info_may_follow_other_words_and_is_all_that_is_printed(words):
    assert answer(*words.split()) == info()


@pytest.mark.parametrize("node", [*ARGUMENTS[1:]])
@pytest.mark.parametrize("deep", [False, True])
def test_every_argument_has_its_page(node, deep):
    page = argument_help(node, deep=deep)
    assert answer(node.name, "help-all" if deep else "help") == page + usage(PROGRAM)
    assert page.startswith(node.name)


def test_a_page_of_an_option():
    assert argument_help(ARGUMENTS[1], deep=False).splitlines() == [
        "id=<int>",
        "  Number of the first path, in messages, file names and random streams",
        "  Valid values: id >= 0",
        "  Defaults to 1",
        "",
    ]


def test_a_bare_argument_before_help_names_the_page():
    assert answer(*["output", "file", "help"]).startswith("file=<string>\n")
    assert answer(*["method", "help"]).startswith("method=<list element>\n")
    assert "\n  pathfinder\n" in answer(*["method", "help-all"])


@pytest.mark.parametrize("method", OTHER_METHODS)
def test_other_methods_say_that_they_are_not_here(method):
    lines = answer(method, "help-all").splitlines()
    assert lines[0] == method
    assert lines[1].endswith("(in CmdStan only)")
    assert lines[2] == ""


@pytest.mark.parametrize("words", ["num_threads=3 pathfinder help", "pathfinder data file=x help junk"])
def test_help_ends_the_reading(words):
    assert "Usage: ./bernoulli " in answer(*words.split())


def test_the_tree_has_every_argument():
    for node in ARGUMENTS:
        assert f"\n  {node.name}" in "\n" + tree_help()
