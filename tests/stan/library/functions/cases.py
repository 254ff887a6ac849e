"""Cases of the library's functions: a name, the types and values of the arguments, and the value by another source."""

import json
from pathlib import Path

import numpy as np

from pathfinder.stan._expressions.indexing_calls import SHAPES, SLICES
from pathfinder.stan._types.types import Type


_ALL = json.loads(Path(__file__).with_name("references.json").read_text())
REFERENCES = [case for case in _ALL if case["name"] not in {*SLICES, *SHAPES}]
SLICING_REFERENCES = [case for case in _ALL if case["name"] in {*SLICES, *SHAPES}]


def read_type(text):
    """The type that is written so, as in `array[,] real`."""
    array, _, base = text.rpartition(" ")
    return Type(base, array.count(",") + 1 if array else 0)


def value_of(type_, value):
    """A value as the evaluator holds it."""
    if type_ == Type("int"):
        return int(value)
    return np.asarray(value, dtype=int if type_.base == "int" else float)


def grouped(references):
    """Scalar cases of one name and types together, the others one by one: name, types, cases."""
    groups = {}
    for place, case in enumerate(references):
        types = tuple(map(read_type, case["types"]))
        scalar = types and all(type_ in (Type("int"), Type("real")) for type_ in types)
        groups.setdefault((case["name"], types, None if scalar else place), []).append(case)
    return [(name, types, cases) for (name, types, _), cases in groups.items()]
