"""Every recorded run of CmdStan again, and how ours differs: by nothing that is not listed in the documentation."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import BERNOULLI, EIGHT_SCHOOLS, new_files
from tests.cli.golden import golden_files, golden_ids, recorded_errors


RECORDED = recorded_errors()
RUNS = golden_files("*/command.txt")
LISTED = Path(__file__).parents[3] / "docs" / "cmdstan-differences.md"

# Differences of single commands, by title: what differs, and under which names they are listed.
DIFFERENCES = {
    "no arguments": {"stdout": ["other-words"]},
    "data es_sigma_inf.json": {"files": ["no-file-on-error"]},
    "pathfinder num_paths=2.5": {key: ["whole-value"] for key in ("code", "stdout", "stderr", "files")},
    "pathfinder num_paths": {key: ["needs-value"] for key in ("code", "stdout", "stderr", "files")},
    "init=-1": {key: ["init-radius"] for key in ("code", "stderr", "files")},
    "init=init_other.json": {"stderr": ["init-names"]},
    "init=init_bound.json": {"files": ["no-file-on-error"]},
    "eight schools init of wrong length": {"files": ["no-file-on-error"]},
    "model that always rejects": {"stdout": ["reject-text"], "files": ["no-file-on-error"]},
}
# Differences that `comparable` or the comparison of files takes out of every run.
EVERYWHERE = ["path-column", "error-line", "location", "draws", "best-elbo", "evaluations", "pareto-k", "trajectory"]
# What both say of the draws as a whole is left out of consoles and CSV files.
RELIABILITY = re.compile(
    r"^(# \n# pareto_k = .*\n# effective_sample_size = .*\n# Pareto k.*|Pareto k.*)\n", re.MULTILINE
)
EVERYWHERE += ["reliability", "factor-shape", "fresh-draws"]
NOT_COMPARED = {"model with print statements": "model-text", "generated quantities that fail": "gq-error"}


def listed_names():
    return set(re.findall(r"^\| `([a-z-]+)` \|", LISTED.read_text(), re.MULTILINE))


def comparable(text):
    """Console text without numbers that depend on random draws, and without what differs everywhere."""
    text = re.sub(r"^Error: .*\n(  path .*\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(r" \(in '.*', line \d+, column \d+ to column \d+\)", "", text)
    text = re.sub(r"seed = \d+ \(Default\)", "seed = # (Default)", text)
    text = re.sub(r"Initial log joint density = -?[0-9.]+$", "Initial log joint density = #", text, flags=re.MULTILINE)
    best = r"Best Iter: \[\d+\] ELBO \(-?[0-9.]+\) evaluations: \(\d+\)$"
    text = re.sub(best, "Best Iter: [#] ELBO (#) evaluations: (#)", text, flags=re.MULTILINE)
    text = re.sub(r"evaluations:\d+$", "evaluations:#", text, flags=re.MULTILINE)
    number = r"-?\d\.\d{3}e[+-]\d\d"
    row = rf"^ {{13,14}}\d+ +{number} +{number} +{number} +{number} +{number} +\d+ {number} {number} {{18}}$"
    text = re.sub(row, "<row>", text, flags=re.MULTILINE)
    text = re.sub(r"(Path \[\d+\] : Iter .*\n<row>\n)+", r"\1", text)
    text = RELIABILITY.sub("", text)
    return text.rstrip("\n")


def prepared(folder):
    for name, text in RECORDED["files"].items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "bernoulli.data.json").write_text(json.dumps(BERNOULLI))
    (folder / "eight_schools.json").write_text(json.dumps(EIGHT_SCHOOLS))
    (folder / "bernoulli.data.R").write_text("N <- 10\ny <- c(0,1,0,0,0,0,0,0,0,1)\n")
    return new_files(folder)


def words_of(command, monkeypatch):
    words = shlex.split(command)
    while "=" in words[0]:
        monkeypatch.setenv(*words.pop(0).split("=", 1))
    return words


def summary_of(path):
    """A CSV file in the words of the recorded one, without the column that differs."""
    lines = RELIABILITY.sub("", path.read_text()).splitlines()
    (header, *draws) = [line for line in lines if not line.startswith("#")]
    header = header.replace(",path__", "")
    return f"{path.name}: {len(lines)} lines, {len(draws)} draws, header `{header}`"


def is_same_text(ours, recorded):
    """Whether texts are equal, up to what was cut out of the middle of a long recorded one."""
    beginning, mark, end = recorded.partition("\n[... shortened ...]\n")
    if not mark:
        return ours == recorded
    # The first and the last line may have been cut.
    return ours.startswith(beginning) and end.rstrip() in ours


def differences(command, cli, folder, monkeypatch):
    """What differs between a recorded command and ours."""
    before = prepared(folder)
    program, *words = words_of(command["command"], monkeypatch)
    ours = cli(f"{program.removeprefix('./')}.py", *words)
    files = sorted(new_files(folder) - before)
    expected = sorted([*command["new_files"], *(["output.csv"] if "lines" in command["csv"] else [])])
    csv = summary_of(folder / "output.csv") if "output.csv" in files else "no output.csv"
    stdout = ours.out.replace(f"pathfinder {program.removeprefix('./')}.py", program)
    found = {
        "code": ours.code == command["rc"],
        "stdout": is_same_text(comparable(stdout), comparable(command["stdout"])),
        "stderr": comparable(ours.err) == comparable(command["stderr"]),
        "files": (files, csv) == (expected, command["csv"]),
    }
    return {key for key, is_same in found.items() if not is_same}


def title_of(command):
    """The title without the content of a file that may follow it."""
    return command["title"].partition(": ")[0]


def test_every_difference_is_listed_with_its_reason():
    names = {name for kinds in DIFFERENCES.values() for listed in kinds.values() for name in listed}
    assert names | set(EVERYWHERE) | set(NOT_COMPARED.values()) <= listed_names()


def test_the_number_of_differences():
    num_commands = len(RECORDED["commands"])
    num_differences = sum(map(len, DIFFERENCES.values()))
    print(  # noqa: T201
        f"{num_differences} differences in {len(DIFFERENCES)} of {num_commands} recorded commands, "
        f"{len(NOT_COMPARED)} not compared; {len(EVERYWHERE)} differences everywhere; {len(listed_names())} listed."
    )
    titles = {title_of(command) for command in RECORDED["commands"]}
    assert titles >= set(DIFFERENCES) | set(NOT_COMPARED)


@pytest.mark.parametrize("command", RECORDED["commands"], ids=title_of)
def test_recorded_commands(command, cli, folder, monkeypatch):
    title = title_of(command)
    if title in NOT_COMPARED:
        pytest.skip(f"see {NOT_COMPARED[title]} in {LISTED.name}")
    assert differences(command, cli, folder, monkeypatch) == set(DIFFERENCES.get(title, {}))


def json_shape(value):
    """The structure of a trajectory: names, types, and lengths where they are not of the factor."""
    if isinstance(value, dict):
        return {name: json_shape(member) for name, member in value.items() if name not in ("ELBO", "L_approx", "Qk")}
    if isinstance(value, list):
        return [json_shape(member) for member in value]
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


@pytest.mark.parametrize("run", RUNS, ids=golden_ids(RUNS))
def test_recorded_runs(run, cli, folder):
    prepared(folder)
    for name in ("work", run.parent.name):
        (folder / name).mkdir()
    model, *words = shlex.split(run.read_text().splitlines()[0])
    name = model.removeprefix("./")
    words = [re.sub(r"^file=(\w+\.)", r"file=../work/../\1", word) for word in words]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "work")
        ours = cli(f"../{name}.py", *words)
    assert (ours.code, ours.err) == (0, (run.parent / "stderr.txt").read_text())
    assert comparable(ours.out).replace("../work/../", "") == comparable((run.parent / "stdout.txt").read_text())
    theirs = {path.name for path in run.parent.iterdir()} - {"command.txt", "stdout.txt", "stderr.txt"}
    assert {path.name for path in (folder / run.parent.name).iterdir()} == theirs
    for file in theirs:
        compare = compare_json if file.endswith(".json") else compare_csv
        compare(folder / run.parent.name / file, run.parent / file)


def compare_csv(ours, theirs):
    """The same comments, names, number of rows, notation of numbers and timing."""

    def masked(path):
        text = re.sub(r"(start_datetime = ).*", r"\1#", path.read_text()).replace("../work/../", "")
        text = RELIABILITY.sub("", text)
        text = re.sub(r"\d+\.\d{6} seconds", "# seconds", text)
        text = re.sub(r"^(lp_approx__,lp__),path__", r"\1", text, flags=re.MULTILINE)
        rows = re.compile(r"^[^#l\n].*$", re.MULTILINE)
        has_column = "path__" in path.read_text()
        return rows.sub(lambda row: kinds_of(row[0], has_column), text)

    assert masked(ours) == masked(theirs)


def kinds_of(row, has_path_column):
    """A row with its numbers replaced, after a look at how they are written."""
    cells = row.split(", ")
    if has_path_column:
        assert re.fullmatch(r"\d+", cells.pop(2))
    for cell in cells:
        assert re.fullmatch(r"-?(\d+(\.\d+)?(e[+-]\d\d+)?|nan|inf)", cell)
    return f"{len(cells)} numbers"


def compare_json(ours, theirs):
    """The same layout of the text and the same structure of each kind of record."""
    text, their_text = ours.read_text(), theirs.read_text()
    found, recorded = json.loads(text, parse_constant=pytest.fail), json.loads(their_text)
    for key in ("0", "1", "2"):
        assert json_shape(found[key]) == json_shape(recorded[key])
        assert [name for name in found[key] if name != "ELBO"] == list(recorded[key])
    assert np.shape(found["2"]["L_approx"])[0] >= np.shape(recorded["2"]["L_approx"])[0]

    def layout(text):
        head = text.partition('  "2" :')[0]
        head = re.sub(r",\n    \"ELBO\" : .*|\"(L_approx|Qk|full)\" : .*", "", head)
        return re.sub(r"-?\d[-+.e\d]*(?=[, \n])", "#", head)

    assert layout(text) == layout(their_text)


def test_the_recorded_runs_are_where_they_are_looked_for():
    assert len(RUNS) == 7
    assert len(RECORDED["commands"]) == 75
