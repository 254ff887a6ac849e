"""How operations of JAX pass on what their arguments depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, jaxpr_as_fun
from jaxtyping import Int

from pathfinder._patterns.dependence import Dependence, Interactions, side_by_side_arrays


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


LINEAR = _names("add add_any sub neg convert_element_type copy copy_p real imag reduce_precision optimization_barrier")
# Their second derivatives are zero wherever they have any.
PIECEWISE_LINEAR = _names("max min abs select_n clamp")
# Functions of elements; of what is in no list, everything meets everything.
ELEMENTWISE = _names(
    "mul div exp exp2 expm1 log log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh logistic erf "
    "erfc erf_inv lgamma digamma polygamma igamma igammac igamma_grad_a random_gamma_grad regularized_incomplete_beta "
    "bessel_i0e bessel_i1e zeta sqrt rsqrt cbrt square pow integer_pow rem nextafter"
)
NO_DERIVATIVE = _names(
    "sign floor ceil round eq ne lt le gt ge is_finite and or not xor argmax argmin stop_gradient iota "
    "shift_left shift_right_logical shift_right_arithmetic population_count clz random_bits random_seed random_wrap "
    "random_unwrap random_fold_in"
)


@dataclass
class Constant:
    """An array that depends on no parameter, whose value is found when it is needed: places are, numbers are not.

    Args:
        shape: Its shape.
        value_of: Gives the value.
    """

    shape: tuple[int, ...]
    value_of: Callable[[], Any] = field(repr=False)

    @classmethod
    def known(cls, value: Any) -> Constant:
        """Of a value that is there."""
        return cls(np.shape(value), lambda: value)

    @classmethod
    def results(cls, equation: JaxprEqn, arguments: list[Constant]) -> list[Constant]:
        """Those of an operation."""
        found: list[Any] = []

        def results() -> list[Any]:
            if not found:
                values = [own.value_of() for own in arguments]
                program = program_called(equation)
                if program is not None:
                    found.extend(jaxpr_as_fun(program)(*values))
                else:
                    own = equation.primitive.bind(*values, **equation.params)
                    found.extend(own if equation.primitive.multiple_results else [own])
            return found

        return [
            cls(_shape_of(equation, place), lambda place=place: results()[place])
            for place in range(len(equation.outvars))
        ]

    @property
    def numbers(self) -> Int[np.ndarray, "..."]:
        """The value, of places."""
        return np.asarray(self.value_of())

    def at_once(self, length: int) -> list[Constant]:
        """The rows, of which each is a constant."""
        return [Constant(self.shape[1:], lambda row=row: np.asarray(self.value_of())[row]) for row in range(length)]


def program_called(equation: JaxprEqn) -> ClosedJaxpr | None:
    """The program that an operation calls once, with its own arguments."""
    if equation.primitive.name in ("scan", "while", "cond"):
        return None
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        program = equation.params.get(name)
        if isinstance(program, Jaxpr):
            program = ClosedJaxpr(program, [])
        if isinstance(program, ClosedJaxpr) and len(program.jaxpr.invars) == len(equation.invars):
            return program
    return None


def _shape_of(equation: JaxprEqn, place: int = 0) -> tuple[int, ...]:
    variable: Any = equation.outvars[place]
    return variable.aval.shape


def _moved(move: Callable[[JaxprEqn, np.ndarray], np.ndarray]) -> Callable[..., Dependence | None]:
    """The rule of an operation that puts the elements of its first argument elsewhere."""

    def rule(equation: JaxprEqn, arguments: list[Any], dim: int) -> Dependence | None:
        array, *others = arguments
        if isinstance(array, Constant) or not all(isinstance(own, Constant) for own in others):
            return None
        return array.taken(np.asarray(move(equation, array.numbers)))

    return rule


def _broadcast(equation: JaxprEqn, numbers: np.ndarray) -> np.ndarray:
    shape, places = equation.params["shape"], equation.params["broadcast_dimensions"]
    own = [1] * len(shape)
    for place, size in zip(places, numbers.shape, strict=True):
        own[place] = size
    return np.broadcast_to(numbers.reshape(own), shape)


def _slice(equation: JaxprEqn, numbers: np.ndarray) -> np.ndarray:
    starts, limits = equation.params["start_indices"], equation.params["limit_indices"]
    strides = equation.params["strides"] or [1] * len(starts)
    return numbers[tuple(slice(*own) for own in zip(starts, limits, strides, strict=True))]


def _at_places(equation: JaxprEqn, arguments: list[Any], dim: int) -> Dependence | None:
    """Elements at places that are known: what JAX does with numbers of elements in their stead."""
    array, *places = arguments
    if isinstance(array, Constant) or not all(isinstance(own, Constant) for own in places):
        return None
    params = dict(equation.params)
    if "fill_value" in params:
        params["fill_value"] = -1
    found = equation.primitive.bind(array.numbers.astype(np.int32), *[own.value_of() for own in places], **params)
    return array.taken(np.asarray(found))


def _put(equation: JaxprEqn, arguments: list[Any], dim: int) -> Dependence | None:
    """`dynamic_update_slice` and scatters at places that are known."""
    name = equation.primitive.name
    array, second, *rest = arguments
    update, places = (second, rest) if name == "dynamic_update_slice" else (rest[0], [second])
    if not all(isinstance(own, Constant) for own in places):
        return None
    array, update = (
        Dependence.nothing(own.shape, dim) if isinstance(own, Constant) else own for own in (array, update)
    )
    size = array.on.shape[0]
    own, other = array.numbers.astype(np.int32), (update.numbers + size).astype(np.int32)
    values = [place.value_of() for place in places]
    if name == "dynamic_update_slice":
        found = equation.primitive.bind(own, other, *values, **equation.params)
    elif name == "scatter":
        found = equation.primitive.bind(own, values[0], other, **equation.params)
    elif name == "scatter-add" or name == "scatter_add":
        return _scattered(equation, array, values[0], update)
    else:
        return None
    both = side_by_side_arrays([Dependence((size,), array.on), Dependence((update.on.shape[0],), update.on)],
                        (size + update.on.shape[0],), 0)  # fmt: skip
    return both.taken(np.asarray(found))


def _scattered(equation: JaxprEqn, array: Dependence, places: Any, update: Dependence) -> Dependence | None:
    """A scatter that adds: where each element of the update goes is found by a gather of the same places."""
    numbers = equation.params["dimension_numbers"]
    if numbers.operand_batching_dims or numbers.scatter_indices_batching_dims:
        return None
    window = [size for place, size in enumerate(array.shape) if place not in numbers.inserted_window_dims]
    sizes = [1 if place in numbers.inserted_window_dims else size for place, size in enumerate(array.shape)]
    in_update = [update.shape[place] for place in numbers.update_window_dims]
    if window != in_update:
        return None
    gathered = jax.lax.gather(
        array.numbers.astype(np.int32),
        places,
        jax.lax.GatherDimensionNumbers(
            offset_dims=numbers.update_window_dims,
            collapsed_slice_dims=numbers.inserted_window_dims,
            start_index_map=numbers.scatter_dims_to_operand_dims,
        ),
        slice_sizes=tuple(sizes),
        mode=jax.lax.GatherScatterMode.FILL_OR_DROP,
        fill_value=-1,
    )
    targets = np.asarray(gathered).ravel()
    inside = np.flatnonzero(targets >= 0)
    added = update.taken(inside).summed(targets[inside], array.shape)
    return array.joined(added)


def _concatenate(equation: JaxprEqn, arguments: list[Any], dim: int) -> Dependence:
    parts = [Dependence.nothing(own.shape, dim) if isinstance(own, Constant) else own for own in arguments]
    return side_by_side_arrays(parts, _shape_of(equation), equation.params["dimension"])


def _pad(equation: JaxprEqn, arguments: list[Any], dim: int) -> Dependence | None:
    array, filling = arguments
    if isinstance(array, Constant) or not isinstance(filling, Constant):
        return None
    found = jax.lax.pad(array.numbers.astype(np.int32), np.int32(-1), equation.params["padding_config"])
    return array.taken(np.asarray(found))


def _sum(equation: JaxprEqn, arguments: list[Any], dim: int) -> Dependence:
    (array,) = arguments
    axes = equation.params["axes"]
    shape = _shape_of(equation)
    targets = np.arange(int(np.prod(shape))).reshape([1 if axis in axes else size
                                                      for axis, size in enumerate(array.shape)])  # fmt: skip
    return array.summed(np.broadcast_to(targets, array.shape), shape)


def _cumulative(equation: JaxprEqn, arguments: list[Any], dim: int) -> Dependence:
    (array,) = arguments
    axis, reverse = equation.params["axis"], equation.params["reverse"]
    numbers = np.moveaxis(array.numbers, axis, 0)
    found = []
    total = array.taken(numbers[-1 if reverse else 0])
    turns = range(len(numbers) - 1, -1, -1) if reverse else range(len(numbers))
    for turn in turns:
        total = total.joined(array.taken(numbers[turn]))
        found.append(Dependence((1, *total.shape), total.on))
    if reverse:
        found.reverse()
    shape = (len(numbers), *numbers.shape[1:])
    together = side_by_side_arrays(found, shape, 0)
    return together.taken(np.moveaxis(together.numbers, 0, axis))


MOVES: dict[str, Callable[..., Dependence | None]] = {
    "reshape": _moved(lambda equation, numbers: numbers.reshape(equation.params["new_sizes"])),
    "squeeze": _moved(lambda equation, numbers: np.squeeze(numbers, tuple(equation.params["dimensions"]))),
    "expand_dims": _moved(lambda equation, numbers: np.expand_dims(numbers, tuple(equation.params["dimensions"]))),
    "transpose": _moved(lambda equation, numbers: np.transpose(numbers, equation.params["permutation"])),
    "rev": _moved(lambda equation, numbers: np.flip(numbers, tuple(equation.params["dimensions"]))),
    "broadcast_in_dim": _moved(_broadcast),
    "slice": _moved(_slice),
    "gather": _at_places,
    "dynamic_slice": _at_places,
    "dynamic_update_slice": _put,
    "scatter": _put,
    "scatter-add": _put,
    "scatter_add": _put,
    "concatenate": _concatenate,
    "pad": _pad,
    "reduce_sum": _sum,
    "reduce_max": _sum,
    "reduce_min": _sum,
    "cumsum": _cumulative,
}


def product_of(
    equation: JaxprEqn, arguments: list[Any], parts: list[Dependence], interactions: Interactions
) -> Dependence:
    """The product of two arrays, summed over common axes."""
    (contracted, batch) = equation.params["dimension_numbers"]
    left, right = (
        _three_axes(own, contracted[side], batch[side], side) for side, own in enumerate(parts)
    )  # (batch, own, contracted)
    shape = _shape_of(equation)
    num_batch, num_left, size = left.shape
    num_right = right.shape[1]
    if not (parts[0].is_nothing or parts[1].is_nothing):
        # What meets at each contracted place, whichever rows it is in.
        targets = np.broadcast_to(np.arange(num_batch * size).reshape(num_batch, 1, size), left.shape)
        other = np.broadcast_to(np.arange(num_batch * size).reshape(num_batch, 1, size), right.shape)
        interactions.between(
            parts[0].taken(left).summed(targets, (num_batch * size,)),
            parts[1].taken(right).summed(other, (num_batch * size,)),
        )
    of_rows = []
    for own, places, others in ((parts[0], left, num_right), (parts[1], right, num_left)):
        rows = np.arange(places.shape[0] * places.shape[1]).reshape(*places.shape[:2], 1)
        total = own.taken(places).summed(np.broadcast_to(rows, places.shape), places.shape[:2])
        axis = 2 if places is left else 1
        numbers = np.repeat(np.expand_dims(total.numbers, axis), others, axis=axis)
        of_rows.append(total.taken(numbers))
    found = of_rows[0].joined(of_rows[1])
    return Dependence(shape, found.on)


def _three_axes(own: Dependence, contracted: Any, batch: Any, side: int) -> Int[np.ndarray, "batch own contracted"]:
    """Numbers of the elements with the axes of batches first and those that are summed over last."""
    rest = [axis for axis in range(len(own.shape)) if axis not in (*contracted, *batch)]
    numbers = np.transpose(own.numbers, (*batch, *rest, *contracted))
    sizes = [int(np.prod([own.shape[axis] for axis in axes])) for axes in (batch, rest, contracted)]
    return numbers.reshape(sizes)
