"""A second way to a refined normal, for fits whose weights will not do: the ascent of an ELBO, then rounds again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Int, UInt32

from pathfinder._arrays.namespace import Array, namespace, rows, stacked_rows
from pathfinder._arrays.streams import Stream, counted_keys, path_keys
from pathfinder._density.either import Density
from pathfinder._errors import Interrupt
from pathfinder._refinement.elbo_ascent import NUM_DRAWS, ascend
from pathfinder._refinement.history import Cost, RefinedLane
from pathfinder._refinement.judging import is_close, judge
from pathfinder._refinement.modes import distinct_modes
from pathfinder._refinement.refine import (
    LANES_PER_BATCH,
    NEGLIGIBLE,
    NEGLIGIBLE_PER_DIM,
    NUMBERS_ON_HOST,
    RefinedFit,
    refine,
)
from pathfinder._settings import Settings


COMPARING_DRAWS = 256
COMPARING, AGAIN = 2**21, 2**21 + 1  # counters of keys, beside those of the ascent


def rescued(
    density: Density,
    refined: Sequence[RefinedFit | None],
    keys: UInt32[Array, "fit 2"],
    settings: Settings,
    worthwhile: Bool[np.ndarray, " fit"],
    *,
    check: Callable[[], None] = lambda: None,
) -> tuple[list[RefinedFit | None], bool]:
    """Refine again what `refine_modes` refined, from where the ELBO of normals with independent coordinates is highest.

    What comes of a mode replaces what it was if its ELBO is higher by more than noise, and no other mode has come to
    the same. Modes that were not refined stay as they are, and those with a banded precision, whose scales are in it.

    Args:
        density: What was fitted.
        refined: The refined modes of each fit.
        keys: Key of each fit.
        settings: Options.
        worthwhile: Which fits to rescue.
        check: As for `refine`.

    Returns:
        What becomes of `refined`, and whether it was ended early; what is not done by then is as it was, but for costs.
    """
    fits = list(refined)
    places = [
        (fit, mode, lane)
        for fit, own in enumerate(fits)
        if own is not None and worthwhile[fit]
        for mode, lane in enumerate(own.lanes)
        if lane.num_gradients and lane.form != "banded"
    ]
    most, size = max(1, NUMBERS_ON_HOST // (NUM_DRAWS * density.dim)), None
    if namespace(keys) is not np:
        most = size = 1 if density.num_fits is None else LANES_PER_BATCH
    for first in range(0, len(places), most):
        part = places[first : first + most]
        lanes, own = [lane for _, _, lane in part], np.array([fit for fit, _, _ in part])
        own_keys = np.asarray(path_keys(keys[own], np.array([lane.path for lane in lanes]), Stream.ASCENT))
        num_sharing = np.array([sum(fit == other for other, _, _ in places) for fit in own])
        now, costs, interrupted = _rescued_lanes(
            density, lanes, own_keys, own, num_sharing, settings.max_refine_rounds, check, size
        )
        for (fit, mode, _), lane, cost in zip(part, now, costs, strict=True):
            before = fits[fit]
            assert before is not None
            lanes = [*before.lanes[:mode], lane, *before.lanes[mode + 1 :]]
            fits[fit] = RefinedFit(lanes, before.num_densities + cost.num_densities)
        if interrupted:
            return fits, True
    try:
        for fit in dict.fromkeys(fit for fit, _, _ in places):
            before, now = refined[fit], fits[fit]
            assert before is not None
            assert now is not None
            fits[fit] = _without_duplicates(density.of_fit(fit), before, now)
    except (Interrupt, KeyboardInterrupt):
        return fits, True
    return fits, False


def _without_duplicates(density: Density, before: RefinedFit, now: RefinedFit) -> RefinedFit:
    """With those modes as they were whose second refinement came to one that another came to with a higher ELBO.

    Draws of both would cost twice, and say the same. What they were before may have mass that no other covers.
    """
    pairs = list(zip(before.lanes, now.lanes, strict=True))
    moved = [mode for mode, (old, new) in enumerate(pairs) if new.approximation is not old.approximation]
    if len(moved) < 2:
        return now
    own = [now.lanes[mode] for mode in moved]
    means, elbos = np.stack([lane.approximation.mean for lane in own]), np.array([lane.elbos[-1] for lane in own])
    (distinct,), num_densities = distinct_modes(density, means[None], elbos[None])
    duplicates = set(moved) - {moved[number] for number in distinct}
    lanes = [
        dataclasses.replace(old, num_gradients=new.num_gradients, ended_by_budget=new.ended_by_budget)
        if mode in duplicates
        else new
        for mode, (old, new) in enumerate(pairs)
    ]
    return RefinedFit(lanes, now.num_densities + num_densities)


def _rescued_lanes(
    density: Density,
    lanes: list[RefinedLane],
    keys: UInt32[np.ndarray, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    num_sharing: Int[np.ndarray, " lane"],
    max_rounds: int,
    check: Callable[[], None],
    size: int | None,
) -> tuple[list[RefinedLane], list[Cost], bool]:
    """What becomes of lanes, what it took, and whether it was ended early."""
    costs = [Cost()] * len(lanes)
    again: list[RefinedLane] = []
    better = np.zeros(len(lanes), bool)
    is_cut = np.zeros(len(lanes), bool)
    interrupted = False
    try:
        normals = stacked_rows([lane.approximation for lane in lanes])
        starts, is_cut = ascend(density, normals, keys, fits, costs, check, size=size, num_sharing=num_sharing)
        paths, own_keys = np.array([lane.path for lane in lanes]), counted_keys(keys, np.full(len(keys), AGAIN))
        again, interrupted = refine(
            density,
            starts,
            paths,
            density.arrays(own_keys),
            fits,
            np.asarray(starts.is_finite),
            max_rounds,
            check=check,
        )
        if not interrupted:
            better = _are_better(density, again, lanes, keys, fits, size)
            costs = [cost._replace(num_densities=cost.num_densities + 2 * COMPARING_DRAWS) for cost in costs]
    except (Interrupt, KeyboardInterrupt):
        interrupted = True
    num_gradients = [cost.num_gradients for cost in costs]
    for number, lane in enumerate(again):
        num_gradients[number] += lane.num_gradients
    now = [_followed(lane, again[number]) if better[number] else lane for number, lane in enumerate(lanes)]
    now = [
        dataclasses.replace(lane, num_gradients=before.num_gradients + more, ended_by_budget=bool(cut))
        for lane, before, more, cut in zip(now, lanes, num_gradients, is_cut, strict=True)
    ]
    return now, costs, interrupted


def _followed(before: RefinedLane, after: RefinedLane) -> RefinedLane:
    """One lane that begins where the first did and ends where the second does.

    A collapsed neck of a funnel can have a higher ELBO than the body that holds the mass. Normals that are in the neck
    alone have even weights, which would not tell. So draws come from what was there before as well, unless its share of
    the mass is negligible if it is about as well approximated as the other.
    """
    negligible = NEGLIGIBLE + NEGLIGIBLE_PER_DIM * before.approximation.dim
    return dataclasses.replace(
        before,
        initial=before.approximation,
        keeps_initial=bool(before.elbos[-1] >= after.elbos[-1] - negligible),
        approximation=after.approximation,
        elbos=before.elbos + after.elbos,
        elbo_standard_errors=before.elbo_standard_errors + after.elbo_standard_errors,
        divergences=before.divergences + after.divergences,
        num_undone=before.num_undone + after.num_undone,
        kept=after.kept,
    )


def _are_better(
    density: Density,
    lanes: list[RefinedLane],
    others: list[RefinedLane],
    keys: UInt32[np.ndarray, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    size: int | None,
) -> Bool[np.ndarray, " lane"]:
    """Whether the ELBOs of the first are higher by more than noise, from draws of their own with the same noise."""
    place = np.minimum(np.arange(size or len(lanes)), len(lanes) - 1)
    own_keys = counted_keys(keys[place], np.full(len(place), COMPARING))
    now, before = (
        judge(
            density,
            rows(stacked_rows([lane.approximation for lane in own]), place),
            own_keys,
            fits[place],
            COMPARING_DRAWS,
        )
        for own in (lanes, others)
    )
    return (np.isfinite(now.elbo) & ~is_close(before, now))[: len(lanes)]
