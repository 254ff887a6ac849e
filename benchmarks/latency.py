"""CPU seconds of first and later fits, beside what nobody can avoid and other engines, and of the command line.

Run it with `python -m benchmarks.latency`; `benchmarks/README.md` says how to read the tables.
"""

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import jax
from scipy.stats import gmean

from benchmarks.latency_cases import COMPILED, OURS, PROBLEMS, ROOT, STAN_PROGRAMS, Cost
from benchmarks.speed import machine
from benchmarks.tables import Table


EIGHT_SCHOOLS, LOGISTIC, HIERARCHY = "eight schools", "logistic regression", "3-level hierarchy"
# Of each engine that is compared with ours: its package, what it fits, and how many later calls are measured.
PEERS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "BlackJAX, Pathfinder": ("blackjax", (EIGHT_SCHOOLS, LOGISTIC, HIERARCHY), 3),
    "PyMC-extras, Pathfinder": ("pymc_extras", (EIGHT_SCHOOLS,), 3),
    "NumPyro, NUTS": ("numpyro", (EIGHT_SCHOOLS, LOGISTIC, HIERARCHY), 3),
    "NumPyro, AutoMultivariateNormal": ("numpyro", (EIGHT_SCHOOLS, LOGISTIC, HIERARCHY), 3),
    "stanli, NUTS": ("stanli", (EIGHT_SCHOOLS, *STAN_PROGRAMS), 1),
}
IMPORT = "import of jax"


class Scale(NamedTuple):
    """How much is run.

    Args:
        repeats: Processes of each case of ours, of which the one that took the least CPU time counts.
        later_calls: Later fits in each process.
        problems: What is fitted.
        peer_problems: What other engines fit of that.
    """

    repeats: int = 3
    later_calls: int = 20
    problems: tuple[str, ...] = tuple(PROBLEMS)
    peer_problems: tuple[str, ...] = tuple(PROBLEMS)


FULL = Scale()
QUICK = Scale(
    repeats=1, later_calls=10, problems=(EIGHT_SCHOOLS, LOGISTIC, "hidden_markov"), peer_problems=(EIGHT_SCHOOLS,)
)


class Measured(NamedTuple):
    """All that was measured.

    Args:
        limits: CPU seconds to compile the two programs, by problem.
        costs: By engine and problem.
        commands: CPU seconds and seconds of processes, by what they do.
    """

    limits: dict[str, float]
    costs: dict[tuple[str, str], Cost]
    commands: dict[str, tuple[float, float]]


