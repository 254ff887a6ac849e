"""A result in words and tables, for the terminal and for notebooks."""

import html
from dataclasses import dataclass

import numpy as np

import psis
from pathfinder._importance.pool import Pool
from pathfinder._importance.refinement import RefinedMode, Refinement
from pathfinder._results.path_result import PathResult
from pathfinder._settings import Settings


MOST_PATHS_SHOWN = 10
_COLUMNS = ("path", "ELBO", "s.e.", "k-hat", "weight", "iterations", "gradients", "status")


@dataclass(frozen=True)
class Shown:
    """What a report shows of a fit.

    Args:
        name: Of the model.
        dim: Its number of unconstrained parameters.
        settings: Of the fit.
        paths: How each path went.
        pool: All draws with their weights.
        num_draws: How many were chosen of them.
        is_resampled: Whether by their weights.
        refinement: How the approximations were refined; None if they were not.
        interrupted: Whether the fit ended early.
        num_gradients: Evaluations of the log density with its gradient.
        num_densities: Evaluations of the log density alone.
        seconds: What the fit took.
    """

    name: str
    dim: int
    settings: Settings
    paths: tuple[PathResult, ...]
    pool: Pool
    num_draws: int
    is_resampled: bool
    refinement: Refinement | None
    interrupted: bool
    num_gradients: int
    num_densities: int
    seconds: float


def describe(fit: Shown) -> str:
    """Text of a few lines: what the draws are worth, what they cost, and how each path ended."""
    table = [_COLUMNS, *_path_rows(fit)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    lines = [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)) + "  " + row[-1]
        for row in table
    ]
    return "\n".join([*_headline(fit), *lines, *_omitted(fit)])


def describe_html(fit: Shown) -> str:
    """The same as HTML."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in _COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in _path_rows(fit)
    )
    text = "<br>".join(html.escape(line) for line in _headline(fit))
    omitted = "<br>".join(html.escape(line) for line in _omitted(fit))
    return f"<div><p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{omitted}</div>"


def reliability(pool: Pool) -> str:
    """Whether weighted estimates from the pool can be trusted, by k-hat and effective sample size, and what to do."""
    return psis.describe_pareto_k(pool.pareto_k, len(pool), pool.effective_sample_size)


def is_reliable(pool: Pool) -> bool:
    """Whether `reliability` calls the estimates reliable."""
    enough = pool.effective_sample_size >= psis.MIN_EFFECTIVE_SAMPLE_SIZE
    return bool(pool.pareto_k <= psis.pareto_k_threshold(len(pool)) and enough)


def _headline(fit: Shown) -> list[str]:
    succeeded = sum(path.status.succeeded for path in fit.paths)
    chosen = f"resampled from {len(fit.pool)}" if fit.is_resampled else "with unequal weights"
    lines = [
        f"Pathfinder fit of '{fit.name}': {fit.dim} parameters, "
        f"{succeeded} of {len(fit.paths)} paths succeeded" + (", ended early" if fit.interrupted else ""),
        f"{fit.num_draws} draws {chosen}, effective sample size {fit.pool.effective_sample_size:.0f}"
        if fit.settings.calculate_lp
        else f"{fit.num_draws} draws without importance weights (calculate_lp=False)",
    ]
    if fit.settings.calculate_lp:
        lines.append(reliability(fit.pool))
    if fit.refinement:
        if fit.interrupted:
            lines.append("The refinement was ended early; the draws are those of what it had come to.")
        lines += _refinement(fit.refinement, fit.interrupted)
    elif fit.settings.refines:
        why = "the fit was ended early" if fit.interrupted else "no usable draw came of it"
        lines.append(f"Not refined, because {why}: the draws are those of the paths.")
    if fit.pool.num_invalid:
        lines.append(f"{fit.pool.num_invalid} draws fell where the log density is not finite; their weight is zero.")
    lines.append(f"Cost: {fit.num_gradients} gradients, {fit.num_densities} densities, {fit.seconds:.3g} s")
    return lines


def _refinement(refinement: Refinement, interrupted: bool) -> list[str]:
    lines = [_mode(mode, interrupted) for mode in refinement.modes]
    if refinement.num_adapted:
        lines.append(
            f"The proposal was then adapted to its own weighted draws {refinement.num_adapted} times; before, k-hat "
            f"was {refinement.pareto_k_before:.2f} and the effective sample size "
            f"{refinement.effective_sample_size_before:.0f}."
        )
    return lines


def _mode(mode: RefinedMode, interrupted: bool) -> str:
    if mode.num_rounds == 0:
        why = "since no time was left for it" if interrupted else "since its ELBO is too low for a share of the mass"
        return f"The mode of path {mode.path} was not refined, {why}; its weight is {mode.weight:.3f}."
    return (
        f"Refined from path {mode.path}: ELBO {mode.initial_elbo:.2f} (s.e. {mode.initial_elbo_standard_error:.2f}) to "
        f"{mode.elbo:.2f} ({mode.elbo_standard_error:.2f}), k-hat {mode.initial_pareto_k:.2f} to {mode.pareto_k:.2f}, "
        f"{mode.num_rounds} rounds, {mode.num_gradients} gradients, weight {mode.weight:.3f}"
        + (", with draws of the approximation before" if mode.uses_start else "")
    )


def _path_rows(fit: Shown) -> list[tuple[str, ...]]:
    return [
        (
            str(number),
            f"{path.elbo:.2f}",
            "" if np.isnan(path.elbo_standard_error) else f"{path.elbo_standard_error:.2f}",
            "" if np.isnan(path.pareto_k) else f"{path.pareto_k:.2f}",
            f"{path.weight:.3f}",
            str(path.num_iterations),
            str(path.num_gradients),
            path.status.name.replace("_", " ").lower(),
        )
        for number, path in enumerate(fit.paths[:MOST_PATHS_SHOWN])
    ]


def _omitted(fit: Shown) -> list[str]:
    more = len(fit.paths) - MOST_PATHS_SHOWN
    return [f"  ... and {more} more paths"] if more > 0 else []
