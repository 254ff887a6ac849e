"""CmdStan's files and its command line: read by CmdStanPy and by our own readers, and checked against the grammar."""

import inspect
import json
import shlex
from pathlib import Path

import cmdstanpy
import numpy as np
import pytest
from cmdstanpy.cmdstan_args import SamplerArgs
from cmdstanpy.utils import read_metric
from cmdstanpy.utils.filesystem import temp_inits, temp_metrics

from pathfinder import Model
from pathfinder._results.warm_start import warm_start_from
from pathfinder_cli._arguments import other_methods
from pathfinder_cli._arguments.tree import Category, Selection


PROGRAM = """
parameters {
  matrix[2, 3] m;
  array[2] vector[2] a;
  simplex[3] p;
  complex z;
  tuple(real<lower=0>, vector[2]) t;
}
model {
  to_vector(m) ~ normal(0, 1);
  for (k in 1:2) a[k] ~ normal(0, 1);
  get_real(z) ~ normal(0, 1);
  get_imag(z) ~ normal(0, 1);
  t.1 ~ exponential(1);
  t.2 ~ normal(0, 1);
}
"""


@pytest.fixture(scope="module")
def start():
    model = Model.from_stan(PROGRAM, name="parts")
    rng = np.random.default_rng(0)
    factor = np.eye(model.dim) + 0.1 * rng.normal(size=(model.dim, model.dim))
    return warm_start_from(rng.normal(size=(3, model.dim)), factor @ factor.T, model)


@pytest.fixture(scope="module")
def written(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "new"
    return folder, start.write_cmdstan(folder, num_warmup=60, executable="./my model", data_file="d.json")


def test_values_in_files_are_those_of_the_positions(start, written):
    folder, _ = written
    for number, position in enumerate(start.positions, start=1):
        values = json.loads((folder / f"init_{number}.json").read_text())
        assert list(values) == ["m", "a", "p", "z", "t"]
        values["z"] = complex(*values["z"])
        np.testing.assert_allclose(start.model.unconstrain(values), position, rtol=1e-9)


def test_matrices_are_rows_in_files_and_columns_in_the_metric(start):
    """The order of Stan's unconstrained parameters, which is that of the metric."""
    position = np.arange(float(start.model.dim))
    values = start.model.constrain(position)
    np.testing.assert_array_equal(values["m"], [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(values["a"], [[6, 7], [8, 9]])


def test_the_metric_is_written_in_full(start, written):
    folder, _ = written
    metric = json.loads((folder / "metric.json").read_text())
    np.testing.assert_array_equal(metric["inv_metric"], start.inverse_mass_matrix)
    assert read_metric(str(folder / "metric.json")) == [start.model.dim, start.model.dim]


def test_a_diagonal_metric_is_a_list(start, tmp_path):
    own = warm_start_from(start.positions[:1], np.arange(1.0, start.model.dim + 1), start.model)
    command = own.write_cmdstan(tmp_path)
    assert read_metric(str(tmp_path / "metric.json")) == [start.model.dim]
    assert "metric=diag_e" in command
    assert f"init={tmp_path}/init_1.json" in command  # one chain reads the file of that name, and looks for no other
    assert own.cmdstanpy()["metric"] == "diag_e"


def words_in_order(words, arguments):
    """Reads the words of a command as CmdStan does, and gives the arguments with their scopes."""
    scopes, found = [("sample", arguments)], {}
    for word in words:
        name, _, value = word.partition("=")
        while True:
            node = next((node for node in scopes[-1][1] if node.name == name), None)
            if node is not None:
                break
            scopes.pop()
            assert scopes, f"{word} is misplaced"
        if isinstance(node, Category):
            scopes.append((name, node.children))
        else:
            found[f"{scopes[-1][0]}.{name}"] = value
            if isinstance(node, Selection):
                scopes.append((value, next(own for own in node.values if own.name == value).children))
    return found


def test_the_command_is_one_of_cmdstan_and_adapts_step_sizes_alone(start, written):
    folder, command = written
    executable, method, *words = shlex.split(command)
    assert (executable, method) == ("./my model", "sample")
    at_data = words.index("data")
    assert words[at_data:] == ["data", "file=d.json", f"init={folder}/init.json"]
    found = words_in_order(words[:at_data], other_methods._SAMPLE.children)
    assert found == {
        "sample.num_warmup": "60",
        "sample.num_chains": "3",
        "adapt.delta": "0.8",
        "adapt.init_buffer": "0",
        "adapt.window": "0",
        "adapt.term_buffer": "60",
        "sample.algorithm": "hmc",
        "hmc.metric": "dense_e",
        "hmc.metric_file": f"{folder}/metric.json",
        "hmc.stepsize": f"{start.step_size:.3g}",
    }


def test_cmdstanpy_takes_the_arguments(start):
    own = start.cmdstanpy(num_warmup=50)
    arguments = SamplerArgs(
        iter_warmup=own["iter_warmup"],
        metric_type=own["metric"],
        step_size=own["step_size"],
        adapt_delta=own["adapt_delta"],
        adapt_init_phase=own["adapt_init_phase"],
        adapt_metric_window=own["adapt_metric_window"],
        adapt_step_size=own["adapt_step_size"],
    )
    arguments.validate(own["chains"])
    words = arguments.compose(0, [])
    assert {"init_buffer=0", "window=0", "term_buffer=50", "metric=dense_e"} <= set(words)
    with temp_inits(own["inits"], id=1) as inits, temp_metrics(own["inv_metric"], id=1) as metric:
        assert read_metric(metric) == [start.model.dim, start.model.dim]
        values = json.loads(Path(inits.replace(".json", "_2.json")).read_text())
        assert set(values) == {"m", "a", "p", "z", "t"}
    assert set(own) <= set(inspect.signature(cmdstanpy.CmdStanModel.sample).parameters)
