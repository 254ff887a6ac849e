"""Write references.json: values of the library's functions by Stan's own kernels.

Run with stanli (the kernels) and httpstan (its `stanc` lists the signatures) installed:

    python tests/stan/library/functions/make_references.py

The file in the repository was made with stanli 0.24.0 and stanc 2.35.0. Every signature without complex numbers, tuples
or nested arrays is called, of the vectorised ones the scalar one (at all points of `POINTS`) and one with a vector.
What Stan rejects is left out, and what stanli does wrong (`WRONG`). stanli may crash, hence the subprocesses.
"""

import argparse
import json
import multiprocessing
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np


SUFFIXES = ("_lpdf", "_lpmf", "_lcdf", "_lccdf", "_cdf", "_rng", "_cdf_log", "_ccdf_log")
PLAIN = r"(?:array\[,?\] )?(?:int|real|vector|row_vector|matrix)"
OUTPUT = Path(__file__).with_name("references.json")

UNARY = [-3.7, -1.5, -0.5, 0.0, 0.25, 0.5, 0.9, 1.0, 2.5, 7.0, 33.0]
BINARY = [(0.3, 0.7), (1.5, 0.4), (2.0, 3.5), (30.0, 12.5), (0.5, 0.5), (-1.5, 2.0)]
POINTS = {
    "Phi": [-37.0, -20.0, -8.0, 8.0],
    "log1m_exp": [-1e-10, -1e-3, -0.7, -50.0, -800.0],
    "log1p_exp": [-800.0, -40.0, 40.0, 800.0],
    "inv_logit": [-800.0, -40.0, 40.0, 800.0],
    "log_inv_logit": [-800.0, -40.0, 40.0, 800.0],
    "log1m_inv_logit": [-800.0, -40.0, 40.0, 800.0],
    "inv_Phi": [1e-300, 1e-20, 1e-5, 0.02, 0.975],
    "std_normal_qf": [1e-300, 1e-20, 0.02, 0.975],
    "std_normal_log_qf": [-500.0, -50.0, -10.0, -4.9, -2.0, -0.5, -0.01, -1e-10],
    "inv_erfc": [1e-20, 0.01, 1.9],
    "erfc": [-5.0, 5.0, 20.0],
    "lgamma": [1e-10, 1e3, 1e8, 1e300, -20.3],
    "tgamma": [1e-5, 20.0, 150.0, -4.5],
    "digamma": [1e-5, 1e5, -20.3],
    "trigamma": [1e-5, 1e5, -20.3],
    "lambert_w0": [-0.36, -0.1, 1e-10, 1e5, 1e100],
    "lambert_wm1": [-0.367, -0.3, -0.1, -1e-5, -1e-100],
    "round": [-2.5, 2.5, 3.5, 0.49999999999999994],
    "logit": [1e-20, 0.999],
    "log1m": [1e-20, -1e-20],
    "log1p": [1e-20],
    "expm1": [1e-20],
    "acosh": [1.0, 1e10],
    "lbeta": [(1e-5, 1e5), (1e7, 2e7), (10.0, 10.0), (9.9, 1e3), (1e-10, 1e-10), (0.2, 1e10)],
    "beta": [(1e-5, 1e5), (10.0, 10.0), (9.9, 50.0)],
    "lchoose": [(10.0, 3.0), (1e6, 3.0), (1e6, 5e5), (5.0, 0.0), (5.0, 5.0), (20.5, 3.25)],
    "log_diff_exp": [(1.0, 1.0), (800.0, 799.0), (0.0, -800.0), (1e-8, 0.0)],
    "log_sum_exp": [(800.0, 799.0), (-800.0, -799.0)],
    "log_inv_logit_diff": [(1.0, 0.5), (40.0, -3.0), (-50.0, -51.0)],
    "owens_t": [(0.5, 3.0), (3.0, 0.5), (-2.0, -4.0), (10.0, 0.1), (0.1, 50.0)],
    "gamma_p": [(1e-3, 0.1), (50.0, 45.0), (1e3, 1.1e3)],
    "gamma_q": [(1e-3, 0.1), (50.0, 90.0), (1e3, 1.1e3)],
    "inc_beta": [(0.5, 2.0, 0.3), (20.0, 30.0, 0.4), (1e3, 2e3, 0.33), (3.0, 0.1, 0.999)],
    "inv_inc_beta": [(0.5, 2.0, 0.3), (20.0, 30.0, 0.4), (2.0, 3.0, 1e-8)],
    "log_modified_bessel_first_kind": [
        (0.0, 1e-3), (0.5, 49.0), (3.0, 60.0), (14.0, 51.0), (16.0, 51.0), (200.0, 80.0),
        (30.0, 1e4), (1.0, 1e6), (100.0, 3.0),
    ],  # fmt: skip
    "bessel_first_kind": [(0, 0.0), (0, 1.0), (1, 30.0), (5, 2.0), (20, 1.0), (3, 250.0), (2, 1e3), (1, -2.0)],
    "bessel_second_kind": [(0, 0.1), (0, 1.0), (1, 30.0), (5, 2.0), (20, 10.0), (3, 250.0), (2, 1e3), (3, 1e-3)],
    "modified_bessel_first_kind": [(0, 0.0), (0, 1.0), (1, 30.0), (5, 2.0), (20, 1.0), (3, 250.0), (1, -2.0)],
    "modified_bessel_second_kind": [(0, 0.1), (0, 1.0), (1, 30.0), (5, 2.0), (20, 10.0), (3, 250.0), (2, 1e-6)],
    "lmgamma": [(1, 2.5), (2, 0.7), (5, 11.0)],
    "ldexp": [(0.3, 4), (1.7, -20), (-2.0, 0)],
    "choose": [(5, 2), (30, 15), (7, 0), (7, 7), (3, 5)],
    "rising_factorial": [(2.5, 3), (-3.0, 2), (0.5, 0), (4.0, 10)],
    "falling_factorial": [(2.5, 3), (-3.0, 2), (0.5, 0), (4.0, 10)],
    "log_rising_factorial": [(2.5, 3.0), (10.0, 0.5)],
    "log_falling_factorial": [(5.5, 3.0), (10.0, 0.5)],
    "lmultiply": [(0.0, 0.0), (0.0, 2.0), (3.0, 1e-10)],
    "fmod": [(5.3, 2.0), (-5.3, 2.0), (5.3, -2.0)],
    "fma": [(1.5, 2.0, -0.3)],
    "binary_log_loss": [(1, 0.3), (0, 0.3)],
    "log_mix": [(0.3, -1.0, -2.0), (0.0, -1.0, -900.0), (1.0, -1.0, 3.0)],
    "modulus": [(7, 3), (-7, 3), (7, -3), (-7, -3)],
    "divide": [(7, 3), (-7, 3), (7, -3), (-7, -3)],
    "pow": [(2, -1), (0, 0), (3, 5)],
    "linspaced_int_array": [(5, 1, 9), (3, 1, 6), (7, 1, 3), (1, 2, 5), (4, -3, 3)],
    "linspaced_array": [(1, 0.5, 2.5), (4, 0.5, 2.5)],
    "linspaced_vector": [(1, 0.5, 2.5), (4, 0.5, 2.5)],
    "linspaced_row_vector": [(4, 0.5, 2.5)],
    "one_hot_array": [(4, 2)], "one_hot_vector": [(4, 4)], "one_hot_row_vector": [(4, 1)],
    "one_hot_int_array": [(4, 2)],
}  # fmt: skip

