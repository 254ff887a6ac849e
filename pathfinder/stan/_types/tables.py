"""The functions of the Stan library with their signatures; those that take functions are in `higher_order`."""

from collections.abc import Iterator, Mapping
from functools import cache

from pathfinder.stan._types.density_signatures import density_signatures, expand_density
from pathfinder.stan._types.math_signatures import math_signatures
from pathfinder.stan._types.signature import Signature


class _Library(Mapping[str, tuple[Signature, ...]]):
    """Signatures by name, made from their rules when they are asked for."""

    def __init__(self) -> None:
        self._math = math_signatures()
        self._densities = density_signatures()
        self._expanded = cache(self._expand)

    def _expand(self, name: str) -> tuple[Signature, ...]:
        from_rules = tuple(signature for expand in self._math.get(name, ()) for signature in expand())
        return from_rules + expand_density(self._densities.get(name, ()))

    def __getitem__(self, name: str) -> tuple[Signature, ...]:
        if name not in self:
            raise KeyError(name)
        return self._expanded(name)

    def __contains__(self, name: object) -> bool:
        return name in self._math or name in self._densities

    def __iter__(self) -> Iterator[str]:
        yield from self._math
        yield from self._densities

    def __len__(self) -> int:
        return len(self._math) + len(self._densities)


LIBRARY: Mapping[str, tuple[Signature, ...]] = _Library()
