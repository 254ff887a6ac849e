"""Pathfinder variational inference in JAX.

Its names are loaded when they are first asked for, so that a part that needs no JAX does not load it.
"""

import typing as _typing

from pathfinder._version import __version__ as __version__


if _typing.TYPE_CHECKING:
    from pathfinder import constraints as constraints
    from pathfinder import gaussian as gaussian
    from pathfinder import plots as plots
    from pathfinder._chains.chain_draws import ChainDraws as ChainDraws
    from pathfinder._chains.mixing import Mixing as Mixing
    from pathfinder._chains.virial import Virial as Virial
    from pathfinder._draws.metric import LowRankMatrix as LowRankMatrix
    from pathfinder._fitting.fit import fit as fit
    from pathfinder._fitting.fit_batch import fit_batch as fit_batch
    from pathfinder._fitting.initial_points import InitialPoints as InitialPoints
    from pathfinder._importance.refinement import RefinedMode as RefinedMode
    from pathfinder._importance.refinement import Refinement as Refinement
    from pathfinder._model.model import Model as Model
    from pathfinder._normals.bordered import BorderedNormal as BorderedNormal
    from pathfinder._normals.low_rank import LowRankNormal as LowRankNormal
    from pathfinder._paths.outcomes import Iterations as Iterations
    from pathfinder._paths.outcomes import PathReport as PathReport
    from pathfinder._paths.outcomes import Trajectory as Trajectory
    from pathfinder._pattern import Pattern as Pattern
    from pathfinder._results.batch_result import BatchResult as BatchResult
    from pathfinder._results.load import load as load
    from pathfinder._results.path_result import PathfinderError as PathfinderError
    from pathfinder._results.path_result import PathResult as PathResult
    from pathfinder._results.result import PathfinderResult as PathfinderResult
    from pathfinder._results.warm_start import WarmStart as WarmStart
    from pathfinder._sampling.calibrate import calibrate as calibrate
    from pathfinder._sampling.calibration import Calibration as Calibration
    from pathfinder._sampling.sample import sample as sample
    from pathfinder._settings import Settings as Settings
    from pathfinder._status import Status as Status
    from pathfinder._variables import Variable as Variable
else:  # where type checkers do not see that any name may be asked for
    _MODULES = {
        "BatchResult": "_results.batch_result",
        "BorderedNormal": "_normals.bordered",
        "Calibration": "_sampling.calibration",
        "ChainDraws": "_chains.chain_draws",
        "InitialPoints": "_fitting.initial_points",
        "Iterations": "_paths.outcomes",
        "LowRankMatrix": "_draws.metric",
        "LowRankNormal": "_normals.low_rank",
        "Mixing": "_chains.mixing",
        "Virial": "_chains.virial",
        "Model": "_model.model",
        "PathReport": "_paths.outcomes",
        "Pattern": "_pattern",
        "PathResult": "_results.path_result",
        "PathfinderError": "_results.path_result",
        "PathfinderResult": "_results.result",
        "RefinedMode": "_importance.refinement",
        "Refinement": "_importance.refinement",
        "Settings": "_settings",
        "Status": "_status",
        "Trajectory": "_paths.outcomes",
        "Variable": "_variables",
        "WarmStart": "_results.warm_start",
        "calibrate": "_sampling.calibrate",
        "fit": "_fitting.fit",
        "fit_batch": "_fitting.fit_batch",
        "load": "_results.load",
        "sample": "_sampling.sample",
    }
    __all__ = ["constraints", "gaussian", "plots", *_MODULES]

    def __getattr__(name):
        from importlib import import_module

        if name in ("constraints", "gaussian", "plots"):
            return import_module(f"pathfinder.{name}")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__():
        return [*__all__, "__version__"]
