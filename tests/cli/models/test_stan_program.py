"""Stan programs on the command line."""

import json
import subprocess

import numpy as np
import pytest

from pathfinder._data_files import parse_json
from pathfinder_cli._errors import InputError, RunError
from pathfinder_cli._inputs.input_file import InputFile, read_input_file
from pathfinder_cli._models.source import ModelOptions, ModelSource
from pathfinder_cli._models.stan_info import program_info
from pathfinder_cli._models.stan_program import bind, check, checked_program, running
from tests.cli.conftest import FEW_DRAWS


BERNOULLI = """\
data {
  int<lower=0> N;
  array[N] int<lower=0, upper=1> y;
}
transformed data {
  print("successes: ", sum(y));
}
parameters {
  real<lower=0, upper=1> theta;
}
model {
  y ~ bernoulli(theta);
}
"""
PARTS = """\
parameters {
  array[2] tuple(real, vector<lower=0>[2]) a;
  complex c;
  tuple(real, real) t;
}
model {
  for (i in 1:2) {
    a[i].1 ~ normal(0, 1);
    a[i].2 ~ exponential(1);
  }
  get_real(c) ~ normal(0, 1);
  get_imag(c) ~ normal(0, 1);
  t.1 ~ normal(0, 1);
  t.2 ~ normal(0, 1);
}
"""


def source_of(text, path="m.stan"):
    return ModelSource(path, text.encode())


def bound(text, values="{}", file_name="d.json", seed=0):
    source = source_of(text)
    check(source)
    with running(source):
        file = InputFile(file_name, "json", parse_json(values.encode(), file_name))
        return bind(source, file, ModelOptions(seed))


@pytest.fixture
def stan(cli, folder):
    (folder / "bernoulli.stan").write_text(BERNOULLI)
    return cli


def test_a_run(stan, folder):
    data = ("data", "file=bernoulli.data.json", "random", "seed=1")
    outcome = stan("bernoulli.stan", *data, "pathfinder", *FEW_DRAWS)
    assert (outcome.code, outcome.err) == (0, "")
    assert "\nsuccesses: 2\n" in outcome.out
    text = (folder / "output.csv").read_text()
    assert "# model = bernoulli_model\n" in text
    assert "\nlp_approx__,lp__,path__,theta\n" in text


def test_initial_values(stan, folder):
    (folder / "i.json").write_text('{"theta": 0.25}')
    words = ("bernoulli.stan", "data", "file=bernoulli.data.json", "init=i.json", "pathfinder", *FEW_DRAWS)
    outcome = stan(*words)
    density = 3 * np.log(0.25) + 9 * np.log(0.75)
    assert f"Path [1] :Initial log joint density = {density:f}" in outcome.out
    (folder / "i.json").write_text('{"theta": 1.25}')
    outcome = stan(*words)
    assert outcome.code == 1
    assert "The given value of parameter 'theta' violates its constraint" in outcome.err


def test_initial_values_of_tuples_and_complex_numbers(cli, folder):
    (folder / "m.stan").write_text(PARTS)
    (folder / "i.json").write_text(
        '{"a": [{"1": 0.5, "2": [1, 2]}, {"1": -0.5, "2": [3, 4]}], "c": [0.1, 0.2], "t": {"1": 1, "2": 2}}'
    )
    outcome = cli("m.stan", "init=i.json", "pathfinder", "num_paths=1", *FEW_DRAWS)
    assert outcome.code == 0, outcome.err
    squares = 0.5**2 + 0.5**2 + 0.1**2 + 0.2**2 + 1 + 4
    # the Jacobian of the logarithm is the value
    density = -squares / 2 - 6 * np.log(2 * np.pi) / 2 - 10 + np.log(1 * 2 * 3 * 4)
    assert f"Initial log joint density = {density:f}" in outcome.out
    header = next(line for line in (folder / "output.csv").read_text().splitlines() if line.startswith("lp_approx"))
    columns = "a.1:1,a.1:2.1,a.1:2.2,a.2:1,a.2:2.1,a.2:2.2,c.real,c.imag,t:1,t:2"
    assert header == f"lp_approx__,lp__,path__,{columns}"


