"""Programs that outlive the process: what is loaded computes the same, and nothing is traced for it."""

import sys
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.host import HostDensity
from pathfinder._density.kept_programs import drop_programs
from pathfinder._density.stored import StoredFunction


DIM = 5
DATA = {"scale": np.linspace(1.0, 2.0, DIM), "unused": np.zeros(3)}


class Memory(dict):
    """A store in a dictionary."""

    def read(self, name):
        return self.get(name)

    def write(self, name, content):
        self[name] = content


def plain(position, data):
    return -0.5 * ((position / data["scale"]) ** 2).sum()


def with_cholesky(position, data):
    covariance = jnp.diag(data["scale"]) + 0.1 * jnp.ones((DIM, DIM))
    factor = jnp.linalg.cholesky(covariance)
    return -0.5 * (jax.scipy.linalg.solve_triangular(factor, position, lower=True) ** 2).sum()


def with_constant(position, data):
    return plain(position, data) + jnp.asarray(LARGE)[0]


def with_callback(position, data):
    return plain(position, data) + jax.pure_callback(
        lambda: np.zeros((), position.dtype), jax.ShapeDtypeStruct((), position.dtype), vmap_method="sequential"
    )


LARGE = np.arange(1000.0)


@pytest.fixture(autouse=True)
def no_programs(without_cache_of_jax):
    drop_programs()
    yield
    drop_programs()


def evaluated(function, store, *, key="key", data=DATA, dtype=np.float64, count=9):
    """What a density gives in a process that has compiled nothing, and how often its function was asked for."""
    drop_programs()
    asked = []

    def make():
        asked.append(True)
        return function

    positions = np.random.default_rng(0).normal(size=(count, DIM)).astype(dtype)
    data = jax.tree_util.tree_map(lambda leaf: leaf.astype(dtype), data)
    density = HostDensity(StoredFunction(key, store, make), DIM, dtype, data)
    return [density.values(positions), *density.values_and_gradients(positions)], len(asked)


@pytest.mark.parametrize("function", [plain, with_cholesky])
def test_what_is_loaded_computes_the_same_and_nothing_is_traced(function):
    store = Memory()
    first, asked = evaluated(function, store)
    assert asked == 1
    assert len(store) == 4  # an executable, and its name by the function, of both programs
    kept = dict(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "make_jaxpr", None)
        patch.setattr(jax, "jit", None)
        later, asked = evaluated(function, store, count=200)
    assert asked == 0
    assert store == kept
    for part, again in zip(first, later, strict=True):
        np.testing.assert_array_equal(part, again[: len(part)])


def test_single_precision_has_programs_of_its_own():
    store = Memory()
    evaluated(plain, store)
    (values, *_), asked = evaluated(plain, store, dtype=np.float32)
    assert asked == 1
    assert values.dtype == np.float32
    assert len(store) == 8


def test_other_keys_and_shapes_have_programs_of_their_own():
    store = Memory()
    evaluated(plain, store)
    assert evaluated(plain, store, key="other")[1] == 1
    assert evaluated(plain, store, data={**DATA, "unused": np.zeros(4)})[1] == 1
    assert evaluated(plain, store)[1] == 0


@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: content[:-1], lambda content: content + b"x"])
def test_damaged_programs_are_made_again(damage):
    store = Memory()
    first, _ = evaluated(plain, store)
    kept = dict(store)
    for name in store:
        store[name] = damage(store[name])
    again, asked = evaluated(plain, store)
    assert asked == 1
    np.testing.assert_array_equal(first[1], again[1])
    assert store.keys() == kept.keys()
    # An executable is not written down the same way each time: what was kept anew is used.
    _, asked = evaluated(plain, store)
    assert asked == 0


def test_what_bytes_cannot_say_is_not_kept():
    store = Memory()
    evaluated(with_callback, store)
    assert not store


def test_constants_of_a_function_are_no_part_of_what_is_kept(monkeypatch):
    store = Memory()
    first, _ = evaluated(with_constant, store)
    assert len(store) == 2  # the executables, which are found by their text
    monkeypatch.setitem(globals(), "LARGE", LARGE + 1.0)
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)
    later, asked = evaluated(lambda *arguments: with_constant(*arguments), store)
    assert asked == 1
    np.testing.assert_allclose(later[0], first[0] + 1.0)


def test_without_the_forms_of_jax_there_is_no_store(monkeypatch):
    store = Memory()
    evaluated(plain, store)
    monkeypatch.setitem(sys.modules, "jax._src.interpreters.pxla", ModuleType("pxla"))
    (values, *_), asked = evaluated(plain, store)
    assert asked == 1
    assert np.isfinite(values).all()
