"""The normal distributions here, by the form of their covariance: what takes one takes all."""

from pathfinder._normals.bordered import BorderedNormal
from pathfinder._normals.low_rank import LowRankNormal


# A union, since checks of types would compute every property of a protocol.
Normal = LowRankNormal | BorderedNormal
