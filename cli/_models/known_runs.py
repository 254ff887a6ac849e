"""Which runs of a Stan program there have been, whatever versions they had, so that others can be prepared.

What is known of a run is where its data are, not what they are: their file may have become another.
"""

import hashlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from pathfinder._cache.file_store import FileStore
from pathfinder_cli._models.source import ModelSource


MOST = 4  # runs of a program, the last ones


class KnownRun(NamedTuple):
    """One run, or several that differ in nothing that a program is compiled for.

    Args:
        data_file: The path of its data file; "" if there was none.
        simplex: As in `ModelOptions`.
        precision: Of its arithmetic.
    """

    data_file: str
    simplex: str
    precision: Literal["single", "double"]

    @classmethod
    def of(cls, data_file: str, simplex: str, precision: Literal["single", "double"]) -> "KnownRun":
        """A run in the present folder."""
        return cls(os.path.abspath(data_file) if data_file else "", simplex, precision)


class KnownRuns:
    """The last runs of a program, which is known by its content and that of what it includes.

    Args:
        source: The program.
        folder: Where that is kept.
    """

    def __init__(self, source: ModelSource, folder: Path):
        self._source = source
        self._store = FileStore(folder, lambda _: None)  # the programs themselves will be told of

    @cached_property
    def _name(self) -> str:
        texts = [self._source.text.decode("latin-1"), sorted(self._source.all_texts().items())]
        return hashlib.sha256(json.dumps(["runs", texts]).encode()).hexdigest()

    def all(self) -> list[KnownRun]:
        """The runs, the last one first."""
        try:
            return [KnownRun(*run) for run in json.loads(self._store.read(self._name) or b"[]")]
        except (ValueError, TypeError):
            return []

    def add(self, run: KnownRun) -> None:
        """Remember a run."""
        others = [other for other in self.all() if other != run]
        self._store.write(self._name, json.dumps([run, *others][:MOST]).encode())