# Length scales of each coordinate: stanli takes the first for all. Negative arguments are outside of the domain.
WRONG = re.compile(r"gp_\w+\(.*real, array\[\] real\)|beta\(.*-1.5|digamma\(real\)\(0.0,")

SPD = [[2.0, 0.5, 0.3], [0.5, 1.5, -0.2], [0.3, -0.2, 1.0]]
LOWER = [[1.2, 0.0, 0.0], [0.4, 0.9, 0.0], [-0.3, 0.5, 1.5]]
GENERAL = [[1.3, -0.4, 0.2], [0.7, 0.5, -1.1], [-0.6, 0.8, 2.1]]
TALL = [[1.3, -0.4], [0.7, 0.5], [-0.6, 0.8]]
CSR = [[0.0, 1.5, 0.0], [0.0, 0.0, 0.0], [2.5, 0.0, -1.0]]
SYMMETRIC = re.compile(r"_spd|_sym$|cholesky|trace_gen|hmm")
TRIANGULAR = re.compile(r"tri_low|chol2inv|lower_tri_self")
# whole argument lists for names whose integers are sizes and positions; as many as the signature has are taken
TAILS = {
    "head": [2], "tail": [2], "segment": [2, 2], "block": [1, 2, 2, 1], "row": [2], "col": [3],
    "sub_row": [2, 1, 2], "sub_col": [2, 1, 2], "rep_array": [2, 3, 2], "rep_vector": [3], "rep_row_vector": [3],
    "rep_matrix": [2, 3], "matrix_power": [3], "rank": [2], "symmetrize_from_lower_tri": [],
}  # fmt: skip
VECTOR = [0.3, 0.8, 0.45]


