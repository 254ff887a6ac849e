"""Whole runs: what is printed, and which files are written."""

import json
import re

import numpy as np
import pytest

import pathfinder
from pathfinder_cli._arguments.parse import parse
from tests.cli.commands.printed import comments_and_draws, rows_of
from tests.cli.conftest import FEW_DRAWS, new_files


def without_timing(path):
    return re.sub(r"start_datetime.*|[0-9.]+ seconds", "", path.read_text())


def test_a_plain_run_writes_one_file(bernoulli, folder):
    outcome = bernoulli()
    assert (outcome.code, outcome.err) == (0, "")
    assert new_files(folder) == {"output.csv"}
    comments, draws = comments_and_draws(folder / "output.csv")
    assert comments[3] == "# model = bernoulli_model"
    assert re.fullmatch(r"# start_datetime = \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", comments[4])
    assert list(draws) == ["lp_approx__", "lp__", "path__", "theta"]
    assert all(len(column) == 40 for column in draws.values())
    assert set(draws["path__"]) <= {1, 2, 3, 4}
    theta = draws["theta"]
    log_density = np.log(theta) * 3 + np.log1p(-theta) * 9  # with the Jacobian of the logit
    np.testing.assert_allclose(draws["lp__"], log_density, rtol=1e-4)


def test_the_configuration_is_printed_and_followed_by_an_empty_line(bernoulli):
    out = bernoulli("tol_grad=1e-6").out
    assert out.startswith("method = pathfinder\n  pathfinder\n    init_alpha = 0.001 (Default)\n")
    assert "    tol_grad = 1e-06\n" in out
    assert "\nnum_threads = 1 (Default)\n\n" in out
    assert "engine" not in out


def test_draws_are_those_of_the_python_function(bernoulli, folder):
    bernoulli("output", "sig_figs=18")
    _, draws = comments_and_draws(folder / "output.csv")
    scope = {}
    exec((folder / "bernoulli.py").read_text(), scope)
    model = scope["model"](json.loads((folder / "bernoulli.data.json").read_text()))
    options = {"num_draws": 30, "num_psis_draws": 40, "num_elbo_draws": 5, "resample": "multinomial"}
    options |= {"refine": False, "schedule": "cmdstan"}
    result = pathfinder.fit(model, seed=1, progress=False, **options)
    np.testing.assert_array_equal(draws["theta"], result.draws["theta"])
    np.testing.assert_array_equal(draws["lp__"], result.log_p)
    np.testing.assert_array_equal(draws["lp_approx__"], result.log_q)
    np.testing.assert_array_equal(draws["path__"], result.path_ids + 1)


def test_two_runs_with_one_seed_differ_only_in_time(cli, folder):
    words = ("shapes.py", "random", "seed=3", "output", "save_cmdstan_config=1", "refresh=1", "pathfinder", *FEW_DRAWS)
    outputs, files = [], []
    for _ in range(2):
        outputs.append(cli(*words, "save_single_paths=1").out)
        names = new_files(folder)
        files.append({name: without_timing(folder / name) for name in names})
        for name in names:
            (folder / name).unlink()
    assert outputs[0] == outputs[1]
    assert files[0] == files[1]
    assert len(files[0]) == 2 + 2 * 4


def test_another_seed_or_id_gives_other_draws(bernoulli, folder):
    thetas = []
    for words in ((), ("id=2",), ("id=0",)):
        bernoulli(*words)
        thetas.append(tuple(comments_and_draws(folder / "output.csv")[1]["theta"]))
    assert len(set(thetas)) == 3


def test_paths_are_numbered_from_id(cli, folder):
    """A path has the random numbers of its number, whatever `id` the run begins with."""
    paths = {}
    for first, count in ((1, 8), (4, 5), (0, 3)):
        words = ("pathfinder", *FEW_DRAWS, "save_single_paths=1", f"num_paths={count}", f"id={first}")
        outcome = cli("shapes.py", "random", "seed=1", *words, "output", "refresh=1", "sig_figs=18")
        assert outcome.code == 0
        for number in range(first, first + count):
            lines = (folder / f"output_path_{number}.csv").read_text().splitlines()
            draws = [line for line in lines if not line.startswith("#")]
            printed = [text for text in outcome.out.splitlines() if text.startswith(f"Path [{number}] :")]
            trajectory = (folder / f"output_path_{number}.json").read_text()
            paths.setdefault(number, []).append((draws, printed, trajectory))
    assert [len(paths[number]) for number in range(9)] == [1, 2, 2, 1, 2, 2, 2, 2, 2]
    for own in paths.values():
        assert all(other == own[0] for other in own)
    assert len({own[0][0][1] for own in paths.values()}) == 9


