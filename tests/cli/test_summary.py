"""The table of an output file."""

import numpy as np
import pytest
from pathfinder_cli._summary import table_of


def write(path, rows, header="lp_approx__,lp__,path__,mu,theta.1,theta.2.1,a.b"):
    lines = [
        "# a comment",
        header,
        *(", ".join(map(str, row)) for row in rows),
        "# ",
        "# Elapsed Time: 0 seconds",
        "# ",
    ]
    path.write_text("\n".join(lines) + "\n")


def test_table(cli, folder):
    draws = np.random.default_rng(1).normal(size=(50, 7)) * [1, 1, 1, 1e-5, 1e5, 1, 0]
    write(folder / "d.csv", draws)
    outcome = cli("summary", "d.csv")
    assert outcome.code == 0
    head, *rows = [line.split() for line in outcome.out.splitlines()]
    assert head == ["mean", "sd", "5%", "50%", "95%"]
    assert [row[0] for row in rows] == ["lp_approx__", "lp__", "mu", "theta[1]", "theta[2,1]", "a.b"]
    for row, column in zip(rows, (0, 1, 3, 4, 5, 6), strict=True):
        values = draws[:, column]
        expected = [values.mean(), values.std(ddof=1), *np.quantile(values, [0.05, 0.5, 0.95], method="inverted_cdf")]
        assert [float(cell) for cell in row[1:]] == pytest.approx(expected, rel=6e-3)


def test_columns_are_aligned(folder):
    write(folder / "d.csv", np.random.default_rng(1).normal(size=(50, 7)))
    assert len({len(line) for line in table_of("d.csv").splitlines()}) == 1


def test_a_single_draw_and_infinite_values(folder):
    write(folder / "d.csv", [["-inf", "nan", 1, 2, 3, 4, 5]])
    rows = [line.split() for line in table_of("d.csv").splitlines()]
    assert rows[1] == ["lp_approx__", "-inf", "nan", "-inf", "-inf", "-inf"]
    assert rows[2] == ["lp__", "nan", "nan", "nan", "nan", "nan"]
    assert rows[3] == ["mu", "2", "nan", "2", "2", "2"]


@pytest.mark.parametrize("word", ["help", "-h", "--help"])
def test_help(cli, word):
    assert cli("summary", word).out.startswith("Usage: pathfinder summary FILE.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, 'cannot read "d.csv": No such file'),
        ("", "has no draws"),
        ("# only\n# comments\n", "has no draws"),
        ("a,b\n", "has no draws"),
        ("a,b\n1, 2\n3\n", "is not a CSV file of draws"),
        ("a,b\n1, x\n", "is not a CSV file of draws"),
        ("a,b\n1, 2, 3\n", "is not a CSV file of draws"),
        ("\0\xff", "is not a CSV file of draws"),
    ],
)
def test_files_that_hold_no_draws(cli, folder, text, message):
    if text is not None:
        (folder / "d.csv").write_text(text, encoding="latin-1")
    outcome = cli("summary", "d.csv")
    assert outcome.code == 1
    assert outcome.err.startswith("Error: ")
    assert message in outcome.err


@pytest.mark.parametrize("words", [(), ("a.csv", "b.csv")])
def test_wrong_words(cli, words):
    outcome = cli("summary", *words)
    assert outcome.code == 1
    assert "takes the name of one CSV file" in outcome.err
