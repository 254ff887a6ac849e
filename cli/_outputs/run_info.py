"""What output files say about a run besides its configuration."""

import time
from typing import NamedTuple

from pathfinder_cli._arguments.grammar import Configuration


class RunInfo(NamedTuple):
    """A run.

    Args:
        seed: The seed in use.
        model_name: Name of the model, such as `bernoulli_model`.
        start_datetime: When it began, as in `2024-05-31 17:05:12 UTC`.
    """

    seed: int
    model_name: str
    start_datetime: str

    @classmethod
    def now(cls, config: Configuration, model_name: str) -> "RunInfo":
        """The run that begins now; the clock also gives the seed if none was written."""
        seconds = time.time()
        start = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
        return cls(config.random.seed_at(int(seconds * 1000)), model_name, start)
