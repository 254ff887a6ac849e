"""What the draws of a refined fit come from: normals and Student's t distributions, and the mixture of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._arrays.matrices import cholesky
from pathfinder._arrays.namespace import namespace, stacked_rows
from pathfinder._importance.path_draws import DrawSource, MixedDraws, PathDraws
from pathfinder._normals.bordered import BorderedNormal
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.student_t import Distribution, NormalOrT
from pathfinder._refinement.dense_rounds import NUM_KEPT
from pathfinder._refinement.refine import RefinedFit


MOST_ADAPTED = 3  # distributions that are added to a mode
# Numbers of the components of a mode, by which their draws have their random keys.
REFINED, START, FIRST_KEPT = 0, 1, 2
FIRST_ADAPTED = FIRST_KEPT + NUM_KEPT


@dataclass
class Component:
    """A distribution of a mixture, with what is known of its draws.

    Args:
        fit: The fit that it is of.
        mode: The mode of that fit.
        number: Its number in the mixture.
        distribution: The distribution.
        key: Key of its draws.
        log_p: Log densities of the model at the draws; there are none before they are evaluated.
        log_q: By the number of a component, log densities under that one at the draws of this one.
        positions: The draws, if they are kept.
    """

    fit: int
    mode: int
    number: int
    distribution: Distribution
    key: UInt32[np.ndarray, " 2"]
    log_p: Float[np.ndarray, " draw"] = field(default_factory=lambda: np.zeros(0))
    log_q: dict[int, Float[np.ndarray, " draw"]] = field(default_factory=dict)
    positions: Float[np.ndarray, "draw dim"] | None = None

    @property
    def count(self) -> int:
        """Number of its draws."""
        return len(self.log_p)


# The draws of a component in parts: which they are, and their positions.
Positions = Callable[[Component], Iterable[tuple[Any, Float[np.ndarray, "draw dim"]]]]


class Mixture:
    """The components of one fit.

    Args:
        fit: Number of the fit.
        refined: Its refined modes.
        keys: Keys of its components.
    """

    def __init__(self, fit: int, refined: RefinedFit, keys: UInt32[np.ndarray, "component 2"]):
        self._per_mode = _per_mode(refined)
        self._fit, self._keys = fit, keys
        self._refined_normals = [lane.approximation for lane in refined.lanes]
        self._components: dict[int, Component] = {}
        self.refined = [self._add(mode, REFINED, lane.approximation) for mode, lane in enumerate(refined.lanes)]
        self.starts = [self._add(mode, START, lane.initial) for mode, lane in enumerate(refined.lanes)]
        self.kept = [
            self._add(mode, FIRST_KEPT + place, kept.normal, kept.key, kept.log_p, kept.log_q)
            for mode, lane in enumerate(refined.lanes)
            for place, kept in enumerate(lane.kept)
        ]

    def _add(self, mode: int, place: int, distribution: Distribution, key=None, log_p=None, log_q=None) -> Component:
        number = self._per_mode * mode + place
        component = Component(self._fit, mode, number, distribution, self._keys[number] if key is None else key)
        if log_p is not None:
            component.log_p = np.asarray(log_p)
        if log_q is not None:
            first = self._per_mode * mode + FIRST_KEPT
            component.log_q = {first + place: row for place, row in enumerate(log_q)}
        self._components[number] = component
        return component

    def adapt(self, weights: Float[np.ndarray, " draw"], place: int, positions: Positions) -> list[Component]:
        """Add a Student's t to every mode whose draws have weight, by the moments of these.

        Args:
            weights: Of all draws.
            place: How many were added before.
            positions: Gives the draws of a component.
        """
        parts = self.by_component(weights)
        added = []
        for mode in range(len(self.refined)):
            own = [(component, part) for component, part in parts if component.mode == mode]
            if any(part.any() for _, part in own):
                present = self._refined_normals[mode]
                assert isinstance(present, LowRankNormal)  # as only full covariances can be adapted
                moments = normal_of_moments(own, positions, present)
                added.append(self._add(mode, FIRST_ADAPTED + place, NormalOrT(moments, np.array(True))))
        return added

    def by_component(self, weights: Float[np.ndarray, " draw"]) -> list[tuple[Component, Float[np.ndarray, " part"]]]:
        """The components that have draws, with the weights of the draws of each."""
        drawn = self.drawn
        ends = np.cumsum([component.count for component in drawn])[:-1]
        return list(zip(drawn, np.split(weights, ends), strict=True))

    @property
    def drawn(self) -> list[Component]:
        """The components that have draws, by their numbers."""
        return [self._components[number] for number in sorted(self._components) if self._components[number].count]

    def draws(self) -> MixtureDraws:
        """All draws, whose log densities under all components that have some must be known."""
        drawn = self.drawn
        counts = np.array([component.count for component in drawn])
        # In proportion to the draws that each component has: then the mixture is the density that all draws together
        # come from (the balance heuristic), and no draw of a poor component gets a large weight.
        log_weights = np.log(counts / counts.sum())
        terms = np.array([np.concatenate([own.log_q[each.number] for own in drawn]) for each in drawn])
        terms += log_weights[:, None]
        # A failed component may hold NaN; a density that overflows to NaN is one of zero.
        terms[np.isnan(terms)] = -np.inf
        largest = terms.max(axis=0)
        shift = np.where(np.isfinite(largest), largest, 0.0)
        terms -= shift
        with np.errstate(divide="ignore"):
            log_mixture = shift + np.log(np.exp(terms, out=terms).sum(axis=0))
        return MixtureDraws(
            numbers=np.repeat([component.number for component in drawn], counts),
            modes=np.repeat([component.mode for component in drawn], counts),
            indices=np.concatenate([np.arange(count) for count in counts]),
            log_p=np.concatenate([component.log_p for component in drawn]),
            log_q=np.concatenate([component.log_q[component.number] for component in drawn]),
            log_mixture=log_mixture,
        )

    def source(self, like: PathDraws) -> DrawSource:
        """Where the draws come from; a component has the place of its number.

        There is room for what a fit can bring, always the same, because each shape would compile everything again.

        Args:
            like: A source whose sizes of batches to take.
        """
        placeholder = self.starts[0].distribution
        components = [self._components.get(number) for number in range(len(self._keys))]
        distributions = [placeholder if component is None else component.distribution for component in components]
        keys = self._keys.copy()
        for component in self.kept:
            keys[component.number] = component.key
        forms = np.array([form_of(own) for own in distributions])
        names = sorted(set(forms))
        if len(names) == 1:
            return stacked_source(distributions, keys, like)
        chosen = [np.flatnonzero(forms == name) for name in names]
        sources = [stacked_source([distributions[lane] for lane in own], keys[own], like) for own in chosen]
        return MixedDraws.of(sources, np.searchsorted(names, forms))


@dataclass(frozen=True)
class MixtureDraws:
    """All draws of a mixture.

    Args:
        numbers: The component of each draw.
        modes: Its mode.
        indices: Its number within the component.
        log_p: Log density of the model.
        log_q: That of its component.
        log_mixture: That of the mixture.
    """

    numbers: Int[np.ndarray, " draw"]
    modes: Int[np.ndarray, " draw"]
    indices: Int[np.ndarray, " draw"]
    log_p: Float[np.ndarray, " draw"]
    log_q: Float[np.ndarray, " draw"]
    log_mixture: Float[np.ndarray, " draw"]


def is_adaptable(refined: RefinedFit) -> bool:
    """Whether distributions can be added to a mixture: those with a full covariance."""
    return refined.lanes[0].initial.basis is None


def num_components(refined: RefinedFit) -> int:
    """How many components a mixture can have."""
    return _per_mode(refined) * len(refined.lanes)


def _per_mode(refined: RefinedFit) -> int:
    if is_adaptable(refined):
        return FIRST_ADAPTED + MOST_ADAPTED
    return FIRST_KEPT + max(len(lane.kept) for lane in refined.lanes)


def form_of(distribution: Distribution) -> str:
    """What those have in common that can be on one leading axis."""
    return "bordered" if isinstance(distribution, BorderedNormal) else "low rank"


def stacked(distributions: Sequence[Distribution]) -> Distribution:
    """Distributions of one form on a leading axis; those of nothing but normals are normals."""
    if any(isinstance(own, NormalOrT) for own in distributions):
        return stacked_rows([_as_normal_or_t(own) for own in distributions])
    return stacked_rows(distributions)


def _as_normal_or_t(distribution: Distribution) -> NormalOrT:
    if isinstance(distribution, NormalOrT):
        return distribution
    assert isinstance(distribution, LowRankNormal)
    return NormalOrT(distribution, np.array(False))


def stacked_source(
    distributions: Sequence[Distribution], keys: UInt32[np.ndarray, "component 2"], like: PathDraws
) -> PathDraws:
    """The source of draws of some distributions, in arrays and batches like those of another one."""
    xp = namespace(like.approximations)
    approximations, keys = jax.tree_util.tree_map(xp.asarray, (stacked(distributions), keys))
    return dataclasses.replace(like, approximations=approximations, draw_keys=keys, elbo_keys=keys, num_reused=0)


@one_blas_thread()
def normal_of_moments(
    drawn: Sequence[tuple[Component, np.ndarray]], positions: Positions, present: LowRankNormal
) -> LowRankNormal:
    """The normal of the weighted mean and covariance of draws, the latter shrunk towards `present`.

    Draws of a density without end can be so far out that their moments are no covariance in floating point; then
    `present` is all there is to go on with.

    Args:
        drawn: Components, and the weights of the draws of each.
        positions: Gives these draws.
        present: A normal without a basis.
    """
    scale, mean, core = (np.asarray(part) for part in (present.scale, present.mean, present.core))
    dim = len(mean)
    total = sum(weights.sum() for _, weights in drawn)  # they may be so small that their squares are not
    first, second, squares = np.zeros(dim), np.zeros((dim, dim)), 0.0
    with np.errstate(all="ignore"):
        for component, weights in drawn:
            for rows, points in positions(component):
                own = weights[rows] / total
                has_weight = own > 0
                own, standardized = own[has_weight], (points[has_weight] - mean) / scale
                first += own @ standardized
                second += (standardized * own[:, None]).T @ standardized
                squares += own @ own
        # A covariance of fewer effective draws than dimensions is nearly singular; `present` counts as `dim` draws.
        prior = dim / (1 / squares + dim)
        covariance = (1 - prior) * (second - np.outer(first, first)) + prior * core @ core.T
        factor = cholesky(covariance)
        found = LowRankNormal((mean + scale * first).astype(mean.dtype), scale, None, factor.astype(core.dtype))
        return found if found.is_finite else present
