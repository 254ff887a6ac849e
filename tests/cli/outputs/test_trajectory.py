import io
import json
import re

import numpy as np
import pytest

from pathfinder_cli._outputs.trajectory import ApproximationRecord, TrajectoryRecord, write_trajectory
from tests.cli.golden import golden_files, golden_ids


RUNS = golden_files("*/*.json")


def text_of(records, sig_figs=-1):
    file = io.StringIO()
    write_trajectory(file, records, sig_figs)
    return file.getvalue()


def strict_loads(text):
    def refuse_constant(word):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse_constant)


def record_of(members):
    """The record that one member of a file of CmdStan was written from."""
    head = members["iter"], np.array(members["unconstrained_parameters"]), np.array(members["grads"])
    if "history_size" not in members:
        return TrajectoryRecord(*head)
    approximation = ApproximationRecord(
        mean=np.array(members["x_center"]),
        log_det_cholesky=members["logDetCholHk"],
        cholesky_factor=np.array(members["L_approx"]),
        basis=np.array(members["Qk"]),
        diagonal=np.array(members["alpha"]),
        full=members["full"],
    )
    return TrajectoryRecord(*head, members["history_size"], approximation=approximation, note=members["lbfgs_note"])


@pytest.mark.parametrize("path", RUNS, ids=golden_ids(RUNS))
def test_file_of_cmdstan_is_written_again_apart_from_the_elbo(path):
    text = path.read_text()
    records = (record_of(members) for members in json.loads(text).values())
    sig_figs = 18 if re.search(r"\d{16}", text) else -1
    written = text_of(records, sig_figs)
    num_records = len(json.loads(text))
    without_elbo, num_elbos = re.subn(r',\n    "ELBO" : "NaN"', "", written)
    assert without_elbo == text
    assert num_elbos == num_records - 1


START = TrajectoryRecord(0, np.array([1.5, -0.25]), np.array([-3.1, np.inf]))
APPROXIMATION = ApproximationRecord(
    mean=np.array([0.1, 0.2]),
    log_det_cholesky=-1.2,
    cholesky_factor=np.array([[0.5, 0.1], [0.0, 0.6]]),
    basis=np.zeros((2, 0)),
    diagonal=np.array([1.0, 1.0]),
    full=True,
)


def test_record():
    step = TrajectoryRecord(1, np.array([1.0, 2.0]), np.array([0.5, 0.0]), 1, approximation=APPROXIMATION, elbo=-6.25)
    assert text_of([START, step]) == (
        "\n{\n"
        '  "0" : {\n'
        '    "iter" : 0,\n'
        '    "unconstrained_parameters" : [ 1.5, -0.25 ],\n'
        '    "grads" : [ -3.1, "Inf" ]\n'
        "  },\n"
        '  "1" : {\n'
        '    "iter" : 1,\n'
        '    "unconstrained_parameters" : [ 1, 2 ],\n'
        '    "grads" : [ 0.5, 0 ],\n'
        '    "history_size" : 1,\n'
        '    "lbfgs_success" : true,\n'
        '    "pathfinder_success" : true,\n'
        '    "x_center" : [ 0.1, 0.2 ],\n'
        '    "logDetCholHk" : -1.2,\n'
        '    "L_approx" : [ [ 0.5, 0.1 ], [ 0, 0.6 ] ],\n'
        '    "Qk" : [  ],\n'
        '    "alpha" : [ 1, 1 ],\n'
        '    "full" : true,\n'
        '    "lbfgs_note" : "",\n'
        '    "ELBO" : -6.25\n'
        "  }\n"
        "}\n"
    )


def test_failed_line_search():
    failed = TrajectoryRecord(
        2, np.array([1.0, 2.0]), np.array([0.5, np.nan]), 1, line_search_succeeded=False, note="a\nb"
    )
    assert strict_loads(text_of([START, failed]))["2"] == {
        "iter": 2,
        "unconstrained_parameters": [1, 2],
        "grads": [0.5, "NaN"],
        "history_size": 1,
        "lbfgs_success": False,
        "pathfinder_success": False,
        "lbfgs_note": "a\nb",
        "ELBO": "NaN",
    }


def test_failed_approximation_leaves_the_file_valid():
    failed = TrajectoryRecord(1, np.array([1.0, 2.0]), np.array([0.5, 1.0]), 1, error="not positive definite")
    document = strict_loads(text_of([START, failed]))
    assert list(document["1"].items())[3:] == [
        ("history_size", 1),
        ("lbfgs_success", True),
        ("pathfinder_success", False),
        ("lbfgs_note", ""),
        ("pathfinder_error", "not positive definite"),
        ("ELBO", "NaN"),
    ]


def test_path_that_did_not_start():
    assert strict_loads(text_of([])) == {}
