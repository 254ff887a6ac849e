"""What a model of the engine needs of a Stan program with its data; of the model itself nothing is known here."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from pathfinder._arrays.placed import default_dtype
from pathfinder._errors import NoParametersError
from pathfinder._variables import Block, Part, Variable
from pathfinder.stan._checking.programs import CheckedProgram
from pathfinder.stan._program.columns import Slot, nested, parts_of, slots_of
from pathfinder.stan._program.named_data import NamedData, named_values, observed_names
from pathfinder.stan._program.program import BoundProgram, bind, declarations
from pathfinder.stan._program.quantities import HostQuantities, RejectionWarning, traced_quantities
from pathfinder.stan._program.record import Record, Types
from pathfinder.stan._program.traced import Traced, trace
from pathfinder.stan._state.errors import StanEvaluationError
from pathfinder.stan._types.types import declared_type


def model_fields(
    checked: CheckedProgram,
    data: Mapping[str, Any],
    *,
    seed: int = 0,
    simplex: str = "ilr",
    name: str = "model",
    print_line: Callable[[str], None] | None = None,
    prints: bool = False,
) -> dict[str, Any]:
    """The fields of `pathfinder.Model` for a checked program.

    Args:
        checked: The program.
        data: Its data, as given by `data.read_data`.
        seed: For random numbers in transformed data.
        simplex: "ilr" or "stick_breaking"; see `bind`.
        name: Of the model.
        print_line: Receives what `print` says.
        prints: Whether that includes `print` outside of transformed data, at every evaluation.

    Raises:
        StanEvaluationError: If the program cannot be evaluated with these data.
        NoParametersError: If it has no parameters.
    """
    if simplex not in ("ilr", "stick_breaking"):
        raise ValueError(f"`simplex` must be 'ilr' or 'stick_breaking', not {simplex!r}.")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"`seed` must be a whole number from 0 to 2^64 - 1, but {seed!r} was given.")
    bound = bind(checked, data, seed=int(seed), simplex=simplex, print_line=print_line, prints=prints)
    if bound.dim < 1:
        raise NoParametersError
    position = jax.ShapeDtypeStruct((bound.dim,), default_dtype())
    types = _types(checked)
    arrays: dict[str, Any] = {}
    density, arrays["density"] = trace(bound.log_density, position)
    record = Record(bound.transformed, types)
    constrain, arrays["constrain"] = trace(record, position)
    constrained_names, variables = record.names, record.variables
    generate = warn = None
    if declarations(checked.program.generated_quantities):
        warn = RejectionWarning(bound)
        try:
            generate, arrays["generate"], quantities = traced_quantities(bound, types)
        except StanEvaluationError as error:
            generate = HostQuantities(bound, types)
            if not generate.is_possible():
                raise
            warnings.warn(f"Generated quantities are computed draw by draw, which is slow: {error}", stacklevel=3)
            quantities = generate.variables()
        variables = [*variables, *quantities]
    unconstrain = _Unconstrain(bound, types)
    values = named_values(checked.program, data)
    return dict(
        dim=bound.dim,
        density=_Density(density),
        constrain_fn=_Constrain(constrain, constrained_names),
        unconstrain_fn=unconstrain,
        named_fn=unconstrain.named,
        data_fn=NamedData({name: array for arrays in values.values() for name, array in arrays.items()}, arrays),
        observed=tuple(name for whole in observed_names(checked.program) for name in values[whole]),
        parts_fn=unconstrain.parts,
        variables=tuple(Variable(slot.name, slot.shape, None, block) for slot, block in variables),
        data=arrays,
        generate_fn=generate,
        warn_fn=warn,
        rejection_fn=bound.rejection,
        name=name,
    )


def _types(checked: CheckedProgram) -> Types:
    """Types of the variables that are written out, and the blocks that declare them."""
    program = checked.program
    blocks: list[tuple[Any, Block]] = [
        (program.parameters, "parameters"),
        (program.transformed_parameters, "transformed parameters"),
        (program.generated_quantities, "generated quantities"),
    ]
    return {
        node.name.text: (declared_type(node.type), label) for block, label in blocks for node in declarations(block)
    }


@dataclass(frozen=True)
class _Density:
    traced: Traced

    def __call__(self, position, data):
        return self.traced(data["density"], position)[0]


@dataclass(frozen=True)
class _Constrain:
    traced: Traced
    names: tuple[str, ...]

    def __call__(self, position, data):
        return dict(zip(self.names, self.traced(data["constrain"], position), strict=True))


@dataclass(frozen=True, eq=False)
class _Unconstrain:
    """Parameters as the user gives them: by the program's names, or by those of the model's variables."""

    bound: BoundProgram
    types: Types

    def __call__(self, parameters: Mapping[str, Any]) -> np.ndarray:
        values = {name: nested(slots, template, parameters) for name, (slots, template) in self._templates().items()}
        return self.bound.unconstrained(values)

    def named(self, parameters: Any) -> dict[str, Any]:
        """The numbers of parameters by the names of the model's variables.

        Raises:
            ValueError: If parameters are missing, or there are others.
        """
        templates = self._templates()
        names = [slot.name for slots, _ in templates.values() for slot in slots]
        if not isinstance(parameters, Mapping):
            raise ValueError(f"Parameters are given as a dictionary by name; the model's are {', '.join(templates)}.")
        if set(parameters) == set(names):
            return {name: parameters[name] for name in names}
        if set(parameters) != set(templates):
            raise ValueError(f"The model's parameters are {', '.join(templates)}; given were {', '.join(parameters)}.")
        return {
            slot.name: slot.read(_as_arrays(name, parameters[name], template))
            for name, (slots, template) in templates.items()
            for slot in slots
        }

    def parts(self) -> tuple[Part, ...]:
        """The parameters as files give them."""
        return tuple(
            part for name, (slots, template) in self._templates().items() for part in parts_of(name, slots, template)
        )

    def _templates(self) -> dict[str, tuple[Sequence[Slot], Any]]:
        """For each parameter its parts, and some value of it."""
        values = jax.eval_shape(self.bound.transformed, jax.ShapeDtypeStruct((self.bound.dim,), default_dtype()))
        found = {}
        for parameter in self.bound.parameters:
            name = parameter.name
            template = jax.tree_util.tree_map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), values[name])
            found[name] = (tuple(slots_of(name, self.types[name][0], template)), template)
        return found


def _as_arrays(name: str, value: Any, template: Any) -> Any:
    """A value with arrays where the template has them; tuples may be given as `{"1": ...}`.

    Raises:
        ValueError: If it does not have the shape of the template, apart from a leading axis, one point per path.
    """
    if isinstance(template, tuple):
        keys = [str(position + 1) for position in range(len(template))]
        if isinstance(value, Mapping):
            if set(map(str, value)) != set(keys):
                raise ValueError(f"`{name}` is a tuple with the slots {keys}, but the slots {list(value)} were given.")
            value = [value[key] for key in keys]
        if not isinstance(value, tuple | list) or len(value) != len(template):
            raise ValueError(f"`{name}` is a tuple of {len(template)}, but {value!r} was given.")
        return tuple(
            _as_arrays(f"{name}.{key}", part, element) for key, part, element in zip(keys, value, template, strict=True)
        )
    is_complex = template.dtype.kind == "c"
    try:
        array = np.asarray(value, template.dtype if is_complex else None)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` needs numbers in the shape {list(template.shape)}; {value!r} was given.") from error
    if array.dtype.kind not in ("biufc" if is_complex else "biuf"):
        raise ValueError(f"`{name}` needs {'' if is_complex else 'real '}numbers, but {value!r} was given.")
    if array.shape != template.shape and array.shape[1:] != template.shape:
        raise ValueError(f"`{name}` has the shape {list(template.shape)}, but {list(array.shape)} was given.")
    return array
