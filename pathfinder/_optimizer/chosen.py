"""Some of the lanes of work: on the host what is computed for them is computed for no others."""

from typing import Any, TypeVar

import jax
import numpy as np

from pathfinder._arrays.namespace import is_of_jax, put_rows, select


_Tree = TypeVar("_Tree")


class Chosen:
    """The lanes where a condition holds.

    A compiled program, whose shapes are fixed, computes for all lanes and then selects. On the host `take` gives the
    lanes alone, and nothing needs to be selected where they are all.

    Args:
        where: The condition.
    """

    def __init__(self, where: Any):
        self.where = where
        self.is_none = False  # as far as is known
        self._places: np.ndarray | None = None  # None for all
        self._given: dict[int, Any] = {}  # by its id what `take` gave, with what that is of: it is not written back
        if not is_of_jax(where):
            places = np.flatnonzero(where)
            self.is_none = len(places) == 0
            self._places = None if len(places) == len(where) else places

    def take(self, tree: _Tree) -> _Tree:
        """The lanes, on the leading axis of every leaf."""
        if self._places is None:
            return tree
        return jax.tree_util.tree_map(self._taken, tree)

    def put(self, own: _Tree, tree: _Tree) -> _Tree:
        """A tree with what was made of these lanes in their places; what `take` gave stands for that very leaf."""
        if is_of_jax(self.where):
            return select(self.where, own, tree)
        if self._places is None:
            return own
        return jax.tree_util.tree_map(self._replaced, own, tree)

    def put_rows(self, tables: _Tree, row: Any, own: _Tree, keep: Any) -> _Tree:
        """`put_rows` for these lanes: `row`, `own` and `keep` are of them alone."""
        if is_of_jax(self.where):
            return put_rows(tables, row, own, keep & self.where)
        return put_rows(tables, row, own, keep, self._places)

    @property
    def numbers(self) -> Any:
        """The numbers of the lanes, or None if they are all."""
        return self._places

    def _taken(self, leaf: Any) -> Any:
        own = leaf[self._places]
        self._given[id(own)] = own, leaf
        return own

    def _replaced(self, own: Any, leaf: Any) -> Any:
        if self._given.get(id(own), (None, None))[1] is leaf:
            return leaf
        whole = leaf.copy()
        whole[self._places] = own
        return whole
