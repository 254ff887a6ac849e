"""The table of an output file."""

import csv
import re

import numpy as np
import pytest

import psis


def write(path, rows, header="lp_approx__,lp__,path__,mu,theta.1,theta.2.1,a.b"):
    lines = [
        "# a comment",
        header,
        *(", ".join(map(str, row)) for row in rows),
        "# ",
        "# Elapsed Time: 0.300000 seconds (Pathfinders)",
        "#               0.100000 seconds (PSIS)",
        "# ",
    ]
    path.write_text("\n".join(lines) + "\n")


def rows_of(outcome):
    """The names of the columns, and the numbers of each row by its name."""
    assert outcome.code == 0, outcome.err
    head, *rows = (line.split() for line in outcome.out.partition("\n\n")[0].splitlines())
    return head, {name: dict(zip(head, map(float, numbers), strict=True)) for name, *numbers in rows}


def test_table(cli, folder):
    draws = np.random.default_rng(1).normal(size=(50, 7)) * [1, 1, 1, 1e-5, 1e5, 1, 0]
    write(folder / "d.csv", draws)
    head, rows = rows_of(cli("summary", "d.csv"))
    assert head == ["mean", "mcse", "sd", "5%", "50%", "95%", "ess"]
    assert list(rows) == ["lp_approx__", "lp__", "mu", "theta[1]", "theta[2,1]", "a.b"]
    for row, column in zip(rows.values(), (0, 1, 3, 4, 5, 6), strict=True):
        values = draws[:, column]
        expected = [values.mean(), values.std(ddof=1), *np.quantile(values, [0.05, 0.5, 0.95], method="inverted_cdf")]
        found = [row[name] for name in ("mean", "sd", "5%", "50%", "95%")]
        assert found == pytest.approx(expected, rel=6e-3)
        if column != 6:  # fifty different draws
            assert (row["ess"], row["mcse"]) == pytest.approx((50, values.std(ddof=1) / 50**0.5), rel=6e-3)


def test_columns_are_aligned(cli, folder):
    write(folder / "d.csv", np.random.default_rng(1).normal(size=(50, 7)))
    assert len({len(line) for line in cli("summary", "d.csv").out.splitlines()}) == 1


def test_a_single_draw_and_infinite_values(cli, folder):
    write(folder / "d.csv", [["-inf", "nan", 1, 2, 3, 4, 5]])
    rows = [line.split() for line in cli("summary", "d.csv").out.splitlines()]
    assert rows[1] == ["lp_approx__", "-inf", "nan", "nan", "-inf", "-inf", "-inf", "nan"]
    assert rows[2] == ["lp__", *["nan"] * 7]
    assert rows[3] == ["mu", "2", "nan", "nan", "2", "2", "2", "nan"]


def test_files_are_joined_and_options_take_both_forms(cli, folder):
    draws = np.random.default_rng(2).normal(size=(90, 7))
    write(folder / "a.csv", draws[:40])
    write(folder / "b.csv", draws[40:])
    expected = np.quantile(draws[:, 4], [0.1, 0.99], method="inverted_cdf")
    for words in (
        ["a.csv", "b.csv", "--sig_figs=9", "--percentiles=10,99", "--include_param=theta", "--include_param=mu"],
        ["-s", "9", "a.csv", "-p", "10,99", "b.csv", "-i", "theta", "-i", "mu", "--csv_filename", "t.csv"],
        ["a.csv", "-s=9", "--percentiles", "10,99", "-i=theta[1]", "b.csv", "-i", "theta.2.1", "-i", "mu"],
    ):
        head, rows = rows_of(cli("summary", *words))
        assert head == ["mean", "mcse", "sd", "10%", "99%", "ess"]
        assert list(rows) == ["theta[1]", "theta[2,1]", "mu"]
        row = rows["theta[1]"]
        assert [row["mean"], row["10%"], row["99%"]] == pytest.approx([draws[:, 4].mean(), *expected], rel=1e-8)
        assert row["ess"] == pytest.approx(90)
    with open("t.csv", newline="") as file:
        written = {line["name"]: line for line in csv.DictReader(file)}
    assert {name: float(written["theta[1]"][name]) for name in head} == row


def test_draws_that_were_not_resampled_are_weighted(cli, folder):
    draws = np.random.default_rng(1).normal(size=(50, 7))
    write(folder / "d.csv", draws)
    text = (folder / "d.csv").read_text()
    (folder / "d.csv").write_text(re.sub(r"# +Elapsed Time.*\n#.*PSIS\)", "# Elapsed Time: 1 seconds (Total)", text))
    outcome = cli("summary", "d.csv", "-s", "9")
    _, rows = rows_of(outcome)
    weights = np.exp(psis.smooth_log_weights(draws[:, 1] - draws[:, 0]).log_weights)
    mean = weights @ draws[:, 3]
    assert rows["mu"]["mean"] == pytest.approx(mean, rel=1e-7)
    squares = (draws[:, 3] - mean) ** 2
    assert rows["mu"]["ess"] == pytest.approx(weights @ squares / (weights**2 @ squares), rel=1e-7)
    assert "Weighted by lp__ and lp_approx__. Pareto k-hat" in outcome.out


