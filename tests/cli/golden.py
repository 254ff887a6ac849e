"""Output of CmdStan 2.35 that is kept beside the checkout, where there is any."""

import json
from pathlib import Path
from typing import Any

import pytest


GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden"

needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no recorded runs of CmdStan at {GOLDEN}")


def golden_files(pattern: str) -> list[Path]:
    return sorted(GOLDEN.glob(pattern))


def golden_ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(GOLDEN)) for path in paths]


def recorded_errors() -> dict[str, Any]:
    """The files and the commands of `errors.json`; both empty where it is absent."""
    path = GOLDEN / "errors.json"
    return json.loads(path.read_text()) if path.exists() else {"files": {}, "commands": []}
