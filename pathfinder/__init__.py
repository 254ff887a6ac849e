"""Pathfinder variational inference in JAX."""

from pathfinder import constraints as constraints
from pathfinder._archive import load as load
from pathfinder._assemble import PathfinderError as PathfinderError
from pathfinder._batch import fit_batch as fit_batch
from pathfinder._batch_result import BatchResult as BatchResult
from pathfinder._fit import fit as fit
from pathfinder._initial_points import InitialPoints as InitialPoints
from pathfinder._linalg import LowRankNormal as LowRankNormal
from pathfinder._model import Model as Model
from pathfinder._outcomes import Iterations as Iterations
from pathfinder._outcomes import PathReport as PathReport
from pathfinder._outcomes import Trajectory as Trajectory
from pathfinder._path_result import PathResult as PathResult
from pathfinder._refined_pool import RefinedMode as RefinedMode
from pathfinder._refined_pool import Refinement as Refinement
from pathfinder._result import PathfinderResult as PathfinderResult
from pathfinder._settings import Settings as Settings
from pathfinder._status import Status as Status
from pathfinder._variables import Variable as Variable
from pathfinder._version import __version__ as __version__
