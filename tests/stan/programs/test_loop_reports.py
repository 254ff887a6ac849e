"""How the loops of programs of every construct run, found by tracing alone."""

import pytest

from tests.stan.programs.corpus import FOLDER, PROGRAMS
from tests.stan.running import bound, points, traced_loops


@pytest.mark.parametrize("name", PROGRAMS)
def test_loops_run_as_they_did(name):
    stored = PROGRAMS[name]
    program = bound(stored.text, stored.data)
    assert traced_loops(program) == stored.loops
    assert [len(gradient) for gradient in stored.gradients] == [program.dim] * len(points(program.dim))


def test_no_file_is_left_out():
    read = {stored.path for stored in PROGRAMS.values()}
    parts = {path.with_suffix(suffix) for path in read for suffix in (".stan", ".json", ".equivalent.stan")}
    there = {path for path in FOLDER.rglob("*") if path.suffix in {".stan", ".json"}}
    assert read <= there <= parts
    assert len({path.stem for path in read}) == len(read)
