"""A result as one page of HTML that needs nothing else: no network, no scripts, pictures inside."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from pathfinder._chains.mixing import LARGEST_NESTED_RHAT
from pathfinder._draws.verdict import LARGEST_DRIFT, LEAST_SIZE, LEAST_SIZE_OF_CHAIN, Verdict
from pathfinder._results.page_style import STYLE
from pathfinder._results.report import Shown, headline, numbers_of_paths
from pathfinder._settings import Settings
from pathfinder._version import __version__
from pathfinder.plots._axes import png
from pathfinder.plots._by_name import figure_with


MOST_SCALARS = 300
MOST_PATHS = 100
DOTS_PER_INCH = 120

_CAPTIONS = {
    "trajectory": "Each path goes from its start (square) towards a mode. A star marks where its normal approximation "
    "was best; dashed ellipses are that normal, black ones the refined normal. Grey is where the posterior is: what "
    "the ellipses leave out is left to the importance weights.",
    "elbo": "The higher the ELBO, the closer an approximation is to the posterior. Paths that end at different heights "
    "found different modes, or did not get far. The dashed line is what refinement made of the best one.",
    "weights": "Of a good approximation all weights are near the mean. The steeper the coloured tail, the more rests "
    "on a few draws; k-hat is the shape of the line that was fitted to it.",
    "pairs": "The returned draws of some parameters, coloured by the path whose approximation they come from.",
    "chains": "Chains of a superchain start from the same point. They have forgotten it where the means of all "
    "superchains, in colour, run together; then nested R-hat is near 1.",
}


def report_page(result: Any, first_id: int | None = None) -> str:
    """The page.

    Args:
        result: A `PathfinderResult`.
        first_id: What the first path is called elsewhere, if that is another number than 0.
    """
    shown = Shown.of(result, Verdict(result.is_reliable, result.reliability))
    title = f"Pathfinder fit of {result.model.name}"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        # A browser that asks for nothing else cannot be made to by a name in the model.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    parts = [
        f"<header><h1>{escape(title)}</h1><p>{escape(_subtitle(result))}</p></header>",
        _verdict(result),
        _section("In short", _items(_facts(shown))),
        _section("Estimates", _estimates(result)),
        _section("Diagnostics", _diagnostics(result)),
        _section("Pictures", _pictures(result)),
        _section("Paths", _paths(result, first_id)),
        _section("Cost", _cost(result)),
        _section("Settings", _settings(result.settings)),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body><main>\n'
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _subtitle(result: Any) -> str:
    succeeded = sum(path.status.succeeded for path in result.paths)
    seed = "" if result.seed is None else f", seed {result.seed}"
    return (
        f"{result.model.dim} unconstrained parameters, {succeeded} of {len(result.paths)} paths succeeded"
        f"{', ended early' if result.interrupted else ''}{seed}, pathfinder-vi {__version__}"
    )


def _verdict(result: Any) -> str:
    kind, word, advice = "bad", "Not reliable", "Take the estimates as a first look, and do not report them."
    if result.is_reliable:
        kind, word = "good", "Reliable"
        advice = "The estimates can be used, as exactly as their effective sample sizes (ess) say."
    return (
        f'<section class="verdict {kind}"><h2>{word}</h2><p>{escape(result.reliability)}</p><p>{advice} A mode that no '
        "path found does not show in any diagnostic.</p></section>"
    )


def _facts(shown: Shown) -> list[str]:
    """The lines of the text but those that have been said."""
    return [line for line in headline(shown)[1:] if line != shown.verdict.words]


def _estimates(result: Any) -> str:
    table = result.summary()
    rows = [
        [name, *(_number(column, value) for column, value in zip(table.columns, values, strict=True))]
        for name, values in zip(table.index[:MOST_SCALARS], table.to_numpy()[:MOST_SCALARS], strict=True)
    ]
    more = len(table) - MOST_SCALARS
    note = (
        f"<p>The first {MOST_SCALARS} of {len(table)}; <code>result.summary()</code> has all.</p>" if more > 0 else ""
    )
    return table_of_text(["variable", *table.columns], rows) + note


def _number(column: str, value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.0f}" if column == "ess" and np.isfinite(value) else f"{value:.4g}"


def _diagnostics(result: Any) -> str:
    rows, chains = [], result.chains
    if not np.isnan(result.pareto_k):
        k, threshold, size = result.pareto_k, result.pareto_k_threshold, result.effective_sample_size
        rows += [
            ["Pareto k-hat", f"{k:.2f}", f"at most {threshold:.2f}", "tail of the importance weights"],
            [
                "effective sample size",
                f"{size:.0f}",
                f"at least {LEAST_SIZE:.0f}",
                f"of {len(result.pool)} weighted draws",
            ],
            [
                "draws without density",
                f"{result.pool.num_invalid}",
                "few",
                "it is not finite there, and the weight zero",
            ],
        ]
    if result.weight_power < 1.0:
        rows.append(["power of the weights", f"{result.weight_power:.2g}", "1", "by which draws were chosen"])
    if chains is not None:
        rhat, size, least = chains.nested_rhat, chains.effective_sample_size, LEAST_SIZE_OF_CHAIN * chains.num_chains
        of_any = "of all parameters and the log density"
        rows += [
            ["nested R-hat", f"{rhat:.3f}", f"at most {LARGEST_NESTED_RHAT}", f"the largest {of_any}"],
            [
                "effective draws of chains",
                f"{size:.0f}",
                f"at least {max(LEAST_SIZE, least):.0f}",
                "the fewest of a parameter",
            ],
            ["drift", f"{chains.drift:.3f}", f"at most {LARGEST_DRIFT}", f"of means, in sd, the largest {of_any}"],
            [
                "virial",
                f"{chains.virial.mean.min():.2f}",
                "1, up to noise",
                "the least; chains have not been everywhere if less",
            ],
            ["acceptance", f"{chains.acceptance:.2f}", "about 0.8", "of the proposals of chains"],
        ]
    if not rows:
        return "<p>None: the fit did not evaluate the log density of its draws (calculate_lp=False).</p>"
    return table_of_text(["diagnostic", "value", "should be", "what it is"], rows)


def _pictures(result: Any) -> str:
    parts = []
    for kind, caption in _CAPTIONS.items():
        if kind == "chains" and result.chains is None:
            continue
        try:
            figure = figure_with(result, kind)
        except ModuleNotFoundError as error:
            return f"<p>There are no pictures. {escape(str(error))}</p>"
        except ValueError as error:
            parts.append(f"<p>There is no picture of the kind {kind}. {escape(str(error))}</p>")
            continue
        image = base64.b64encode(png(figure, DOTS_PER_INCH)).decode()
        width = round(figure.get_figwidth() * 96)
        parts.append(
            f'<figure><img alt="{kind}" width="{width}" src="data:image/png;base64,{image}">'
            f"<figcaption>{escape(caption + _of_chains(result, kind))}</figcaption></figure>"
        )
    return "".join(parts)


def _of_chains(result: Any, kind: str) -> str:
    """What to add to a caption where draws are states of chains."""
    if not result.uses_chains:
        return ""
    if kind == "weights":
        return " These are the weights of the draws that the chains started from."
    return " Of states of chains it is that of their start." if kind == "pairs" else ""


def _paths(result: Any, first_id: int | None) -> str:
    shown = result.paths[:MOST_PATHS]
    rows = [[*numbers, path.status.message] for numbers, path in zip(numbers_of_paths(shown), shown, strict=True)]
    other = "" if first_id is None else f"<p>Path 0 is path {first_id} of the other output, and so on.</p>"
    more = len(result.paths) - MOST_PATHS
    note = f"<p>And {more} more.</p>" if more > 0 else ""
    return (
        table_of_text(["path", "ELBO", "s.e.", "k-hat", "weight", "iterations", "gradients", "how it ended"], rows)
        + note
        + other
    )


def _cost(result: Any) -> str:
    refined, chains = result.refinement_cost, result.chains
    rows = [
        ["paths", sum(path.num_gradients for path in result.paths), sum(path.num_densities for path in result.paths)],
        ["refinement", refined.num_gradients, refined.num_densities],
        ["chains", 0 if chains is None else chains.num_gradients, 0],
        ["together", result.num_gradients, result.num_densities],
    ]
    seconds = ", ".join(f"{name} {value:.3g} s" for name, value in result.seconds.items())
    table = table_of_text(["stage", "gradients", "densities"], [[str(cell) for cell in row] for row in rows])
    return f"{table}<p>Wall time, compilation included: {escape(seconds)}.</p>"


def _settings(settings: Settings) -> str:
    rows = [
        [field.name, repr(getattr(settings, field.name)), repr(field.default), field.metadata["help"]]
        for field in dataclasses.fields(settings)
    ]
    changed = [row for row in rows if row[1] != row[2]]
    named = ", ".join(f"{row[0]}={row[1]}" for row in changed) or "none"
    table = table_of_text(["setting", "value", "default", "meaning"], rows, marked=[row[1] != row[2] for row in rows])
    return f"<p>Other than by default: {escape(named)}.</p><details><summary>All settings</summary>{table}</details>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _items(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def table_of_text(head: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[bool] = ()) -> str:
    """A table that scrolls on its own where it is wider than the page; its numbers stand to the right."""
    columns = zip(*rows, strict=True) if rows else [[""]] * len(head)
    numeric = [all(map(_is_number, column)) for column in columns]
    marks = [' class="number"' if is_number else "" for is_number in numeric[1:]]
    cells = "".join(
        f'<th scope="col"{mark}>{escape(str(cell))}</th>' for cell, mark in zip(head, ["", *marks], strict=True)
    )
    body = []
    for number, row in enumerate(rows):
        mark = ' class="marked"' if marked and marked[number] else ""
        first, *rest = row
        columns = "".join(_cell(text) for text in rest)
        body.append(f'<tr{mark}><th scope="row">{escape(first)}</th>{columns}</tr>')
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _cell(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>' if _is_number(text) else f"<td>{escape(text)}</td>"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in ("", "–")
    return True
