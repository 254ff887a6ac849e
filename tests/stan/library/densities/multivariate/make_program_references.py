"""Writes program_references.json: values and gradients by Stan's own kernels of the programs in programs.py.

Run with `stanli` installed, from the root of the repository:
`python -m tests.stan.library.densities.multivariate.make_program_references`.
"""

import json
import multiprocessing
from pathlib import Path

from tests.stan.library.densities.multivariate.programs import PREAMBLE, PROGRAMS, point


def evaluate(name):
    import stanli

    program = PREAMBLE + f"model {{ target += {PROGRAMS[name][0]}; }}"
    try:
        value, gradient = stanli.Model(stan_code=program, data={}).log_prob_grad(point())
    except RuntimeError as error:
        return {"name": name, "error": str(error)}
    return {"name": name, "value": value, "gradient": list(gradient)}


def main():
    with multiprocessing.Pool(1, maxtasksperchild=1) as pool:
        results = pool.map(evaluate, PROGRAMS, chunksize=1)
    text = ",\n".join(json.dumps(result) for result in results)
    Path(__file__).with_name("program_references.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
