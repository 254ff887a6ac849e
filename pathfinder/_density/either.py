"""A density of either kind: what runs where the arrays are takes both."""

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity


Density = CompiledDensity | HostDensity
