"""Texts of the console, as CmdStan words and lays them out; each ends without a line break.

Every function returns one message. Which stream it belongs to is said where it is not stdout.
"""

from typing import NamedTuple


HESSIAN_RESET_NOTE = "LS failed, Hessian reset"  # the only text in the column of notes

_LINE_SEARCH_FAILED = (
    "Optimization terminated with error: Line search failed to achieve a sufficient decrease, "
    "no more progress can be made"
)
_COLUMNS = (
    "Iter      log prob        ||dx||      ||grad||     alpha      alpha0      # evals       ELBO    Best ELBO"
    "        Notes "
)


class Progress(NamedTuple):
    """One row of the progress of a path.

    Args:
        iteration: Its number, from 1.
        log_density: At the new point.
        step_norm: Euclidean length of the step.
        gradient_norm: Euclidean length of the gradient at the new point.
        step_size: Accepted step size of the line search.
        first_step_size: The one it began with.
        num_evaluations: Log densities counted so far.
        elbo: Of this iteration; NaN after a failed line search.
        best_elbo: The largest so far. CmdStan repeats `elbo` here.
        note: What is to be noted.
    """

    iteration: int
    log_density: float
    step_norm: float
    gradient_norm: float
    step_size: float
    first_step_size: float
    num_evaluations: int
    elbo: float
    best_elbo: float
    note: str = ""


def path_label(path: int) -> str:
    """What begins the lines of a path; `path` is its number, counted from `id`."""
    return f"Path [{path}] :"


def initial_log_density(path: int, log_density: float) -> str:
    """The line at the start of a path."""
    return f"{path_label(path)}Initial log joint density = {log_density:f}"


def is_progress_due(iteration: int, refresh: int, *, is_last: bool, note: str = "") -> bool:
    """Whether an iteration gets a row: every `refresh`-th does, the last one and any with a note."""
    return refresh > 0 and (is_last or note != "" or (iteration + 1) % refresh == 0)


def progress_rows(path: int, row: Progress) -> str:
    """The names of the columns, and the row under them."""
    fields = (
        f"{row.iteration:15d}{row.log_density:16.3e}{row.step_norm:15.3e}{row.gradient_norm:12.3e}"
        f"{row.step_size:13.3e}{row.first_step_size:11.3e}{row.num_evaluations:10d}"
        f"{row.elbo:11.3e}{row.best_elbo:11.3e}{row.note:>18s}"
    )
    return f"{path_label(path)} {_COLUMNS}\n{fields}"


def best_iteration(path: int, iteration: int, elbo: float, num_evaluations: int) -> str:
    """The line at the end of a path."""
    return f"{path_label(path)}Best Iter: [{iteration}] ELBO ({elbo:f}) evaluations: ({num_evaluations})"


def total_evaluations(num_evaluations: int) -> str:
    """The line after all paths."""
    return f"Total log probability function evaluations:{num_evaluations}"


def line_search_failed_at_start() -> str:
    """A path that made no step (stderr)."""
    return f"{_LINE_SEARCH_FAILED} Optimization failed to start, pathfinder cannot be run."


def line_search_failed_later() -> str:
    """A path that made steps and is used up to there."""
    return f"{_LINE_SEARCH_FAILED} Stan will still attempt pathfinder but may fail or produce incorrect results."


def no_finite_elbo(path: int) -> str:
    """A path without any usable approximation (stderr)."""
    return f"{path_label(path)}Failure: None of the LBFGS iterations completed successfully"


def rejected_log_density_error(error: str) -> str:
    """An initial value at which the log density raised an error."""
    return f"{_REJECTING}  Error evaluating the log probability at the initial value.\n{error}"


def rejected_zero_density() -> str:
    """An initial value at which the density is zero."""
    return f"{_REJECTING}  Log probability evaluates to log(0), i.e. negative infinity.\n{_CANNOT_START}"


def rejected_gradient() -> str:
    """An initial value at which the gradient is not finite."""
    return f"{_REJECTING}  Gradient evaluated at the initial value is not finite.\n{_CANNOT_START}"


def initialization_failed(radius: float, num_attempts: int) -> str:
    """A path without an initial value (stderr; for other radii than 0 after an empty line on stdout)."""
    if radius == 0:
        return "Initialization failed."
    return (
        f"Initialization between (-{radius:g}, {radius:g}) failed after {num_attempts} attempts. \n"
        " Try specifying initial values, reducing ranges of constrained values, or reparameterizing the model.\n"
        "Initialization failed."
    )


def initialization_error(error: str) -> str:
    """A path whose initial values cannot be used at all (stderr)."""
    return f"Unrecoverable error evaluating the log probability at the initial value.\n{error}"


def path_failed(index: int) -> str:
    """A path that is left out (stderr); `index` is counted from 0, as CmdStan counts here."""
    return f"Pathfinder iteration: {index} failed."


def cannot_open(name: str) -> str:
    """An input file that cannot be read (stderr)."""
    return f'Can\'t open specified file, "{name}"'


def no_path_succeeded() -> str:
    """A run in which all paths failed."""
    return "No pathfinders ran successfully"


def no_parameters() -> str:
    """A model that has nothing to be fitted (stderr)."""
    return "Model has 0 parameters, cannot run Pathfinder."


def more_psis_draws_than_draws() -> str:
    """Printed before a run that must repeat draws."""
    return (
        "Warning: Number of PSIS draws is larger than the total number of draws returned by the single Pathfinders. "
        "This is likely unintentional and leads to re-sampling from the same draws."
    )


def pareto_k_warning(pareto_k: float, threshold: float) -> str:
    """Importance ratios with too heavy a tail.

    Args:
        pareto_k: The shape that was estimated.
        threshold: The value it should not exceed, which depends on the number of draws.
    """
    return (
        f"Pareto k value ({pareto_k:.2g}) is greater than {threshold:.2g}. Importance resampling was not able to "
        "improve the approximation, which may indicate that the approximation itself is poor. "
        "Try more paths, a larger history_size, engine refine=true, or a reparameterization."
    )


def chains_need_refinement() -> str:
    """Chains that can only come after a refinement which was not asked for."""
    return "Warning: engine chains=auto runs chains only after a refinement, which engine refine=true asks for."


_REJECTING = "Rejecting initial value:\n"
_CANNOT_START = "  Stan can't start sampling from this initial value."
