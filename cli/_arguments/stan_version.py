"""The Stan release whose command line is mirrored, and which clients are told."""

from typing import NamedTuple


class StanVersion(NamedTuple):
    """The parts of a release's number."""

    major: int
    minor: int
    patch: int


STAN_VERSION = StanVersion(2, 35, 0)  # CmdStanPy wants 2.33 for pathfinder, and 2.34 for some of its options
STANC_VERSION = "stanc3 v2.35.0"