def measure(scale: Scale, sections: Sequence[str]) -> Measured:
    """Measure everything, round by round, so that a machine that becomes busy does so for all."""
    for name in ("benchmarks", "cli", "pathfinder", "psis"):
        # As installers do it, which Python may have been told not to: else each process would compile the source.
        compileall.compile_dir(ROOT / name, quiet=1)
    cases = [(engine, problem) for engine in (OURS, COMPILED) for problem in scale.problems]
    if "peers" in sections:
        cases += [
            (engine, problem)
            for engine, (package, problems, _) in PEERS.items()
            for problem in problems
            if problem in scale.peer_problems and find_spec(package)
        ]
    limits: dict[str, list[float]] = {}
    costs: dict[tuple[str, str], list[Cost]] = {}
    commands: dict[str, list[tuple[float, float]]] = {}
    for number in range(scale.repeats):
        if "fits" in sections or "peers" in sections:
            for problem in scale.problems:
                limits.setdefault(problem, []).append(in_fresh_process("limit", problem)[0])
            for engine, problem in cases:
                if engine != OURS and number > 0:
                    continue  # they take long, and a little more or less does not matter
                calls = PEERS[engine][2] if engine in PEERS else scale.later_calls
                cost = Cost(*in_fresh_process("cost", engine, problem, calls))
                costs.setdefault((engine, problem), []).append(cost)
        if "commands" in sections:
            for name, seconds in command_line().items():
                commands.setdefault(name, []).append(seconds)
    return Measured(
        {problem: min(seconds) for problem, seconds in limits.items()},
        {case: least(each) for case, each in costs.items()},
        {name: min(seconds) for name, seconds in commands.items()},
    )


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each, as other work on the machine can only add."""
    return Cost(*[min(values) for values in zip(*costs, strict=True)])


def first_fits(measured: Measured, scale: Scale) -> Table:
    """First fits beside the limit and the compiled driver."""
    rows, ratios = [], []
    for problem in scale.problems:
        ours, compiled = measured.costs[OURS, problem], measured.costs[COMPILED, problem]
        ratios.append((ours.first / measured.limits[problem], ours.first / compiled.first))
        rows.append(
            [
                problem, f"{measured.limits[problem]:.2f}", f"{ours.first:.2f}", f"{ratios[-1][0]:.2f}",
                f"{ours.first_wall:.2f}", str(ours.programs), f"{ours.draws:.2f}", f"{compiled.first:.2f}",
                f"{ratios[-1][1]:.3f}", str(compiled.programs),
            ]
        )  # fmt: skip
    rows.append(mean_row(ratios, 10, (3, 8)))
    header = [
        "", "limit", "fit", "fit / limit", "wall", "programs", "its draws", "compiled driver", "fit / compiled driver",
        "programs",
    ]  # fmt: skip
    notes = [
        "CPU seconds of a process, and wall-clock seconds of the fit, with default options; the model is imported and "
        f"made before. Each in a process of its own, without any cache; the least of {scale.repeats}, of the compiled "
        "driver one.",
        "Limit: to compile the batched log density, and the batched log density with its gradient.",
        "Its draws: constrained ones, asked for after the fit, which compiles one more program.",
    ]
    return Table("First fits", header, rows, notes)


def later_fits(measured: Measured, scale: Scale) -> Table:
    """Later fits beside those of the compiled driver."""
    rows, ratios = [], []
    for problem in scale.problems:
        ours, compiled = measured.costs[OURS, problem], measured.costs[COMPILED, problem]
        ratios.append((ours.later / compiled.later, ours.later_wall / compiled.later_wall))
        rows.append(
            [
                problem, f"{1e3 * ours.later:.1f}", f"{1e3 * compiled.later:.1f}", f"{ratios[-1][0]:.2f}",
                f"{1e3 * ours.later_wall:.1f}", f"{1e3 * compiled.later_wall:.1f}", f"{ratios[-1][1]:.2f}",
                str(ours.later_programs),
            ]
        )  # fmt: skip
    rows.append(mean_row(ratios, 8, (3, 6)))
    header = ["", "fit, CPU ms", "compiled driver", "ratio", "wall, ms", "compiled driver", "ratio", "programs"]
    notes = [
        f"The median of {scale.later_calls} fits with other seeds in the processes of the first fits, and the programs "
        "that these compile."
    ]
    return Table("Later fits", header, rows, notes)


def mean_row(ratios: Sequence[tuple[float, float]], width: int, columns: tuple[int, int]) -> list[str]:
    """The last row: geometric means of two ratios."""
    row = ["geometric mean", *[""] * (width - 1)]
    for column, values in zip(columns, zip(*ratios, strict=True), strict=True):
        row[column] = f"{gmean(values):.2f}"
    return row


def peers(measured: Measured, scale: Scale) -> Table:
    """Calls of other engines."""
    rows = []
    for (engine, problem), cost in measured.costs.items():
        if engine in PEERS:
            ours = measured.costs[OURS, problem]
            rows.append(
                [
                    f"{engine}: {problem}", f"{cost.first:.2f}", f"{cost.first_wall:.2f}",
                    f"{ours.first / cost.first:.3f}", f"{cost.later:.3f}", f"{ours.later / cost.later:.3f}",
                ]
            )  # fmt: skip
    header = ["", "first call, CPU s", "wall", "ours / this", "later call, CPU s", "ours / this"]
    notes = [
        "BlackJAX: its defaults, four paths. NUTS: 1000 warm-up iterations and 1000 draws, one chain of NumPyro and "
        "four of stanli. AutoMultivariateNormal: 2000 steps of Adam and 1000 draws.",
        "The same densities in JAX; stanli reads the Stan program in each call.",
    ]
    missing = [engine for engine, (package, _, _) in PEERS.items() if not find_spec(package)]
    notes += [f"Not installed, so left out: {engine}." for engine in missing]
    return Table("Other engines", header, rows, notes)


def commands(measured: Measured, scale: Scale) -> Table:
    """Runs of the command line."""
    base = measured.commands[IMPORT][0]
    rows = [[name, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / base:.2f}"] for name, (cpu, wall) in measured.commands.items()]
    notes = [
        "`pathfinder examples/bernoulli.stan pathfinder data file=...`, refined with `engine refine=1`. First runs "
        f"find an empty cache, later ones what these have left there. The least of {scale.repeats}."
    ]
    return Table("Command line, bernoulli.stan", ["", "CPU s", "wall", f"CPU / {IMPORT}"], rows, notes)


def command_line() -> dict[str, tuple[float, float]]:
    """CPU seconds and seconds of one run of each kind."""
    seconds = {IMPORT: finished([sys.executable, "-c", "import jax"], {})[:2]}
    for kind, options in ("run", []), ("run, refined", ["engine", "refine=1"]):
        with tempfile.TemporaryDirectory() as folder:
            model, data = (str(ROOT / "examples" / f"bernoulli.{end}") for end in ("stan", "data.json"))
            output = ["output", f"file={Path(folder) / 'draws.csv'}"]
            command = [sys.executable, "-c", "import sys; from pathfinder_cli import main; sys.exit(main())"]
            command += [model, "pathfinder", "data", f"file={data}", *output, *options]
            kept = {"XDG_CACHE_HOME": folder}
            seconds |= {f"first {kind}": finished(command, kept)[:2], f"later {kind}": finished(command, kept)[:2]}
    return seconds


def in_fresh_process(function: str, *arguments: Any) -> Any:
    """What a function of `latency_cases` returns in a process of its own, without a cache."""
    code = (
        "import json, jax; jax.config.update('jax_enable_x64', True); from benchmarks import latency_cases; "
        f"print(json.dumps(latency_cases.{function}(*{arguments!r})))"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {"JAX_ENABLE_COMPILATION_CACHE": "false", "XDG_CACHE_HOME": folder}
        return json.loads(finished([sys.executable, "-c", code], environment)[2].splitlines()[-1])


def finished(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float, str]:
    """CPU seconds of a process with its children, seconds that passed, and what it printed.

    Raises:
        CalledProcessError: If the process failed.
    """
    own = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=own | environment, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.perf_counter() - began
        output.seek(0)
        printed = output.read()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, printed)
    return usage.ru_utime + usage.ru_stime, elapsed, printed


SECTIONS: dict[str, Sequence[Callable[[Measured, Scale], Table]]] = {
    "fits": (first_fits, later_fits),
    "peers": (peers,),
    "commands": (commands,),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__.splitlines()[0])
    parser.add_argument("--section", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--problem", nargs="+", choices=list(PROBLEMS), help="fit only these")
    parser.add_argument("--repeat", type=int, help="processes of each case, of which the least CPU time counts")
    parser.add_argument("--quick", action="store_true", help="one process of each case, and fewer cases")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    options = parser.parse_args(arguments)
    scale = QUICK if options.quick else FULL
    if options.problem:
        scale = scale._replace(problems=tuple(options.problem), peer_problems=tuple(options.problem))
    if options.repeat:
        scale = scale._replace(repeats=options.repeat)
    with jax.enable_x64(True):
        print(machine(), end="\n\n", flush=True)
    measured = measure(scale, options.section)
    for section in options.section:
        for table in SECTIONS[section]:
            print(table(measured, scale).render(options.markdown), flush=True)


if __name__ == "__main__":
    main()
