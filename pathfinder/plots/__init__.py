"""Pictures of a fit, drawn with matplotlib (`pip install 'pathfinder-vi[plots]'`).

In: a result. Out: matplotlib axes; nothing is shown. What ArviZ draws already is left to it (`to_inferencedata`).
"""

from pathfinder.plots._chains import chains as chains
from pathfinder.plots._compare import compare as compare
from pathfinder.plots._elbo import elbo as elbo
from pathfinder.plots._pairs import pairs as pairs
from pathfinder.plots._trajectory import trajectory as trajectory
from pathfinder.plots._weights import weights as weights
