"""The configuration echo, against the recorded output of a real executable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathfinder_cli._arguments.grammar import ARGUMENTS, PATHFINDER, Configuration
from pathfinder_cli._arguments.parse import parse
from pathfinder_cli._arguments.tree import Option
from pathfinder_cli._outputs.echo import configuration_document, configuration_lines, header_lines
from tests.cli.golden import golden_files, golden_ids


RUNS = golden_files("*/command.txt")


def configuration(*words):
    config = parse(["pathfinder", *words], program="model")
    assert isinstance(config, Configuration)
    return config


def words_of(echo):
    """The command line that an echo describes."""
    for line in echo:
        name, equals, value = line.lstrip().partition(" = ")
        if line.startswith("method"):
            yield "method=pathfinder"
        elif name != "pathfinder":
            yield f"{name}={value.removesuffix(' (Default)')}" if equals else name


def values_of(option):
    """Texts of valid values that the echo prints in full."""
    lines = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
    floats = st.floats(1e-300, 1e300).map(lambda value: format(value, "g"))
    strategy = {
        "int": st.integers(-1, 18).map(str),
        "x": st.integers(-1, 2**32 - 1).map(str),
        "double": floats | st.just("inf"),
        "chains": st.sampled_from(["0", "1", "true", "auto", "40"]),
        "boolean": st.sampled_from(["0", "1", "true", "false"]),
        "string": lines.filter(lambda text: not text.endswith(" (Default)")),
        "list element": st.sampled_from(option.valid_values.split(", ")),
    }[option.type.tag]
    return strategy.filter(lambda text: valid(option, text)).map(lambda text: f"{option.name}={text}")


def valid(option, text):
    try:
        option.read(text)
    except ValueError:
        return False
    return True


@st.composite
def command_lines(draw):
    """Valid command lines with any arguments in any order."""
    blocks = [["pathfinder", *draw(words_in(PATHFINDER))]]
    for node in ARGUMENTS[1:]:
        if draw(st.booleans()):
            blocks.append([draw(values_of(node))] if isinstance(node, Option) else [node.name, *draw(words_in(node))])
    return [word for block in draw(st.permutations(blocks)) for word in block]


@st.composite
def words_in(draw, category):
    children = draw(st.lists(st.sampled_from(category.children), max_size=5))
    return [draw(values_of(child)) for child in children]


@pytest.mark.parametrize("run", RUNS, ids=golden_ids(RUNS))
def test_echo_and_comments_are_cmdstans(run):
    stdout, header = (run.parent / name for name in ("stdout.txt", "output.csv"))
    config = configuration(*run.read_text().splitlines()[0].split()[2:])
    seed = config.random.seed
    assert stdout.read_text().startswith("\n".join(configuration_lines(config, seed=seed)) + "\n\n")
    recorded = [line.removeprefix("# ") for line in header.read_text().partition("lp_approx__")[0].splitlines()]
    names = dict(line.split(" = ", 1) for line in recorded[3:5])
    ours = header_lines(config, seed=seed, model_name=names["model"], start_datetime=names["start_datetime"])
    assert ours == recorded


def test_the_echo_shows_the_seed_in_use_as_the_default():
    assert "  seed = 2790476610 (Default)" in configuration_lines(configuration(), seed=2790476610)
    assert "  seed = 5" in configuration_lines(configuration("random", "seed=5"), seed=5)


def test_a_value_equal_to_the_default_is_marked_though_it_was_written():
    lines = configuration_lines(configuration("num_draws=1000", "tol_obj=0.000000000001", "init=2.0"), seed=1)
    assert {"    num_draws = 1000 (Default)", "    tol_obj = 1e-12 (Default)", "init = 2.0"} <= set(lines)


@pytest.mark.parametrize("words", [[], ["engine"]])
def test_an_unused_engine_is_not_shown(words):
    config = configuration(*words)
    assert "engine" not in configuration_lines(config, seed=1)
    assert "engine" not in configuration_document(config, seed=1, model_name="m", start_datetime="t")


def test_a_used_engine_is_shown_after_cmdstans_arguments():
    config = configuration("engine", "weights=mixture", "time_limit=60")
    lines = configuration_lines(config, seed=1)
    at = lines.index("engine")
    assert lines[at - 1 : at + 2] == ["num_threads = 1 (Default)", "engine", "  weights = mixture (Default)"]
    assert "  time_limit = 60" in lines
    document = configuration_document(config, seed=1, model_name="m", start_datetime="t")
    assert document["engine"]["time_limit"] == 60.0


def test_the_document_has_native_types_in_order():
    words = "num_paths=2 psis_resample=0 id=3 data file=d.json init=1.5 output sig_figs=8"
    document = configuration_document(
        configuration(*words.split()), seed=77, model_name="m_model", start_datetime="now", stanc_flags="--O1"
    )
    assert list(document) == [
        *("stan_major_version", "stan_minor_version", "stan_patch_version", "model_name", "start_datetime"),
        *("method", "id", "data", "init", "random", "output", "num_threads"),
        *("mpi_enabled", "stanc_version", "stancflags"),
    ]
    assert document["stan_minor_version"] == "35"
    method = document["method"]
    assert list(method) == ["value", "pathfinder"]
    assert list(method["pathfinder"]) == [child.name for child in PATHFINDER.children]
    assert method["pathfinder"]["num_paths"] == 2
    assert method["pathfinder"]["psis_resample"] is False
    assert method["pathfinder"]["tol_rel_obj"] == 1e4
    assert document["data"] == {"file": "d.json"}
    assert document["init"] == "1.5"
    assert document["random"] == {"seed": 77}
    assert document["output"]["sig_figs"] == 8
    assert document["mpi_enabled"] is False
    assert document["stancflags"] == "--O1"


@given(command_lines())
def test_an_echo_read_again_gives_the_same_configuration(words):
    config = parse(words, program="model")
    assert isinstance(config, Configuration)
    echo = configuration_lines(config, seed=config.random.seed)
    assert parse(list(words_of(echo)), program="model") == config
