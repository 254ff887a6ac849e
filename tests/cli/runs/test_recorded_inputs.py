"""Every data and init file of the recorded runs of CmdStan, read and checked as there."""

import pytest

from pathfinder_cli._errors import InputError
from pathfinder_cli._inputs.input_file import read_input_file
from pathfinder_cli._inputs.validate import INITS, Declaration, Purpose, validate_variable
from tests.cli.golden import recorded_errors


RECORDED = recorded_errors()

# What is deliberately not as in CmdStan: a file, its text, our answer (None: it is read), CmdStan's, and why.
DIFFERENCES = [
    ("noext", '{"N": 0}', "Error reading R dump", "misses N later", "the place where reading stops is the mistake"),
    ("a.R", "N = 0", "Error reading R dump", "misses N later", "the place where reading stops is the mistake"),
    (
        "b.R",
        "N <- 0; y <- c()",
        "Error reading R dump",
        "misses y later",
        "the place where reading stops is the mistake",
    ),
    ("c.R", "# data\nN <- 0\ny <- c()", None, "misses N later", "R writes comments, and they mean no harm"),
    ("e.R", "N <- 0\ny <- structure(1:3, .Dim = c(2, 2))", "data y syntax error", "reads it", "an element is missing"),
    ("f.R", "N <- 1\ny <- integer(2000000000)", "beyond int range", "takes 8 GB", "more likely a slip than data"),
    ("g.json", '{"N": 0, "y": [[1], [[2]]]}', "ill-formed array", "reads a 2 x 1 x 1 array", "it is not rectangular"),
    ("h.json", '{"N": 0, "y": [1]}', "mismatch in dimension", "ignores y", "data that are not used are a mistake"),
    ("i.json", '{"N": 0, "y": ' + "[" * 65 + "]" * 65 + "}", "ill-formed array", "reads it", "NumPy has 64 dimensions"),
]

# Files that no recorded command reads, with what the rules of CmdStan make of them.
UNRECORDED = {
    "trail.json": "Missing a name for object member.",
    "toparray.json": "Expecting JSON object, found array.",
    "missing_y.json": "mismatch in number dimensions declared and found in context",
    "short_y.json": "mismatch in dimension declared and found in context",
    "y_out.json": "y[2] is 2, but must be less than or equal to 1.000000",
    "y_real.json": "int variable contained non-int values",
    "N_real.json": "int variable contained non-int values",
    "N_str.json": "Variable: N, error: string values not allowed.",
    "N_bool.json": "Variable: N, error: boolean values not allowed.",
    "y_scalar.json": "mismatch in number dimensions declared and found in context",
    "y_ragged.json": "Variable: y, error: non-rectangular array.",
    "y_nan.json": "int variable contained non-int values",
    "y_obj.json": "mismatch in number dimensions declared and found in context",
    "extra.json": None,
    "bom.json": "Invalid value.",
    "bigint.json": "int variable contained non-int values",
}


def check_bernoulli(name):
    file = read_input_file(name)
    purpose = Purpose("data initialization", model_name="bernoulli_model")
    n = Declaration("N", "int", (), lower=0, location="'bernoulli.stan', line 2, column 2 to column 17")
    size = validate_variable(n, file, purpose)
    assert size is not None
    place = "'bernoulli.stan', line 3, column 2 to column 35"
    y = Declaration("y", "int", (int(size),), lower=0, upper=1, location=place)
    validate_variable(y, file, purpose)


def check_eight_schools(name):
    file = read_input_file(name)
    size = validate_variable(Declaration("J", "int", (), lower=0), file)
    assert size is not None
    for vector in ("y", "sigma"):
        validate_variable(Declaration(vector, "real", (int(size),)), file)


@pytest.fixture
def recorded_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in RECORDED["files"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")


def data_commands():
    for command in RECORDED["commands"]:
        if command["title"].startswith("data ") and ".json:" in command["title"]:
            name = command["title"].removeprefix("data ").partition(":")[0]
            yield pytest.param(name, command, id=name)


def error_text(check, name):
    try:
        check(name)
    except InputError as error:
        return error.message
    return None


@pytest.mark.usefixtures("recorded_files")
@pytest.mark.parametrize(("name", "command"), list(data_commands()))
def test_message_is_that_of_cmdstan(name, command):
    check = check_eight_schools if name.startswith("es_") else check_bernoulli
    found = error_text(check, name)
    if "Initialization between" in command["stderr"]:
        assert found is None  # the data are accepted, the density is not
    else:
        assert found == (command["stderr"].rstrip("\n") or None)
    assert (found is None) == (command["rc"] == 0 or "Initialization" in command["stderr"])


@pytest.mark.usefixtures("recorded_files")
@pytest.mark.parametrize("name", UNRECORDED)
def test_files_without_a_recorded_command(name):
    found = error_text(check_bernoulli, name)
    assert found is None if UNRECORDED[name] is None else UNRECORDED[name] in found


@pytest.mark.usefixtures("recorded_files")
def test_data_without_a_file():
    (command,) = [c for c in RECORDED["commands"] if c["title"] == "data without file="]
    assert error_text(check_bernoulli, "") == command["stderr"].rstrip("\n")


@pytest.mark.usefixtures("recorded_files")
def test_initial_values_of_wrong_length():
    (command,) = [c for c in RECORDED["commands"] if "init of wrong length" in c["title"]]
    place = "'eight_schools_noncentered.stan', line 7, column 2 to column 24"
    declaration = Declaration("theta_trans", "real", (8,), location=place)

    def check(name):
        validate_variable(declaration, read_input_file(name), INITS)

    assert error_text(check, "es_init_short.json") == command["stderr"].splitlines()[1]


@pytest.mark.parametrize(
    ("name", "text", "here", "cmdstan", "reason"), DIFFERENCES, ids=[name for name, *_ in DIFFERENCES]
)
def test_differences_from_cmdstan(name, text, here, cmdstan, reason, tmp_path, monkeypatch):
    print(f"{text[:40]!r}: {here or 'read'} here; CmdStan {cmdstan}; because {reason}")  # noqa: T201
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    found = error_text(check_bernoulli, name)
    assert found is None if here is None else here in found
