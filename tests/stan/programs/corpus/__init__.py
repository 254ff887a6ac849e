"""Programs that together use every construct of the language, one or a few in each, as files.

They are small, so that reference numbers can be computed for all of them. `NAME.stan` is a program, `NAME.json` its
data and what is expected of it, and `NAME.equivalent.stan` says the same in words that stanli can compile, where it
cannot the program.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class StoredProgram:
    """A program, its data, and what is expected of it.

    Attributes:
        path: Where the program stands.
        text: The program.
        equivalent: The same for stanli, or the program itself.
        data: Values of its variables of `data`.
        loops: Lines and ways ("lanes", "scan", "unrolled" or "data") of the loops, when they may run in any way.
        points: Log densities and gradients by Stan at the positions that `running.points` gives.
    """

    path: Path
    text: str
    equivalent: str
    data: dict[str, Any]
    loops: list[tuple[int, str]]
    points: list[tuple[float, list[float]]]

    @property
    def name(self) -> str:
        return self.path.stem.replace("_", " ")

    @property
    def values(self) -> list[float]:
        return [value for value, _ in self.points]

    @property
    def gradients(self) -> list[list[float]]:
        return [gradient for _, gradient in self.points]

    def write(self) -> None:
        """The file of data and expected numbers, a variable or a point in a line."""
        data = ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in self.data.items())
        points = ",\n".join(f"    {json.dumps(point)}" for point in self.points)
        parts = [
            f'"data": {{\n{data}\n  }}' if data else '"data": {}',
            f'"loops": {json.dumps(self.loops)}',
            f'"points": [\n{points}\n  ]' if points else '"points": []',
        ]
        self.path.with_suffix(".json").write_text("{\n  " + ",\n  ".join(parts) + "\n}\n")


def _read(path: Path) -> StoredProgram:
    text, stored = path.read_text(), json.loads(path.with_suffix(".json").read_text())
    equivalent = path.with_suffix(".equivalent.stan")
    return StoredProgram(
        path=path,
        text=text,
        equivalent=equivalent.read_text() if equivalent.exists() else text,
        data=stored["data"],
        loops=[(line, how) for line, how in stored["loops"]],
        points=[(value, gradient) for value, gradient in stored["points"]],
    )


def _read_all(*folders: str) -> dict[str, StoredProgram]:
    paths = [path for folder in folders for path in sorted((FOLDER / folder).glob("*.stan"))]
    programs = [_read(path) for path in paths if not path.name.endswith(".equivalent.stan")]
    return {program.name: program for program in programs}


# independent iterations; series; arrays that are filled; containers of many sizes; series of many individuals; leaving
LOOPS = _read_all("independent", "recurrences", "arrays", "ragged", "panels", "flow")
# the large panels have too many iterations to be unrolled for comparison
PROGRAMS = LOOPS | _read_all("large_panels", "functions", "containers", "parameters")
