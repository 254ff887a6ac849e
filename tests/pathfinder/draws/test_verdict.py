"""What is said of draws, and of which chains nothing good may be said."""

import dataclasses

import numpy as np
import pytest

from pathfinder import Settings, Variable
from pathfinder._chains.budget import ChainBudget
from pathfinder._chains.virial import Virial
from pathfinder._draws.verdict import chains_in_words, chains_verdict, unconstrained_names, weights_verdict
from pathfinder._importance.pool import Pool
from tests.pathfinder.results.chains import NUM_CHAINS, PER_START, SUPERCHAINS, chains_of, independent


NAMES = ["mu", "tau", "theta[1]"]


def test_chains_that_agree_are_reliable():
    verdict = chains_verdict(chains_of(independent()), NAMES)
    assert verdict.is_reliable
    assert verdict.words.startswith("Chains agree: the largest nested R-hat is 1.0")
    assert "so that estimates are reliable" in verdict.words


def test_chains_that_have_not_forgotten_their_starts_are_not():
    states = independent()
    states[..., 1] += 2 * np.repeat(np.random.default_rng(1).normal(size=SUPERCHAINS), PER_START)
    verdict = chains_verdict(chains_of(states), NAMES)
    assert not verdict.is_reliable
    assert "the largest nested R-hat is 1.48 (tau)" in verdict.words
    assert "superchains disagree, as nested R-hat should be at most 1.1" in verdict.words


@pytest.mark.parametrize("ended", ["mixed", "apart", "budget", "interrupted"])
def test_superchains_in_different_modes_are_never_reliable(ended):
    """Whatever else is good: each chain is exact around its mode."""
    states = independent(200)
    states[..., 0] += np.where(np.arange(NUM_CHAINS) // PER_START % 2 == 0, -50.0, 50.0)
    verdict = chains_verdict(chains_of(states, ended=ended), NAMES)
    assert not verdict.is_reliable
    assert "there may be several modes" in verdict.words


def test_disagreement_of_the_log_density_alone_counts():
    """A scale that differs between superchains, about the same mean."""
    scale = np.where(np.arange(NUM_CHAINS) // PER_START % 2 == 0, 0.3, 3.0)
    verdict = chains_verdict(chains_of(independent(40) * scale[:, None]), NAMES)
    assert not verdict.is_reliable
    assert "(the log density)" in verdict.words


def test_few_effective_draws_are_too_few():
    chains = chains_of(independent())
    few = chains.mixing._replace(effective_sample_size=np.array([500.0, 400.0, 199.0]))
    verdict = chains_verdict(dataclasses.replace(chains, mixing=few), NAMES)
    assert not verdict.is_reliable
    assert "effective sample sizes are from 199 (theta[1]) to 500 (mu)" in verdict.words
    assert "the effective sample size of theta[1] should be at least 200" in verdict.words


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"acceptance": 0.29}, "only 29% of the proposals were accepted"),
        ({"acceptance": np.nan}, "only nan% of the proposals were accepted"),
        ({"drift": 0.11}, "the mean of tau still moved by 0.11 standard deviations beyond noise"),
        ({"spread_drift": 0.11}, "the spread of tau still changed by 0.11 standard deviations beyond noise"),
        ({"nested_rhat": np.nan}, "superchains disagree"),
        ({"effective_sample_size": np.nan}, "the effective sample size of tau should be at least 200"),
    ],
)
def test_each_fault_alone_is_one_too_many(change, said):
    chains = chains_of(independent())
    (name, value), *_ = change.items()
    if name == "acceptance":
        chains = dataclasses.replace(chains, acceptance=value)
    else:
        values = getattr(chains.mixing, name).copy()
        values[1] = value
        chains = dataclasses.replace(chains, mixing=chains.mixing._replace(**{name: values}))
    verdict = chains_verdict(chains, NAMES)
    assert not verdict.is_reliable
    assert said in verdict.words


@pytest.mark.parametrize(("quantity", "of_what"), [(1, "of tau"), (3, "in all parameters together")])
def test_states_that_do_not_reach_everywhere_are_told_by_the_virial(quantity, of_what):
    short = np.arange(4) == quantity
    virial = Virial(np.where(short, 0.7, 1.0), np.full(4, 0.05), short)
    verdict = chains_verdict(chains_of(independent(), virial=virial), NAMES)
    assert not verdict.is_reliable
    assert f"the virial {of_what} is 0.7 (s.e. 0.05), but 1 where states reach everywhere" in verdict.words
    cut_off = Virial(np.full(4, np.nan), np.full(4, np.nan), np.zeros(4, bool))
    assert chains_verdict(chains_of(independent(), virial=cut_off), NAMES).is_reliable


def test_values_at_the_thresholds_are_good_enough():
    chains = chains_of(independent())
    on_edge = chains.mixing._replace(
        nested_rhat=np.full(3, 1.1),
        effective_sample_size=np.full(3, 200.0),
        drift=np.full(3, 0.1),
        spread_drift=np.full(3, 0.1),
    )
    assert chains_verdict(dataclasses.replace(chains, mixing=on_edge, acceptance=0.31), NAMES).is_reliable


