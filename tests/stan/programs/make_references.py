"""Writes the numbers in corpus/: log densities and gradients of its programs by Stan's own kernels.

Run with `stanli` installed (it was 0.24), from the root of the repository:
`python -m tests.stan.programs.make_references`, or with names of programs behind it to replace only theirs. With
`--loops`, the ways in which the loops run are replaced instead, by those in which our compiler runs them.
"""

import argparse
import multiprocessing
import sys
from dataclasses import replace
from typing import Any

import jax

from tests.stan.oracle import explicit
from tests.stan.programs.corpus import PROGRAMS, StoredProgram
from tests.stan.running import bound, points, traced_loops


def evaluate(program: str, data: dict[str, Any]) -> list[tuple[float, list[float]]] | str:
    import stanli

    try:
        model = stanli.Model(stan_code=program, data=data)
        found = [model.log_prob_grad(position) for position in points(model.n_unconstrained)]
    except RuntimeError as error:
        return str(error)
    return [(value, list(gradient)) for value, gradient in found]


def replace_points(program: StoredProgram) -> None:
    # a process for each: stanli may crash
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply_async(evaluate, (explicit(program.equivalent), program.data)).get(timeout=60)
    if isinstance(found, str):
        sys.stderr.write(f"{program.name}: {found}\n")
    else:
        replace(program, points=found).write()


def replace_loops(program: StoredProgram) -> None:
    replace(program, loops=traced_loops(bound(program.text, program.data))).write()


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    parser = argparse.ArgumentParser()
    parser.add_argument("--loops", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for name in options.names or PROGRAMS:
        (replace_loops if options.loops else replace_points)(PROGRAMS[name])
