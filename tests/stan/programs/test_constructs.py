"""Programs of all other constructs, and large panels: their log densities and gradients against Stan's own kernels."""

import pytest

from tests.stan.programs.corpus import FOLDER, LOOPS, PROGRAMS
from tests.stan.programs.stored_numbers import assert_same_loops, assert_same_numbers


CONSTRUCTS = [name for name in PROGRAMS if name not in LOOPS]


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_value_and_gradient_are_those_of_stan(name):
    assert_same_numbers(name)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_loops_run_as_they_did(name):
    assert_same_loops(name)


def test_no_file_is_left_out():
    read = {stored.path for stored in PROGRAMS.values()}
    parts = {path.with_suffix(suffix) for path in read for suffix in (".stan", ".json", ".equivalent.stan")}
    there = {path for path in FOLDER.rglob("*") if path.suffix in {".stan", ".json"}}
    assert read <= there <= parts
    assert len({path.stem for path in read}) == len(read)
