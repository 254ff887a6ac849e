"""What the progress bar shows, and when."""

import time

import jax
import jax.numpy as jnp
import numpy as np

import pathfinder
from pathfinder._fitting import progress


def slow(seconds):
    """A density whose tracing takes a while, as that of a large model does."""

    def log_density(x):
        if isinstance(x, jax.core.Tracer):
            time.sleep(seconds)
        return -0.5 * jnp.sum(x**2)

    return pathfinder.Model.from_log_density(log_density, np.zeros(2))


def test_compilation_is_shown_as_such(capsys):
    pathfinder.fit(slow(progress.SHOW_AFTER_SECONDS + 0.5), seed=1, refine=False, num_draws=10)
    shown = capsys.readouterr().err
    assert "Compiling the density [00:0" in shown
    before = shown[: shown.index("Pathfinder")] if "Pathfinder" in shown else shown
    assert "path/s" not in before
    assert "s/path" not in before


def test_paths_are_counted(capsys):
    bar = progress.ProgressBar(4, enabled=True)
    with bar:
        check = bar.watching(lambda: None)
        check()
        begin, shown = time.monotonic(), ""
        while "Compiling the density" not in shown and time.monotonic() - begin < 60:
            time.sleep(0.05)
            shown += capsys.readouterr().err
        assert "Compiling the density" in shown
        check()
        bar.update([])
    assert "Pathfinder:   0%" in capsys.readouterr().err


def test_a_quick_fit_and_one_that_wants_none_show_nothing(capsys):
    model = slow(0.0)
    pathfinder.fit(model, seed=1, refine=False, num_draws=10, progress=False)
    pathfinder.fit(model, seed=1, refine=False, num_draws=10)
    assert capsys.readouterr().err == ""
