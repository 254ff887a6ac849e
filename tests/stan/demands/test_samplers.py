"""Samplers refuse what Stan's refuse: an error in transformed data, a draw that is rejected in generated quantities."""

import jax
import numpy as np
import pytest

from pathfinder import Model
from pathfinder.stan import StanError


REFUSED = {  # a call, and what the error names; the results would be numbers like any other
    "normal_rng(0, -1)": "`sigma` (argument 2) has to be positive and finite, but is -1",
    "normal_rng(positive_infinity(), 1)": "`mu` (argument 1) has to be finite",
    "normal_rng([0, 0]', [1, 0]')": "`sigma` (argument 2) has to be positive and finite, but element [2] is 0",
    "lognormal_rng(0, 0)": "`sigma`",
    "cauchy_rng(0, -1)": "`sigma`",
    "double_exponential_rng(0, -1)": "`sigma`",
    "logistic_rng(0, -1)": "`sigma`",
    "gumbel_rng(0, -1)": "`sigma`",
    "skew_normal_rng(0, -1, 1)": "`omega`",
    "exp_mod_normal_rng(0, 1, -1)": "`lambda`",
    "skew_double_exponential_rng(0, 1, 2)": "`tau` (argument 3) has to be between 0 and 1",
    "student_t_rng(-1, 0, 1)": "`nu`",
    "beta_rng(-1, 1)": "`alpha`",
    "beta_proportion_rng(1.5, 1)": "`mu` (argument 1) has to be more than 0 and less than 1",
    "uniform_rng(2, 1)": "needs `alpha` less than `beta`, but is given 2, 1",
    "von_mises_rng(0, -1)": "`kappa`",
    "gamma_rng(-1, 1)": "`alpha`",
    "inv_gamma_rng(1, -1)": "`beta`",
    "chi_square_rng(-1)": "`nu`",
    "inv_chi_square_rng(-1)": "`nu`",
    "scaled_inv_chi_square_rng(1, -1)": "`s`",
    "exponential_rng(-1)": "`beta`",
    "weibull_rng(-1, 1)": "`alpha`",
    "frechet_rng(1, -1)": "`sigma`",
    "rayleigh_rng(-1)": "`sigma`",
    "loglogistic_rng(-1, 1)": "`alpha`",
    "pareto_rng(-1, 1)": "`y_min`",
    "pareto_type_2_rng(0, -1, 1)": "`lambda`",
    "bernoulli_rng(1.5)": "`theta` (argument 1) has to be between 0 and 1, but is 1.5",
    "bernoulli_logit_rng(positive_infinity())": "`alpha`",
    "binomial_rng(-1, 0.5)": "`N` (argument 1) has to be zero or more",
    "beta_binomial_rng(3, -1, 1)": "`alpha`",
    "hypergeometric_rng(5, 2, 2)": "needs `N` not more than `a + b`",
    "discrete_range_rng(3, 1)": "needs `l` not more than `u`, but is given 3, 1",
    "poisson_rng(-1)": "`lambda`",
    "poisson_log_rng(50)": "less than 30 log 2, but is 50",
    "poisson_binomial_rng([1.5, 0.2]')": "`theta`",
    "neg_binomial_rng(-1, 1)": "`alpha`",
    "neg_binomial_2_rng(1, -1)": "`phi`",
    "neg_binomial_2_log_rng(0, -1)": "`phi`",
    "beta_neg_binomial_rng(-1, 1, 1)": "`r`",
    "yule_simon_rng(-1)": "`alpha`",
    "categorical_rng([0.5, 0.6]')": "has to be a simplex (no element negative, sum 1), but its sum is 1.1",
    "categorical_rng([1.5, -0.5]')": "but element [2] is -0.5",
    "ordered_logistic_rng(0, [2, 1]')": "`c` (argument 2) has to be increasing and finite, but is [2., 1.]",
    "multinomial_rng([0.5, 0.6]', 3)": "`theta`",
    "multinomial_rng([0.5, 0.5]', -1)": "`N`",
    "dirichlet_rng([-1, 1]')": "`alpha` (argument 1) has to be positive and finite, but element [1] is -1",
    "dirichlet_multinomial_rng([-1, 1]', 3)": "`alpha`",
    "multi_normal_rng([0, 0]', [[1, 0.5], [0.4, 1]])": "element [1, 2] is 0.5 and element [2, 1] is 0.4",
    "multi_normal_rng([0, 0]', [[1, 2], [2, 1]])": "`Sigma` (argument 2) has to be symmetric and positive definite",
    "multi_student_t_cholesky_rng(3, [0, 0]', [[1, 2], [0, 1]])": "`L` (argument 3) has to be lower triangular",
    "wishart_rng(0.5, identity_matrix(3))": "needs `nu` more than the rows of `Sigma` less 1",
    "lkj_corr_rng(3, -1)": "`eta`",
    "hmm_latent_rng([[0, 0]], [[0.5]], [1]')": "`Gamma`",
}
DRAWN = """\
parameters { real x; }
model { x ~ normal(0, 1); }
generated quantities {
  real a = x;
  array[2] real y;
  for (n in 1:2) y[n] = normal_rng(n, x + n - 1);
  if (x > 0.5) a = uniform_rng(1, x);
}
"""


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(("call", "words"), REFUSED.items())
def test_transformed_data_of_refused_arguments_are_an_error(call, words):
    program = f"transformed data {{\n  int n = num_elements({{ {call} }});\n}}\nparameters {{ real x; }} model {{ }}"
    with pytest.raises(StanError) as caught:
        Model.from_stan(program, {})
    assert words in str(caught.value)
    assert "line 2, column " in str(caught.value)


def test_a_draw_whose_samplers_refuse_is_rejected():
    model = Model.from_stan(DRAWN, {})
    generated = {x: model.generate_fn(jax.random.key(0), np.array([x]), model.data) for x in (0.3, -0.3, 0.7, 1.5)}
    leaves = {x: np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for x, tree in generated.items()}
    assert np.isfinite(leaves[0.3]).all()
    assert np.isfinite(leaves[1.5]).all()
    assert np.isnan(leaves[-0.3]).any()  # the scale of one iteration is negative
    assert np.isnan(leaves[0.7]).any()  # the branch that is taken has no interval
