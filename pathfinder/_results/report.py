"""A result in words and tables, for the terminal and for notebooks."""

import html
from typing import TYPE_CHECKING

import numpy as np

import psis


if TYPE_CHECKING:
    from pathfinder._importance.refinement import RefinedMode, Refinement
    from pathfinder._results.result import PathfinderResult

MOST_PATHS_SHOWN = 10
_COLUMNS = ("path", "ELBO", "s.e.", "k-hat", "weight", "iterations", "gradients", "status")


def describe(result: "PathfinderResult") -> str:
    """Text of a few lines: what the draws are worth, what they cost, and how each path ended."""
    table = [_COLUMNS, *_path_rows(result)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    lines = [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)) + "  " + row[-1]
        for row in table
    ]
    return "\n".join([*_headline(result), *lines, *_omitted(result)])


def describe_html(result: "PathfinderResult") -> str:
    """The same as HTML."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in _COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in _path_rows(result)
    )
    text = "<br>".join(html.escape(line) for line in _headline(result))
    omitted = "<br>".join(html.escape(line) for line in _omitted(result))
    return f"<div><p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{omitted}</div>"


def reliability(result: "PathfinderResult") -> str:
    """Whether weighted estimates from the pool can be trusted, by k-hat and effective sample size, and what to do.

    Empty if the log density was not evaluated, and nothing is known.
    """
    if not result.settings.calculate_lp:
        return ""
    return psis.describe_pareto_k(result.pareto_k, len(result.pool), result.effective_sample_size)


def is_reliable(result: "PathfinderResult") -> bool:
    """Whether `reliability` calls the estimates reliable."""
    enough = result.effective_sample_size >= psis.MIN_EFFECTIVE_SAMPLE_SIZE
    return bool(result.pareto_k <= result.pareto_k_threshold and enough)


def _headline(result: "PathfinderResult") -> list[str]:
    succeeded = sum(path.status.succeeded for path in result.paths)
    chosen = f"resampled from {len(result.pool)}" if result.is_resampled else "with unequal weights"
    lines = [
        f"Pathfinder fit of '{result.model.name}': {result.model.dim} parameters, "
        f"{succeeded} of {len(result.paths)} paths succeeded" + (", ended early" if result.interrupted else ""),
        f"{result.num_draws} draws {chosen}, effective sample size {result.effective_sample_size:.0f}"
        if result.settings.calculate_lp
        else f"{result.num_draws} draws without importance weights (calculate_lp=False)",
    ]
    lines += filter(None, [reliability(result)])
    if result.refinement:
        if result.interrupted:
            lines.append("The refinement was ended early; the draws are those of what it had come to.")
        lines += _refinement(result.refinement, result.interrupted)
    elif result.settings.refines:
        why = "the fit was ended early" if result.interrupted else "no usable draw came of it"
        lines.append(f"Not refined, because {why}: the draws are those of the paths.")
    if result.pool.num_invalid:
        lines.append(f"{result.pool.num_invalid} draws fell where the log density is not finite; their weight is zero.")
    lines.append(
        f"Cost: {result.num_gradients} gradients, {result.num_densities} densities, {result.seconds['total']:.3g} s"
    )
    return lines


def _refinement(refinement: "Refinement", interrupted: bool) -> list[str]:
    lines = [_mode(mode, interrupted) for mode in refinement.modes]
    if refinement.num_adapted:
        lines.append(
            f"The proposal was then adapted to its own weighted draws {refinement.num_adapted} times; before, k-hat "
            f"was {refinement.pareto_k_before:.2f} and the effective sample size "
            f"{refinement.effective_sample_size_before:.0f}."
        )
    return lines


def _mode(mode: "RefinedMode", interrupted: bool) -> str:
    if mode.num_rounds == 0:
        why = "since no time was left for it" if interrupted else "since its ELBO is too low for a share of the mass"
        return f"The mode of path {mode.path} was not refined, {why}; its weight is {mode.weight:.3f}."
    return (
        f"Refined from path {mode.path}: ELBO {mode.initial_elbo:.2f} (s.e. {mode.initial_elbo_standard_error:.2f}) to "
        f"{mode.elbo:.2f} ({mode.elbo_standard_error:.2f}), k-hat {mode.initial_pareto_k:.2f} to {mode.pareto_k:.2f}, "
        f"{mode.num_rounds} rounds, {mode.num_gradients} gradients, weight {mode.weight:.3f}"
        + (", with draws of the approximation before" if mode.uses_start else "")
    )


def _path_rows(result: "PathfinderResult") -> list[tuple[str, ...]]:
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
        for number, path in enumerate(result.paths[:MOST_PATHS_SHOWN])
    ]


def _omitted(result: "PathfinderResult") -> list[str]:
    more = len(result.paths) - MOST_PATHS_SHOWN
    return [f"  ... and {more} more paths"] if more > 0 else []
