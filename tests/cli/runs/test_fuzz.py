"""Whatever the words and the files are: no traceback, status 0 or 1, and after an error no file."""

import contextlib
import io
import json

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from pathfinder_cli import main
from pathfinder_cli._arguments.grammar import ARGUMENTS, PATHFINDER
from pathfinder_cli._arguments.other_methods import in_order
from pathfinder_cli._arguments.tree import Category
from tests.cli.conftest import BERNOULLI, new_files


FEW = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MANY = settings(FEW, max_examples=400, derandomize=False)

# Numbers that are valid are few and small, so that valid command lines are quick to run.
INTEGERS = ["2", "0", "-1", "1e3", "2.5", "x", "", "inf", "99999999999", "0x2", " 2", "2 "]
REALS = ["1e-8", "0", "-1", "nan", "inf", "1e999", "1e-999", "0x1p-3", "x", ""]
WORDS = ["true", "0", "maybe", "", "\udcff", "é", "=", "help", "-2", "mixture", "jaxopt"]
FILES = ["bernoulli.data.json", "x.csv", "missing/x.csv", "out/", "..", ".", "", "/dev/null", "bernoulli.py", "\udcff"]
SHAPES = ("history_size", "num_elbo_draws", "max_lbfgs_iters")  # each value compiles anew
SCOPES = {node.name: node for node in ARGUMENTS if isinstance(node, Category)} | {"pathfinder": PATHFINDER}
TOP = [node.name for node in ARGUMENTS] + [method.name for method in in_order(PATHFINDER)]


def texts_of(name):
    if name in ("file", "diagnostic_file", "profile_file", "init"):
        return FILES + (["0", "1", "nan"] if name == "init" else [])
    if name in SHAPES:
        return INTEGERS[1:9]
    return INTEGERS if name.startswith("num_") or name in ("id", "seed", "refresh", "sig_figs") else REALS + WORDS


@st.composite
def option_words(draw, options, sensible):
    option = draw(st.sampled_from(options))
    if sensible:
        texts = [text for text in texts_of(option.name) if is_valid(option, text)]
        return f"{option.name}={draw(st.sampled_from(texts))}" if texts else f"{option.name}={option.default_text}"
    form = draw(st.sampled_from(["{}={}", "{}={}", "{}={}", "{}={}", "{}", "{}=", "{}=={}"]))
    return form.format(option.name, draw(st.sampled_from(texts_of(option.name))))


def is_valid(option, text):
    with contextlib.suppress(ValueError):
        option.read(text)
        return option.name != "file" or text in ("bernoulli.data.json", "x.csv")
    return False


@st.composite
def command_lines(draw):
    """Words in mostly sensible order: scopes with their own options, sometimes misplaced or unknown ones."""
    sensible = draw(st.booleans())
    words = ["data", "file=bernoulli.data.json"] if sensible else []
    scopes = draw(st.lists(st.sampled_from([scope for scope in SCOPES if scope != "data"]), max_size=3, unique=True))
    for scope in [*scopes, *(["pathfinder"] if sensible and "pathfinder" not in scopes else [])]:
        options = SCOPES[scope].children
        words += [scope, *draw(st.lists(option_words(options, sensible), max_size=2))]
    for name in draw(st.sampled_from([(), ("id",), ("init",), ("num_threads",)])):
        words.append(draw(option_words([node for node in ARGUMENTS if node.name == name], sensible)))
    for _ in range(draw(st.sampled_from([0, 0, 1])) if not sensible else 0):
        place = draw(st.integers(0, len(words)))
        words.insert(place, draw(st.sampled_from([*TOP, "help", "info", "foo", "", "=", "data", "sample"])))
    return words


def call(words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return code, out.getvalue(), err.getvalue()


def check(folder, words):
    before = new_files(folder)
    code, out, err = call(words)
    assert code in (0, 1)
    assert "Traceback" not in out + err
    assert "defect" not in err
    after = new_files(folder)
    if code == 1:
        assert after == before
        assert err or "Usage" in out
    for name in after - before:
        (folder / name).unlink()
    return code


def check_command_line(folder, words):
    event(f"status {check(folder, ['bernoulli.py', *words])}")


def mutated(text):
    """A text with a few of its parts removed, doubled or replaced."""

    @st.composite
    def texts(draw):
        characters = list(text)
        for _ in range(draw(st.integers(1, 3))):
            place = draw(st.integers(0, len(characters)))
            length = draw(st.integers(0, 3))
            piece = draw(
                st.sampled_from(["", "", ",", "[", "]", "{", '"', "null", "1.5", "-", "\0", "é", "9" * 30, "\n"])
            )
            characters[place : place + length] = piece
        return "".join(characters)

    return texts()


def check_file(folder, name, text, words):
    (folder / name).write_text(text, encoding="utf-8")
    check(folder, ["bernoulli.py", *words])
    (folder / name).unlink()


JSON_DATA = ("data", "file=d.json", "pathfinder", "output", "refresh=0")
R_DATA = ("data", "file=d.R", "pathfinder", "output", "refresh=0")
JSON_INIT = ("data", "file=bernoulli.data.json", "init=i.json", "pathfinder", "output", "refresh=0")
FILE_CASES = [
    ("d.json", json.dumps(BERNOULLI), JSON_DATA),
    ("d.R", "N <- 10L\n'y' <- structure(c(0, 1, 0L, 0, 0, 0, 1L, 0, 0, 0), .Dim = c(10))\n", R_DATA),
    ("i.json", '{"theta": 0.3, "z": [[1, 2], [3, 4]]}', JSON_INIT),
]
FILE_IDS = [name for name, *_ in FILE_CASES]


@given(words=command_lines())
@FEW
def test_command_lines(folder, words):
    check_command_line(folder, words)


@pytest.mark.slow
@given(words=command_lines())
@MANY
def test_many_command_lines(folder, words):
    check_command_line(folder, words)


@pytest.mark.parametrize(("name", "text", "words"), FILE_CASES, ids=FILE_IDS)
@given(data=st.data())
@FEW
def test_files(folder, name, text, words, data):
    check_file(folder, name, data.draw(mutated(text)), words)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text", "words"), FILE_CASES, ids=FILE_IDS)
@given(data=st.data())
@MANY
def test_many_files(folder, name, text, words, data):
    check_file(folder, name, data.draw(mutated(text)), words)


@pytest.mark.parametrize(("name", "text", "words"), FILE_CASES, ids=FILE_IDS)
def test_the_files_are_read_as_they_are(folder, name, text, words):
    (folder / name).write_text(text)
    assert check(folder, ["bernoulli.py", *words]) == 0


@given(
    words=st.lists(
        st.text(max_size=8) | st.sampled_from(["compile", "summary", "-o", "help", "bernoulli.py"]), max_size=4
    )
)
@FEW
def test_any_words_at_all(folder, words):
    check(folder, words)
