"""Log densities under many normals at once are those of each."""

import dataclasses

import numpy as np
import pytest

from pathfinder._refinement.banded.component_densities import ComponentDensities
from tests.pathfinder.normals.test_bordered import SHAPES, random_normal


@pytest.mark.parametrize("shape", SHAPES)
def test_they_are_those_of_each_normal(shape):
    normals = [random_normal(*shape, seed=seed)[0] for seed in range(3)]
    normals = [dataclasses.replace(own, order=normals[0].order) for own in normals]
    draws = np.random.default_rng(5).normal(size=(7, normals[0].dim))
    found = ComponentDensities(normals, normals[1].mean)(draws)
    np.testing.assert_allclose(found, [own.log_density(draws) for own in normals], rtol=1e-10)
