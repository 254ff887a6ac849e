"""What a warm start saves, on the model where it saves most."""

import jax
import pytest


@pytest.mark.slow
def test_a_warm_start_of_a_correlated_regression_takes_few_gradients():
    pytest.importorskip("blackjax")
    from benchmarks.warm_starts import regression, warm

    with jax.enable_x64(True):
        run = warm(regression(), seed=1, num_warmup=50)
    assert run.gradients < 20_000
    assert run.rhat < 1.01
    assert run.divergences < 10
