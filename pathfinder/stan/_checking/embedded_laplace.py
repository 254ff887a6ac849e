"""Names of Stan's embedded Laplace approximation (Stan 2.37 and later), which is known and not there yet.

Source: Stan functions reference, "Embedded Laplace Approximation".
"""

from itertools import product

from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.tree import Identifier


_LIKELIHOODS = ("poisson_log", "bernoulli_logit", "neg_binomial_2_log")

EMBEDDED_LAPLACE = frozenset(
    {
        "generate_laplace_options",
        "laplace_latent_rng",
        "laplace_latent_tol_rng",
        "laplace_latent_solve",
        "laplace_latent_solve_tol",
        "laplace_marginal",
        "laplace_marginal_tol",
        *(f"laplace_latent{tol}_{name}_rng" for tol, name in product(("", "_tol"), _LIKELIHOODS)),
        *(
            f"laplace_marginal{tol}_{name}{ending}"
            for tol, name, ending in product(("", "_tol"), _LIKELIHOODS, ("_lpmf", "_lupmf"))
        ),
    }
)


def refuse_embedded_laplace(name: Identifier, ending: str = "") -> None:
    """Say of a function that it is Stan's and not there yet.

    Args:
        name: The name called.
        ending: What is understood behind it, as `_lpmf` in distribution statements.

    Raises:
        StanTypeError: If the function is one of the embedded Laplace approximation.
    """
    if name.text + ending in EMBEDDED_LAPLACE:
        raise StanTypeError(
            f"`{name.text}` is a function of Stan's embedded Laplace approximation, which is not there yet.",
            name.span,
            "Declare the latent values as parameters, with their Gaussian density and the likelihood in the model.",
        )