@pytest.mark.parametrize(
    ("values", "message", "detail"),
    [
        (
            '{"N": -1, "y": []}',
            "Exception: m_model_namespace::m_model: N is -1, but must be greater than or equal to 0.000000 "
            "(in 'm.stan', line 2, column 2 to column 17)",
            'file "d.json": N is -1, but is declared with lower=0.',
        ),
        (
            '{"N": 2, "y": [0, 1, 1]}',
            "Exception: mismatch in dimension declared and found in context; processing stage=data initialization; "
            "variable name=y; position=0; dims declared=(2); dims found=(3) (in 'm.stan', line 3, column 2 to column "
            "35)",
            None,
        ),
        (
            '{"N": 2.0, "y": [0, 1]}',
            "Exception: int variable contained non-int values; processing stage=data initialization; variable name=N; "
            "base type=int (in 'm.stan', line 2, column 2 to column 17)",
            None,
        ),
        (
            '{"y": [0, 1]}',
            "Exception: variable does not exist; processing stage=data initialization; variable name=N; base type=int "
            "(in 'm.stan', line 2, column 2 to column 17)",
            'file "d.json": the model needs `N`; the file has `y`.',
        ),
    ],
)
def test_data_that_do_not_fit(values, message, detail):
    with pytest.raises(InputError) as caught:
        bound(BERNOULLI, values)
    assert caught.value.message == message
    assert detail is None or caught.value.detail == detail


def test_data_that_are_no_simplex():
    with pytest.raises(InputError) as caught:
        bound("data {\n  simplex[2] p;\n}\nparameters { real x; }\nmodel { }", '{"p": [0.5, 0.6]}')
    assert caught.value.message.startswith("Exception: m_model_namespace::m_model: `p`: ")
    assert caught.value.message.endswith("(in 'm.stan', line 2, column 2 to column 15)")


def test_tuples_and_complex_numbers_in_data():
    program = """\
data {
  tuple(int, vector[2]) t;
  array[2] tuple(real, complex) a;
}
parameters { real x; }
model { x ~ normal(t.1 + t.2[2] + a[2].1 + get_imag(a[1].2), 1); }"""
    values = '{"t": {"1": 3, "2": [1, 20]}, "a": [{"1": 1, "2": [0, 400]}, {"1": 5000, "2": [7, 8]}]}'
    model = bound(program, values)
    assert model.log_density(np.array([5423.0])) == pytest.approx(-np.log(2 * np.pi) / 2, abs=1e-3)


def test_rdump_data(folder):
    (folder / "d.R").write_text("N <- 2\ny <- c(0, 1)\n")
    source = source_of(BERNOULLI)
    with running(source):
        model = bind(source, read_input_file("d.R"), ModelOptions())
    assert model.log_density(np.zeros(1)) == pytest.approx(4 * np.log(0.5))


RANDOM = """\
transformed data { real shift = normal_rng(0, 1); }
parameters { real x; }
model { x ~ normal(shift, 1); }"""


def test_random_transformed_data_follow_the_seed():
    one, same, other = (bound(RANDOM, seed=seed) for seed in (1, 1, 2**32 - 1))
    assert one.log_density(np.zeros(1)) == same.log_density(np.zeros(1))
    assert one.log_density(np.zeros(1)) != other.log_density(np.zeros(1))
    assert one.density == other.density  # so that nothing is compiled anew


SIMPLEX = """\
parameters { simplex[3] p; }
model { print("p = ", p); p ~ dirichlet([1, 2, 3]'); }
generated quantities {
  int k = 4;
  real<lower=0.3> q = p[1];
}"""


