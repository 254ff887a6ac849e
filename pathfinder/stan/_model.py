"""A Stan program with its data as a model of the engine."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._model import Model
from pathfinder._variables import Block, Variable
from pathfinder.stan._lanes import entering
from pathfinder.stan._program import BoundProgram, bind, declarations
from pathfinder.stan._run import StanEvaluationError
from pathfinder.stan._slots import Slot, nested, slots_of
from pathfinder.stan._traced import Traced, trace
from pathfinder.stan._typecheck import CheckedProgram
from pathfinder.stan._types import Type, declared_type


def model_of(
    checked: CheckedProgram,
    data: Mapping[str, Any],
    *,
    seed: int = 0,
    simplex: str = "ilr",
    name: str = "model",
    print_line: Callable[[str], None] | None = None,
) -> Model:
    """A model of a checked program.

    Args:
        checked: The program.
        data: Its data, as given by `_data.read_data`.
        seed: For random numbers in transformed data.
        simplex: "ilr" or "stick_breaking"; see `bind`.
        name: Of the model.
        print_line: Receives what `print` says in transformed data.

    Raises:
        StanEvaluationError: If the program cannot be evaluated with these data.
        ValueError: If it has no parameters.
    """
    if simplex not in ("ilr", "stick_breaking"):
        raise ValueError(f"`simplex` must be 'ilr' or 'stick_breaking', not {simplex!r}.")
    bound = bind(checked, data, seed=seed, simplex=simplex, print_line=print_line)
    if bound.dim < 1:
        raise ValueError(f"The model has {bound.dim} parameters; Pathfinder needs at least 1.")
    position = jnp.zeros(bound.dim)
    types = _types(checked)
    arrays: dict[str, Any] = {}
    density, arrays["density"] = trace(bound.log_density, position)
    record = _Record(bound.transformed, types)
    constrain, arrays["constrain"] = trace(record, position)
    constrained_names, variables = record.names, record.variables
    generate = None
    if declarations(checked.program.generated_quantities):
        try:
            record = _Record(bound.generated, types)
            generated, arrays["generate"] = trace(record, jax.random.key(0), position)
            generate = _Generate(generated, record.names)
            variables = [*variables, *record.variables]
        except StanEvaluationError as error:
            generate = _HostGenerate(bound, types)
            if not generate.is_possible():
                raise
            warnings.warn(f"Generated quantities are computed draw by draw, which is slow: {error}", stacklevel=3)
            variables = [*variables, *generate.variables()]
    unconstrain = _Unconstrain(bound, types)
    return Model(
        dim=bound.dim,
        density=_Density(density),
        constrain_fn=_Constrain(constrain, constrained_names),
        unconstrain_fn=unconstrain,
        named_fn=unconstrain.named,
        variables=tuple(Variable(slot.name, slot.shape, None, block) for slot, block in variables),
        data=arrays,
        generate_fn=generate,
        name=name,
    )


def _types(checked: CheckedProgram) -> dict[str, tuple[Type, Block]]:
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


@dataclass(eq=False)
class _Record:
    """A function that gives values by name, as one that gives a list of arrays and remembers their names."""

    function: Callable[..., dict[str, Any]]
    types: Mapping[str, tuple[Type, Block]]
    variables: list[tuple[Slot, Block]] = field(default_factory=list)

    def __call__(self, *arguments: Any) -> list[Any]:
        values = self.function(*arguments)
        self.variables = [
            (slot, self.types[name][1])
            for name, value in values.items()
            for slot in slots_of(name, self.types[name][0], value)
        ]
        return list(_numbers(values, self.types))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(slot.name for slot, _ in self.variables)


def _numbers(values: Mapping[str, Any], types: Mapping[str, tuple[Type, Block]]) -> Iterator[jax.Array]:
    for name, value in values.items():
        for slot in slots_of(name, types[name][0], value):
            yield jnp.asarray(entering(slot.read(value)))


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


@dataclass(frozen=True)
class _Generate:
    traced: Traced
    names: tuple[str, ...]

    def __call__(self, key, position, data):
        return dict(zip(self.names, self.traced(data["generate"], key, position), strict=True))


@dataclass(frozen=True, eq=False)
class _HostGenerate:
    """Generated quantities that JAX cannot trace, computed by the same evaluator on NumPy values."""

    bound: BoundProgram
    types: Mapping[str, tuple[Type, Block]]

    def variables(self) -> list[tuple[Slot, Block]]:
        """The parts of the generated quantities."""
        return [
            (slot, "generated quantities")
            for name, value in self.bound.unassigned().items()
            for slot in slots_of(name, self.types[name][0], value)
        ]

    def __call__(self, key, position, data):
        template = self.bound.unassigned()
        shapes = {
            slot.name: jax.ShapeDtypeStruct(slot.shape, jnp.asarray(slot.read(value)).dtype)
            for name, value in template.items()
            for slot in slots_of(name, self.types[name][0], value)
        }
        key_data = jax.random.key_data(key)
        return jax.pure_callback(self._on_host, shapes, key_data, position, vmap_method="sequential")

    def is_possible(self) -> bool:
        """Whether they can be computed at the origin."""
        try:
            self.bound.generated(jax.random.key(0), np.zeros(self.bound.dim), on_host=True)
        except StanEvaluationError:
            return False
        return True

    def _on_host(self, key_data, position):
        """The numbers of one draw; where the program fails they are as yet unassigned, that is NaN, as in Stan."""
        try:
            with jax.ensure_compile_time_eval():
                values = self.bound.generated(jax.random.wrap_key_data(key_data), np.asarray(position), on_host=True)
        except StanEvaluationError:
            values = self.bound.unassigned()
        return {
            slot.name: np.asarray(slot.read(value), jnp.asarray(slot.read(value)).dtype)
            for name, value in values.items()
            for slot in slots_of(name, self.types[name][0], value)
        }


@dataclass(frozen=True, eq=False)
class _Unconstrain:
    """Parameters as the user gives them: by the program's names, or by those of the model's variables."""

    bound: BoundProgram
    types: Mapping[str, tuple[Type, Block]]

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
            slot.name: slot.read(_as_arrays(parameters[name], template))
            for name, (slots, template) in templates.items()
            for slot in slots
        }

    def _templates(self) -> dict[str, tuple[Sequence[Slot], Any]]:
        """For each parameter its parts, and some value of it."""
        values = jax.eval_shape(self.bound.transformed, jax.ShapeDtypeStruct((self.bound.dim,), jnp.zeros(()).dtype))
        found = {}
        for parameter in self.bound.parameters:
            name = parameter.name
            template = jax.tree_util.tree_map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), values[name])
            found[name] = (tuple(slots_of(name, self.types[name][0], template)), template)
        return found


def _as_arrays(value: Any, template: Any) -> Any:
    """A value with arrays where the template has them; tuples may be given as `{"1": ...}`."""
    if not isinstance(template, tuple):
        return np.asarray(value, template.dtype if template.dtype.kind == "c" else None)
    parts = [value[str(i + 1)] for i in range(len(template))] if isinstance(value, Mapping) else value
    return tuple(_as_arrays(part, element) for part, element in zip(parts, template, strict=True))
