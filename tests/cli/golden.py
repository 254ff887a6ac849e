"""Recorded output of CmdStan 2.35."""

import json
from pathlib import Path
from typing import Any


GOLDEN = Path(__file__).parents[1] / "references" / "cmdstan"


def golden_files(pattern: str) -> list[Path]:
    return sorted(GOLDEN.glob(pattern))


def golden_ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(GOLDEN)) for path in paths]


def recorded_errors() -> dict[str, Any]:
    """The files and the commands of `errors.json`."""
    return json.loads((GOLDEN / "errors.json").read_text())