def test_a_seed_from_the_clock_is_shown_everywhere(cli, folder):
    words = ("data", "file=bernoulli.data.json", "output", "save_cmdstan_config=1", "pathfinder", *FEW_DRAWS)
    outcome = cli("bernoulli.py", *words)
    assert outcome.code == 0
    seed = int(re.search(r"  seed = (\d+) \(Default\)", outcome.out)[1])
    assert f"#   seed = {seed} (Default)\n" in (folder / "output.csv").read_text()
    assert json.loads((folder / "output_config.json").read_text())["random"]["seed"] == seed


def test_variables_of_all_blocks_in_stans_order(cli, folder):
    assert cli("shapes.py", "pathfinder", *FEW_DRAWS, "random", "seed=1", "output", "sig_figs=12").code == 0
    _, draws = comments_and_draws(folder / "output.csv")
    matrix = ["m.1.1", "m.2.1", "m.1.2", "m.2.2", "m.1.3", "m.2.3"]
    outer = ["outer.1.1", "outer.2.1", "outer.1.2", "outer.2.2"]
    names = ["s", "v.1", "v.2", *matrix, "p.1", "p.2", "p.3", "total", *outer, "z.1", "z.2", "n"]
    assert list(draws)[3:6] == names[:3]
    assert sorted(list(draws)[3:]) == sorted(names)
    assert [name for name in draws if name.startswith("m.")] == matrix
    np.testing.assert_allclose(draws["v.1"] + draws["v.2"], draws["total"], rtol=1e-9)
    np.testing.assert_allclose(draws["v.1"] * draws["v.2"], draws["outer.2.1"], rtol=1e-9)
    np.testing.assert_allclose(draws["p.1"] + draws["p.2"] + draws["p.3"], 1.0)
    assert set(draws["n"]) == {3.0}
    assert len(set(draws["z.1"])) > 10


def test_files_of_single_paths(bernoulli, folder):
    bernoulli("save_single_paths=1", "num_paths=3", "output", "file=out/x.txt")
    assert new_files(folder) == set()
    (folder / "out").mkdir()
    outcome = bernoulli("save_single_paths=1", "num_paths=3", "id=7", "output", "file=out/x.txt", "refresh=0")
    assert outcome.code == 0
    names = {f"x_path_{number}.{suffix}" for number in (7, 8, 9) for suffix in ("txt", "json")}
    assert {path.name for path in (folder / "out").iterdir()} == {"x.txt"} | names
    main = without_timing(folder / "out" / "x.txt").partition("lp_approx__")[0]
    pool = set()
    for number in (7, 8, 9):
        path = folder / "out" / f"x_path_{number}.txt"
        assert without_timing(path).startswith(main)
        assert path.read_text().splitlines()[-2].endswith(" seconds (Pathfinder)")
        _, draws = comments_and_draws(path)
        assert len(draws["theta"]) == 30
        assert set(draws["path__"]) == {number}
        pool |= set(draws["theta"])
    _, draws = comments_and_draws(folder / "out" / "x.txt")
    assert set(draws["theta"]) <= pool
    assert set(draws["path__"]) <= {7, 8, 9}


def test_trajectories_lead_from_the_start_to_the_end(cli, folder):
    words = ("data", "file=eight_schools.json", "random", "seed=1", "output", "refresh=1", "sig_figs=18")
    outcome = cli("eight_schools_noncentered.py", *words, "pathfinder", *FEW_DRAWS, "save_single_paths=1")
    assert outcome.code == 0
    for number in range(1, 5):
        records = json.loads((folder / f"output_path_{number}.json").read_text())
        assert list(records) == [str(index) for index in range(len(records))]
        assert list(records["0"]) == ["iter", "unconstrained_parameters", "grads"]
        keys = ["iter", "unconstrained_parameters", "grads", "history_size", "lbfgs_success", "pathfinder_success"]
        keys += ["x_center", "logDetCholHk", "L_approx", "Qk", "alpha", "full", "lbfgs_note", "ELBO"]
        assert all(list(record) == keys for name, record in records.items() if name != "0")
        lines = [line for line in outcome.out.splitlines() if line.startswith(f"Path [{number}] :Best")]
        best, elbo = re.search(r"Iter: \[(\d+)\] ELBO \((\S+)\)", lines[0]).groups()
        assert records[best]["ELBO"] == pytest.approx(float(elbo), abs=1e-6)
        points = np.array([record["unconstrained_parameters"] for record in records.values()])
        gradients = np.array([record["grads"] for record in records.values()])
        rows = rows_of(outcome.out, number)
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        np.testing.assert_allclose(steps, [float(row[2]) for row in rows], rtol=6e-4)
        np.testing.assert_allclose(np.linalg.norm(gradients[1:], axis=1), [float(row[3]) for row in rows], rtol=6e-4)