def signatures():
    """Name, types of the arguments and type of the result of every plain signature."""
    stanc = Path(find_spec("httpstan").origin).with_name("stanc")
    text = subprocess.run([stanc, "--dump-stan-math-signatures"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        match = re.fullmatch(rf"(\w+)\(((?:{PLAIN}(?:, )?)*)\) => ({PLAIN})", line)
        if match and not match[1].endswith(SUFFIXES):
            yield match[1], tuple(filter(None, match[2].split(", "))), match[3]


def container(name, type_, place):
    """A value of the type for the argument at a place."""
    shift = 0.05 * place
    if name == "to_matrix" and type_ in ("vector", "row_vector", "array[] real", "matrix", "array[] int"):
        values = [[1, 2, 3], [4, 5, 6]] if type_ == "matrix" else [1, 2, 3, 4, 5, 6]
        return values if type_.endswith("int") else (np.asarray(values) / 2).tolist()
    if type_ == "matrix":
        if name == "generalized_inverse" or name.startswith(("qr", "svd", "singular")):
            return TALL
        if name.startswith("csr"):
            return CSR
        if TRIANGULAR.search(name) and place == (1 if "right" in name else 0):
            return LOWER
        if SYMMETRIC.search(name) and place == (1 if "right" in name else 0):
            return SPD
        return (np.asarray(GENERAL) + shift).tolist()
    return {
        "int": 2, "real": 0.4 + shift, "vector": VECTOR, "row_vector": [0.35, 0.2, 0.9],
        "array[] int": [3, 1, 2], "array[] real": [0.6, 0.15, 0.85],
        "array[] vector": [[0.3, 0.8, 0.5], [0.1, 0.9, 0.4]],
        "array[] row_vector": [[0.2, 0.7, 0.5], [0.15, 0.95, 0.4]], "array[] matrix": [GENERAL, SPD],
        "array[,] int": [[1, 2, 3], [4, 5, 6]], "array[,] real": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],
        "array[,] vector": [[VECTOR, VECTOR]], "array[,] row_vector": [[VECTOR, VECTOR]],
        "array[,] matrix": [[GENERAL]],
    }[type_]  # fmt: skip


def argument_lists(name, types, vectorised):
    """What a signature is called with."""
    scalar = all(type_ in ("int", "real") for type_ in types)
    if not types:
        yield ()
    elif name in POINTS and scalar:
        points = [point if isinstance(point, tuple) else (point,) for point in POINTS[name]]
        if vectorised:
            points += [(x,) for x in UNARY] if len(types) == 1 else BINARY if types == ("real", "real") else []
        yield from (point for point in points if len(point) == len(types) and fits(point, types))
    elif scalar and vectorised and "int" not in types and len(types) < 3:
        yield from ((x,) for x in UNARY) if len(types) == 1 else iter(BINARY)
    elif name == "csr_matrix_times_vector":
        yield 3, 3, [1.5, 2.5, -1.0], [2, 1, 3], [1, 2, 2, 4], VECTOR
    elif name == "csr_to_dense_matrix":
        yield 3, 3, [1.5, 2.5, -1.0], [2, 1, 3], [1, 2, 2, 4]
    elif name == "to_matrix" and len(types) > 1:
        for column_major in (0, 1) if len(types) == 4 else (1,):
            yield container(name, types[0], 0), 3, 2, *([column_major] if len(types) == 4 else [])
    elif name in TAILS and types[1:].count("int") == len(types) - 1:
        yield container(name, types[0], 0), *TAILS[name][: len(types) - 1]
    elif name == "hmm_marginal" or name == "hmm_hidden_state_prob":
        yield [[-1.0, -0.5, -2.0, -0.3], [-0.2, -1.5, -0.7, -1.1]], [[0.8, 0.2], [0.3, 0.7]], [0.6, 0.4]
    else:
        yield tuple(container(name, type_, place) for place, type_ in enumerate(types))


def fits(point, types):
    return all(isinstance(x, int) == (type_ == "int") for x, type_ in zip(point, types, strict=True))


def chosen(overloads):
    """All overloads of a name, or of a vectorised one the scalar ones and a few with containers."""
    flat = [each for each in overloads if not any("[," in type_ for type_ in each[0])]
    if len(overloads) <= 12 or overloads[0][2] in ("append_array", "reverse", "head", "tail", "segment"):
        return (flat if len(flat) > 1 else overloads)[:12], False
    if overloads[0][2] in ("size", "num_elements", "dims", "rep_array", "to_array_1d", "to_matrix", "log_mix"):
        return overloads[:24], False
    scalars = [each for each in flat if all(type_ in ("int", "real") for type_ in each[0])]
    vectors = [each for each in flat if "vector" in each[0] and each not in scalars][:1]
    return scalars + vectors, True


def evaluate(name, types, result, lists):
    """Cases of one signature, by a function of the language that calls it."""
    import stanli

    formals = ", ".join(f"data {type_} a{place}" for place, type_ in enumerate(types))
    actuals = ", ".join(f"a{place}" for place in range(len(types)))
    code = f"functions {{ {result} wrapped({formals}) {{ return {name}({actuals}); }} }}"
    function = stanli.Function("wrapped", stan_code=code)
    cases = []
    for arguments in lists:
        values = {
            f"a{place}": np.asarray(x, dtype=np.int32) if "int" in type_ and not isinstance(x, int) else x
            for place, (x, type_) in enumerate(zip(arguments, types, strict=True))
        }
        if WRONG.match(f"{name}({', '.join(types)}){arguments}"):
            continue
        try:
            value = function(**values)
        except (RuntimeError, ValueError) as error:
            sys.stderr.write(f"{name}{types}{arguments}: {str(error)[:90]}\n")
            continue
        cases.append({"name": name, "types": types, "arguments": arguments, "value": np.asarray(value).tolist()})
    return cases


def work(task, connection):
    connection.send(evaluate(*task))


def guarded(task):
    """Cases of a task from a process of its own; none if it dies."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(task, sender))
    process.start()
    sender.close()
    try:
        cases = receiver.recv()
    except EOFError:
        sys.stderr.write(f"no result: {task[0]}{task[1]}\n")
        cases = []
    process.join()
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    overloads = {}
    for name, types, result in signatures():
        overloads.setdefault(name, []).append((types, result, name))
    cases = []
    for each in overloads.values():
        subset, vectorised = chosen(each)
        for types, result, name in subset:
            cases += guarded((name, types, result, list(argument_lists(name, types, vectorised))))
    lines = ",\n".join(json.dumps(case) for case in cases)
    OUTPUT.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
