"""What Stan demands of the arguments of samplers (`normal_rng`): of each, and of several together.

A density of such arguments is NaN; a sampler would return a number like any other. Source: the checks in
`stan/math/prim/prob/*_rng.hpp`.
"""

from __future__ import annotations

import math

from pathfinder.stan._demands.demand import (
    DEFINITE,
    FACTOR,
    FINITE,
    INNER,
    NOT_NEGATIVE,
    ORDERED,
    POSITIVE,
    PROBABILITY,
    SIMPLEX,
    SIMPLEX_ROWS,
    Check,
    Demand,
)


_MAX_LOG_RATE = 30 * math.log(2)  # of Poisson counts that Stan's integers hold
_RATE = Demand("zero or more, and less than 2^30", lambda xp, a: (a >= 0) & (a < 2.0**30))
_LOG_RATE = Demand("finite, and less than 30 log 2", lambda xp, a: xp.isfinite(a) & (a < _MAX_LOG_RATE))


def _of_sampler(line: str) -> tuple[Check, ...]:
    """Checks of the arguments of a sampler, one word for each: `name:demand`, or `name` if nothing is demanded."""
    words = [word.partition(":") for word in line.split()]
    return tuple(
        Check(position, f"`{name}`", _DEMANDS[demand]) for position, (name, _, demand) in enumerate(words) if demand
    )


_DEMANDS = {
    "finite": FINITE,
    "positive": POSITIVE,
    "counts": NOT_NEGATIVE,
    "probability": PROBABILITY,
    "inner": INNER,
    "ordered": ORDERED,
    "simplex": SIMPLEX,
    "rows": SIMPLEX_ROWS,
    "rate": _RATE,
    "log_rate": _LOG_RATE,
    "definite": DEFINITE,
    "factor": FACTOR,
}
_LOCATION = "mu:finite sigma:positive"
_SHAPES = "alpha:positive beta:positive"
_CUTS = "eta:finite c:ordered"
SAMPLER_CHECKS = {
    name: _of_sampler(line)
    for name, line in {
        **dict.fromkeys(("normal", "lognormal", "cauchy", "double_exponential", "logistic", "gumbel"), _LOCATION),
        **dict.fromkeys(("beta", "gamma", "inv_gamma", "loglogistic", "neg_binomial"), _SHAPES),
        **dict.fromkeys(("weibull", "frechet"), "alpha:positive sigma:positive"),
        **dict.fromkeys(("chi_square", "inv_chi_square"), "nu:positive"),
        **dict.fromkeys(("ordered_logistic", "ordered_probit"), _CUTS),
        "skew_normal": "xi:finite omega:positive alpha:finite",
        "exp_mod_normal": f"{_LOCATION} lambda:positive",
        "skew_double_exponential": f"{_LOCATION} tau:probability",
        "student_t": f"nu:positive {_LOCATION}",
        "scaled_inv_chi_square": "nu:positive s:positive",
        "exponential": "beta:positive",
        "rayleigh": "sigma:positive",
        "pareto": "y_min:positive alpha:positive",
        "pareto_type_2": "mu:finite lambda:positive alpha:positive",
        "beta_proportion": "mu:inner kappa:positive",
        "uniform": "alpha:finite beta:finite",
        "von_mises": "mu:finite kappa:counts",
        "bernoulli": "theta:probability",
        "bernoulli_logit": "alpha:finite",
        "bernoulli_logit_glm": "x:finite alpha:finite beta:finite",
        "binomial": "N:counts theta:probability",
        "beta_binomial": f"N:counts {_SHAPES}",
        "hypergeometric": "N:counts a:counts b:counts",
        "poisson": "lambda:rate",
        "poisson_log": "alpha:log_rate",
        "poisson_binomial": "theta:probability",
        "neg_binomial_2": "mu:positive phi:positive",
        "neg_binomial_2_log": "eta:finite phi:positive",
        "beta_neg_binomial": f"r:positive {_SHAPES}",
        "yule_simon": "alpha:positive",
        "categorical": "theta:simplex",
        "categorical_logit": "beta:finite",
        "multinomial": "theta:simplex N:counts",
        "multinomial_logit": "gamma:finite N:counts",
        "dirichlet": "alpha:positive",
        "dirichlet_multinomial": "alpha:positive N:counts",
        "multi_normal": "mu:finite Sigma:definite",
        "multi_normal_prec": "mu:finite Omega:definite",
        "multi_normal_cholesky": "mu:finite L",
        "multi_student_t": "nu:positive mu:finite Sigma:definite",
        "multi_student_t_cholesky": "nu:positive mu:finite L:factor",
        "wishart": "nu:positive Sigma:definite",
        "inv_wishart": "nu:positive Sigma:definite",
        "wishart_cholesky": "nu:positive L_S:factor",
        "inv_wishart_cholesky": "nu:positive L_S:factor",
        "lkj_corr": "K eta:positive",
        "lkj_corr_cholesky": "K eta:positive",
        "hmm_latent": "log_omega Gamma:rows rho:simplex",
    }.items()
}
SAMPLER_RELATIONS = {  # of the arguments of samplers to each other
    "uniform": Demand("`alpha` less than `beta`", lambda xp, a, b: a < b),
    "discrete_range": Demand("`l` not more than `u`", lambda xp, low, high: low <= high),
    "hypergeometric": Demand("`N` not more than `a + b`", lambda xp, draws, a, b: draws <= a + b),
    "wishart": Demand("`nu` more than the rows of `Sigma` less 1", lambda xp, nu, s: nu > s.shape[-1] - 1),
    "inv_wishart": Demand("`nu` more than the rows of `Sigma` less 1", lambda xp, nu, s: nu > s.shape[-1] - 1),
    "wishart_cholesky": Demand("`nu` more than the rows of `L_S` less 1", lambda xp, nu, s: nu > s.shape[-1] - 1),
    "inv_wishart_cholesky": Demand("`nu` more than the rows of `L_S` less 1", lambda xp, nu, s: nu > s.shape[-1] - 1),
}
