"""Pytrees of constrained parameters as unconstrained vectors, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from pathfinder._arrays.key_order import in_key_order, key_order
from pathfinder._arrays.placed import default_dtype
from pathfinder._errors import BoundaryValueError, NoParametersError
from pathfinder._model.constraint_checks import check_constraint, checked_constraints
from pathfinder._model.data import refuse_containers
from pathfinder._variables import Variable


@dataclass(frozen=True)
class _Leaf:
    """One array of the parameters: its variable, its bijection, and its place in the unconstrained vector."""

    variable: Variable
    constraint: Any  # of NumPyro; None for the real line
    transform: Any  # its bijection
    unconstrained_shape: tuple[int, ...]
    offset: int
    position: int  # among the leaves in JAX's order

    @property
    def unconstrained_size(self) -> int:
        return int(np.prod(self.unconstrained_shape, dtype=np.int64))


class ParameterStructure:
    """How a pytree of parameters maps to an unconstrained vector.

    Leaves are ordered as the user wrote them: dictionaries in insertion order, not sorted by key as JAX sorts
    them. Structures that describe the same thing are equal, so compiled programs are shared between them.

    Args:
        example: A pytree of arrays or numbers with the shapes and the dtype of the parameters.
        constraints: NumPyro constraints by variable name; variables that are not named are unconstrained.
        dims: Names of the axes of variables, by variable name.

    Raises:
        ValueError: If there are no parameters, if a leaf is not numeric, if `constraints` or `dims` name something that
            is not a parameter, or if a constraint has no bijection or does not fit the shape.
    """

    def __init__(
        self,
        example: PyTree,
        constraints: Mapping[str, Any] | None = None,
        dims: Mapping[str, tuple[str, ...]] | None = None,
    ):
        constraints = checked_constraints(constraints)
        dims = dict(dims or {})
        flat, self.treedef = jax.tree_util.tree_flatten(example)
        named = parameter_names(example)
        names = [name for name, _ in named]
        if not flat:
            raise NoParametersError(reason="`example` has no arrays or numbers in it.")
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"Two parameters have the same name: {', '.join(twice)}. Rename one in `example`.")
        for argument, given in (("constraints", constraints), ("dims", dims)):
            unknown = sorted(set(given) - set(names))
            if unknown:
                raise ValueError(
                    f"`{argument}` names {', '.join(map(repr, unknown))}, but the parameters are "
                    f"{', '.join(map(repr, names))}."
                )
        leaves = []
        offset = 0
        for name, position in named:
            refuse_containers(flat[position], f"Parameter '{name}' of `example`")
            array = np.asarray(flat[position])
            if array.dtype.kind not in "fiu":
                raise ValueError(
                    f"Parameter '{name}' of `example` has dtype {array.dtype}; parameters are real numbers."
                )
            leaf = _make_leaf(name, position, array.shape, constraints.get(name), dims.get(name), offset)
            offset += leaf.unconstrained_size
            leaves.append(leaf)
        floating = [default_dtype(np.asarray(x).dtype) for x in flat if np.asarray(x).dtype.kind == "f"]
        self.dtype = np.result_type(*floating) if floating else default_dtype()
        self.leaves = tuple(leaves)
        self.dim = offset
        self._key_order = key_order(example)
        # Computed once: every call of a compiled program hashes its density.
        self._key = (
            self.treedef,
            self._key_order,
            str(self.dtype),
            tuple((leaf.variable.name, leaf.variable.shape, leaf.unconstrained_shape) for leaf in self.leaves),
        )
        self._hash = hash(self._key)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The parameters in order."""
        return tuple(leaf.variable for leaf in self.leaves)

    @property
    def is_constrained(self) -> bool:
        """Whether some parameter has a constraint."""
        return any(leaf.constraint is not None for leaf in self.leaves)

    def constrain(self, position: Float[Array, " dim"]) -> tuple[PyTree, Float[Array, ""]]:
        """Parameters at an unconstrained vector, and the log absolute Jacobian determinant of the map to them."""
        values: list[Any] = [None] * len(self.leaves)
        log_jacobian = jnp.zeros((), position.dtype)
        for leaf in self.leaves:
            part = position[leaf.offset : leaf.offset + leaf.unconstrained_size].reshape(leaf.unconstrained_shape)
            if leaf.transform is None:
                values[leaf.position] = part
            else:
                value = leaf.transform(part)
                log_jacobian += jnp.sum(leaf.transform.log_abs_det_jacobian(part, value))
                values[leaf.position] = value
        return in_key_order(self._key_order, jax.tree_util.tree_unflatten(self.treedef, values)), log_jacobian

    def named(self, parameters: PyTree) -> dict[str, Any]:
        """The arrays of a pytree of parameters by variable name, in order; a dictionary by name is one already.

        Raises:
            ValueError: If it has another structure.
        """
        names = [leaf.variable.name for leaf in self.leaves]
        if isinstance(parameters, Mapping) and set(parameters) == set(names):
            return {name: parameters[name] for name in names}
        try:
            flat = self.treedef.flatten_up_to(parameters)
        except ValueError as error:
            raise ValueError(
                f"The given parameters do not have the structure of the model's, which are {', '.join(names)}: {error}"
            ) from error
        return {leaf.variable.name: flat[leaf.position] for leaf in self.leaves}

    def unconstrain(self, parameters: PyTree) -> np.ndarray:
        """The unconstrained vector of given parameters.

        Args:
            parameters: A pytree like `example`, or a dictionary of arrays by variable name.

        Raises:
            ValueError: If something is missing, has another shape, or violates its constraint.
        """
        values = {name: np.asarray(value, dtype=self.dtype) for name, value in self.named(parameters).items()}
        for leaf in self.leaves:
            name, shape, found = leaf.variable.name, leaf.variable.shape, values[leaf.variable.name].shape
            if found != shape:
                raise ValueError(f"Parameter '{name}' has shape {shape}, but a value of shape {found} was given.")
        parts = []
        unconstrained = _unconstrained(self, values) if self.is_constrained else {}
        for leaf in self.leaves:
            name, value = leaf.variable.name, values[leaf.variable.name]
            satisfied, part = map(np.asarray, unconstrained.get(name, (True, value)))
            if not satisfied:
                raise ValueError(
                    f"The given value of parameter '{name}' violates its constraint {leaf.constraint}: {value}."
                )
            if not np.all(np.isfinite(part)):
                raise BoundaryValueError(
                    f"The given value of parameter '{name}' is not finite on the unconstrained scale: {value}. "
                    "Values on the boundary of a constraint cannot be used."
                )
            parts.append(part.reshape(-1))
        return np.concatenate(parts)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ParameterStructure)
            and self._key == other._key
            and all(
                _same_constraint(a.constraint, b.constraint) for a, b in zip(self.leaves, other.leaves, strict=True)
            )
        )

    def __hash__(self) -> int:
        return self._hash


