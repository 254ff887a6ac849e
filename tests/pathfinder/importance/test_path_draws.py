"""Draws are made again from their keys: the same ones on the host and compiled, whichever are asked for."""

import dataclasses

import jax
import numpy as np
import pytest

from pathfinder._arrays.namespace import rows
from pathfinder._arrays.streams import Stream, normal, path_keys
from pathfinder._importance.path_draws import HOST_DRAWS
from tests.pathfinder.importance.sources import (
    BOTH,
    KEY,
    NUM_PATHS,
    SETTINGS,
    all_positions,
    density,
    normals,
    source_of,
)


PATHS = np.array([2, 0, 2, 3, 2, 1])
INDICES = np.array([9, 149, 0, 10, 6, 10])


def expected(lanes, path, index, stream=Stream.DRAWS, counters=()):
    """A draw by JAX's own folding in of path, stream and number."""
    key = jax.random.wrap_key_data(KEY)
    for counter in (path, stream, *counters, index):
        key = jax.random.fold_in(key, counter)
    return rows(lanes, int(path)).transform(normal(np.asarray(jax.random.key_data(key)), lanes.dim, float))


@BOTH
def test_a_draw_is_that_of_its_path_and_number(kind):
    lanes = normals()
    found = all_positions(source_of(kind, density(kind), lanes), PATHS, INDICES)
    for row, (path, index) in enumerate(zip(PATHS, INDICES, strict=True)):
        np.testing.assert_allclose(found[row], expected(lanes, path, index), rtol=1e-12)


@BOTH
def test_the_first_draws_may_be_those_of_the_elbo(kind):
    lanes = normals()
    settings = dataclasses.replace(SETTINGS, reuse_elbo_draws=True)
    found = all_positions(source_of(kind, density(kind), lanes, settings), PATHS, INDICES)
    for row, (path, index) in enumerate(zip(PATHS, INDICES, strict=True)):
        iteration = max(path - 1, 0)
        reused = index < settings.num_elbo_draws
        stream, counters = (Stream.ELBO, (iteration,)) if reused else (Stream.DRAWS, ())
        np.testing.assert_allclose(found[row], expected(lanes, path, index, stream, counters), rtol=1e-12)


@pytest.mark.parametrize("num_draws", [10, 1000])
def test_batches_of_the_host_are_not_filled_up(num_draws):
    settings = dataclasses.replace(SETTINGS, num_draws=num_draws)
    source = source_of("host", density("host"), normals(), settings)
    paths, indices = np.repeat(np.arange(NUM_PATHS), num_draws), np.tile(np.arange(num_draws), NUM_PATHS)
    (batch,) = source.batches(paths, indices)
    numbers, used, own, keys = batch
    width = min(num_draws, HOST_DRAWS)
    assert numbers.shape == keys.shape[:2] == (NUM_PATHS * -(-num_draws // width), width)
    assert len(own.mean) == len(numbers)
    np.testing.assert_array_equal(np.sort(numbers[used]), np.arange(len(paths)))


def test_draws_of_high_dimension_come_in_several_batches():
    dim = 30_000
    source = source_of("host", density("host", dim=dim), normals(2, 1), SETTINGS)
    lanes = dataclasses.replace(normals(2, 1), mean=np.zeros((2, dim)), scale=np.ones((2, dim)))
    lanes = dataclasses.replace(lanes, basis=np.zeros((2, dim, 1)))
    source = dataclasses.replace(source, approximations=lanes)
    batches = list(source.batches(np.zeros(60, int), np.arange(60)))
    assert len(batches) == 6
    assert all(keys.shape == (1, SETTINGS.num_elbo_draws, 2) for *_, keys in batches)


@BOTH
def test_some_of_the_lanes(kind):
    source = source_of(kind, density(kind), normals())
    part = source.of_lanes(slice(2, 4))
    assert part.num_lanes == 2
    ours, theirs = all_positions(part, PATHS[[0, 3]] - 2, INDICES[[0, 3]]), all_positions(source, PATHS, INDICES)
    np.testing.assert_allclose(ours, theirs[[0, 3]], rtol=1e-14)


def test_the_same_draws_whatever_else_is_asked_for():
    source = source_of("host", density("host"), normals())
    whole = all_positions(source, np.repeat(np.arange(NUM_PATHS), 150), np.tile(np.arange(150), NUM_PATHS))
    few = all_positions(source, PATHS, INDICES)
    np.testing.assert_allclose(few, whole[PATHS * 150 + INDICES], rtol=1e-14)
    keys = path_keys(KEY, np.arange(9), Stream.DRAWS)
    more = all_positions(source_of("host", density("host"), normals()), PATHS, INDICES)
    np.testing.assert_array_equal(more, few)
    assert len(np.unique(keys, axis=0)) == 9
