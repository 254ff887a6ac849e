"""Stan programs that were run before: neither read, nor traced, nor compiled again."""

import json
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest
import stanio

from pathfinder._cache.file_store import FileStore
from pathfinder._density.kept_programs import drop_programs
from pathfinder_cli import run_executable
from pathfinder_cli._inputs.input_file import parsed_input
from pathfinder_cli._models.kept_program import KeptProgram
from pathfinder_cli._models.known_runs import KnownRuns
from pathfinder_cli._models.source import ModelOptions, ModelSource
from tests import compilation
from tests.cli.conftest import FEW_DRAWS


PROGRAM = """\
data {
  int<lower=0> N;
  array[N] int<lower=0, upper=1> y;
}
parameters {
  real<lower=0, upper=1> theta;
}
model {
  y ~ bernoulli(theta);
}
generated quantities {
  real odds = theta / (1 - theta);
}
"""
RUN = ("m.stan", "data", "file=bernoulli.data.json", "pathfinder", *FEW_DRAWS)
PROBE = """
import sys, jax
done = set()
jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: done.add(name.rpartition("/")[2]))
from pathfinder_cli import main
code = main(sys.argv[1:])
heavy = {"pathfinder.stan", "scipy", "numpyro", "arviz", "pandas", "diffrax"} & set(sys.modules)
print("PROBE", code, *sorted(heavy | {name for name in done if "jaxpr" in name or "compile_duration" in name}))
"""


@pytest.fixture
def traced(jax_events):
    """Names of what JAX traces from here on."""
    return jax_events("jaxpr_trace_duration")


@pytest.fixture
def run(folder, cli, monkeypatch, without_cache_of_jax, traced):
    """Runs the program as a new process would; gives its draws, and whether the program was traced."""
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder / "cache"))
    (folder / "m.stan").write_text(PROGRAM)

    def call(*words, program=RUN, seed=1):
        drop_programs()
        traced.clear()
        outcome = cli(*program, "random", f"seed={seed}", *words)
        assert (outcome.code, outcome.err) == (0, ""), outcome.err
        return stanio.read_csv("output.csv")[1], bool(traced)

    yield call
    drop_programs()


def files(folder):
    return sorted(path for path in (folder / "cache").rglob("*") if path.is_file())


