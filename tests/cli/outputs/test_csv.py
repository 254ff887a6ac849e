import io
import math
import re

import numpy as np
import pytest
import stanio
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfinder_cli._outputs.csv import write_comments, write_draws, write_multi_timing, write_single_timing
from tests.cli.golden import golden_files, golden_ids


RUNS = golden_files("*/*.csv")
TIME = r"([0-9.]+) seconds \((\w+)\)"
COMMENTS = [
    "stan_version_major = 2",
    "stan_version_minor = 35",
    "stan_version_patch = 0",
    "model = bernoulli_model",
    "method = pathfinder",
    "  pathfinder",
    "    num_psis_draws = 3",
    "    num_paths = 4 (Default)",
    "    psis_resample = true (Default)",
    "    calculate_lp = true (Default)",
    "    num_draws = 1000 (Default)",
    "id = 1 (Default)",
]


def text_of(write, *args, **kwargs):
    file = io.StringIO()
    write(file, *args, **kwargs)
    return file.getvalue()


def write_timing(file, times):
    phases = [phase for _, phase in times]
    if phases == ["Pathfinder"]:
        write_single_timing(file, times[0][0])
    elif phases == ["Total"]:
        write_multi_timing(file, times[0][0], None)
    else:
        assert phases == ["Pathfinders", "PSIS", "Total"]
        write_multi_timing(file, times[0][0], times[1][0])


@pytest.mark.parametrize("path", RUNS, ids=golden_ids(RUNS))
def test_file_of_cmdstan_is_written_again(path):
    text = path.read_text()
    lines = text.splitlines()
    comments = [line[2:] for line in lines if line.startswith("#")]
    start = comments.index("stancflags = ") + 1
    rows = [line for line in lines if not line.startswith("#")]
    sig_figs = int(re.findall(r"sig_figs = (-?\d+)", text)[0])
    times = [(float(seconds), phase) for seconds, phase in re.findall(TIME, text)]
    file = io.StringIO()
    write_comments(file, comments[:start])
    draws = np.array([[float(x) for x in row.split(",")] for row in rows[1:]])
    write_draws(file, rows[0].split(","), draws, sig_figs=sig_figs)
    if times:  # the file of one of several paths has them as well
        write_timing(file, times)
    assert file.getvalue() == text


def test_column_of_paths_comes_third():
    draws = np.array([[-1.5, -2.25, 0.5], [np.nan, -np.inf, 1e-5]])
    text = text_of(write_draws, ["lp_approx__", "lp__", "theta"], draws, paths=np.array([1, 12]))
    assert text == "lp_approx__,lp__,path__,theta\n-1.5, -2.25, 1, 0.5\nnan, -inf, 12, 1e-05\n"


def test_without_draws_there_are_only_names():
    assert text_of(write_draws, ["lp_approx__", "lp__"], np.zeros((0, 2))) == "lp_approx__,lp__\n"


@pytest.mark.parametrize(
    ("number", "sig_figs", "text"),
    [
        (-7.065261, -1, "-7.06526"),
        (1e-5, -1, "1e-05"),
        (0.0, -1, "0"),
        (-0.0, -1, "-0"),
        (100000.0, -1, "100000"),
        (1234567.0, -1, "1.23457e+06"),
        (1e100, -1, "1e+100"),
        (math.nan, -1, "nan"),
        (-math.nan, -1, "nan"),
        (math.inf, 18, "inf"),
        (-math.inf, 3, "-inf"),
        (123.0, 0, "1e+02"),
        (123.0, 1, "1e+02"),
        (0.1, 18, "0.100000000000000006"),
    ],
)
def test_number(number, sig_figs, text):
    assert text_of(write_draws, ["a"], np.array([[number]]), sig_figs=sig_figs) == f"a\n{text}\n"


@settings(deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=5), st.integers(17, 18))
def test_enough_digits_keep_every_double(numbers, sig_figs):
    draws = np.array([numbers])
    names = [f"x.{i}" for i in range(len(numbers))]
    row = text_of(write_draws, names, draws, sig_figs=sig_figs).splitlines()[1]
    np.testing.assert_array_equal(np.array([[float(x) for x in row.split(",")]]), draws)


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"`draws` needs 2 columns, one per name; its shape is \(3, 1\)"):
        write_draws(io.StringIO(), ["a", "b"], np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"`paths` needs one number per draw \(3\); its shape is \(2,\)"):
        write_draws(io.StringIO(), ["a"], np.zeros((3, 1)), paths=np.zeros(2, np.int64))


def test_line_breaks_in_comments_are_escaped():
    assert text_of(write_comments, ["  file = a\nb\r.json", ""]) == "#   file = a\\nb\\r.json\n# \n"


def test_timing():
    assert text_of(write_single_timing, 0.0169) == "# \n# Elapsed Time: 0.016000 seconds (Pathfinder)\n# \n"
    assert text_of(write_multi_timing, 12.029, None) == "# \n# Elapsed Time: 12.029000 seconds (Total)\n# \n"
    assert text_of(write_multi_timing, 0.0169, 0.0039) == (
        "# \n"
        "# Elapsed Time: 0.016000 seconds (Pathfinders)\n"
        "#               0.003000 seconds (PSIS)\n"
        "#               0.019000 seconds (Total)\n"
        "# \n"
    )


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "bernoulli.csv"
    draws = np.random.default_rng(1).normal(size=(3, 8))
    names = ["lp_approx__", "lp__", "mu", "x.1", "x.2", "x.3", "m.1.1", "m.2.1"]
    with path.open("w") as file:
        write_comments(file, COMMENTS)
        write_draws(file, names, draws, paths=np.array([1, 2, 4]), sig_figs=17)
        write_multi_timing(file, 0.25, 0.125)
    return path, draws


def test_stanio_reads_it(written):
    path, draws = written
    header, data = stanio.read_csv(str(path))
    variables = stanio.parse_header(header)
    np.testing.assert_array_equal(variables["x"].extract_reshape(data), draws[None, :, 3:6])
    np.testing.assert_array_equal(variables["path__"].extract_reshape(data), [[1, 2, 4]])


def test_cmdstanpy_reads_it(written):
    cmdstanpy = pytest.importorskip("cmdstanpy")
    path, draws = written
    fit = cmdstanpy.from_csv(str(path), method="pathfinder")
    assert fit.is_resampled
    np.testing.assert_array_equal(fit.stan_variable("mu"), draws[:, 2])
    np.testing.assert_array_equal(fit.stan_variable("m"), draws[:, 6:, None])
    np.testing.assert_array_equal(fit.method_variables()["path__"], [1, 2, 4])


@pytest.mark.filterwarnings("ignore")  # of the packages it imports
def test_arviz_reads_it(written):
    arviz = pytest.importorskip("arviz")
    if not hasattr(arviz, "from_cmdstan"):
        pytest.skip("ArviZ 1 reads no CSV files")
    path, draws = written
    data = arviz.from_cmdstan(posterior=str(path))
    np.testing.assert_allclose(data["posterior"]["x"].to_numpy(), draws[None, :, 3:6])
    np.testing.assert_array_equal(data["sample_stats"]["path"].to_numpy(), [[1, 2, 4]])
