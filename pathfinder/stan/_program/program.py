"""A program with its data: its variables, its log density, and what it computes from parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.placed import placed
from pathfinder._errors import BoundaryValueError
from pathfinder.stan._checking.programs import CheckedProgram
from pathfinder.stan._expressions.supported import require_supported
from pathfinder.stan._library.numerics.random_keys import written_out
from pathfinder.stan._program.execution import call_user, execute_all
from pathfinder.stan._program.parameters import Parameter, constrained, parameter_of, require_constraint, unconstrained
from pathfinder.stan._state.errors import NotFiniteError, StanEvaluationError, StanRejectError
from pathfinder.stan._state.machine import Machine
from pathfinder.stan._state.report import LoopReport, LoopWays
from pathfinder.stan._state.run import Run
from pathfinder.stan._statements.declarations import unassigned
from pathfinder.stan._statements.print_statements import emit
from pathfinder.stan._syntax.diagnostics import StanError
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.tree import Block, Declaration, Statement
from pathfinder.stan._types.types import declared_type
from pathfinder.stan._values.lanes import array_of


@dataclass(frozen=True, eq=False)
class BoundProgram:
    """A program, its data, and its transformed data.

    Attributes:
        checked: The program.
        data: Values of the variables of `data` and `transformed data`.
        parameters: The parameters in order.
        simplex: How a simplex is unconstrained: "ilr" (Stan 2.37 and later) or "stick_breaking" (until 2.36).
        print_line: Receives what `print` says outside of transformed data; None discards it.
        reports: How the loops were compiled when it was last traced, by their places in the program.
        loops: The ways they may run.
    """

    checked: CheckedProgram
    data: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    simplex: str
    print_line: Callable[[str], None] | None = None
    reports: dict[Span, LoopReport] = field(default_factory=dict)
    loops: LoopWays = "auto"

    @property
    def dim(self) -> int:
        """Number of unconstrained parameters."""
        return sum(parameter.free_size for parameter in self.parameters)

    def log_density(self, position: Any, *, jacobian: bool = True) -> Any:
        """Log density at an unconstrained vector; -inf where the program rejects it."""
        run = self._start(jacobian=jacobian)
        self._parameters(run, position)
        self._model(run)
        emit(run)
        return self._finish(run)

    def rejection(self, position: np.ndarray) -> str:
        """Why a point has no finite log density: a sentence with the place; empty if it has, or if it cannot be told.

        Args:
            position: An unconstrained vector.
        """
        run = self._start(silent=True, on_data=True)
        try:
            self._parameters(run, position, on_host=True)
            self._model(run)
        except StanRejectError as error:
            return f"The program says: {error.reason} ({error.diagnostic.span.location()})."
        except NotFiniteError as error:
            return f"{error.diagnostic.in_one_line()}."
        except StanEvaluationError:  # some things are computed from parameters in compiled programs only
            return ""
        return ""

    def _model(self, run: Run) -> None:
        self._block(run, self.checked.program.transformed_parameters, check=True)
        model = self.checked.program.model
        if model is not None:
            with run.machine.nested():
                execute_all(run, model.statements)

    def transformed(self, position: Any) -> dict[str, Any]:
        """Parameters and transformed parameters by name."""
        run = self._start()
        values = self._parameters(run, position)
        values |= self._block(run, self.checked.program.transformed_parameters)
        emit(run)
        return values

    def generated(self, key: Any, position: Any) -> tuple[dict[str, Any], Any]:
        """Generated quantities by name, and whether the program accepts them; if not, they are as yet unassigned.

        Args:
            key: For random numbers.
            position: An unconstrained vector.
        """
        run = self._start(silent=True)
        self._parameters(run, position)
        self._block(run, self.checked.program.transformed_parameters)
        values = self._generate(run, key)
        emit(run)
        ok = run.machine.frame.ok
        if ok is True:
            return values, True
        unassigned = self.unassigned()
        chosen = jax.tree_util.tree_map(lambda *each: jnp.where(ok, *each), values, unassigned)
        return {name: chosen[name] for name in values}, ok

    def generated_on_host(self, key: Any, position: np.ndarray) -> dict[str, Any]:
        """Generated quantities by name, computed with NumPy values: what depends on parameters counts as known.

        Raises:
            StanEvaluationError: If they cannot be computed, or the program rejects them.
        """
        run = self._start(silent=True, on_data=True)
        self._parameters(run, position, on_host=True)
        self._block(run, self.checked.program.transformed_parameters)
        return self._generate(run, key)

    def _generate(self, run: Run, key: Any) -> dict[str, Any]:
        run.machine.frame.random_key = written_out(key)
        run.print_line = self.print_line
        return self._block(run, self.checked.program.generated_quantities, check=True)

    def unassigned(self) -> dict[str, Any]:
        """Generated quantities by name before they are computed, which tell their shapes."""
        run = self._start()
        return {
            node.name.text: unassigned(run, node.type)
            for node in declarations(self.checked.program.generated_quantities)
        }

    def unconstrained(self, values: Mapping[str, Any]) -> np.ndarray:
        """The unconstrained vector of parameters.

        Raises:
            ValueError: If a value has another shape or violates its constraint; names the parameter.
        """
        run = self._start()
        free = [np.zeros(0)]
        for parameter in self.parameters:
            name, value = parameter.name, values[parameter.name]
            try:
                part = unconstrained(run, parameter, value)
            except StanError:
                raise
            except ValueError as error:
                raise ValueError(f"The given value of parameter '{name}' violates its constraint: {error}") from error
            if not np.all(np.isfinite(part)):
                raise BoundaryValueError(
                    f"The given value of parameter '{name}' is not finite on the unconstrained scale. Values on the "
                    "boundary of a constraint cannot be used."
                )
            free.append(part)
            run.machine.variables.declare(name, parameter.type, value)
        return np.concatenate(free)

    def _start(self, *, jacobian: bool = True, silent: bool = False, on_data: bool = False) -> Run:
        machine = Machine()
        for name, value in self.data.items():
            machine.variables.declare(name, self._data_types[name], value)
        print_line = None if silent else self.print_line
        return Run(
            self.checked,
            machine,
            call_user,
            self.reports,
            print_line,
            jacobian=jacobian,
            on_data=on_data,
            loops=self.loops,
        )

    @property
    def _data_types(self) -> dict[str, Any]:
        program = self.checked.program
        return {
            statement.name.text: declared_type(statement.type)
            for block in (program.data, program.transformed_data)
            for statement in (block.statements if block else ())
            if isinstance(statement, Declaration)
        }

    def _parameters(self, run: Run, position: Any, *, on_host: bool = False) -> dict[str, Any]:
        values: dict[str, Any] = {}
        start = 0
        for parameter in self.parameters:
            free = position[start : start + parameter.free_size]
            start += parameter.free_size
            with run.at(parameter.node):
                value, log_jacobian = constrained(run, parameter, free)
            if on_host:
                value = jax.tree_util.tree_map(np.asarray, value)
            values[parameter.name] = value
            run.machine.variables.declare(parameter.name, parameter.type, value)
            if run.jacobian and log_jacobian is not None:
                run.machine.target.increment(log_jacobian)
        return values

    def _block(self, run: Run, block: Block | None, *, check: bool = False) -> dict[str, Any]:
        return run_block(run, block, check=check)

    def _finish(self, run: Run) -> Any:
        target = jnp.asarray(run.machine.frame.target, jnp.zeros(()).dtype)
        ok = run.machine.frame.ok
        return target if ok is True else jnp.where(ok, target, -jnp.inf)


def run_block(run: Run, block: Block | None, *, check: bool) -> dict[str, Any]:
    """Run the statements of a block, whose variables stay visible; gives their values by name."""
    if block is None:
        return {}
    execute_all(run, block.statements)
    values: dict[str, Any] = {}
    for statement in block.statements:
        if isinstance(statement, Declaration):
            cell = run.machine.variables.find(statement.name.text)
            values[statement.name.text] = cell.value
            if check:
                require_constraint(run, statement, cell.value)
    return values


def bind(
    checked: CheckedProgram,
    data: Mapping[str, Any],
    *,
    seed: int = 0,
    simplex: str = "ilr",
    print_line: Callable[[str], None] | None = None,
    prints: bool = False,
    loops: LoopWays = "auto",
) -> BoundProgram:
    """Give a program its data, and compute its transformed data.

    Args:
        checked: The program.
        data: Values by name, as checked by `data.read_data`.
        seed: For random numbers in transformed data.
        simplex: "ilr" or "stick_breaking".
        print_line: Receives what `print` says.
        prints: Whether that includes `print` outside of transformed data, at every evaluation.
        loops: The ways loops may run: "auto", the fastest that is possible; "scan", one iteration after another, in JAX
            where that is possible; "unrolled", one after another in Python.

    Raises:
        StanEvaluationError: If data violate a constraint, or transformed data cannot be computed.
    """
    require_supported(checked)
    machine = Machine()
    reports: dict[Span, LoopReport] = {}
    run = Run(checked, machine, call_user, reports, print_line=print_line, on_data=True, loops=loops)
    program = checked.program
    for statement in declarations(program.data):
        machine.variables.declare(statement.name.text, declared_type(statement.type), data[statement.name.text])
    words = placed(np.array([seed >> 32, seed % 2**32], np.uint32))
    machine.frame.random_key = written_out(jax.random.wrap_key_data(words))
    values = {statement.name.text: array_of(data[statement.name.text]) for statement in declarations(program.data)}
    values |= run_block(run, program.transformed_data, check=True)
    parameters = tuple(parameter_of(run, statement, simplex) for statement in declarations(program.parameters))
    return BoundProgram(checked, values, parameters, simplex, print_line if prints else None, reports, loops)


def declarations(block: Block | None) -> Sequence[Declaration]:
    """The variables that a block declares at its top."""
    statements: Sequence[Statement] = () if block is None else block.statements
    return [statement for statement in statements if isinstance(statement, Declaration)]