@partial(jax.jit, static_argnums=0)
def _unconstrained(
    structure: ParameterStructure, values: dict[str, Array]
) -> dict[str, tuple[Bool[Array, ""], Float[Array, "..."]]]:
    """Whether values meet their constraints, and what they are without, of parameters that have one."""
    return {
        leaf.variable.name: (
            jnp.all(leaf.constraint(values[leaf.variable.name])),
            leaf.transform.inv(values[leaf.variable.name]),
        )
        for leaf in structure.leaves
        if leaf.transform is not None
    }


def _make_leaf(name, position, shape, constraint, dims, offset) -> _Leaf:
    if dims is not None and len(dims) != len(shape):
        raise ValueError(f"`dims` gives {len(dims)} names for '{name}', which has shape {shape}.")
    check_constraint(name, constraint)
    variable = Variable(name, tuple(shape), None if dims is None else tuple(dims))
    if constraint is None:
        return _Leaf(variable, None, None, tuple(shape), offset, position)
    from numpyro.distributions.transforms import biject_to  # loaded for those who have constraints

    try:
        transform = biject_to(constraint)
    except (NotImplementedError, KeyError, TypeError) as error:
        raise ValueError(
            f"The constraint {constraint} of parameter '{name}' has no bijection from the unconstrained space in "
            "numpyro.distributions.transforms.biject_to."
        ) from error
    if len(shape) < transform.codomain.event_dim:
        raise ValueError(
            f"The constraint {constraint} of parameter '{name}' needs at least {transform.codomain.event_dim} axes, "
            f"but `example` has shape {tuple(shape)} there."
        )
    return _Leaf(variable, constraint, transform, tuple(transform.inverse_shape(shape)), offset, position)


def parameter_names(example: PyTree, alone: str = "x") -> list[tuple[str, int]]:
    """Name of each leaf and its number in JAX's order, dictionaries in insertion order instead of sorted.

    Args:
        example: The pytree.
        alone: Name of a leaf that is the whole pytree, and with numbers of those of a list.
    """
    flat, treedef = jax.tree_util.tree_flatten(example)
    return _walk(example, jax.tree_util.tree_unflatten(treedef, list(range(len(flat)))), "", alone)


def _walk(tree: PyTree, positions: PyTree, name: str, alone: str) -> list[tuple[str, int]]:
    if isinstance(positions, int):
        return [(name or alone, positions)]
    if isinstance(tree, dict):
        children = [(str(key), child, positions[key]) for key, child in tree.items()]
        separator = "."
    else:

        def is_child(node):
            return node is not tree and node is not positions

        entries, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_child)
        numbers = jax.tree_util.tree_leaves(positions, is_leaf=is_child)
        children = [
            (_entry_name(path[0]), child, number) for (path, child), number in zip(entries, numbers, strict=True)
        ]
        separator = "_" if children and children[0][0].isdigit() else "."
        name = name or (alone if separator == "_" else "")
    return [
        item
        for key, child, numbers in children
        for item in _walk(child, numbers, f"{name}{separator}{key}" if name else key, alone)
    ]


def _entry_name(entry: Any) -> str:
    for attribute in ("key", "name", "idx"):
        if hasattr(entry, attribute):
            return str(getattr(entry, attribute))
    return str(entry)


def _same_constraint(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or bool(one == other)
