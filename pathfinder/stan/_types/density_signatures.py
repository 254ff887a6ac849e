"""Signatures of densities, mass functions, cumulative distribution functions and random number generators.

Source: `stanc --dump-stan-math-signatures` of Stan 2.35, and stanc 2.40's own messages for what came after it.
"""

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from pathfinder.stan._types.signature import GROUPS, Signature, row, rows


class _Family(NamedTuple):
    """Distributions with equal signatures: outcome and parameters, and which functions exist beside the density."""

    names: str
    arguments: str
    also: tuple[str, ...] = ("cdf", "lcdf", "lccdf", "rng")


_CUMULATIVE = ("cdf", "lcdf", "lccdf")

_DENSITIES = (
    _Family(
        "beta cauchy double_exponential frechet gamma gumbel inv_gamma logistic lognormal normal pareto "
        "scaled_inv_chi_square uniform von_mises weibull",
        "reals, reals, reals",
    ),
    _Family("loglogistic", "reals, reals, reals", ("cdf", "rng")),
    _Family("exp_mod_normal pareto_type_2 skew_double_exponential skew_normal student_t", "reals, reals, reals, reals"),
    _Family("chi_square exponential inv_chi_square rayleigh", "reals, reals"),
    _Family("std_normal", "reals", _CUMULATIVE),
    _Family("beta_proportion", "reals, reals, numbers", ("lcdf", "lccdf")),
    _Family("wiener", "reals, reals, reals, reals, reals", ()),
    _Family("wishart wishart_cholesky inv_wishart inv_wishart_cholesky", "matrix, real, matrix", ()),
    _Family("lkj_corr lkj_corr_cholesky", "matrix, real", ()),
    _Family("lkj_cov", "matrix, vector, vector, real", ()),
    _Family("dirichlet", "vectors, vectors", ()),
    _Family("multi_normal multi_normal_cholesky multi_normal_prec", "vectors, vectors, matrix", ()),
    _Family("multi_student_t multi_student_t_cholesky", "vectors, real, vectors, matrix", ()),
    _Family("multi_gp multi_gp_cholesky", "matrix, matrix, vector", ()),
    _Family("gaussian_dlm_obs", "matrix, matrix, matrix, matrix | vector, matrix, vector, matrix", ()),
)
_MASSES = (
    _Family("bernoulli poisson", "ints, reals"),
    _Family("bernoulli_logit poisson_log", "ints, reals", ("rng",)),
    _Family("yule_simon", "ints, reals"),
    _Family("binomial", "ints, ints, reals"),
    _Family("binomial_logit", "ints, ints, reals", ()),
    _Family("neg_binomial neg_binomial_2", "ints, reals, reals"),
    _Family("neg_binomial_2_log", "ints, reals, reals", ("rng",)),
    _Family("beta_binomial", "ints, ints, reals, reals"),
    _Family("beta_neg_binomial", "ints, reals, reals, reals"),
    _Family("discrete_range", "ints, ints, ints"),
    _Family("hypergeometric", "int, int, int, int", ("rng",)),
    _Family("poisson_binomial", "ints, containers", _CUMULATIVE),
    _Family("categorical categorical_logit", "ints, vector", ()),
    _Family("dirichlet_multinomial multinomial multinomial_logit", "array[] int, vector", ()),
    _Family("categorical_logit_glm", "ints, matrix | row_vector, vector, matrix", ()),
    _Family("ordered_logistic_glm", "ints, matrix | row_vector, vector, vector", ()),
)

