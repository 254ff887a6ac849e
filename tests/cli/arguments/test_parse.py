"""The parser, against recorded mistakes and what a real executable made of them."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathfinder_cli._arguments.grammar import ARGUMENTS, DEFAULTS, METHOD, PATHFINDER, Configuration
from pathfinder_cli._arguments.parse import Page, parse
from pathfinder_cli._arguments.values import Init
from pathfinder_cli._errors import UsageError
from pathfinder_cli._inputs.init_files import init_files
from pathfinder_cli._outputs.echo import configuration_lines
from pathfinder_cli._outputs.names import output_names
from tests.cli.golden import recorded_errors


COMMANDS = recorded_errors()["commands"]
FAILED = "Failed to parse command arguments, cannot run model.\n"

# Commands of which we make something else than CmdStan, each with the reason.
DIFFERENCES = {
    "no arguments": "the usage text has our own descriptions and the scope `engine`",
    "pathfinder num_paths=2.5": "refused: CmdStan reads 2 and ignores the rest of the value",
    "pathfinder num_paths": "refused: CmdStan ignores an argument written without its value",
    "init=-1": "refused: CmdStan never comes back from a negative radius",
    "init=abc": "CmdStan's text, and a further line for the eyes of CmdStanPy's users",
    "space around =": "CmdStan's text, and a further line that says what `file` needs",
}


def outcome(words, environ):
    """What is printed before the model is built, as (stdout, stderr); stderr is empty if it would run."""
    stdout = ""
    try:
        config = parse(words, program="./bernoulli", environ=environ)
        assert isinstance(config, Configuration)
        output_names(config)
        stdout = "\n".join(configuration_lines(config, seed=config.random.seed)) + "\n\n"
        find_init_files(config)
    except UsageError as error:
        return (error.text, "") if error.stream == "stdout" else (stdout, error.text)
    return stdout, ""


def find_init_files(config):
    """The recorded runs have init files for all paths, and no numbered ones."""
    if config.init.file is not None:
        count, existing = config.pathfinder.num_paths, re.compile(r"(es_)?init_[a-z]+\.json")
        init_files(config.init.file, num_paths=count, first_id=config.id, exists=existing.fullmatch)


def refused(words, **options):
    with pytest.raises(UsageError) as error:
        parse(shlex.split(words), program="model", **options)
    assert (error.value.stream, error.value.exit_code) == ("stderr", 1)
    return error.value.text


def configured(words, **options):
    config = parse(shlex.split(words), program="model", **options)
    assert isinstance(config, Configuration)
    return config


def same(recorded, words, environ):
    """Whether we print what was recorded; a clock seed and what the model prints do not count."""
    stdout, stderr = outcome(words, environ)
    stderr = re.sub(r"Error: there is no .*; did you mean .*\n", "", stderr)  # a line more than CmdStan
    theirs = re.sub(r"seed = \d+ \(Default\)", "seed = -1 (Default)", recorded["stdout"])
    if FAILED in recorded["stderr"] or not theirs.startswith("method"):
        return (stdout, stderr) == (theirs, recorded["stderr"])
    return theirs.startswith(stdout) and stderr in ("", recorded["stderr"])


def test_recorded_command_lines_end_as_they_did(record_property):
    different = []
    for recorded in COMMANDS:
        environ, words = {}, shlex.split(recorded["command"])
        while not words[0].startswith("./"):
            name, _, value = words.pop(0).partition("=")
            environ[name] = value
        if not same(recorded, words[1:], environ):
            different.append(recorded["title"])
    record_property("differences", f"{len(different)} of {len(COMMANDS)} command lines")
    assert different == list(DIFFERENCES)


@pytest.mark.parametrize("title", ["space around =", "init=abc"])
def test_where_we_say_more_cmdstans_lines_are_all_there(title):
    (recorded,) = [command for command in COMMANDS if command["title"] == title]
    _, stderr = outcome(shlex.split(recorded["command"])[1:], {})
    ours = [line for line in stderr.splitlines() if not line.startswith("Error: ")]
    assert ours == recorded["stderr"].splitlines()


def test_the_words_of_cmdstanpy_are_understood():
    config = configured(
        "random seed=7 data file=folder/d.json init=folder/i.json output file=folder/m-1.csv profile_file=folder/p.csv "
        "refresh=1 sig_figs=9 method=pathfinder init_alpha=1e-05 tol_rel_obj=10000.0 num_psis_draws=50 "
        "num_paths=2 num_draws=100 psis_resample=0 calculate_lp=0",
        environ={"STAN_NUM_THREADS": "2"},
    )
    assert config.random.seed == 7
    assert config.data.file == "folder/d.json"
    assert config.init == Init("folder/i.json", file="folder/i.json")
    assert config.output.sig_figs == 9
    assert config.pathfinder.init_alpha == 1e-5
    assert config.pathfinder.psis_resample is False
    assert config.num_threads == 2
    assert "pathfinder.tol_rel_obj" in config.given
    assert config.is_default("pathfinder.tol_rel_obj")
    assert "num_threads" not in config.given


@pytest.mark.parametrize("words", ["pathfinder", "method=pathfinder", "data pathfinder output random"])
def test_defaults(words):
    assert configured(words) == DEFAULTS


def test_the_last_of_repeated_subarguments_wins():
    assert configured("pathfinder num_paths=1 num_draws=3 num_paths=2").pathfinder.num_paths == 2


def test_a_value_may_contain_an_equals_sign_or_be_empty():
    config = configured("pathfinder data file=a=b output diagnostic_file=")
    assert config.data.file == "a=b"
    assert config.output.diagnostic_file == ""


def test_an_option_has_to_follow_its_scope():
    assert refused("pathfinder num_draws=10 data file=x num_paths=2") == (
        "num_paths=2 is either mistyped or misplaced.\n"
        "Perhaps you meant one of the following valid configurations?\n"
        "  method=pathfinder num_paths=<int>\n" + FAILED
    )


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("pathfinder id=1 id=2", "id=2"),
        ("pathfinder output refresh=1 data output", "output"),
        ("pathfinder pathfinder", "pathfinder"),
        ("pathfinder data=foo", "data=foo"),
        ("pathfinder data data file=x", "data"),
        ("method pathfinder", "pathfinder"),
        ("pathfinder output file x", "x"),
        ("pathfinder help=1", "help=1"),
        ("pathfinder=3", "pathfinder=3"),
        ("pathfinder ''", ""),
        ("pathfinder method=sample", "method=sample"),
    ],
)
def test_misplaced_words(words, word):
    assert refused(words).startswith(f"{word} is either mistyped or misplaced.\n")


@pytest.mark.parametrize("words", ["num_paths=1 pathfinder", "data file=x", "id=0", "foo", "id=-1 pathfinder"])
def test_a_missing_method_is_the_last_line_but_one(words):
    assert refused(words).endswith("A method must be specified!\n" + FAILED)


def test_only_one_error_is_reported():
    text = refused("pathfinder num_paths=0 num_draws=0 foo")
    assert text == '0 is not a valid value for "num_paths"\n  Valid values: 0 < num_paths\n' + FAILED


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("pathfinder num_draws=1e3", "only the beginning of '1e3', '1', is a whole number"),
        ("pathfinder tol_obj=2.5x", "only the beginning of '2.5x', '2.5', is a number"),
        ("pathfinder init=-1", "-1 is no radius; if it is the name of a file, write init=./-1"),
    ],
)
def test_what_cmdstan_would_take_is_refused_with_a_reason(words, reason):
    first, _, *rest = refused(words).splitlines(keepends=True)
    assert "is not a valid value for" in first
    assert rest == [f"Error: {reason}\n", FAILED]


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("pathfinder num_draws", "num_draws needs a value: num_draws=<int>"),
        ("pathfinder num_draws num_draws=3 id", "num_draws needs a value: num_draws=<int>"),
        ("pathfinder output file data", "file needs a value: file=<string>"),
        ("engine weights pathfinder", "weights needs a value: weights=<list_element>"),
        ("method", "method needs a value: method=pathfinder"),
    ],
)
def test_an_argument_without_its_value_is_refused(words, needed):
    assert refused(words) == f"Error: {needed}\n{FAILED}"


@pytest.mark.parametrize("words", ["pathfinder output file x", "pathfinder data file = x"])
def test_a_word_after_an_argument_without_value_says_what_was_needed(words):
    assert refused(words).endswith(f"Error: file needs a value: file=<string>\n{FAILED}")


def test_a_misplaced_word_further_on_is_about_itself():
    assert "needs a value" not in refused("pathfinder num_draws data file=x foo")


@pytest.mark.parametrize("method", [value.name for value in METHOD.values if not value.available])
@pytest.mark.parametrize("form", ["{}", "method={} num_samples=3", "id=2 {} data file=x"])
def test_other_methods_are_refused_in_one_line(form, method):
    assert refused(form.format(method)) == (
        f"Error: method {method} is not available: this program runs only pathfinder.\n"
    )


def test_threads_of_the_environment_are_the_default_and_may_not_disagree():
    environ = {"STAN_NUM_THREADS": "2"}
    assert configured("pathfinder num_threads=2", environ=environ).is_default("num_threads")
    assert "num_threads= 3" in refused("pathfinder num_threads=3", environ=environ)
    assert configured("pathfinder num_threads=-1", cores=4).num_threads == -1
    assert isinstance(parse(["info"], program="model", environ={"STAN_NUM_THREADS": "x"}), Page)


NAMES = [*(node.name for node in ARGUMENTS), *(value.name for value in METHOD.values), "help", "help-all", "info"]
OPTIONS = [child.name for node in (PATHFINDER, *ARGUMENTS) for child in getattr(node, "children", ())]
VALUES = ["1", "0", "-1", "1e3", "2.5x", "nan", "true", "x.json", "", "=", "pathfinder", "help"]
WORDS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(OPTIONS),
    st.builds("{}={}".format, st.sampled_from(NAMES + OPTIONS), st.sampled_from(VALUES) | st.text(max_size=5)),
    st.text(max_size=8),
)


def answer(words):
    """The configuration, page or error that words lead to; any other exception is a mistake of ours."""
    try:
        return parse(words, program="model")
    except UsageError as error:
        return error


@given(st.lists(WORDS, max_size=12), st.booleans())
def test_any_words_are_understood_answered_or_refused(words, with_method):
    words = ["pathfinder", *words] if with_method else words
    understood = answer(words)
    if isinstance(understood, UsageError):
        assert understood.exit_code == 1
        assert understood.text.endswith("\n")
        assert (understood.stream == "stdout") == (words == [])
    else:
        assert isinstance(understood, Configuration | Page)


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["pathfinder", "num_path=4"], "Error: there is no argument 'num_path'; did you mean 'num_paths'?"),
        (["pathfinder", "output", "sigfigs=4"], "Error: there is no argument 'sigfigs'; did you mean 'sig_figs'?"),
        (["pathfindr"], "Error: there is no argument 'pathfindr'; did you mean 'pathfinder'?"),
        (["method=pathfindr"], "Error: there is no value of method 'pathfindr'; did you mean 'pathfinder'?"),
    ],
)
def test_misspelt_words(words, question):
    with pytest.raises(UsageError) as caught:
        parse(words, program="m")
    assert question in caught.value.text.splitlines()


@pytest.mark.parametrize("before", [[], ["pathfinder"], ["pathfinder", "num_paths"]])
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_as_an_option(before, word):
    assert parse([*before, word], program="m") == parse([*before, "help"], program="m")
