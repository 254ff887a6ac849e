"""Write transform_references.json: log densities and gradients of Stan's transforms at random free values.

Run with stanli installed (the file in the repository: stanli 0.24.0); it lacks the stochastic matrices.

    python tests/stan/library/transforms/make_transform_references.py

The density is the Jacobian times `exp(sum(weights .* value))`, so that it shows every element and the order of the
free values.
"""

import json
from pathlib import Path

import numpy as np


DECLARATIONS = [
    "ordered[4]",
    "positive_ordered[4]",
    "simplex[4]",
    "sum_to_zero_vector[4]",
    "unit_vector[4]",
    "cholesky_factor_cov[3]",
    "cholesky_factor_cov[4, 2]",
    "cov_matrix[3]",
    "cholesky_factor_corr[4]",
    "corr_matrix[4]",
    "sum_to_zero_matrix[3, 4]",
    "vector<lower=-1.5>[2]",
    "vector<upper=0.5>[2]",
    "vector<lower=-1, upper=2>[2]",
    "vector<offset=0.3, multiplier=2.5>[2]",
    "vector<lower=lows, upper=highs>[4]",
]
SQUARE = ("cholesky", "corr", "cov", "sum_to_zero_matrix")


def main():
    import stanli

    generator = np.random.default_rng(1)
    lines = []
    for declaration in DECLARATIONS:
        sizes = [int(size) for size in declaration.rpartition("[")[2][:-1].split(", ")]
        if declaration.startswith(SQUARE) and len(sizes) == 1:
            sizes *= 2
        weights = generator.normal(size=sizes)
        container = f"{'vector' if len(sizes) == 1 else 'matrix'}[{', '.join(map(str, sizes))}]"
        code = f"""
            data {{ {container} weights; vector[4] lows; vector[4] highs; }}
            parameters {{ {declaration} x; }}
            model {{ target += sum(weights .* x); }}"""
        inf = float("inf")
        data = {"weights": weights.tolist(), "lows": [-inf, 0.5, -inf, -1.0], "highs": [inf, inf, 2.0, 3.0]}
        model = stanli.Model(stan_code=code, data=data)
        free = generator.normal(size=model.n_unconstrained)
        log_density, gradient = model.log_prob_grad(free)
        case = {
            "declaration": declaration,
            "free": free.tolist(),
            "weights": weights.tolist(),
            "log_density": log_density,
            "gradient": gradient.tolist(),
        }
        lines.append(json.dumps(case))
    Path(__file__).with_name("transform_references.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
