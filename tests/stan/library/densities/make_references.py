"""Writes references.json: values and gradients of Stan's own kernels for every scalar distribution.

Run with `stanli` (0.24, which bundles stanc 2.39 and the kernels of Stan Math) installed:
`python tests/stan/library/densities/make_references.py`. Each case is a list of arguments, outcome first,
integers being integers; the gradient is in the real ones.
"""

import json
import multiprocessing
from pathlib import Path

import numpy as np


# name: (outcome is an integer, functions, cases)
TAILS = ("lcdf", "lccdf")
CASES = {
    "std_normal": (TAILS, [(0.3,), (-2.5,), (7.0,), (-30.0,)]),
    "normal": (TAILS, [(0.3, 1.2, 0.7), (-2.5, 4.0, 2.0), (40.0, 1.0, 1.5), (-70.0, 3.0, 2.0)]),
    "lognormal": (TAILS, [(0.3, 1.2, 0.7), (25.0, 1.0, 2.0), (1e-8, 0.5, 1.5)]),
    "skew_normal": (TAILS, [(0.3, 1.2, 0.7, 2.0), (2.5, 1.0, 2.0, -3.0), (-0.5, 0.0, 1.0, 0.4)]),
    "exp_mod_normal": (TAILS, [(0.3, 1.2, 0.7, 2.0), (2.5, 1.0, 2.0, 0.3), (-1.5, 0.0, 1.0, 1.4)]),
    "cauchy": (TAILS, [(0.3, 1.2, 0.7), (-2.5, 4.0, 2.0), (400.0, 1.0, 1.5)]),
    "student_t": (TAILS, [(0.3, 4.0, 1.2, 0.7), (-2.5, 1.5, 4.0, 2.0), (3.0, 25.0, 1.0, 1.5), (9.0, 0.7, 0.0, 1.0)]),
    "double_exponential": (TAILS, [(0.3, 1.2, 0.7), (2.5, -4.0, 2.0), (50.0, 1.0, 1.5)]),
    "skew_double_exponential": (TAILS, [(0.3, 1.2, 0.7, 0.3), (2.5, -4.0, 2.0, 0.8), (5.0, 1.0, 1.5, 0.5)]),
    "logistic": (TAILS, [(0.3, 1.2, 0.7), (-2.5, 4.0, 2.0), (4.0, 1.0, 1.5)]),
    "gumbel": (TAILS, [(0.3, 1.2, 0.7), (-2.5, 4.0, 2.0), (4.0, 1.0, 1.5)]),
    "exponential": (TAILS, [(0.3, 1.2), (5.0, 0.1), (0.01, 3.0)]),
    "weibull": (TAILS, [(0.3, 1.2, 0.7), (2.5, 4.0, 2.0), (0.05, 0.6, 1.5)]),
    "frechet": (TAILS, [(0.3, 1.2, 0.7), (2.5, 4.0, 2.0), (3.0, 0.6, 1.5)]),
    "rayleigh": (TAILS, [(0.3, 1.2), (5.0, 2.1), (0.01, 3.0)]),
    "loglogistic": ((), [(0.3, 1.2, 0.7), (2.5, 4.0, 2.0), (3.0, 0.6, 1.5)]),
    "gamma": (TAILS, [(0.3, 1.2, 0.7), (2.5, 4.0, 2.0), (20.0, 17.0, 0.6), (0.2, 0.3, 1.5)]),
    "inv_gamma": (TAILS, [(0.3, 1.2, 0.7), (2.5, 4.0, 2.0), (0.1, 7.0, 0.6), (2.2, 0.3, 1.5)]),
    "chi_square": (TAILS, [(0.3, 1.2), (5.0, 7.1), (30.0, 33.0)]),
    "inv_chi_square": (TAILS, [(0.3, 1.2), (0.5, 7.1), (0.03, 33.0)]),
    "scaled_inv_chi_square": (TAILS, [(0.3, 1.2, 0.4), (0.5, 7.1, 2.0), (1.3, 33.0, 1.1)]),
    "pareto": (TAILS, [(1.3, 1.2, 0.7), (5.0, 0.4, 2.0)]),
    "pareto_type_2": (TAILS, [(1.3, 1.2, 0.7, 2.0), (5.0, -0.4, 2.0, 0.6)]),
    "beta": (TAILS, [(0.3, 1.2, 0.7), (0.8, 4.0, 2.0), (0.5, 30.0, 40.0), (0.02, 0.2, 0.4)]),
    "beta_proportion": (TAILS, [(0.3, 0.2, 0.7), (0.8, 0.6, 12.0)]),
    "uniform": (TAILS, [(0.3, -1.2, 0.7), (2.8, 2.0, 6.0)]),
    "von_mises": (TAILS, [(0.3, 1.2, 0.7), (-2.8, 0.5, 4.0), (2.5, -1.0, 2.0)]),
    "wiener": ((), [(0.9, 1.3, 0.2, 0.4, 0.7), (2.5, 1.1, 0.1, 0.6, -0.5), (0.25, 2.0, 0.15, 0.3, 1.0)]),
    "bernoulli": (TAILS, [(0, 0.3), (1, 0.8)]),
    "bernoulli_logit": ((), [(0, 0.3), (1, 1.8), (1, -50.0), (0, 45.0)]),
    "binomial": (TAILS, [(3, 10, 0.3), (0, 5, 0.2), (17, 20, 0.9), (30, 100, 0.25)]),
    "binomial_logit": ((), [(3, 10, 0.3), (0, 5, -2.0), (17, 20, 60.0), (3, 9, -80.0)]),
    "beta_binomial": (TAILS, [(3, 10, 0.7, 1.4), (0, 5, 2.0, 3.0), (17, 20, 9.0, 1.5)]),
    "hypergeometric": ((), [(3, 10, 8, 20), (0, 4, 3, 9)]),
    "discrete_range": ((), [(3, 1, 7), (2, 2, 5)]),
    "poisson": (TAILS, [(3, 2.5), (0, 0.7), (40, 33.0)]),
    "poisson_log": ((), [(3, 1.1), (0, -20.0), (40, 3.3), (2, -300.0)]),
    "neg_binomial": (TAILS, [(3, 2.5, 1.3), (0, 0.7, 0.2), (40, 12.0, 0.3)]),
    "neg_binomial_2": (TAILS, [(3, 2.5, 1.3), (0, 0.7, 0.2), (40, 32.0, 7.0)]),
    "neg_binomial_2_log": ((), [(3, 1.1, 1.3), (0, -0.7, 0.2), (2, -800.0, 7.0), (40, 3.3, 100.0)]),
}
DISCRETE = set(list(CASES)[list(CASES).index("bernoulli") :])
# There Stan itself is inaccurate or raises: mpmath decides, in the tests.
LEFT_OUT = {("bernoulli", "lccdf", 1)}


