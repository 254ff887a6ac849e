"""Runs whose draws are states of chains."""

import json

import numpy as np
import pytest

from tests.cli.commands.printed import comments_and_draws
from tests.cli.conftest import FEW_DRAWS


EIGHT_SCHOOLS = ("eight_schools_noncentered.py", "data", "file=eight_schools.json", "random", "seed=1", "pathfinder")
FAR_MODES = """
import jax.numpy as jnp
import numpy as np

from pathfinder import Model


def log_density(params):
    near = [-0.5 * jnp.sum((params["x"] - mode) ** 2) for mode in (-20.0, 20.0)]
    return jnp.logaddexp(*near)


def model(data):
    return Model.from_log_density(log_density, {"x": np.zeros(3)})
"""
FEW = ("num_draws=100", "num_psis_draws=410")


def after_draws(path):
    """The comments after the draws, by name where they have one."""
    text = path.read_text().rpartition("\n# \n# Elapsed")[0]
    lines = [line[2:] for line in text[text.rindex("\n# \n") :].splitlines() if line.startswith("# ")]
    named = dict(line.split(" = ") for line in lines if " = " in line)
    return named, [line for line in lines if line and " = " not in line]


def test_draws_of_chains(cli, folder):
    outcome = cli(*EIGHT_SCHOOLS, *FEW, "output", "save_cmdstan_config=1", "engine", "chains=40", "refine=1")
    assert outcome.code == 0, outcome.err
    comments, draws = comments_and_draws(folder / "output.csv")
    assert {"#   chains = 40", "#   max_chain_gradients = 100000 (Default)"} <= set(comments)
    assert json.loads((folder / "output_config.json").read_text())["engine"]["chains"] == 40
    assert len(draws["lp__"]) == 410
    assert np.all(np.isfinite(draws["lp_approx__"]))
    assert np.std(draws["lp_approx__"] - draws["lp__"]) > 0.1
    assert len(np.unique(draws["path__"])) >= 1
    named, (words,) = after_draws(folder / "output.csv")
    assert {name: named[name] for name in ("num_chains", "num_superchains")} == {
        "num_chains": "40",
        "num_superchains": "8",
    }
    assert 1 <= float(named["nested_rhat"]) < 1.1
    assert "pareto_k" not in named
    ran, said = outcome.out.splitlines()[-2:]
    assert ran.startswith("40 chains in 8 superchains: ")
    assert ran.endswith("ended because they had mixed.")
    assert said == words
    assert words.startswith("Chains agree: ")


def test_summaries_know_that_states_of_a_chain_depend_on_each_other(cli, folder):
    cli(*EIGHT_SCHOOLS, "num_draws=100", "num_psis_draws=400", "engine", "chains=40")
    lines = cli("summary", "output.csv", "-s", "8").out.splitlines()
    sizes = {row.split()[0]: float(row.split()[-1]) for row in lines[1:-2]}
    for name, values in comments_and_draws(folder / "output.csv")[1].items():
        if name in ("mu", "tau", "lp__"):
            of_chains = values.reshape(40, 10).mean(axis=1)
            np.testing.assert_allclose(sizes[name], 40 * values.var() / of_chains.var(), rtol=1e-4)
    assert lines[-1].startswith("output.csv: Chains ")
    twice = cli("summary", "output.csv", "output.csv", "-s", "8").out.splitlines()
    assert [line.split()[-1] for line in twice[:-3]] == [line.split()[-1] for line in lines[:-2]]


def test_draws_of_every_path_are_those_of_the_paths(cli, folder):
    cli(*EIGHT_SCHOOLS, *FEW_DRAWS, "save_single_paths=1", "engine", "chains=40")
    chains = comments_and_draws(folder / "output.csv")[1]
    cli(*EIGHT_SCHOOLS, *FEW_DRAWS, "save_single_paths=1", "output", "file=plain.csv")
    for path in range(1, 5):
        with_chains = comments_and_draws(folder / f"output_path_{path}.csv")[1]
        plain = comments_and_draws(folder / f"plain_path_{path}.csv")[1]
        np.testing.assert_array_equal(with_chains["mu"], plain["mu"])
    assert not set(chains["mu"]) & set(comments_and_draws(folder / "plain.csv")[1]["mu"])


@pytest.mark.parametrize(
    ("max_gradients", "ended", "advice"),
    [
        (1500, "ended because the budget of gradients was used up.", "Allow more gradients (max_chain_gradients)"),
        (5000, "ended because superchains stay apart, which the rest", "More gradients would not help"),
    ],
)
def test_chains_that_have_not_mixed_are_told_without_progress(cli, folder, max_gradients, ended, advice):
    (folder / "modes.py").write_text(FAR_MODES)
    words = ("random", "seed=1", "pathfinder", *FEW, "output", "refresh=0", "engine", "chains=40")
    outcome = cli("modes.py", *words, f"max_chain_gradients={max_gradients}")
    assert outcome.code == 0, outcome.err
    assert ended in outcome.out
    said = outcome.out.splitlines()[-1]
    assert said.startswith("Chains are unreliable: ")
    assert "superchains disagree" in said
    assert advice in said


def test_a_budget_for_no_chains_is_told(cli, folder):
    outcome = cli(*EIGHT_SCHOOLS, *FEW_DRAWS, "engine", "chains=40", "max_chain_gradients=100")
    assert "No chains ran, because max_chain_gradients=100 is too few for 40 of them." in outcome.out
    assert "pareto_k" in after_draws(folder / "output.csv")[0]


@pytest.mark.parametrize("how", [("num_paths=1",), ("psis_resample=0",)], ids=" ".join)
def test_chains_that_are_asked_for_run_in_any_case(cli, folder, how):
    cli(*EIGHT_SCHOOLS, *FEW_DRAWS, *how, "engine", "chains=40")
    assert len(comments_and_draws(folder / "output.csv")[1]["mu"]) == 40
    assert after_draws(folder / "output.csv")[0]["num_chains"] == "40"


def test_chains_only_where_weights_will_not_do(cli, folder):
    outcome = cli(*EIGHT_SCHOOLS, *FEW_DRAWS, "engine", "chains=auto")
    assert "chains=auto runs chains only after a refinement, which engine refine=true asks for" in outcome.out
    assert "pareto_k" in after_draws(folder / "output.csv")[0]
    outcome = cli(
        "bernoulli.py", "data", "file=bernoulli.data.json", "random", "seed=1", "pathfinder", "num_psis_draws=100",
        "engine", "chains=auto", "refine=1",
    )  # fmt: skip
    assert outcome.code == 0
    assert "chains" not in outcome.out.partition("Path [1]")[2]


def test_without_densities_there_are_no_chains(bernoulli):
    outcome = bernoulli("calculate_lp=0", "engine", "chains=1")
    assert outcome.code == 1
    assert "`chains` needs the log density of the draws" in outcome.err


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("7", "7 chains cannot be shared out to starts, because there must be at least 8"),
        ("11", "11 chains cannot be shared out to starts, because no number from 2 to 8 divides it"),
        ("many", 'many is not a valid value for "chains"'),
    ],
)
def test_numbers_of_chains_that_are_refused(cli, value, reason):
    outcome = cli("bernoulli.py", "pathfinder", "engine", f"chains={value}")
    assert outcome.code == 1
    assert reason in outcome.err
    assert "Valid values: 0, 1, auto, or a number of chains of at least 8" in outcome.err
