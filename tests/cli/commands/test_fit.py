"""What is said at the end of a fit."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

import psis
from pathfinder._draws.verdict import weights_verdict
from pathfinder_cli._commands import fit as _fit


@dataclass
class PoolOfDraws:
    pareto_k: float
    effective_sample_size: float

    @property
    def least_effective_sample_size(self):
        return self.effective_sample_size

    @property
    def least_tail_size(self):
        return self.effective_sample_size

    @property
    def is_reliable(self):
        return self.pareto_k <= 0.7 and self.effective_sample_size >= 100

    def __len__(self):
        return 4000


@pytest.mark.parametrize("refresh", [0, 100])
@pytest.mark.parametrize(
    ("pareto_k", "size", "reliable", "is_resampled"),
    [
        (0.4, 35.0, False, True),
        (0.4, 100.0, True, True),
        (0.9, 35.0, False, True),
        (0.9, 1000.0, False, True),
        (0.9, 1000.0, False, False),
    ],
)
def test_words_follow_both_diagnostics(pareto_k, size, reliable, is_resampled, refresh, capsys):
    pool = PoolOfDraws(pareto_k, size)
    verdict = weights_verdict(pool, [])
    result = SimpleNamespace(
        interrupted=False, is_resampled=is_resampled, pareto_k=pareto_k, pareto_k_threshold=0.7, paths=[None],
        is_reliable=verdict.is_reliable, reliability=verdict.words, chains=None, chain_budget=None,
        settings=SimpleNamespace(calculate_lp=True, chains=False),
    )  # fmt: skip
    _fit._print_end(result, SimpleNamespace(output=SimpleNamespace(refresh=refresh)))
    said = capsys.readouterr().out.splitlines()
    cmdstan = ["Pareto k value (0.9) is greater than 0.7."] if pareto_k > 0.7 and is_resampled else []
    ours = [] if reliable and not refresh else [psis.describe_pareto_k(pareto_k, len(pool), size)]
    assert len(said) == len(cmdstan) + len(ours)
    assert all(line.startswith(start) for line, start in zip(said, cmdstan + ours, strict=True))
