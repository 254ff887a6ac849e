"""Draws of the components of mixtures, made and scored for many fits at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pathfinder._arrays.namespace import Array, jit_unless_numpy, rows
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._importance.components import Component, Mixture, form_of, stacked, stacked_source
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._importance.path_draws import HOST_NUMBERS, PathDraws
from pathfinder._importance.scored_draws import score_draws
from pathfinder._normals.scoring import draw_lanes
from pathfinder._normals.student_t import Distribution


COMPONENTS_ON_HOST = 64  # that are made into one source of draws
KEPT_BYTES = 2**24  # of the draws of one fit that are kept; more of them are made again when they are wanted


class ComponentDraws:
    """Makes draws of components, and scores them under the model and under other components.

    On the host, lanes are as many as there are components; compiled programs have room for a fixed number of them.

    Args:
        paths: The paths of the fits. Draws are kept if there is memory for a whole fit's, and made again otherwise.
        room: Number of components that programs are compiled for.
    """

    def __init__(self, paths: FittedPaths, room: int):
        self.density, self.source, self.devices, self.room = paths.density, paths.source, paths.devices, room
        self._paths = paths
        num_bytes = room * paths.settings.num_draws * self.density.dim * np.dtype(self.density.dtype).itemsize
        self.keeps = self.devices.is_host and num_bytes <= KEPT_BYTES

    def evaluate(self, components: Sequence[Component], count: int) -> None:
        """Evaluate the density of the model at draws of some components, all of them if there is time."""
        for part in self._paths.parts_of_draws(len(components)):
            for own in _by_form(components):
                self._draw(own, np.arange(count)[part], evaluate=True)

    def compare(self, mixtures: Sequence[Mixture]) -> None:
        """Find the log densities of all draws under all components of their fit that have draws."""
        if self.devices.is_host and not self.keeps:
            for mixture in mixtures:
                self._compare_one_by_one(mixture.drawn)
            return
        missing: dict[int, list[tuple[Component, Component]]] = {}
        undrawn: dict[int, list[Component]] = {}
        for mixture in mixtures:
            drawn = mixture.drawn
            for own in drawn:
                if own.number not in own.log_q or (self.keeps and own.positions is None):
                    undrawn.setdefault(own.count, []).append(own)
                others = [other for other in drawn if other.number not in own.log_q and other is not own]
                missing.setdefault(own.count, []).extend((own, other) for other in others)
        for count, components in undrawn.items():
            for own in _by_form(components):
                self._draw(own, np.arange(count), evaluate=False)
        for count, of_count in missing.items():
            size = max(1, HOST_NUMBERS // (count * self.density.dim)) if self.devices.is_host else self.room
            for pairs in _by_form(of_count):
                for first in range(0, len(pairs), size):
                    self._compare(pairs[first : first + size], count)

    def positions(self, component: Component) -> Iterable[tuple[Any, Float[np.ndarray, "draw dim"]]]:
        """The draws of a component in parts: which they are, and their positions."""
        if component.positions is not None:
            return [(slice(None), component.positions)]
        lanes, indices = np.zeros(component.count, np.int64), np.arange(component.count)
        return self._source([component], component.count).positions(lanes, indices)

    def _draw(self, components: Sequence[Component], numbers: Int[np.ndarray, " draw"], *, evaluate: bool) -> None:
        """Make draws of some numbers, and put what is known of them behind those before."""
        count = len(numbers)
        at_once = COMPONENTS_ON_HOST if self.devices.is_host else self.room
        for first in range(0, len(components), at_once):
            own = components[first : first + at_once]
            lanes, indices = np.repeat(np.arange(len(own)), count), np.tile(numbers, len(own))
            scores = score_draws(
                self.density, self._source(own, count), lanes, indices, self.devices, evaluate=evaluate,
                fits=np.array([component.fit for component in own]), keep=self.keeps,
            )  # fmt: skip
            for number, component in enumerate(own):
                places, is_first = slice(number * count, (number + 1) * count), numbers[0] == 0
                log_q = None if is_first else component.log_q[component.number]
                component.log_q[component.number] = _joined(log_q, scores["log_q"][places])
                if evaluate:
                    component.log_p = _joined(component.log_p, scores["log_p"][places])
                if self.keeps:
                    positions = None if is_first else component.positions
                    component.positions = _joined(positions, scores["positions"][places])

    def _compare_one_by_one(self, drawn: Sequence[Component]) -> None:
        """Long draws of each component, which are made once more, under all others."""
        for own in drawn:
            missing = [other for other in drawn if other.number not in own.log_q]
            for which, points in self.positions(own) if missing else ():
                for other in missing:
                    values = own.log_q.setdefault(other.number, np.empty(own.count))
                    values[which] = log_densities_under(stacked([other.distribution]), points[None])[0]

    def _compare(self, pairs: Sequence[tuple[Component, Component]], count: int) -> None:
        kept = [own.positions for own, _ in pairs if own.positions is not None]
        if len(kept) == len(pairs):
            log_q = log_densities_under(stacked([other.distribution for _, other in pairs]), np.stack(kept))
        else:
            log_q = np.empty((len(pairs), count))
            source = self._source([own for own, _ in pairs], count)
            others = self._source([other for _, other in pairs], count).approximations
            lanes, indices = np.repeat(np.arange(len(pairs)), count), np.tile(np.arange(count), len(pairs))
            pending = []
            for number, (draws, used, normals, keys) in enumerate(source.batches(lanes, indices)):
                normals, keys, under = self.devices.put((normals, keys, others), number)
                values = log_densities_under_some(under, lanes[draws[:, 0]], draw_lanes(normals, keys)[0])
                pending.append((draws[used], used, values))
            for draws, used, values in pending:
                log_q.ravel()[draws] = np.asarray(values)[used]
        for (own, other), values in zip(pairs, log_q, strict=True):
            own.log_q[other.number] = values

    def _source(self, components: Sequence[Component], count: int) -> PathDraws:
        """Where draws of some components come from."""
        source = self.source
        padded = list(components)
        if self.devices.is_host:
            most = max(1, HOST_NUMBERS // self.density.dim)
            width = min(count, most)
            source = dataclasses.replace(source, draws_per_lane=width, batch_size=max(1, most // width))
        else:
            padded += [padded[-1]] * (self.room - len(padded))
        return stacked_source([each.distribution for each in padded], np.stack([each.key for each in padded]), source)


def _by_form(items: Sequence[Any]) -> list[list[Any]]:
    """Components, or tuples of them, apart by their forms, since only those of one form can be on one leading axis."""
    parts: dict[tuple[str, ...], list[Any]] = {}
    for item in items:
        components = item if isinstance(item, tuple) else (item,)
        parts.setdefault(tuple(form_of(own.distribution) for own in components), []).append(item)
    return list(parts.values())


def _joined(before: np.ndarray | None, more: np.ndarray) -> np.ndarray:
    return more if before is None else np.concatenate([before, more])


@jit_unless_numpy()
def log_densities_under(distributions: Distribution, draws: Float[Array, "lane draw dim"]) -> Float[Array, "lane draw"]:
    """Log densities of draws under a distribution for each lane."""
    return over_lanes(lambda own, points: own.log_density(points))(distributions, draws)


@jit_unless_numpy()
def log_densities_under_some(
    distributions: Distribution, which: Int[Array, " lane"], draws: Float[Array, "lane draw dim"]
) -> Float[Array, "lane draw"]:
    """The same under those of some distributions that `which` names."""
    return log_densities_under(rows(distributions, which), draws)
