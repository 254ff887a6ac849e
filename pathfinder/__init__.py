"""Pathfinder variational inference in JAX."""

from pathfinder import constraints as constraints
from pathfinder._fitting.fit import fit as fit
from pathfinder._fitting.fit_batch import fit_batch as fit_batch
from pathfinder._fitting.initial_points import InitialPoints as InitialPoints
from pathfinder._importance.refinement import RefinedMode as RefinedMode
from pathfinder._importance.refinement import Refinement as Refinement
from pathfinder._model.model import Model as Model
from pathfinder._normals.low_rank import LowRankNormal as LowRankNormal
from pathfinder._paths.outcomes import Iterations as Iterations
from pathfinder._paths.outcomes import PathReport as PathReport
from pathfinder._paths.outcomes import Trajectory as Trajectory
from pathfinder._results.batch_result import BatchResult as BatchResult
from pathfinder._results.errors import PathfinderError as PathfinderError
from pathfinder._results.load import load as load
from pathfinder._results.path_result import PathResult as PathResult
from pathfinder._results.result import PathfinderResult as PathfinderResult
from pathfinder._settings import Settings as Settings
from pathfinder._status import Status as Status
from pathfinder._variables import Variable as Variable
from pathfinder._version import __version__ as __version__