@pytest.mark.parametrize("further", [(), ("engine", "refine=1")])
def test_a_later_process_traces_and_loads_nothing(folder, further):
    (folder / "m.stan").write_text(PROGRAM)
    environ = {**compilation.as_users_have_it(), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-c", PROBE, *RUN, "random", "seed=1", *further]
    draws, seen = [], []
    for _ in range(2):
        ended = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
        assert ended.stderr == ""
        draws.append(stanio.read_csv("output.csv")[1])
        seen.append(ended.stdout.partition("PROBE ")[2].split())
    assert "pathfinder.stan" in seen[0]
    assert any("jaxpr" in name for name in seen[0])
    assert seen[1] == ["0"]
    np.testing.assert_array_equal(*draws)


def test_a_later_run_gives_the_same_and_another_seed_other_draws(run):
    first, is_new = run()
    assert is_new
    again, is_new = run()
    assert not is_new
    np.testing.assert_array_equal(first, again)
    other, is_new = run(seed=2)
    assert not is_new
    assert not np.array_equal(first, other)


def test_each_part_of_the_key_counts(folder, run, monkeypatch):
    run()
    changes = [
        ("engine", "simplex=stick_breaking"),
        ("engine", "precision=single"),
    ]
    for words in changes:
        assert run(*words)[1], words
    (folder / "m.stan").write_text(PROGRAM.replace("bernoulli(theta)", "bernoulli(theta^2)"))
    assert run()[1]
    (folder / "m.stan").write_text(PROGRAM)
    assert not run()[1]
    data = {"N": 10, "y": [1] * 10}
    (folder / "bernoulli.data.json").write_text(json.dumps(data))
    assert run()[1]
    monkeypatch.setenv("JAX_OF_ANOTHER_RUN", "1")
    assert run()[1]


def test_versions_count(tmp_path):
    source = ModelSource("m.stan", PROGRAM.encode())
    file = ("d.json", b'{"N": 1, "y": [1]}')
    store = FileStore(tmp_path / "cache", pytest.fail)

    def kept(versions):
        return KeptProgram(source, file, ModelOptions(1), "double", store, versions, KnownRuns(source, tmp_path))

    kept("these").model(parsed_input(*file))
    assert kept("these").is_there
    assert not kept("others").is_there


def test_other_data_of_the_same_shapes_share_executables(folder, run):
    run()
    (folder / "bernoulli.data.json").write_text(json.dumps({"N": 10, "y": [1] * 10}))
    before = {path for path in files(folder) if path.stat().st_size > 5000}
    run()
    assert {path for path in files(folder) if path.stat().st_size > 5000} == before


def test_included_texts_count(folder, run):
    head, _, tail = PROGRAM.partition("y ~")
    (folder / "m.stan").write_text(f"{head}#include part.stan\n{tail.partition(chr(10))[2]}")
    (folder / "part.stan").write_text("y ~ bernoulli(theta);")
    assert run()[1]
    assert not run()[1]
    (folder / "part.stan").write_text("y ~ bernoulli(theta^2);")
    assert run()[1]


def test_included_texts_are_kept_as_all_others_are(folder, run, traced, capsys):
    """By their content, whatever the seed, and with an executable that holds them."""
    head, _, tail = PROGRAM.partition("y ~")
    (folder / "m.stan").write_text(f"{head}#include <parts/one.stan>\n{tail.partition(chr(10))[2]}")
    (folder / "parts").mkdir()
    (folder / "parts" / "one.stan").write_text("#include parts/two.stan\n// #include missing.stan\n")
    (folder / "parts" / "two.stan").write_text("y ~ bernoulli(theta);")
    first, bound = run(seed=1)
    assert bound
    assert not run(seed=2)[1]
    drop_programs()
    traced.clear()
    texts = {name: (folder / name).read_text() for name in ("parts/one.stan", "parts/two.stan")}
    program = (folder / "m.stan").read_bytes()
    shutil.rmtree(folder / "parts")
    assert run_executable("elsewhere.stan", program, [*RUN[1:], "random", "seed=1"], included=texts) == 0
    assert capsys.readouterr().err == ""
    assert not traced
    np.testing.assert_array_equal(first, stanio.read_csv("output.csv")[1])


def test_what_is_compiled_for_known_data_runs_at_once(folder, run, cli, monkeypatch):
    data = (folder / "bernoulli.data.json").read_text()
    assert cli("compile", "m.stan").out == (
        "No data are known from a run of this program before: the first run will compile it.\n"
    )
    first, _ = run()
    monkeypatch.setenv("JAX_OF_ANOTHER_RUN", "1")  # what was compiled before no longer fits
    drop_programs()
    compiled = cli("compile", "m.stan")
    assert (compiled.code, compiled.err) == (0, "")
    path = folder / "bernoulli.data.json"
    assert compiled.out == f"Compiled for {path}; runs with such data will start fast.\n"
    before = files(folder)
    again, bound = run()
    assert not bound
    np.testing.assert_array_equal(first, again)
    assert files(folder) == before  # the programs were there, too
    path.write_text(json.dumps({"N": 3}))  # no longer what the program needs
    assert cli("compile", "m.stan").out.startswith("No data are known")
    path.write_text(data)
    (folder / "m.stan").write_text(PROGRAM + "// another program\n")
    assert cli("compile", "m.stan").out.startswith("No data are known")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    assert cli("compile", "m.stan").out.startswith("Nothing is compiled before the first run")


def test_a_program_without_data_is_compiled_at_once(folder, run, cli):
    (folder / "m.stan").write_text("parameters {\n  real x;\n}\nmodel {\n  x ~ normal(0, 1);\n}\n")
    assert cli("compile", "m.stan").out == "Compiled for a run without data; runs with such data will start fast.\n"
    before = files(folder)
    assert not run(program=("m.stan", "pathfinder", *FEW_DRAWS))[1]
    assert files(folder) == before


def test_an_executable_finds_what_was_kept_of_its_program(run, traced, capsys):
    first, _ = run()
    drop_programs()
    traced.clear()
    code = run_executable("m.stan", PROGRAM.encode(), [*RUN[1:], "random", "seed=1"])
    assert (code, capsys.readouterr().err) == (0, "")
    assert not traced
    np.testing.assert_array_equal(first, stanio.read_csv("output.csv")[1])


def test_random_transformed_data_depend_on_the_seed(folder, run):
    (folder / "m.stan").write_text(
        PROGRAM.replace("parameters {", "transformed data {\n  real x = normal_rng(0, 1);\n}\nparameters {", 1)
    )
    assert run(seed=1)[1]
    assert not run(seed=1)[1]
    assert run(seed=2)[1]


def test_random_generated_quantities_do_not(folder, run):
    (folder / "m.stan").write_text(PROGRAM.replace("theta / (1 - theta)", "normal_rng(theta, 1)"))
    assert run(seed=1)[1]
    assert not run(seed=2)[1]


@pytest.mark.parametrize("content", [b"", b"something else", None])
def test_damaged_files_are_made_again(folder, run, content):
    first, _ = run()
    kept = files(folder)
    damaged = {path: path.read_bytes()[:-1] if content is None else content for path in kept}
    for path, own in damaged.items():
        path.write_bytes(own)
    again, is_new = run()
    assert is_new
    np.testing.assert_array_equal(first, again)
    # Not to the byte as before: names within programs have numbers, which count up in a process.
    assert files(folder) == kept
    assert not [path for path, own in damaged.items() if path.read_bytes() == own]
    _, is_new = run()
    assert not is_new


def test_a_lost_executable_is_made_again(folder, run):
    first, _ = run()
    kept = files(folder)
    max(kept, key=lambda path: path.stat().st_size).unlink()
    again, _ = run()
    np.testing.assert_array_equal(first, again)
    assert files(folder) == kept


def test_what_transformed_data_print_is_printed_each_time(folder, run, cli):
    text = 'transformed data {\n  print("read");\n}\n'
    (folder / "m.stan").write_text(PROGRAM.replace("parameters {", f"{text}parameters {{", 1))
    for _ in range(2):
        drop_programs()
        assert cli(*RUN, "random", "seed=1").out.count("\nread\n") == 1


def test_initial_values_and_rejected_quantities_of_a_kept_program(folder, run, cli):
    rejecting = '(1 - theta);\n  if (theta > 0.1) reject("too large");'
    (folder / "m.stan").write_text(PROGRAM.replace("(1 - theta);", rejecting))
    (folder / "inits.json").write_text('{"theta": 0.3}')
    outcomes = []
    for _ in range(2):
        drop_programs()
        outcomes.append(cli(*RUN, "init=inits.json", "random", "seed=1"))
    assert outcomes[0].code == outcomes[1].code == 0
    assert "too large" in outcomes[0].err
    assert outcomes[0].err == outcomes[1].err


def test_an_unwritable_folder_is_said_once_and_does_no_harm(folder, run, cli):
    first, _ = run()
    (folder / "file").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder / "file"))
        drop_programs()
        outcome = cli(*RUN, "random", "seed=1")
    assert outcome.code == 0
    assert outcome.err.count("Warning: Compiled programs cannot be kept") == 1
    np.testing.assert_array_equal(first, stanio.read_csv("output.csv")[1])


