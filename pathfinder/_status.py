"""How a path ended."""

from enum import IntEnum


class Status(IntEnum):
    """How a path ended; `int32` inside compiled programs.

    `message` says what happened, what the likely cause is and what to try. `succeeded` says whether the path has an
    approximation to draw from.
    """

    RUNNING = 0
    CONVERGED_OBJECTIVE = 1
    CONVERGED_RELATIVE_OBJECTIVE = 2
    CONVERGED_GRADIENT = 3
    CONVERGED_RELATIVE_GRADIENT = 4
    CONVERGED_PARAMETERS = 5
    ELBO_STALLED = 6
    ITERATION_LIMIT = 7
    LINE_SEARCH_FAILED = 8
    STATIONARY_START = 9
    INTERRUPTED = 10
    INITIALIZATION_FAILED = 11
    LINE_SEARCH_FAILED_AT_START = 12
    NO_FINITE_ELBO = 13
    INTERRUPTED_AT_START = 14
    CONSTANT_DENSITY = 15

    @property
    def succeeded(self) -> bool:
        """Whether the path has an approximation."""
        return Status.RUNNING < self < Status.INITIALIZATION_FAILED or self == Status.CONSTANT_DENSITY

    @property
    def converged(self) -> bool:
        """Whether one of the tolerances ended the path."""
        return Status.CONVERGED_OBJECTIVE <= self <= Status.CONVERGED_PARAMETERS

    @property
    def message(self) -> str:
        """What happened, why, and what to try."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.RUNNING: "Still running.",
    Status.CONVERGED_OBJECTIVE: "Converged: the log density changed by less than tol_obj.",
    Status.CONVERGED_RELATIVE_OBJECTIVE: "Converged: the relative change of the log density fell below tol_rel_obj.",
    Status.CONVERGED_GRADIENT: "Converged: the norm of the gradient fell below tol_grad.",
    Status.CONVERGED_RELATIVE_GRADIENT: "Converged: the gradient in the metric of the inverse Hessian, relative to the "
    "log density, fell below tol_rel_grad.",
    Status.CONVERGED_PARAMETERS: "Converged: the step became shorter than tol_param.",
    Status.ELBO_STALLED: "Stopped because the ELBO had not improved for elbo_patience iterations; the best "
    "approximation before that is used.",
    Status.ITERATION_LIMIT: "Stopped at max_lbfgs_iters iterations without converging; the best approximation so far "
    "is used. Raise max_lbfgs_iters if its ELBO was still rising.",
    Status.LINE_SEARCH_FAILED: "The line search found no better point, also along the gradient; the best approximation "
    "so far is used. Near the optimum this is rounding error and harmless; otherwise the density may be discontinuous "
    "or its gradient wrong.",
    Status.STATIONARY_START: "The gradient is zero at the initial point, so there is no path; the approximation is a "
    "normal of unit scale there. Start elsewhere (init, init_radius), and check that the density depends on every "
    "parameter.",
    Status.INTERRUPTED: "Stopped early by a time limit or an interrupt; the best approximation so far is used.",
    Status.INITIALIZATION_FAILED: "No initial point with a finite log density and gradient was found. Give initial "
    "values (init), reduce init_radius, or check the support of the density.",
    Status.LINE_SEARCH_FAILED_AT_START: "The first line search found no acceptable point. The density may grow without "
    "end in some direction (an improper posterior), be discontinuous, have a wrong gradient, or an extreme scale at "
    "the initial point: check it, or try a smaller init_alpha or other initial values.",
    Status.NO_FINITE_ELBO: "No approximation along the path has a finite ELBO: its draws fall where the density is "
    "zero or not finite. Try other initial values, or reparameterize so that the whole unconstrained space has "
    "positive density.",
    Status.INTERRUPTED_AT_START: "Stopped by a time limit or an interrupt before the first approximation.",
    Status.CONSTANT_DENSITY: "The log density is the same at every point and its gradient is zero, so there is nothing "
    "to fit and the draws mean nothing. Check that the log density uses its parameters.",
}
