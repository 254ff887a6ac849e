"""The benchmark of Stan programs: its programs and data fit, and it notices wrong gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import stan
from benchmarks.stan_data import SIMULATORS
from pathfinder.stan import check, parse
from pathfinder.stan._program.data import read_data, take_from


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def test_every_program_has_data():
    assert set(SIMULATORS) == {path.stem for path in stan.PROGRAMS.glob("*.stan")}


@pytest.mark.parametrize("name", SIMULATORS)
def test_data_fit_the_program(name):
    checked = check(parse((stan.PROGRAMS / f"{name}.stan").read_text()))
    read_data(checked, take_from(SIMULATORS[name](np.random.default_rng(1))))


def test_ratios_are_of_the_time_of_stanli_to_ours():
    times = {"a": stan.Times(0.001, 0.01, 0.1, 1e-5, 1e-6, 2e-5), "b": stan.Times(0.001, 0.01, 0.1, 8e-5, 1e-5, 2e-5)}
    table = stan.table(times)
    assert [row[-2:] for row in table.rows] == [["2.00", "20.00"], ["0.25", "2.00"], ["0.71", "6.32"]]
    assert all(len(row) == len(table.header) for row in table.rows)


def test_a_wrong_gradient_or_density_is_noticed():
    def gradient(point, data):
        return -jnp.sum(point**2) + 3, -2 * point

    points = [np.array([0.1, 0.2]), np.array([1.0, -1.0])]
    stan.agree("right", gradient, None, lambda point: (-np.sum(point**2), -2 * point), points)
    with pytest.raises(AssertionError, match="wrong score"):
        stan.agree("wrong score", gradient, None, lambda point: (-np.sum(point**2), -2.001 * point), points)
    with pytest.raises(AssertionError, match="wrong value: density"):
        stan.agree("wrong value", gradient, None, lambda point: (-2 * np.sum(point**2), -2 * point), points)