def test_options_of_stan_programs(cli, folder):
    (folder / "s.stan").write_text(SIMPLEX)
    few = ("init=0", "pathfinder", "num_paths=1", *FEW_DRAWS)
    density = -3 * np.log(3) + np.log(60)  # of the constrained parameter in the middle of the simplex
    for words, jacobian in (((), 0.5 * np.log(3)), (("engine", "simplex=stick_breaking"), 0.0)):
        outcome = cli("s.stan", *few, *words)
        assert outcome.code == 0
        assert f"Initial log joint density = {density - 3 * np.log(3) + jacobian:f}" in outcome.out
        assert "p = [" not in outcome.out
    assert "stick_breaking" in (folder / "output.csv").read_text()
    outcome = cli("compile", "s.stan", "--simplex=stick_breaking")
    assert (outcome.code, outcome.err) == (0, "")
    words = ["./s", "random", "seed=1", *few, "engine", "print=true"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert f"Initial log joint density = {density - 3 * np.log(3):f}" in ended.stdout
    assert "\np = [0.333333,0.333333,0.333333]\n" in ended.stdout
    lines = (folder / "output.csv").read_text().splitlines()
    rows = np.genfromtxt([line for line in lines if line[0] not in "#l"], delimiter=",")
    low = rows[:, 3] < 0.3
    assert low.any()
    np.testing.assert_array_equal(np.isnan(rows[:, 6:]), np.stack([low, low], axis=1))
    assert f"Warning: Generated quantities of {low.sum()} of 30 draws are NaN" in ended.stderr
    assert "s.stan, line 5, column" in ended.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--simplex",), "--simplex needs a value."),
        (("--simplex=old",), "--simplex=old: give ilr or stick_breaking."),
        (("--simplex", "stickbreaking"), "did you mean 'stick_breaking'?"),
        (("--simplex=ilr", "--simplex=ilr"), "--simplex is given 2 times"),
    ],
)
def test_simplexes_that_do_not_exist(cli, folder, words, message):
    (folder / "s.stan").write_text(SIMPLEX)
    outcome = cli("compile", "s.stan", *words)
    assert outcome.code == 1
    assert message in outcome.err


def test_options_of_stan_programs_are_refused_for_python_files(cli):
    for words in (("simplex=stick_breaking",), ("print=1",)):
        outcome = cli("bernoulli.py", "data", "file=bernoulli.data.json", "pathfinder", "engine", *words)
        assert outcome.code == 1
        assert "Error: engine simplex and engine print are for Stan programs; bernoulli.py" in outcome.err
    assert "--simplex is for Stan programs" in cli("compile", "bernoulli.py", "--simplex=stick_breaking").err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parameters { real mu; }\nmodel { mu ~ normal(0, s); }",
            "Semantic error in 'm.stan', line 2, column 23 to column 24:\n"
            "   -------------------------------------------------\n"
            "     1:  parameters { real mu; }\n"
            "     2:  model { mu ~ normal(0, s); }\n"
            "                                ^\n"
            "   -------------------------------------------------\n\n"
            "Error: m.stan, line 2, column 24: ",
        ),
        ("parameters { real x }", "Syntax error in 'm.stan', line 1, column 20 to column 21, parsing error:\n"),
        ("#include none.stan\n", "Error: m.stan, line 1, column 1: `none.stan` cannot be found."),
        (b"\xff", "Error: m.stan, line 1, column 1: The character U+FFFD cannot stand here."),
        ("", "This program is empty."),
    ],
)
def test_broken_programs(text, message):
    source = ModelSource("m.stan", text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RunError) as caught:
        check(source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model { }", "Model has 0 parameters, cannot run Pathfinder.\nError: m.stan: there is nothing to fit."),
        (
            'transformed data { reject("never"); }\nparameters { real x; }\nmodel { }',
            "Exception: never (in 'm.stan', line 1, column 19 to column 34)\nError: m.stan, line 1, column 20: ",
        ),
        (
            "transformed data { array[2] int k = {1, 2}; int i = k[3]; }\nparameters { real x; }\nmodel { }",
            "(in 'm.stan', line 1, column",
        ),
    ],
)
def test_programs_that_cannot_be_evaluated(text, message):
    with pytest.raises(RunError) as caught:
        bound(text)
    assert message in str(caught.value)


def test_quantities_computed_on_the_host_are_warned_of(capsys):
    bound(
        "parameters { real x; } model { } generated quantities { int n = poisson_rng(2); vector[3] v; v[:n] = v[:n]; }"
    )
    assert capsys.readouterr().err.startswith("Warning: Generated quantities are computed draw by draw")


