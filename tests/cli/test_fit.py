"""What is said at the end of a fit."""

from types import SimpleNamespace

import pytest
from pathfinder_cli import _fit


@pytest.mark.parametrize(
    ("pareto_k", "size", "drawn", "words"),
    [
        (0.4, 35.0, 4000, ["Effective sample size (35) is less than 100."]),
        (0.4, 100.0, 4000, []),
        (0.4, 35.0, 40, []),  # no more were asked for
        (0.9, 35.0, 4000, ["Pareto k value (0.9) is greater than 0.7."]),
    ],
)
def test_words_follow_both_diagnostics(pareto_k, size, drawn, words, monkeypatch):
    said = []
    monkeypatch.setattr(_fit, "print_line", said.append)
    result = SimpleNamespace(
        interrupted=False, is_resampled=True, pareto_k=pareto_k, pareto_k_threshold=0.7, paths=[None],
        effective_sample_size=size, pool=range(drawn),
    )  # fmt: skip
    _fit._print_end(result, SimpleNamespace(output=SimpleNamespace(refresh=0)))
    assert len(said) == len(words)
    assert all(line.startswith(start) for line, start in zip(said, words, strict=True))
