"""Shapes and types are checked as annotated, in the first call with arguments of each kind."""

import beartype
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float, TypeCheckError

import psis
from pathfinder._importance.component_draws import log_densities_under
from tests.annotations import checked_by_kind


VALUES, WEIGHTS = np.ones((3, 2)), np.ones(3)


@pytest.fixture
def checked():
    # Made anew for each test, of the same code: what was checked before is remembered.
    def weighted(values: Float[np.ndarray | Array, "n d"], weights: Float[np.ndarray | Array, " n"], times: int = 1):
        return times * (weights @ values)

    return checked_by_kind(weighted, typechecker=beartype.beartype)


@pytest.mark.parametrize(
    ("weights", "times"),
    [(np.ones(2), 1), (WEIGHTS[:, None], 1), (WEIGHTS.astype(int), 1), ((1.0, 1.0, 1.0), 1), (WEIGHTS, 2.0)],
    ids=["length", "axes", "dtype", "type", "number"],
)
def test_a_wrong_call_is_refused_each_time(checked, weights, times):
    for _ in range(2):
        with pytest.raises(TypeCheckError):
            checked(VALUES, weights, times=times)
        np.testing.assert_array_equal(checked(VALUES, WEIGHTS, times=2), [6.0, 6.0])


def test_each_kind_is_checked_once():
    calls = []

    def annotated(values: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        return values if not calls.append(len(values)) and len(calls) == 1 else values[1:]

    checked = checked_by_kind(annotated, typechecker=beartype.beartype)
    checked(WEIGHTS)
    assert len(checked(WEIGHTS)) == 2  # of another length than annotated, which nobody looks at
    with pytest.raises(TypeCheckError):
        checked(np.ones(5))


def test_traced_arguments_are_checked(checked):
    with pytest.raises(TypeCheckError):
        jax.jit(checked)(jnp.ones((3, 2)), jnp.ones(2))
    np.testing.assert_array_equal(jax.jit(checked)(jnp.ones((3, 2)), jnp.ones(3)), [3.0, 3.0])


@pytest.mark.parametrize(
    "call",
    [lambda: log_densities_under(None, np.ones((2, 3))), lambda: psis.relative_efficiency(np.ones(3))],
    ids=["pathfinder", "psis"],
)
def test_the_rooms_are_checked(call):
    with pytest.raises(TypeCheckError):
        call()
