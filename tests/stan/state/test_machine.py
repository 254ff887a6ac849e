"""The state of an evaluation: variables that share arrays, snapshots, conditions and sums."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._state.machine import Machine
from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.indices import At, Between
from pathfinder.stan._values.lanes import Lanes


VECTOR, REAL = Type("vector"), Type("real")


@pytest.fixture
def machine():
    return Machine()


def looping(machine, count, *names):
    context = machine.frame.context
    return machine.looping(context.iterations(np.full(context.size, count)), frozenset(names))


def test_variables_that_share_an_array_do_not_see_each_others_changes(machine):
    data = np.array([1.0, 2.0, 3.0])
    first = machine.variables.declare("a", VECTOR, data)
    second = machine.variables.declare("b", VECTOR, machine.variables.read(first))
    machine.variables.assign(second, [At(1)], 5.0)
    third = machine.variables.declare("c", VECTOR, machine.variables.read(second))
    row = machine.variables.read(second, [Between(1, 2)])
    machine.variables.assign(second, [At(2)], 6.0)
    machine.variables.assign(first, [], machine.variables.read(second))
    machine.variables.assign(first, [At(3)], 7.0)
    np.testing.assert_array_equal(data, [1, 2, 3])
    np.testing.assert_array_equal(third.value, [5, 2, 3])
    np.testing.assert_array_equal(row, [5, 2])
    np.testing.assert_array_equal(second.value, [5, 6, 3])
    np.testing.assert_array_equal(first.value, [5, 6, 7])


def test_what_a_compiled_function_has_captured_does_not_change(machine):
    cell = machine.variables.declare("a", VECTOR, np.zeros(3))
    machine.variables.assign(cell, [At(1)], 1.0)

    def function(x):
        total = jnp.dot(x, machine.variables.read(cell))
        machine.variables.assign(cell, [], np.array([9.0, 9.0, 9.0]))
        return total

    captured = machine.variables.read(cell)
    assert jax.jit(function)(jnp.ones(3)) == 1
    machine.variables.assign(cell, [At(2)], 4.0)
    np.testing.assert_array_equal(captured, [1, 0, 0])


def test_snapshot(machine):
    cell = machine.variables.declare("a", VECTOR, np.zeros(3))
    machine.variables.assign(cell, [At(1)], 1.0)
    machine.target.increment(2.0)
    restore = machine.snapshot(frozenset({"a"}))
    for _ in range(2):
        machine.variables.assign(cell, [At(2)], 5.0)
        machine.variables.declare("b", REAL, 1.0)
        machine.target.increment(3.0)
        machine.target.require(False)
        with looping(machine, 3, "a"):
            machine.variables.read(cell, [At(1)])
            with pytest.raises(ConflictError):
                machine.variables.assign(cell, [At(1)], 7.0)
        restore()
        np.testing.assert_array_equal(cell.value, [1, 0, 0])
        assert machine.frame.scope.find("b") is None
        assert machine.frame.target == 2
        assert machine.frame.ok is True
        assert machine.frame.context is machine.frame.root
        assert cell.journal is None


def test_iterations_that_assign_the_same_get_copies_and_the_last_one_stays(machine):
    cell = machine.variables.declare("a", VECTOR, np.zeros(2))
    with looping(machine, 3, "a"):
        values = Lanes(np.array([1.0, 2.0, 3.0]), machine.frame.context)
        machine.variables.assign(cell, [At(1)], values)
        mine = machine.variables.find("a")
        assert mine is not cell
        np.testing.assert_array_equal(machine.variables.read(mine, [At(1)]).array, [1, 2, 3])
        with pytest.raises(ConflictError, match="carried"):
            machine.variables.read(mine, [At(2)])
    np.testing.assert_array_equal(cell.value, [3, 0])


def test_sums_count_every_lane(machine):
    with looping(machine, 3):
        outer = Lanes(np.array([1.0, 2.0, 3.0]), machine.frame.context)
        counts = np.array([2, 0, 1])
        with machine.looping(machine.frame.context.iterations(counts), frozenset()):
            assert machine.target.total(outer) == 1 * 2 + 3 * 1
            assert machine.target.total(2.0) == 6
            assert machine.target.total(Lanes(jnp.ones((3, 2)), machine.frame.context)) == 6


def test_no_gradient_flows_through_what_a_condition_excludes(machine):
    def density(x):
        machine.frame.target = 0.0
        with machine.where(x > 0):
            machine.target.increment(jnp.sqrt(machine.conditions.gate(x)))
        return machine.frame.target

    np.testing.assert_array_equal(jax.grad(density)(-1.0), 0)
    np.testing.assert_allclose(jax.grad(density)(4.0), 0.25)


def test_assignments_and_requirements_count_where_the_condition_holds(machine):
    cell = machine.variables.declare("a", REAL, 1.0)
    condition = jnp.asarray(False)
    with machine.where(condition):
        machine.variables.assign(cell, [], 2.0)
        machine.target.require(False)
        machine.target.increment(5.0)
    assert cell.value == 1
    assert machine.frame.ok
    assert machine.frame.target == 0
    with machine.where(~condition):
        machine.target.require(False)
    assert not machine.frame.ok