# What the families do not say, and what of their argument combinations is missing in Stan.
_EXPLICIT = {
    "wiener_lpdf": """
        (real, real, real, real, real, real) => real
        (real, real, real, real, real, real, data real) => real
        (real, real, real, real, real, real, real, real) => real
        (real, real, real, real, real, real, real, real, data real) => real
        (vector, vector, vector, vector, vector, vector) => real
        (vector, vector, vector, vector, vector, vector, data real) => real
        (vector, vector, vector, vector, vector, vector, vector, vector) => real
        (vector, vector, vector, vector, vector, vector, vector, vector, data real) => real""",
    "wiener_lcdf_unnorm wiener_lccdf_unnorm": """
        (real, real, real, real, real) => real
        (real, real, real, real, real, data real) => real
        (real, real, real, real, real, real, real, real) => real
        (real, real, real, real, real, real, real, real, data real) => real
        (vector, vector, vector, vector, vector) => real
        (vector, vector, vector, vector, vector, data real) => real
        (vector, vector, vector, vector, vector, vector, vector, vector) => real
        (vector, vector, vector, vector, vector, vector, vector, vector, data real) => real""",
    "ordered_logistic_lpmf": """
        (int, real, vector) => real
        (array[] int, vector, vector | array[] vector) => real""",
    "ordered_probit_lpmf": """
        (int, real, vector) => real
        (array[] int, real | vector, vector | array[] vector) => real""",
    "bernoulli_logit_glm_lpmf poisson_log_glm_lpmf": """
        (ints, matrix, real | vector, vector) => real
        (array[] int, row_vector, real | vector, vector) => real""",
    "neg_binomial_2_log_glm_lpmf": """
        (ints, matrix, real | vector, vector, real) => real
        (array[] int, row_vector, real | vector, vector, real) => real""",
    "binomial_logit_glm_lpmf": """
        (ints, ints, matrix, real, vector) => real
        (int, int, matrix, vector, vector) => real
        (array[] int, array[] int, matrix, vector, vector) => real
        (array[] int, array[] int, row_vector, real | vector, vector) => real""",
    "normal_id_glm_lpdf": """
        (real, matrix, real | vector, vector, real | vector) => real
        (vector, matrix | row_vector, real | vector, vector, real | vector) => real""",
    "std_normal_rng": "() => real",
    "poisson_binomial_rng": "(containers) => int",
    "bernoulli_logit_glm_rng": "(matrix | row_vector, vector, vector) => array[] int",
    "categorical_rng categorical_logit_rng": "(vector) => int",
    "ordered_logistic_rng ordered_probit_rng": "(real, vector) => int",
    "dirichlet_rng": "(vector) => vector",
    "dirichlet_multinomial_rng multinomial_rng multinomial_logit_rng": "(vector, int) => array[] int",
    "hmm_latent_rng": "(matrix, matrix, vector) => array[] int",
    "lkj_corr_rng lkj_corr_cholesky_rng": "(int, real) => matrix",
    "wishart_rng wishart_cholesky_rng inv_wishart_rng inv_wishart_cholesky_rng": "(real, matrix) => matrix",
    "multi_normal_rng multi_normal_cholesky_rng": """
        (vector | row_vector, matrix) => vector
        (array[] vector | array[] row_vector, matrix) => array[] vector""",
    "multi_student_t_rng multi_student_t_cholesky_rng": """
        (real, vector | row_vector, matrix) => vector
        (real, array[] vector | array[] row_vector, matrix) => array[] vector""",
}
_RANDOM_NUMBERS_OF_REALS = {"beta_proportion": "reals, numbers"}  # the others take integers everywhere


def density_signatures() -> Mapping[str, tuple[str, ...]]:
    """For each function its rows; where it draws random numbers from scalars or containers, `rng ` and the row."""
    found: dict[str, list[str]] = {}
    for suffix, families in (("lpdf", _DENSITIES), ("lpmf", _MASSES)):
        outcome = "int" if suffix == "lpmf" else "real"
        for family in families:
            for name in family.names.split():
                for kind in (suffix, *family.also):
                    text = f"({family.arguments}) => real"
                    if kind == "rng":
                        parameters = family.arguments.partition(", ")[2].replace("reals", "numbers")
                        text = f"rng ({parameters}) => {outcome}"
                    found.setdefault(f"{name}_{kind}", []).append(text)
    for name, parameters in _RANDOM_NUMBERS_OF_REALS.items():
        found.setdefault(f"{name}_rng", []).append(f"rng ({parameters}) => real")
    for names, text in _EXPLICIT.items():
        for name in names.split():
            found.setdefault(name, []).append(text)
    return {name: tuple(texts) for name, texts in found.items()}


def expand_density(texts: tuple[str, ...]) -> tuple[Signature, ...]:
    """Signatures from what `density_signatures` says about a function."""
    return tuple(
        signature
        for text in texts
        for signature in (_random_numbers(text[4:]) if text.startswith("rng ") else rows(text))
    )


def _random_numbers(text: str) -> tuple[Signature, ...]:
    """One number if every parameter is a scalar, else an array."""
    parameters, result = text[1:].split(") => ")
    scalars, containers = [], []
    for group in parameters.split(", "):
        types = GROUPS.get(group, group).split(" | ")
        scalars.append(" | ".join(kind for kind in types if kind in ("int", "real")))
        containers.append(" | ".join(kind for kind in types if kind not in ("int", "real")))
    choices = [chosen for chosen in product(*zip(scalars, containers, strict=True)) if all(chosen)]
    return tuple(
        row(f"({', '.join(chosen)}) => {result if list(chosen) == scalars else f'array[] {result}'}")
        for chosen in choices
    )