def test_no_folder_is_wanted(folder, run, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    assert run()[1]
    assert run()[1]
    assert not (folder / "cache").exists()


def test_two_processes_at_once(folder):
    (folder / "m.stan").write_text(PROGRAM)
    environ = {**compilation.as_users_have_it(), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "pathfinder_cli", *RUN, "random", "seed=1", "output"]
    started = [
        subprocess.Popen([*command, f"file={name}.csv"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ)
        for name in "ab"
    ]
    for process in started:
        assert process.communicate(timeout=120)[1] == b""
        assert process.returncode == 0
    np.testing.assert_array_equal(stanio.read_csv("a.csv")[1], stanio.read_csv("b.csv")[1])


def test_the_command_cache(folder, run, cli):
    run()
    count = len(files(folder))
    shown = cli("cache").out
    assert f": {count} files, 0." in shown
    assert str(folder / "cache") in shown
    other = folder / "cache" / "of_another_program"
    other.write_text("")
    assert cli("cache", "--clear").out.startswith("Removed from ")
    assert files(folder) == [other]
    assert run()[1]
    assert cli("cache", "--help").out.startswith("Usage: pathfinder cache")
    assert "takes --clear alone" in cli("cache", "all").err


def test_jax_is_left_as_it_was(run):
    before = jax.config.jax_persistent_cache_min_compile_time_secs
    run()
    assert jax.config.jax_persistent_cache_min_compile_time_secs == before