def test_what_a_run_said_of_its_draws_is_repeated(cli, folder, bernoulli):
    printed = bernoulli().out.splitlines()[-1]
    outcome = cli("summary", "output.csv")
    assert outcome.out.endswith(f"\n\noutput.csv: {printed}\n")
    size = float(re.search(r"effective_sample_size = (\S+)", (folder / "output.csv").read_text())[1])
    assert 0.4 < rows_of(outcome)[1]["theta"]["ess"] / (1 / (1 / size + 1 / 40)) < 2.5
    assert rows_of(cli("summary", "output.csv", "-i", "path__"))[1]["path__"]["5%"] == 1


@pytest.mark.parametrize("word", ["help", "-h", "--help"])
def test_help(cli, word):
    assert cli("summary", word).out.startswith("Usage: pathfinder summary FILE.csv... ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, 'cannot read "d.csv": No such file'),
        ("", "has no draws"),
        ("# only\n# comments\n", "has no draws"),
        ("a,b\n", "has no draws"),
        ("a,b\n#\n1, 2\n3\n", "is not a CSV file of draws: line 4 has 1 columns, but there are 2 names."),
        ("a,b\n1, x\n", "is not a CSV file of draws: line 2 has 'x' where a number belongs."),
        ("a,b\n1, 2, 3\n", "is not a CSV file of draws: line 2 has 3 columns, but there are 2 names."),
        ("\0\xff", "is not a CSV file of draws: it is no text in UTF-8."),
    ],
)
def test_files_that_hold_no_draws(cli, folder, text, message):
    if text is not None:
        (folder / "d.csv").write_text(text, encoding="latin-1")
    outcome = cli("summary", "d.csv")
    assert outcome.code == 1
    assert outcome.err.startswith("Error: ")
    assert message in outcome.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "takes the names of CSV files."),
        (["--csv_filename=t.csv"], "takes the names of CSV files."),
        (["dd.csv"], "cannot read \"dd.csv\": No such file or directory; did you mean 'd.csv'?"),
        (["nowhere/d.csv"], 'cannot read "nowhere/d.csv": No such file or directory.'),
        (["."], 'cannot read ".": Is a directory.'),
        (["bernoulli.data.json"], "is not a CSV file of draws: its first line has no names of variables."),
        (["d.csv", "-i", "sigma", "-i", "mu"], "--include_param=sigma: the files have no such variable"),
        (["d.csv", "-i", "thetta"], "did you mean 'theta'?"),
        (["d.csv", "-i", "theta[2,2]"], "did you mean 'theta[2,1]'?"),
        (["d.csv", "-p", "5,110"], "--percentiles=5,110: give numbers from 0 to 100"),
        (["d.csv", "-p", "5,,95"], "--percentiles=5,,95: give numbers from 0 to 100"),
        (["d.csv", "-p", "nan"], "--percentiles=nan: give numbers from 0 to 100"),
        (["d.csv", "-s", "0"], "--sig_figs=0: give a whole number from 1 to 18."),
        (["d.csv", "-s=2.5"], "--sig_figs=2.5: give a whole number from 1 to 18."),
        (["d.csv", "-s"], "-s needs a value."),
        (["d.csv", "-s=2", "--sig_figs=3"], "--sig_figs is given 2 times: '2' and '3'."),
        (["d.csv", "--percentile=5"], "has no option --percentile; did you mean '--percentiles'?"),
        (["d.csv", "-x"], "has no option -x"),
        (["d.csv", "other.csv"], "\"other.csv\" has no 'mu', which \"d.csv\" has; did you mean 'mue'?"),
        (["d.csv", "turned.csv"], 'the columns of "turned.csv" are in another order'),
        (["d.csv", "-c", "no/t.csv"], 'cannot write output file "no/t.csv": the folder "no" does not exist.'),
        (["d.csv", "-c", "./d.csv"], "--csv_filename=./d.csv: this is one of the files of draws; give another name."),
        (["d.csv", "-c", "."], 'cannot write output file ".": it is a folder.'),
    ],
)
def test_errors(cli, folder, words, message):
    draws = np.zeros((3, 7))
    write(folder / "d.csv", draws)
    write(folder / "other.csv", draws, "lp_approx__,lp__,path__,mue,theta.1,theta.2.1,a.b")
    write(folder / "turned.csv", draws, "lp_approx__,lp__,path__,theta.1,mu,theta.2.1,a.b")
    outcome = cli("summary", *words)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: ")
    assert message in outcome.err
    assert not (folder / "t.csv").exists()


def test_a_byte_order_mark_is_no_part_of_a_name(cli, folder):
    write(folder / "d.csv", np.zeros((3, 7)))
    text = (folder / "d.csv").read_text()
    (folder / "d.csv").write_text(text, encoding="utf-8-sig")
    assert "mu" in rows_of(cli("summary", "d.csv"))[1]
