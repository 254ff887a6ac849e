"""The draws of all paths with their importance weights.

Draws are kept as their log densities and random keys, and made again from the keys when they are wanted: the pool of a
thousand-dimensional model would otherwise take more memory than everything else.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt32

import psis
from pathfinder._arrays.devices import Devices
from pathfinder._arrays.streams import counted_keys, fold_in
from pathfinder._density.batch_sizes import scoring_batch_size
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.mixture import log_mixture_density
from pathfinder._normals.scoring import draw_lanes, score_lanes
from pathfinder._paths.outcomes import Problem
from pathfinder._settings import Settings


class NoFiniteDrawError(ValueError):
    """No draw has a usable importance ratio."""


@dataclass(frozen=True)
class PathDraws:
    """Where the draws of one path come from: its approximation and its random keys.

    The first `num_elbo_draws` may come from the stream that chose the approximation.

    Args:
        approximations: One per lane, on the leading axis.
        draw_keys: Key of each lane's draws.
        elbo_keys: Key of the draws that chose each lane's approximation.
        num_reused: How many of the first draws come from `elbo_keys`; 0 unless they are reused.
        batch_size: Lanes per batch.
        draws_per_lane: Draws that one lane of a batch makes.
    """

    approximations: LowRankNormal
    draw_keys: UInt32[Array, "path 2"]
    elbo_keys: UInt32[Array, "path 2"]
    num_reused: int
    batch_size: int
    draws_per_lane: int

    @property
    def num_lanes(self) -> int:
        """Number of approximations."""
        return self.approximations.mean.shape[0]

    def lanes(
        self, paths: Int[np.ndarray, " lane"], indices: Int[np.ndarray, "lane draw"]
    ) -> tuple[LowRankNormal, UInt32[Array, "lane draw 2"]]:
        """The approximations of given paths, and the keys of given draws of each."""
        return _lanes(self.approximations, self.draw_keys, self.elbo_keys, paths, indices, num_reused=self.num_reused)

    def of_lanes(self, lanes: slice) -> "PathDraws":
        """The same for some of the lanes."""
        approximations, draw_keys, elbo_keys = jax.tree_util.tree_map(
            lambda leaf: leaf[lanes], (self.approximations, self.draw_keys, self.elbo_keys)
        )
        return dataclasses.replace(self, approximations=approximations, draw_keys=draw_keys, elbo_keys=elbo_keys)

    def positions(self, paths: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]):
        """Make draws from their keys, in batches.

        Args:
            paths: The path (lane) of each draw.
            indices: The number of each draw within its path.

        Yields:
            Pairs of rows (which of the n draws) and their unconstrained vectors.
        """
        for rows, used, own, keys in self.batches(paths, indices):
            yield rows[used], np.asarray(draw_lanes(own, keys)[0])[used]

    def batches(self, paths: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]):
        """Pack draws into lanes of one size and batches of one size.

        Args:
            paths: The path (lane) of each draw.
            indices: The number of each draw within its path.

        Yields:
            For each lane of a batch its rows (which of the n draws) and which of these are in use, the others being
            there for the shape; and the approximations and keys, as `draw_lanes` and `score_lanes` take them.
        """
        table, used = _packed(paths, self.draws_per_lane)
        for first in range(0, len(table), self.batch_size):
            chosen = np.arange(first, first + self.batch_size)
            within = chosen < len(table)
            chosen = np.where(within, chosen, first)
            rows = table[chosen]
            yield rows, used[chosen] & within[:, None], *self.lanes(paths[rows[:, 0]], indices[rows])


@dataclass(frozen=True)
class Pool:
    """All draws of the paths of one fit that succeeded, path by path.

    Args:
        paths: Path of each draw.
        lanes: Lane of the source that it comes from; the path, unless approximations were refined.
        indices: Its number within the lane.
        log_p: Log density of the model; NaN if it was not evaluated.
        log_q: Log density of the approximation of its own path.
        log_proposal: Log density of the proposal that the importance weights use.
        log_weights: Pareto-smoothed log importance weights that sum to one; all equal if there are no densities.
        pareto_k: Shape of the tail of the weights; NaN without densities.
        pareto_k_by_path: The same for the draws of each path against its own approximation; NaN for failed paths.
        effective_sample_size: Of importance-weighted means.
        num_invalid: Draws whose density is not finite, which have weight zero.
    """

    paths: Int[np.ndarray, " draw"]
    lanes: Int[np.ndarray, " draw"]
    indices: Int[np.ndarray, " draw"]
    log_p: Float[np.ndarray, " draw"]
    log_q: Float[np.ndarray, " draw"]
    log_proposal: Float[np.ndarray, " draw"]
    log_weights: Float[np.ndarray, " draw"]
    pareto_k: float
    pareto_k_by_path: Float[np.ndarray, " path"]
    effective_sample_size: float
    num_invalid: int

    def __len__(self) -> int:
        return len(self.paths)


@partial(jax.jit, static_argnames="num_reused")
def _lanes(approximations, draw_keys, elbo_keys, paths, indices, *, num_reused):
    def key(path, index):
        own = fold_in(draw_keys[path], index)
        if num_reused == 0:
            return own
        return jnp.where(index < num_reused, fold_in(elbo_keys[path], index), own)

    keys = jax.vmap(lambda path, row: jax.vmap(lambda index: key(path, index))(row))(paths, indices)
    return jax.tree_util.tree_map(lambda leaf: leaf[paths], approximations), keys


def _packed(paths: Int[np.ndarray, " n"], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows packed into lanes of one path each, and which entries are in use; the others repeat the first."""
    order = np.argsort(paths, kind="stable")
    _, first, counts = np.unique(paths[order], return_index=True, return_counts=True)
    lanes = -(-counts // width)
    within_path = np.arange(len(order)) - np.repeat(first, counts)
    lane = np.repeat(np.cumsum(lanes) - lanes, counts) + within_path // width
    table = np.full((lanes.sum(), width), -1)
    table[lane, within_path % width] = order
    used = table >= 0
    return np.where(used, table, table[:, :1]), used


def score_draws(
    problem: Problem,
    source: PathDraws,
    lanes: Int[np.ndarray, " n"],
    indices: Int[np.ndarray, " n"],
    devices: Devices,
    *,
    evaluate: bool,
    log_weights: Float[np.ndarray, " lane"] | None = None,
) -> dict[str, Float[np.ndarray, " n"]]:
    """Log densities of given draws.

    Args:
        problem: What was fitted.
        source: Where draws come from.
        lanes: The lane of each draw; lanes are ordered by fit.
        indices: The number of each draw within its lane.
        devices: Where to run.
        evaluate: Whether to evaluate the density of the model.
        log_weights: Of the lanes in the mixture of their fit, if it is wanted.

    Returns:
        `log_p` if evaluated, `log_q` of the own approximation, and `log_mixture` if wanted.
    """
    num_fits = problem.num_fits or 1
    per_fit = source.num_lanes // num_fits
    components = None
    if log_weights is not None:
        by_fit = jnp.asarray(log_weights.reshape(num_fits, -1), problem.dtype)
        components = _by_fit(source.approximations, num_fits=num_fits), by_fit
    shared = [devices.put((problem.data, components), number) for number in range(len(devices))]
    pending = []  # read at the end, so that the devices need not wait for the host
    for number, (rows, used, own, keys) in enumerate(source.batches(lanes, indices)):
        fits = lanes[rows[:, 0]] // per_fit
        own, keys = devices.put((own, keys), number)
        data, mixture = shared[number % len(devices)]
        batch = {}
        if evaluate:
            draws, batch["log_p"], batch["log_q"] = score_lanes(
                own, keys, fits, data, density=problem.density, batched=problem.batched
            )
        else:
            draws, batch["log_q"] = draw_lanes(own, keys)
        if mixture is not None:
            batch["log_mixture"] = log_mixture_density(*mixture, fits, draws)
        pending.append((rows[used], used, batch))
    scores: dict[str, np.ndarray] = {}
    for target, used, batch in pending:
        for name, values in batch.items():
            scores.setdefault(name, np.empty(len(lanes)))[target] = np.asarray(values)[used]
    return scores


def score_paths(
    problem: Problem, source: PathDraws, succeeded: np.ndarray, settings: Settings, devices: Devices
) -> dict[str, Float[np.ndarray, "lane draw"]]:
    """Log densities of `num_draws` draws of every lane that succeeded; NaN in the rows of the others.

    Returns:
        `log_p`, `log_q` (own approximation) and `log_mixture` (of all that succeeded in the same fit).
    """
    by_fit = succeeded.reshape(problem.num_fits or 1, -1)
    with np.errstate(divide="ignore"):
        log_weights = np.log(by_fit / np.maximum(by_fit.sum(axis=1, keepdims=True), 1)).ravel()
    lanes = np.repeat(np.flatnonzero(succeeded), settings.num_draws)
    indices = np.tile(np.arange(settings.num_draws), int(succeeded.sum()))
    scores = {name: np.full((len(succeeded), settings.num_draws), np.nan) for name in ("log_p", "log_q", "log_mixture")}
    if not succeeded.any():
        return scores
    for name, values in score_draws(
        problem, source, lanes, indices, devices, evaluate=settings.calculate_lp, log_weights=log_weights
    ).items():
        scores[name][lanes, indices] = values
    return scores


@partial(jax.jit, static_argnames="num_fits")
def _by_fit(approximations: LowRankNormal, *, num_fits: int) -> LowRankNormal:
    return jax.tree_util.tree_map(lambda leaf: leaf.reshape(num_fits, -1, *leaf.shape[1:]), approximations)


def make_pool(scores: Mapping[str, np.ndarray], succeeded: np.ndarray, settings: Settings) -> Pool:
    """Weigh the draws of the paths of one fit.

    Args:
        scores: From `score_paths`, the rows of this fit.
        succeeded: Which paths have draws.
        settings: Options.

    Raises:
        NoFiniteDrawError: If the density is not finite at any draw.
    """
    paths = np.repeat(np.flatnonzero(succeeded), settings.num_draws)
    indices = np.tile(np.arange(settings.num_draws), int(succeeded.sum()))
    log_p, log_q, log_mixture = (scores[name][succeeded].ravel() for name in ("log_p", "log_q", "log_mixture"))
    log_proposal = log_mixture if settings.weights == "mixture" else log_q
    by_path = np.full(len(succeeded), np.nan)
    size = len(paths)
    if not settings.calculate_lp:
        equal = np.full(size, -np.log(size))
        return Pool(paths, paths, indices, log_p, log_q, log_proposal, equal, np.nan, by_path, np.nan, 0)
    ratios = log_ratios(log_p, log_proposal)
    if not np.any(ratios > -np.inf):
        raise NoFiniteDrawError(
            "The log density is not finite at any draw of any approximation, so the draws cannot be weighted."
        )
    smoothed = psis.smooth_log_weights(ratios)
    own_ratios = log_ratios(scores["log_p"][succeeded], scores["log_q"][succeeded])
    usable = np.any(own_ratios > -np.inf, axis=1)
    own_k = np.full(len(own_ratios), np.inf)
    if usable.any():
        own_k[usable] = psis.smooth_log_weights(own_ratios[usable]).pareto_k
    by_path[succeeded] = own_k
    return Pool(
        paths, paths, indices, log_p, log_q, log_proposal, smoothed.log_weights, float(smoothed.pareto_k), by_path,
        float(smoothed.effective_sample_size), int(smoothed.num_invalid),
    )  # fmt: skip


def log_ratios(log_p: Float[np.ndarray, "*draws"], log_proposal: Float[np.ndarray, "*draws"]) -> np.ndarray:
    """Log importance ratios; -inf where the density is not finite (also +inf: an overflow, not evidence)."""
    usable = np.isfinite(log_p) & np.isfinite(log_proposal)
    return np.where(usable, np.where(usable, log_p, 0.0) - np.where(usable, log_proposal, 0.0), -np.inf)


def path_draws(
    problem: Problem,
    approximations: LowRankNormal,
    draw_keys: UInt32[Array, "path 2"],
    elbo_keys: UInt32[Array, "path 2"],
    best_iteration: Int[np.ndarray, " path"],
    settings: Settings,
    devices: Devices,
) -> PathDraws:
    """The source of the draws of all lanes of a fit; `elbo_keys` are the keys that `run_paths` was given."""
    return PathDraws(
        approximations=approximations,
        draw_keys=draw_keys,
        elbo_keys=counted_keys(elbo_keys, np.maximum(best_iteration, 0)),
        num_reused=min(settings.num_elbo_draws, settings.num_draws) if settings.reuse_elbo_draws else 0,
        batch_size=scoring_batch_size(problem, settings, devices),
        draws_per_lane=settings.num_elbo_draws,
    )
