"""A result in words and tables, for the terminal and for notebooks."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pathfinder._chains.budget import ChainBudget
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._draws.verdict import Verdict, chains_in_words
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
        chains: The chains that ran after that; None if none did.
        uses_chains: Whether the draws are states of these.
        chain_budget: What chains might take; None if none were needed or wanted.
        verdict: How far the draws can be trusted.
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
    chains: ChainDraws | None
    uses_chains: bool
    chain_budget: ChainBudget | None
    verdict: Verdict
    interrupted: bool
    num_gradients: int
    num_densities: int
    seconds: float

    @classmethod
    def of(cls, result: Any, verdict: Verdict) -> "Shown":
        """What to show of a `PathfinderResult`."""
        return cls(
            result.model.name, result.model.dim, result.settings, result.paths, result.pool, result.num_draws,
            result.is_resampled, result.refinement, result.chains, result.uses_chains,
            result.chain_budget, verdict, result.interrupted, result.num_gradients, result.num_densities,
            result.seconds["total"],
        )  # fmt: skip


def describe(fit: Shown) -> str:
    """Text of a few lines: what the draws are worth, what they cost, and how each path ended."""
    table = [_COLUMNS, *_path_rows(fit)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    lines = [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)) + "  " + row[-1]
        for row in table
    ]
    return "\n".join([*headline(fit), *lines, *_omitted(fit)])


def describe_html(fit: Shown) -> str:
    """The same as HTML."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in _COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in _path_rows(fit)
    )
    text = "<br>".join(html.escape(line) for line in headline(fit))
    omitted = "<br>".join(html.escape(line) for line in _omitted(fit))
    return f"<div><p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{omitted}</div>"


def headline(fit: Shown) -> list[str]:
    """What the draws are worth and what they cost, in sentences."""
    succeeded = sum(path.status.succeeded for path in fit.paths)
    lines = [
        f"Pathfinder fit of '{fit.name}': {fit.dim} parameters, "
        f"{succeeded} of {len(fit.paths)} paths succeeded" + (", ended early" if fit.interrupted else ""),
        _draws(fit),
    ]
    if fit.settings.calculate_lp:
        lines.append(fit.verdict.words)
    lines += _chains(fit)
    was_cut = fit.interrupted and fit.chain_budget is None  # with a budget for chains refinement is over
    if fit.refinement:
        if was_cut:
            lines.append("The refinement was ended early; the draws are those of what it had come to.")
        lines += _refinement(fit.refinement, was_cut)
    elif fit.settings.refines:
        why = "the fit was ended early" if was_cut else "no usable draw came of it"
        lines.append(f"Not refined, because {why}: the draws are those of the paths.")
    num_weighed = int(fit.pool.indices.max(initial=0)) + 1
    if fit.interrupted and num_weighed < fit.settings.num_draws:
        lines.append(f"There was time for only {num_weighed} of {fit.settings.num_draws} draws of each approximation.")
    if fit.pool.num_invalid:
        lines.append(f"{fit.pool.num_invalid} draws fell where the log density is not finite; their weight is zero.")
    lines.append(f"Cost: {fit.num_gradients} gradients, {fit.num_densities} densities, {fit.seconds:.3g} s")
    return lines


def _draws(fit: Shown) -> str:
    """How many draws there are, and where they come from."""
    if fit.chains is not None and fit.uses_chains:
        return f"{fit.num_draws} draws of {fit.chains.num_chains} chains"
    if not fit.settings.calculate_lp:
        return f"{fit.num_draws} draws without importance weights (calculate_lp=False)"
    chosen = f"resampled from {len(fit.pool)}" if fit.is_resampled else "with unequal weights"
    return f"{fit.num_draws} draws {chosen}, effective sample size {fit.pool.effective_sample_size:.0f}"


def _chains(fit: Shown) -> list[str]:
    lines = [chains_in_words(fit.chains, fit.chain_budget, fit.settings, interrupted=fit.interrupted)]
    if fit.chains is not None:
        lines.append(
            f"They started from weighted draws with k-hat {fit.pool.pareto_k:.2f} and an effective sample size of "
            f"{fit.pool.effective_sample_size:.0f}."
        )
    return [line for line in lines if line]


def _refinement(refinement: Refinement, interrupted: bool) -> list[str]:
    lines = [_mode(mode, interrupted) for mode in refinement.modes]
    if refinement.num_adapted:
        lines.append(
            f"The proposal was then adapted to its own weighted draws {refinement.num_adapted} times; before, k-hat "
            f"was {refinement.pareto_k_before:.2f} and the effective sample size "
            f"{refinement.effective_sample_size_before:.0f}."
        )
    return lines


def _form(mode: RefinedMode) -> str:
    if mode.form != "banded":
        return ""
    of_borders = f", and those of the rest at {mode.num_kept} values of the border" if mode.num_kept else ""
    return f"; the precision is banded{of_borders}"


def _mode(mode: RefinedMode, interrupted: bool) -> str:
    if mode.num_rounds == 0:
        why = "since no time was left for it" if interrupted else "since its ELBO is too low for a share of the mass"
        return f"The mode of path {mode.path} was not refined, {why}; its weight is {mode.weight:.3f}."
    return (
        f"Refined from path {mode.path}: ELBO {mode.initial_elbo:.2f} (s.e. {mode.initial_elbo_standard_error:.2f}) to "
        f"{mode.elbo:.2f} ({mode.elbo_standard_error:.2f}), k-hat {mode.initial_pareto_k:.2f} to {mode.pareto_k:.2f}, "
        f"{mode.num_rounds} rounds, {mode.num_gradients} gradients, weight {mode.weight:.3f}"
        + _form(mode)
        + (", with draws of the approximation before" if mode.uses_start else "")
        + ("; a second refinement was ended by its budget of evaluations" if mode.ended_by_budget else "")
    )


def numbers_of_paths(paths: Sequence[PathResult]) -> list[tuple[str, ...]]:
    """A row for each path: its number, ELBO with standard error, k-hat, weight, iterations and gradients."""
    return [
        (
            str(number),
            f"{path.elbo:.2f}",
            "" if np.isnan(path.elbo_standard_error) else f"{path.elbo_standard_error:.2f}",
            "" if np.isnan(path.pareto_k) else f"{path.pareto_k:.2f}",
            f"{path.weight:.3f}",
            str(path.num_iterations),
            str(path.num_gradients),
        )
        for number, path in enumerate(paths)
    ]


def _path_rows(fit: Shown) -> list[tuple[str, ...]]:
    shown = fit.paths[:MOST_PATHS_SHOWN]
    statuses = [path.status.name.replace("_", " ").lower() for path in shown]
    return [(*numbers, status) for numbers, status in zip(numbers_of_paths(shown), statuses, strict=True)]


def _omitted(fit: Shown) -> list[str]:
    more = len(fit.paths) - MOST_PATHS_SHOWN
    return [f"  ... and {more} more paths"] if more > 0 else []