@pytest.mark.parametrize(
    ("ended", "advice"),
    [
        ("budget", "Allow more gradients (max_chain_gradients)"),
        ("interrupted", "Give the fit more time"),
        ("mixed", "Run more chains"),
        ("apart", "More gradients would not help"),
    ],
)
def test_what_to_do_depends_on_why_chains_ended(ended, advice):
    assert advice in chains_verdict(chains_of(independent(), acceptance=0.1, ended=ended), NAMES).words


def test_what_chains_did():
    assert chains_in_words(chains_of(independent()), None, Settings(), interrupted=False) == (
        "100 chains in 20 superchains: 24 iterations, 10000 gradients, acceptance 0.80; ended because they had mixed."
    )


@pytest.mark.parametrize("chains", ["auto", False])
def test_nothing_is_said_of_chains_that_nobody_asked_for(chains):
    assert chains_in_words(None, None, Settings(chains=chains), interrupted=False) == ""


@pytest.mark.parametrize(("chains", "number"), [(True, 125), (40, 40)])
def test_why_chains_that_were_asked_for_did_not_run(chains, number):
    settings = Settings(chains=chains, max_chain_gradients=50)
    assert chains_in_words(None, None, settings, interrupted=False) == (
        f"No chains ran, because max_chain_gradients=50 is too few for {number} of them."
    )
    assert chains_in_words(None, None, settings, interrupted=True) == "No chains ran, because the fit was ended early."


def test_a_budget_that_was_cut_is_spoken_of():
    budget = ChainBudget(30_000, 1e6, True)
    spent = chains_in_words(chains_of(independent(), ended="budget"), budget, Settings(), interrupted=False)
    assert "by default 30000 of a log density that takes about 1e+06 operations; max_chain_gradients allows" in spent
    assert "by default" not in chains_in_words(chains_of(independent()), budget, Settings(), interrupted=False)
    whole = budget._replace(operations=0.0)
    assert "by default" not in chains_in_words(
        chains_of(independent(), ended="budget"), whole, Settings(), interrupted=False
    )


def test_why_chains_that_were_needed_did_not_run():
    dear = ChainBudget(3_000, 1e7, False)
    said = chains_in_words(None, dear, Settings(), interrupted=False)
    assert said.startswith("No chains ran: of a log density that takes about 1e+07 operations they may take 3000 grad")
    assert "max_chain_gradients" in said
    assert "chains=True" in said
    enough = dear._replace(is_enough=True)
    assert chains_in_words(None, enough, Settings(), interrupted=False) == (
        "No chains ran, because max_chain_gradients=3000 is too few for 125 of them."
    )
    assert chains_in_words(None, enough, Settings(), interrupted=True) == (
        "No chains ran, because the fit was ended early before they had come to enough states."
    )


def test_names_of_unconstrained_parameters():
    mu, theta, matrix = Variable("mu", ()), Variable("theta", (2,)), Variable("m", (2, 2))
    assert unconstrained_names([mu, theta], 3) == ["mu", "theta[1]", "theta[2]"]
    # In which order the elements of a matrix are is not known, nor what the numbers of a simplex are.
    assert unconstrained_names([mu, matrix], 5) == ["mu", *4 * ["an element of m"]]
    assert unconstrained_names([mu, theta], 2) == ["unconstrained parameter 0", "unconstrained parameter 1"]


@pytest.mark.parametrize(
    ("pareto_k", "size", "is_reliable", "said"),
    [
        (0.3, 500.0, True, "reliable"),
        (0.3, 50.0, False, "effective sample size is 50"),
        (0.9, 500.0, False, "unreliable"),
        (np.nan, np.nan, False, "no importance weights"),
    ],
)
def test_weights_are_judged_by_k_hat_and_effective_sample_size(pareto_k, size, is_reliable, said):
    each, numbers = np.zeros(1000), np.zeros(1000, int)
    pool = Pool(numbers, numbers, numbers, each, each, each, each - np.log(1000), pareto_k, np.zeros(1), size, 0)
    verdict = weights_verdict(pool, NAMES)
    assert verdict.is_reliable is is_reliable
    assert said in verdict.words


@pytest.mark.parametrize(
    ("by_coordinate", "of_tails", "said"),
    [
        ([300.0, 60.0, 200.0], [90.0, 30.0, 90.0], "is 60 and should be at least 100. *It is that of the mean of tau."),
        (
            [300.0, 160.0, 200.0],
            [90.0, 200.0, 30.0],
            "is 30 and should be at least 100. *upper 5 % of theta[1],",
        ),
    ],
)
def test_what_has_too_few_effective_draws_is_named(by_coordinate, of_tails, said):
    each, numbers = np.zeros(1000), np.zeros(1000, int)
    pool = Pool(
        numbers, numbers, numbers, each, each, each, each - np.log(1000), 0.3, np.zeros(1), 500.0, 0,
        np.array(by_coordinate), tail_sizes_by_coordinate=np.array(of_tails),
    )  # fmt: skip
    verdict = weights_verdict(pool, NAMES)
    assert not verdict.is_reliable
    assert all(part in verdict.words for part in said.split("*"))
    high = weights_verdict(dataclasses.replace(pool, pareto_k=0.9), NAMES)
    assert "It is that of" not in high.words
