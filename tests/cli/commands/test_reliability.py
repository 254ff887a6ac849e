"""What runs say of how far their draws can be trusted."""

import re

import pytest

import psis
from tests.cli.commands.printed import comments_and_draws


def reliability_in(path):
    """What the comments of a CSV file say of its draws: k-hat, effective sample size and words."""
    text = path.read_text()
    pattern = r"# \n# pareto_k = (\S+)\n# effective_sample_size = (\S+)\n# (Pareto k-hat .*)\n# \n# Elapsed Time"
    (pareto_k, size, words), *others = re.findall(pattern, text)
    assert not others
    return float(pareto_k), float(size), words


@pytest.mark.parametrize("how", [(), ("psis_resample=0",), ("num_paths=1",)], ids=" ".join)
def test_how_far_draws_can_be_trusted(bernoulli, folder, how):
    outcome = bernoulli(*how, "output", "sig_figs=18")
    pareto_k, size, words = reliability_in(folder / "output.csv")
    assert outcome.out.splitlines()[-1] == words
    _, draws = comments_and_draws(folder / "output.csv")
    if how == ("num_paths=1",):  # of one path the mixture of all paths is the approximation itself
        smoothed = psis.smooth_log_weights(draws["lp__"] - draws["lp_approx__"])
        assert (pareto_k, size) == pytest.approx((smoothed.pareto_k, smoothed.effective_sample_size))
    if how == ("num_paths=1",):
        assert words == psis.describe_pareto_k(pareto_k, 30, size)
    else:  # 120 draws, of which more than 100 are effective, but not in the tails
        named = re.search(r"effective sample size is (\d+)", words)
        assert size > 100 > int(named[1])
        assert words.startswith(psis.describe_pareto_k(pareto_k, 120, float(named[1])))
        assert words.endswith("It is that of the lower or upper 5 % of theta, where the approximation hardly reaches.")


def test_draws_that_cannot_be_trusted_are_told_without_progress(bernoulli, folder):
    outcome = bernoulli("num_paths=1", "output", "refresh=0")
    _, size, words = reliability_in(folder / "output.csv")
    assert size < psis.MIN_EFFECTIVE_SAMPLE_SIZE
    assert outcome.out.endswith(f"{words}\n")


def test_nothing_is_said_of_draws_without_weights(bernoulli, folder):
    assert "Pareto" not in bernoulli("calculate_lp=0").out
    assert "areto" not in (folder / "output.csv").read_text().partition("lp_approx__,")[2]