def test_diagnostic_file_alone_asks_for_trajectories(bernoulli, folder):
    bernoulli("num_paths=2", "output", "diagnostic_file=d.x", "refresh=0")
    names = {f"output_path_{n}.csv" for n in (1, 2)} | {f"d_path_{n}.json" for n in (1, 2)}
    assert new_files(folder) == {"output.csv"} | names
    for number in (1, 2):
        assert "ELBO" in json.loads((folder / f"d_path_{number}.json").read_text())["1"]


def test_a_single_path(bernoulli, folder):
    outcome = bernoulli("num_paths=1", "save_single_paths=1", "output", "save_cmdstan_config=1")
    assert new_files(folder) == {"output.csv", "output.json", "output_config.json"}
    assert "Pareto k value" not in outcome.out
    _, draws = comments_and_draws(folder / "output.csv")
    assert len(draws["theta"]) == 30
    assert set(draws["path__"]) == {1}
    assert (folder / "output.csv").read_text().splitlines()[-2].endswith(" seconds (Pathfinder)")
    assert json.loads((folder / "output_config.json").read_text())["method"]["pathfinder"]["num_paths"] == 1


@pytest.mark.parametrize("option", ["psis_resample=0", "calculate_lp=false"])
def test_all_draws_are_written_without_resampling(bernoulli, folder, option):
    outcome = bernoulli("num_paths=3", option)
    assert "Pareto k value" not in outcome.out
    _, draws = comments_and_draws(folder / "output.csv")
    np.testing.assert_array_equal(draws["path__"], np.repeat([1, 2, 3], 30))
    assert np.isnan(draws["lp__"]).all() == option.startswith("calculate_lp")
    assert (folder / "output.csv").read_text().splitlines()[-2].endswith(" seconds (Total)")
    assert (folder / "output.csv").read_text().count("seconds") == 1


def test_sig_figs_count_in_all_files(bernoulli, folder):
    bernoulli("num_paths=1", "save_single_paths=1", "output", "sig_figs=2")
    rows = [line for line in (folder / "output.csv").read_text().splitlines() if line[0] not in "#l"]
    assert all(len(re.sub(r"e.*|^-?0?\.?0*|\D", "", cell)) <= 2 for row in rows for cell in row.split(", "))
    start = json.loads((folder / "output.json").read_text())["0"]["unconstrained_parameters"]
    assert len(re.sub(r"^-?0?\.?0*|\D", "", str(start[0]))) <= 2


def test_r_dump_data_and_its_warning(cli, folder):
    (folder / "b.R").write_text("N <- 10\ny <- c(0, 1, 0, 0, 0, 0, 0, 0, 0, 1)\n")
    outcome = cli("bernoulli.py", "pathfinder", *FEW_DRAWS, "data", "file=b.R", "output", "refresh=0")
    assert outcome.code == 0
    assert outcome.err.startswith("Warning: file 'b.R' is being read as an 'RDump' file.\n\t")


def test_refresh_0_prints_only_the_configuration(bernoulli):
    outcome = bernoulli("num_psis_draws=5", "output", "refresh=0")
    assert outcome.out.rstrip().endswith("num_threads = 1 (Default)") or "Pareto k" in outcome.out
    assert "Path [" not in outcome.out


def test_the_reuse_of_draws_is_warned_of(bernoulli):
    assert "Warning: Number of PSIS draws is larger" in bernoulli("num_psis_draws=121").out
    assert "Warning: Number" not in bernoulli("num_psis_draws=120").out


def test_the_total_counts_all_evaluations(bernoulli):
    out = bernoulli("output", "refresh=1").out
    total = int(re.search(r"Total log probability function evaluations:(\d+)", out)[1])
    per_path = [int(number) for number in re.findall(r"evaluations: \((\d+)\)", out)]
    assert total == sum(per_path) + 4 * 30


def test_every_word_of_the_grammar_arrives(bernoulli):
    words = "num_paths=2 max_lbfgs_iters=3 tol_param=1e-7 init_alpha=0.01 tol_obj=1e-9".split()  # noqa: SIM905
    out = bernoulli(*words, "output", "refresh=1").out
    assert "Path [2] :Best" in out
    assert "Path [3]" not in out
    assert all(int(row[0]) <= 3 for row in rows_of(out, 1))
    assert rows_of(out, 1)[0][5] == "1.000e-02"
    assert parse(["pathfinder", *words], program="m").pathfinder.tol_param == 1e-7
