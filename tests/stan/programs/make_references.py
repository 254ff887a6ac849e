"""Writes references.json: log densities and gradients by Stan's own kernels of the programs in programs/.

Run with `stanli` installed (it was 0.24), from the root of the repository:
`python -m tests.stan.programs.make_references`, or with names of programs behind it to replace only theirs.
"""

import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from tests.stan.oracle import explicit
from tests.stan.programs.tables import PROGRAMS
from tests.stan.running import points


FILE = Path(__file__).with_name("references.json")


def evaluate(program: str, data: dict[str, Any]) -> list[list[Any]] | str:
    import stanli

    try:
        model = stanli.Model(stan_code=program, data=data)
        found = [model.log_prob_grad(position) for position in points(model.n_unconstrained)]
    except RuntimeError as error:
        return str(error)
    return [[value, list(gradient)] for value, gradient in found]


def main(names: list[str]) -> None:
    references = json.loads(FILE.read_text()) if names else {}
    for name in names or PROGRAMS:
        case = PROGRAMS[name]
        program = explicit(case.equivalent or case.program)
        # a process for each: stanli may crash
        with multiprocessing.get_context("fork").Pool(1) as pool:
            found = pool.apply_async(evaluate, (program, case.data)).get(timeout=60)
        if isinstance(found, str):
            sys.stderr.write(f"{name}: {found}\n")
        else:
            references[name] = found
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(references[name])}" for name in PROGRAMS if name in references)
    FILE.write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
