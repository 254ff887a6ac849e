"""The speed benchmark runs, with everything as small as it goes."""

import math

import jax
import numpy as np
import pytest

import pathfinder
from benchmarks import speed


TINY = speed.Scale(
    first_calls=1, later_calls=2, retraced_calls=1, num_draws=30, num_paths=(1, 5), dims=(3,), num_fits=3,
    single_fits=2, large_dims=(20,), large_iterations=3,
)  # fmt: skip


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def cells(table, column):
    return [row[table.header.index(column)] for row in table.rows]


def test_ratios_are_of_our_time_to_that_of_every_other_engine():
    cases = speed.call_cases(TINY)
    assert cases[0] == (speed.OURS, 30)
    table = speed.calls_table("Calls", TINY, [(2.0, 0.5), *[(4.0, 0.6)] * (len(cases) - 1)])
    assert cells(table, "ours / this") == ["", *["0.500"] * 4]
    assert cells(table, "draws per ELBO") == ["25", "30", "200", "30", "200"]


@pytest.mark.slow
def test_first_calls_are_timed_in_a_fresh_process():
    seconds, k = speed.in_fresh_process("first_call", speed.OURS, 30)
    assert 0 < seconds < 120
    assert math.isfinite(k)


def check_later_call(engine):
    seconds, k = speed.later_call(engine, 30, 2)
    assert seconds > 0
    assert math.isfinite(k)


def test_later_calls_of_ours_are_timed():
    check_later_call(speed.OURS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of a peer are not ours to mend
@pytest.mark.parametrize("engine", [engine for engine in speed.ENGINES if engine != speed.OURS])
def test_later_calls_of_blackjax_are_timed(engine):
    pytest.importorskip("blackjax")
    check_later_call(engine)


@pytest.mark.slow
def test_paths_per_second_and_overhead_are_of_the_same_fits():
    rates, overhead = speed.paths_per_second(TINY), speed.overhead(TINY)
    for column, num_paths in enumerate(TINY.num_paths, start=1):
        fit = speed.throughput(num_paths, 3, "float64", speed.ROWS)
        assert float(rates.rows[0][column]) == pytest.approx(num_paths / fit.seconds, rel=0.01)
        assert overhead.rows[column - 1][1] == str(fit.num_gradients)
    assert all(float(ratio) > 0 for ratio in cells(overhead, "ratio"))


def test_the_bare_loop_evaluates_every_batch():
    """Its time grows with the number of evaluations, so the compiler has not moved them out of the loop."""
    model = pathfinder.Model.from_log_density(
        speed.logistic_regression, np.zeros(20), data={"x": np.ones((500, 20)), "y": np.ones(500)}
    )
    few, many = (speed.bare_seconds(model, count, 10, gradient=True) for count in (100, 10_000))
    assert many > 5 * few


@pytest.mark.slow
def test_many_data_sets_are_compared_with_a_loop():
    data = speed.logistic_data(3, 20, 2, np.float64)
    row = speed.batch_row("logistic", speed.logistic_model(data), data, TINY)
    assert float(row[4]) == pytest.approx(float(row[2]) / float(row[3]), rel=0.1)
    assert row[5] == "3"


@pytest.mark.slow
def test_large_fits_report_time_memory_and_error():
    fit = speed.large_fit(30, 30, 4)
    assert 4 <= fit["iterations"] <= 16
    assert 0 <= fit["beyond_imports"] <= fit["peak"]
    assert fit["peak"] > 50 * speed.MIB
    assert math.isfinite(fit["sd_error"])


def test_it_prints_the_machine_and_the_sections(capsys, monkeypatch):
    def section(scale):
        return speed.Table("Sizes", ["draws"], [[str(scale.num_draws)]])

    monkeypatch.setattr(speed, "SECTIONS", {"sizes": section, "others": section})
    speed.main(["--section", "sizes", "--quick", "--markdown"])
    printed = capsys.readouterr().out
    assert f"jax {jax.__version__}" in printed
    assert printed.count("**Sizes**") == 1
    assert str(speed.QUICK.num_draws) in printed