def program(name, function, case):
    """A Stan program whose target is one call, reals as unconstrained parameters."""
    arguments, data, num_reals = [], {}, 0
    for i, value in enumerate(case):
        if isinstance(value, int):
            data[f"n{i}"] = value
            arguments.append(f"n{i}")
        else:
            num_reals += 1
            arguments.append(f"p[{num_reals}]")
    if function == "density":
        function = "lpmf" if name in DISCRETE else "lpdf"
    bar = " | " if len(arguments) > 1 else " | " if name == "std_normal" else ""
    code = (
        "data {" + "".join(f"int {n};" for n in data) + "}\n"
        f"parameters {{ vector[{num_reals}] p; }}\n"
        f"model {{ target += {name}_{function}({arguments[0]}{bar}{', '.join(arguments[1:])}); }}"
    )
    return code, data, [v for v in case if not isinstance(v, int)]


def evaluate(job):
    import stanli

    name, function, index = job
    case = CASES[name][1][index]
    code, data, reals = program(name, function, case)
    try:
        value, gradient = stanli.Model(stan_code=code, data=data).log_prob_grad(np.array(reals))
    except RuntimeError as error:
        return {"name": name, "function": function, "arguments": case, "error": str(error)}
    return {"name": name, "function": function, "arguments": case, "value": value, "gradient": list(gradient)}


def main():
    jobs = [
        (name, function, index)
        for name, (tails, cases) in CASES.items()
        for function in ("density", *tails)
        for index in range(len(cases))
        if (name, function, index) not in LEFT_OUT
    ]
    # A crash of the interpreter takes one worker, not the run.
    with multiprocessing.Pool(1, maxtasksperchild=200) as pool:
        results = pool.map(evaluate, jobs, chunksize=20)
    text = ",\n".join(json.dumps(result) for result in results)
    Path(__file__).with_name("references.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