def test_executables_hold_what_they_include(cli, folder):
    (folder / "parts").mkdir()
    (folder / "parts" / "lik.stan").write_text("y ~ bernoulli(theta);\n")
    (folder / "b.stan").write_text(BERNOULLI.replace("y ~ bernoulli(theta);", "#include lik.stan"))
    outcome = cli("compile", "b.stan")
    assert outcome.code == 1
    assert "`lik.stan` cannot be found" in outcome.err
    for words in (("--include-paths=parts",), ("--include-paths", "other,parts")):
        outcome = cli("compile", "b.stan", *words)
        assert (outcome.code, outcome.err) == (0, "")
    (folder / "parts" / "lik.stan").unlink()
    (folder / "b.stan").unlink()
    words = ["./b", "data", "file=bernoulli.data.json", "pathfinder", *FEW_DRAWS]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_compiling_prints_warnings(cli, folder):
    (folder / "w.stan").write_text("parameters { real x; }\nmodel { real a; x ~ normal(1 / 2, 1); }")
    outcome = cli("compile", "w.stan")
    assert outcome.code == 0
    assert "Warning: w.stan, line 2, column" in outcome.err
    (folder / "broken.stan").write_text("model { x ~ normal(0, 1); }")
    outcome = cli("compile", "broken.stan")
    assert outcome.code == 1
    assert outcome.err.startswith("Semantic error in 'broken.stan', line 1, column 8")
    assert "Traceback" not in outcome.err


def test_check_prints_what_a_program_declares(stan, folder):
    outcome = stan("check", "bernoulli.stan")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out) == {
        "inputs": {"N": {"type": "int", "dimensions": 0}, "y": {"type": "int", "dimensions": 1}},
        "parameters": {"theta": {"type": "real", "dimensions": 0}},
        "transformed parameters": {},
        "generated quantities": {},
        "functions": ["print", "sum"],
        "distributions": ["bernoulli_lupmf"],
        "included_files": [],
    }
    assert stan("check", "help").out.startswith("Usage: pathfinder check")
    for words, message in (
        ((), "takes one Stan program, but none was given."),
        (("bernoulli.py",), 'takes a Stan program, but "bernoulli.py" does not end in .stan.'),
        (("a.stan", "b.stan"), "takes one Stan program, but 'a.stan', 'b.stan' were given."),
        (("--all",), "has no option --all."),
        (("--include-path=x", "a.stan"), "has no option --include-path; did you mean '--include-paths'?"),
    ):
        outcome = stan("check", *words)
        assert outcome.code == 1
        assert message in outcome.err


def test_the_info_is_stancs():
    """Recorded with `stanc --info` of stanc3 2.35."""
    program = """\
functions {
  real g_lpdf(real x, real a) { return normal_lpdf(x | a, 1) + x^2; }
  real h(real x) { if (x < 0) reject("no"); if (x > 9) fatal_error("no"); print(log(x)); return log1p(x); }
}
data { array[2] vector[3] a; complex z; complex_matrix[2, 2] zm; tuple(real, array[2] matrix[2, 2]) tu; }
parameters { simplex[3] th; real<lower=0> s; }
model { s ~ g(1); target += h(s); s ~ lognormal(0, 1) T[0.1, ]; th ~ dirichlet(rep_vector(1, 3)); }
generated quantities { int k = poisson_rng(2); }"""
    info = program_info(checked_program(source_of(program)), {})
    assert info["inputs"] == {
        "a": {"type": "real", "dimensions": 2},
        "z": {"type": "complex", "dimensions": 0},
        "zm": {"type": "complex", "dimensions": 2},
        "tu": {"type": [{"type": "real", "dimensions": 0}, {"type": "real", "dimensions": 3}], "dimensions": 0},
    }
    assert info["functions"] == ["fatal_error", "log", "log1p", "poisson_rng", "print", "reject", "rep_vector"]
    assert info["distributions"] == ["dirichlet_lupdf", "lognormal_lupdf", "normal_lpdf"]


def test_explain(cli, folder):
    (folder / "m.stan").write_text(
        "data { int N; array[N] int y; }\nparameters { real<lower=0, upper=1> p; }\nmodel {\n"
        "  for (n in 1:N) y[n] ~ bernoulli(p);\n}"
    )
    outcome = cli("explain", "m.stan", "data", "file=bernoulli.data.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[1].split()[:3] == ["4", "10", "lanes"]
    assert cli("explain", "help").out.startswith("Usage: pathfinder explain")
    assert "takes a Stan program" in cli("explain").err
    assert "variable does not exist" in cli("explain", "m.stan").err
