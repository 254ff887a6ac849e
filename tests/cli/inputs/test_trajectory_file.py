"""Files of single paths, read again."""

import json

import numpy as np
import pytest

from pathfinder_cli._errors import RunError
from pathfinder_cli._inputs.trajectory_file import read_trajectory
from pathfinder_cli._outputs.trajectory import ApproximationRecord, TrajectoryRecord, write_trajectory
from tests.cli.golden import golden_files, golden_ids


RUNS = golden_files("*/*.json")


def written(path, records):
    with open(path, "w") as file:
        write_trajectory(file, records, 18)
    return str(path)


def record(iteration, elbo, *, full, dim=4, rank=2):
    rng = np.random.default_rng(iteration)
    upper = np.triu(rng.normal(size=(dim, dim) if full else (rank, rank)))
    basis = np.zeros((0, 0)) if full else np.linalg.qr(rng.normal(size=(dim, rank)))[0]
    normal = ApproximationRecord(rng.normal(size=dim), 0.0, upper, basis, rng.uniform(1, 2, dim), full)
    return TrajectoryRecord(iteration, rng.normal(size=dim), rng.normal(size=dim), 1, True, normal, elbo)


@pytest.mark.parametrize("full", [True, False])
def test_what_was_written_is_read(full, tmp_path):
    records = [record(number, elbo, full=full) for number, elbo in enumerate([np.nan, -3.0, -1.5, -np.inf])]
    found = read_trajectory(written(tmp_path / "out_path_7.json", records))
    assert (found.number, found.best) == (7, 2)
    np.testing.assert_array_equal(found.iteration, [0, 1, 2, 3])
    np.testing.assert_array_equal(found.positions, [one.position for one in records])
    np.testing.assert_array_equal(found.elbo, [np.nan, -3.0, -1.5, -np.inf])
    best = records[2].approximation
    np.testing.assert_array_equal(found.approximation.mean, best.mean)
    if full:
        covariance = best.cholesky_factor.T @ best.cholesky_factor
    else:
        inner = best.cholesky_factor.T @ best.cholesky_factor - np.eye(2)
        scale = np.diag(np.sqrt(best.diagonal))
        covariance = scale @ (np.eye(4) + best.basis @ inner @ best.basis.T) @ scale
    np.testing.assert_allclose(found.approximation.to_dense(), covariance, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("path", RUNS, ids=golden_ids(RUNS))
def test_files_of_cmdstan_are_read(path):
    found = read_trajectory(str(path))
    assert np.all(np.diff(found.iteration) == 1)
    assert found.best is None  # they have no ELBO
    expected = [one["unconstrained_parameters"] for one in json.loads(path.read_text()).values()]
    np.testing.assert_array_equal(found.positions, expected)


def test_numbers_as_cmdstan_writes_them(tmp_path):
    path = tmp_path / "p.json"
    path.write_text('{"0": {"iter": 0, "unconstrained_parameters": [-Inf, Inf, NaN, 1]}}')
    np.testing.assert_array_equal(read_trajectory(str(path)).positions, [[-np.inf, np.inf, np.nan, 1]])


def test_a_path_that_did_not_start(tmp_path):
    found = read_trajectory(written(tmp_path / "p.json", []))
    assert (len(found.positions), found.best, found.number) == (0, None, 1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff", "it is no text in UTF-8"),
        (b"{", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[1]", "it has no object of iterations"),
        (b'{"N": 1}', "it has no iterations"),
        (b'{"0": {"iter": 0}}', "it has no iterations"),
        (b'{"0": {"iter": 0, "unconstrained_parameters": 1}}', "it has no iterations"),
        (b'{"0": {"iter": 0, "unconstrained_parameters": ["a"]}}', "it has no iterations"),
        (
            b'{"0": {"iter": 0, "unconstrained_parameters": [1]}, '
            b'"1": {"iter": 1, "unconstrained_parameters": [1, 2]}}',
            "it has no iterations",
        ),
        (b'{"0": {"iter": 0, "unconstrained_parameters": [1], "ELBO": -1}}', "it has no iterations"),
    ],
)
def test_files_that_are_something_else(content, why, tmp_path):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=f'other.json" is not a JSON file of a path: {why}'):
        read_trajectory(str(path))


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "out_path_1.json").write_text("{}")
    with pytest.raises(RunError, match="cannot read .*out_path_l.json.*did you mean .*out_path_1.json"):
        read_trajectory(str(tmp_path / "out_path_l.json"))
