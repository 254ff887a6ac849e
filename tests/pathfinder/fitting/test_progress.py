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


def test_a_quick_fit_and_one_that_wants_none_show_nothing(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 600.0)  # quick on any machine
    model = slow(0.0)
    pathfinder.fit(model, seed=1, refine=False, num_draws=10, progress=False)
    pathfinder.fit(model, seed=1, refine=False, num_draws=10)
    assert capsys.readouterr().err == ""


class Shown:
    """A bar that notes what it shows."""

    def __init__(self):
        self.total, self.n, self.unit, self.bar_format, self.seen = 1, 0, "", None, []

    def set_postfix(self, *_, **__):
        pass

    def set_description_str(self, description, refresh):
        self.seen.append((description, self.n, self.total, self.unit))

    set_description = set_postfix
    refresh = close = set_postfix


def test_chains_show_how_much_of_their_budget_is_used(monkeypatch):
    shown = Shown()
    monkeypatch.setattr(progress.ProgressBar, "_show", lambda bar: None)
    begun = progress.ProgressBar.__enter__

    def enter(bar):
        bar.bar = shown
        return begun(bar)

    monkeypatch.setattr(progress.ProgressBar, "__enter__", enter)
    model = pathfinder.Model.from_log_density(lambda x: -0.5 * jnp.sum(x**2), np.zeros(2))
    options = {"num_paths": 1, "chains": 40, "max_chain_gradients": 5000}
    chains = pathfinder.fit(model, seed=1, **options).chains
    assert ("Refinement", 0, None, "") in shown.seen
    of_chains = [stage for stage in shown.seen if stage[0] == "Chains"]
    assert len(of_chains) == chains.num_iterations
    assert of_chains[-1] == ("Chains", chains.num_gradients, 5000, "gradient")
    data = np.zeros((3, 2))
    pathfinder.fit_batch(lambda x, own: -0.5 * jnp.sum((x - own) ** 2), data, np.zeros(2), seed=1, **options)
    assert [stage[1:3] for stage in shown.seen if stage[3] == "fit"] == [(0, 3), (1, 3), (2, 3)]
