from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

from pathfinder import constraints
from pathfinder._model.parameters import ParameterStructure, parameter_names


@pytest.fixture(autouse=True, scope="module")
def lenient_jax():
    """NumPyro's transforms rely on promotion."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


class Pair(NamedTuple):
    left: object
    right: object


def names(example):
    return [name for name, _ in parameter_names(example)]


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ({"z": 0.0, "a": 0.0, "m": 0.0}, ["z", "a", "m"]),
        ({"outer": {"y": 0.0, "x": 0.0}, "b": 0.0}, ["outer.y", "outer.x", "b"]),
        (np.zeros(3), ["x"]),
        (0.0, ["x"]),
        ((0.0, 1.0), ["x_0", "x_1"]),
        ([0.0, {"a": 1.0}], ["x_0", "x_1.a"]),
        ({"t": (0.0, 1.0)}, ["t_0", "t_1"]),
        (Pair(0.0, 1.0), ["left", "right"]),
        ({"p": Pair(0.0, (1.0, 2.0))}, ["p.left", "p.right_0", "p.right_1"]),
        ({2: 0.0, 1: 0.0}, ["2", "1"]),
    ],
)
def test_names_in_the_order_written(example, expected):
    assert names(example) == expected


def test_values_stay_with_their_names():
    example = {"z": np.zeros(2), "a": 0.0, "m": {"y": np.zeros(1), "x": np.zeros((2, 2))}}
    structure = ParameterStructure(example)
    vector = np.arange(8.0)
    values, log_jacobian = structure.constrain(vector)
    assert log_jacobian == 0
    np.testing.assert_array_equal(values["z"], [0, 1])
    assert values["a"] == 2
    np.testing.assert_array_equal(values["m"]["y"], [3])
    np.testing.assert_array_equal(values["m"]["x"], [[4, 5], [6, 7]])
    named = structure.named(values)
    assert list(named) == ["z", "a", "m.y", "m.x"]
    np.testing.assert_array_equal(structure.unconstrain(values), vector)
    np.testing.assert_array_equal(structure.unconstrain(named), vector)


BIJECTIONS = [
    (constraints.positive, ()),
    (constraints.positive, (3,)),
    (constraints.unit_interval, (2,)),
    (constraints.interval(-2.0, 5.0), (2,)),
    (constraints.greater_than(3.0), (2,)),
    (constraints.less_than(-1.0), (2,)),
    (constraints.simplex, (4,)),
    (constraints.simplex, (2, 3)),
    (constraints.ordered_vector, (3,)),
    (constraints.positive_ordered_vector, (3,)),
    (constraints.lower_cholesky, (3, 3)),
    (constraints.corr_cholesky, (3, 3)),
    (constraints.corr_matrix, (3, 3)),
    (constraints.positive_definite, (3, 3)),
    (constraints.real, (2,)),
]


def independent_entries(constraint, value):
    """As many entries of a constrained value as determine it, so that the Jacobian is square."""
    value = jnp.asarray(value)
    if constraint in (constraints.simplex,):
        return value[..., :-1].reshape(-1)
    if constraint in (constraints.lower_cholesky, constraints.positive_definite):
        return value[jnp.tril_indices(value.shape[-1])]
    if constraint in (constraints.corr_cholesky, constraints.corr_matrix):
        return value[jnp.tril_indices(value.shape[-1], -1)]
    return value.reshape(-1)


@pytest.mark.parametrize(("constraint", "shape"), BIJECTIONS, ids=lambda value: str(value))
def test_there_and_back(constraint, shape):
    """The Jacobian is that of the map, values fulfil the constraint, and unconstraining inverts."""
    structure = ParameterStructure({"a": np.ones(shape)}, {"a": constraint})

    @jax.jit  # one program, where each operation by itself would be one
    def there(position):
        def entries(position):
            return independent_entries(constraint, structure.constrain(position)[0]["a"])

        return jax.jacfwd(entries)(position), *structure.constrain(position)

    for seed in (0, 1):
        position = np.random.default_rng(seed).standard_normal(structure.dim)
        jacobian, values, log_jacobian = there(position)
        assert jacobian.shape == (structure.dim, structure.dim)
        np.testing.assert_allclose(log_jacobian, np.linalg.slogdet(jacobian)[1], rtol=1e-9, atol=1e-12)
        assert values["a"].shape == shape
        assert np.all(constraint(values["a"]))
        np.testing.assert_allclose(structure.unconstrain(values), position, rtol=1e-6, atol=1e-8)


def test_change_of_variables_keeps_a_density():
    """The density of a gamma variable integrates to one on the unconstrained scale."""
    structure = ParameterStructure({"a": 1.0}, {"a": constraints.positive})
    gamma = dist.Gamma(2.5, 1.5)

    def density(position):
        values, log_jacobian = structure.constrain(position)
        return jnp.exp(gamma.log_prob(values["a"]) + log_jacobian)

    grid = np.linspace(-15, 5, 4001)[:, None]
    np.testing.assert_allclose(np.sum(jax.jit(jax.vmap(density))(grid)) * 20 / 4000, 1.0, rtol=1e-6)


def test_same_structures_are_equal():
    def structure(size=2, upper=1.0, dtype=float, name="a"):
        return ParameterStructure({name: np.zeros(size, dtype)}, {name: constraints.interval(0.0, upper)})

    assert structure() == structure()
    assert hash(structure()) == hash(structure())
    for other in (structure(size=3), structure(upper=2.0), structure(dtype=np.float32), structure(name="b")):
        assert structure() != other
    assert structure() != ParameterStructure({"a": np.zeros(2)})


@pytest.mark.parametrize(
    ("dtypes", "expected"), [([np.float32], np.float32), ([np.float64], np.float64), ([np.int32], np.float64)]
)
def test_dtype_follows_the_example(dtypes, expected):
    example = {str(i): np.zeros(2, dtype) for i, dtype in enumerate(dtypes)}
    assert ParameterStructure(example).dtype == expected


@pytest.mark.parametrize(
    ("example", "options", "message"),
    [
        ({}, {}, "has 0 parameters: `example` has no arrays"),
        ({"a": {"b": 0.0}, "a.b": 0.0}, {}, r"Two parameters have the same name: a\.b"),
        ({"a": 0.0}, {"constraints": {"b": constraints.positive}}, r"`constraints` names 'b', but the parameters are"),
        ({"a": 0.0}, {"dims": {"b": ("i",)}}, r"`dims` names 'b', but the parameters are 'a'"),
        ({"a": np.zeros(2)}, {"dims": {"a": ("i", "j")}}, r"`dims` gives 2 names for 'a', which has shape \(2,\)"),
        ({"a": True}, {}, r"Parameter 'a' of `example` has dtype bool"),
        ({"a": "text"}, {}, r"Parameter 'a' of `example` has dtype"),
        ({"a": 1j}, {}, r"Parameter 'a' of `example` has dtype complex128"),
        ({"a": 0.5}, {"constraints": {"a": constraints.simplex}}, r"at least 1 axes, but `example` has shape \(\)"),
        ({"a": 0.5}, {"constraints": {"a": dist.constraints.boolean}}, r"of parameter 'a' has no bijection"),
    ],
)  # fmt: skip
def test_structures_that_make_no_sense_are_named(example, options, message):
    with pytest.raises(ValueError, match=message):
        ParameterStructure(example, **options)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": 1.0}, r"do not have the structure of the model's, which are a, b"),
        ({"a": 1.0, "b": np.ones(3)}, r"Parameter 'b' has shape \(2,\), but a value of shape \(3,\)"),
        ({"a": -1.0, "b": np.ones(2)}, r"parameter 'a' violates its constraint"),
        ({"a": 1.0, "b": np.array([np.inf, 0.0])}, r"parameter 'b' is not finite on the unconstrained scale"),
    ],
)
def test_values_that_do_not_fit_are_named(parameters, message):
    structure = ParameterStructure({"a": 1.0, "b": np.zeros(2)}, {"a": constraints.positive})
    with pytest.raises(ValueError, match=message):
        structure.unconstrain(parameters)
