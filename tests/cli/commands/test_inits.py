"""Files for CmdStan's sampler from the draws of a run."""

import json
import shlex

import numpy as np
import pytest


PROGRAM = """
data { int<lower=1> K; }
parameters {
  simplex[K] p;
  real<lower=0> s;
  matrix[2, 1] m;
}
model {
  s ~ exponential(1);
  to_vector(m) ~ normal(0, 1);
}
generated quantities { real twice = 2 * s; }
"""
FACTOR = np.array([[1.0, 0.0], [1.8, 0.5]])


@pytest.fixture
def run(folder):
    """What a run has left; draws are written with 6 digits."""
    (folder / "parts.stan").write_text(PROGRAM)
    (folder / "parts.json").write_text('{"K": 3}')
    rng = np.random.default_rng(0)
    simplexes, scales = rng.dirichlet([3.0, 4.0, 5.0], 300), np.exp(0.7 * rng.normal(size=300))
    matrices = rng.normal(size=(300, 2)) @ FACTOR.T
    draws = np.column_stack([np.zeros((300, 2)), rng.integers(1, 3, 300), simplexes, scales, matrices, 2 * scales])
    write(folder / "draws.csv", draws)
    return draws


HEADER = ("model = parts_model", "data", "  file = parts.json", "random", "  seed = 3")


def write(path, draws, resampled=True, header=HEADER):
    lines = [f"# {line}" for line in header]
    lines.append("lp_approx__,lp__,path__,p.1,p.2,p.3,s,m.1.1,m.2.1,twice")
    lines += [", ".join(f"{number:.6g}" for number in row) for row in draws]
    lines += ["# ", *(["#               0.100000 seconds (PSIS)"] if resampled else [])]
    path.write_text("\n".join(lines) + "\n")


def metric(folder):
    return np.array(json.loads((folder / "inits" / "metric.json").read_text())["inv_metric"])


def starts(folder, count, name="inits"):
    return [json.loads((folder / name / f"init_{number}.json").read_text()) for number in range(1, count + 1)]


def test_files_and_command(cli, folder, run):
    outcome = cli("inits", "draws.csv")
    assert outcome.code == 0, outcome.err
    *_, command = outcome.out.splitlines()
    words = shlex.split(command)
    assert words[0] == "./parts"
    assert {"metric_file=inits/metric.json", "metric=dense_e", "file=parts.json", "init=inits/init.json"} <= set(words)
    rows = [np.argmin(np.abs(run[:, 6] - own["s"])) for own in starts(folder, 4)]
    assert len(set(rows)) == 4
    for own, row in zip(starts(folder, 4), rows, strict=True):
        assert set(own) == {"p", "s", "m"}
        np.testing.assert_allclose(own["p"], run[row, 3:6], rtol=1e-4)
        assert abs(sum(own["p"]) - 1.0) < 1e-12  # Stan demands more than 6 digits
        np.testing.assert_allclose(own["m"], run[row, 7:9, None], rtol=1e-4)
    # The metric is the covariance on the unconstrained scale.
    unconstrained = np.column_stack([np.log(run[:, 6]), run[:, 7:9]])
    covariance = np.cov(unconstrained.T, ddof=0)
    found = metric(folder)
    assert found.shape == (5, 5)
    np.testing.assert_allclose(found[2:, 2:], covariance, atol=0.03 * covariance.max())
    assert found[3, 4] / np.sqrt(found[3, 3] * found[4, 4]) == pytest.approx(0.96, abs=0.02)


def test_weighted_draws(cli, folder, run):
    """Draws that were not resampled, by lp__ - lp_approx__: those with a small `s` have no weight."""
    run[:, 1] = np.where(run[:, 6] < 1.0, -800.0, 0.0)
    write(folder / "draws.csv", run, resampled=False)
    assert cli("inits", "draws.csv", "num_chains=20").code == 0
    assert all(own["s"] >= 1.0 for own in starts(folder, 20))
    assert metric(folder)[2, 2] == pytest.approx(np.log(run[run[:, 6] >= 1.0, 6]).var(), rel=0.1)


def test_copies_of_a_draw_are_one_start(cli, folder, run):
    write(folder / "draws.csv", np.repeat(run[:3], [100, 1, 1], axis=0))
    assert cli("inits", "draws.csv", "num_chains=3", "output=three").code == 0
    assert len({own["s"] for own in starts(folder, 3, "three")}) == 3
    outcome = cli("inits", "draws.csv", "num_chains=4")
    assert outcome.code == 1
    assert outcome.err == 'Error: "draws.csv" has 3 different draws, too few for 4 chains.\n'


def test_few_draws_have_a_diagonal_metric(cli, folder, run):
    write(folder / "draws.csv", run[:8])
    outcome = cli("inits", "draws.csv")
    assert "metric=diag_e" in outcome.out
    assert "a dense one of 5 unconstrained parameters wants 10" in outcome.err
    assert metric(folder).shape == (5,)
    assert "metric=dense_e" in cli("inits", "draws.csv", "metric=dense").out
    assert np.all(np.linalg.eigvalsh(metric(folder)) > 0)


def test_where_the_model_is(cli, folder, run):
    (folder / "parts.stan").rename(folder / "other.stan")
    outcome = cli("inits", "draws.csv")
    assert (outcome.code, outcome.err) == (
        1,
        'Error: the model of "draws.csv" is not known: there is no parts.stan or parts.py beside it or here; give '
        "model=FILE.\n",
    )
    assert cli("inits", "draws.csv", "model=other.stan", "data=parts.json").code == 0
    write(folder / "draws.csv", run, header=())
    assert "give model=FILE" in cli("inits", "draws.csv").err


def test_draws_of_another_model(cli, folder, run):
    (folder / "parts.stan").write_text("parameters { real other; }")
    assert "Error: \"draws.csv\" has no column 'other'" in cli("inits", "draws.csv").err
    run[0, 6] = -1.0
    (folder / "parts.stan").write_text(PROGRAM)
    write(folder / "draws.csv", run)
    assert 'Error: a draw in "draws.csv" is no point of the model parts:' in cli("inits", "draws.csv").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "takes one CSV file of draws, but none was given"),
        (("a.csv", "b.csv"), "but 'a.csv', 'b.csv' were given"),
        (("draws.csv", "num_chain=3"), "has no argument 'num_chain'; did you mean 'num_chains'?"),
        (("draws.csv", "num_chains=0"), "num_chains=0: give a whole number from 1 on"),
        (("draws.csv", "num_warmup=few"), "num_warmup=few: give a whole number"),
        (("draws.csv", "metric=full"), "metric=full: give one of auto, dense, diagonal"),
        (("draws.csv", "seed=1", "seed=2"), "seed is given twice"),
        (("draws.csv", "output="), "output needs a value"),
    ],
)
def test_wrong_arguments(cli, run, words, said):
    outcome = cli("inits", *words)
    assert outcome.code == 1
    assert said in outcome.err


def test_help(cli):
    assert cli("inits", "--help").out.startswith("Usage: pathfinder inits FILE.csv")
