"""The arguments of the command line, each declared once.

The classes below are the declaration: a field is an argument; its annotation is its type. The
parser, the help pages, the suggestions after an error, the configuration echo and the
configuration file are all read from `ARGUMENTS`, which is derived from them. A further option
is one further line.
"""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from pathfinder_cli._arguments import other_methods
from pathfinder_cli._arguments.tree import Category, Node, Option, Rule, Selection
from pathfinder_cli._arguments.values import (
    BOOLEAN,
    CHAINS,
    DOUBLE,
    INIT,
    INTEGER,
    LONG,
    STRING,
    Init,
    ValueType,
    one_of,
)


_ANY = Rule("All")
_POSITIVE = Rule("0 < {name}", lambda value: value > 0)
_NOT_NEGATIVE = Rule("0 <= {name}", lambda value: value >= 0)
_ID = Rule("id >= 0", lambda value: value >= 0)
_SWITCH = Rule("[0, 1, false, true]")
_NUMBER_OF_CHAINS = Rule("0, 1, auto, or a number of chains of at least 8 that one of 2 to 8 divides")
_RADIUS_OR_FILE = Rule("a finite radius >= 0, or the path of a file")
_READABLE = Rule("the path of an existing file, or nothing")
_WRITABLE = Rule("the path of a file in an existing folder")
_THREADS = Rule("num_threads > 0 || num_threads == -1", lambda value: value > 0 or value == -1)
_SEED = Rule(
    "non-negative integer < 4294967296  or -1 to generate seed from system time",
    lambda value: -1 <= value < 2**32,
)
_SIG_FIGS = Rule(
    "0 <= integer <= 18 or -1 to use the default number of significant figures",
    lambda value: -1 <= value <= 18,
)
_TYPES = {int: INTEGER, float: DOUBLE, bool: BOOLEAN, str: STRING, Init: INIT}


def _option(default: Any, rule: Rule, help: str, *, type: ValueType | None = None, shown: str = "") -> Any:
    """An argument with a value; `shown` replaces the default on help pages."""
    return field(default=default, metadata={"rule": rule, "help": help, "type": type, "shown": shown})


def _switch(default: bool, help: str) -> Any:
    return _option(default, _SWITCH, help)


def _word(default: str, help: str) -> Any:
    """An argument whose annotation lists the words it takes."""
    return _option(default, _ANY, help)


def _scope(group: type, help: str) -> Any:
    return field(default_factory=group, metadata={"help": help})


@dataclass(frozen=True)
class Pathfinder:
    """The options of the method `pathfinder`."""

    init_alpha: float = _option(0.001, _POSITIVE, "First trial step of the line search, also after a restart")
    tol_obj: float = _option(1e-12, _POSITIVE, "Stop when the objective changes by less than this")
    tol_rel_obj: float = _option(
        1e4, _POSITIVE, "Stop when the relative change of the objective is below this many machine epsilons"
    )
    tol_grad: float = _option(1e-8, _POSITIVE, "Stop when the gradient is shorter than this")
    tol_rel_grad: float = _option(
        1e7, _POSITIVE, "Stop when the gradient, scaled by the curvature, is below this many machine epsilons"
    )
    tol_param: float = _option(1e-8, _POSITIVE, "Stop when a step is shorter than this")
    history_size: int = _option(5, _POSITIVE, "Past steps that shape L-BFGS and the normal approximations")
    num_psis_draws: int = _option(1000, _POSITIVE, "Draws to write, resampled from those of all paths")
    num_paths: int = _option(4, _POSITIVE, "Paths to run; the draws of a single one are not resampled")
    save_single_paths: bool = _switch(False, "Also write the draws and the trajectory of every path")
    psis_resample: bool = _switch(
        True, "Resample by smoothed importance weights; if false, write all num_paths * num_draws draws"
    )
    calculate_lp: bool = _switch(
        True, "Evaluate the density of all draws; if false, only of those behind the ELBO, without resampling"
    )
    max_lbfgs_iters: int = _option(1000, _POSITIVE, "Most iterations of L-BFGS on a path")
    num_draws: int = _option(1000, _POSITIVE, "Draws from the approximation chosen on each path")
    num_elbo_draws: int = _option(25, _POSITIVE, "Draws behind the ELBO of each approximation")


@dataclass(frozen=True)
class Data:
    """The data of the model."""

    file: str = _option("", _READABLE, "File of the data: JSON if its name ends in .json, else R dump")


@dataclass(frozen=True)
class Random:
    """Random numbers."""

    seed: int = _option(-1, _SEED, "Seed of all random numbers", type=LONG)

    def seed_at(self, milliseconds: int) -> int:
        """The seed to use when the clock shows this time: its last 32 bits if none was given."""
        return milliseconds % 2**32 if self.seed == -1 else self.seed


@dataclass(frozen=True)
class Output:
    """What is written, and where."""

    file: str = _option("output.csv", _WRITABLE, "File of the draws; further files are named after it")
    diagnostic_file: str = _option("", _WRITABLE, "Name after which the trajectory files are named instead")
    refresh: int = _option(100, _NOT_NEGATIVE, "Iterations between two lines of progress; 0 prints none")
    sig_figs: int = _option(-1, _SIG_FIGS, "Significant digits of the numbers in output files")
    profile_file: str = _option("profile.csv", _WRITABLE, "Accepted for compatibility; no profile is written")
    save_cmdstan_config: bool = _switch(False, "Also write the configuration as JSON")


@dataclass(frozen=True)
class Engine:
    """What this program offers beyond CmdStan."""

    weights: Literal["mixture", "component"] = _word(
        "mixture", "Proposal density of a draw: the mixture of all paths, or the path it came from (CmdStan)"
    )
    resample: Literal["multinomial", "stratified", "systematic", "without_replacement"] = _word(
        "multinomial", "How draws are resampled; multinomial is CmdStan's way"
    )
    optimizer: Literal["lbfgs", "jaxopt"] = _word("lbfgs", "Which L-BFGS runs the paths")
    schedule: Literal["cmdstan", "race"] = _word(
        "cmdstan", "How ELBOs are compared: num_elbo_draws for all (CmdStan), or a race whose best are estimated again"
    )
    refine: bool = _switch(False, "Refine the best approximation of each mode with further gradients, and draw from it")
    chains: Any = _option(
        False,
        _NUMBER_OF_CHAINS,
        "Run short chains of Hamiltonian Monte Carlo from the weighted draws and write their states: 1 is 125 chains; "
        "auto runs them after refine=true, where the importance weights will not do",
        type=CHAINS,
    )
    max_chain_gradients: int = _option(100_000, _POSITIVE, "Gradients that all chains may take together")
    simplex: Literal["ilr", "stick_breaking"] = _word(
        "ilr", "How simplexes of Stan programs are unconstrained: as in Stan 2.37 and later, or as before that"
    )
    print: bool = _switch(False, "Let all `print` statements of Stan programs print, at every evaluation")
    platform: Literal["auto", "cpu", "gpu", "tpu"] = _word("auto", "Device to compute on")
    driver: Literal["auto", "host", "compiled"] = _word(
        "auto", "What moves the paths: Python and NumPy, which compile nothing but the model, or one compiled program"
    )
    precision: Literal["double", "single"] = _word("double", "Floating-point precision of the computation")
    time_limit: float = _option(math.inf, _POSITIVE, "Seconds after which running paths are cut short")
    progress: bool = _switch(False, "Show a progress bar")
    report: str = _option("", _WRITABLE, "Also write a page of HTML: verdict, estimates, pictures, settings and cost")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A command line that was understood.

    The fields from `pathfinder` to `engine` are the arguments, under the names CmdStan gives them.
    `given` holds the paths of the values that were written, as in `"pathfinder.num_draws"`;
    `environment_threads` is the default of `num_threads`. Neither counts when two configurations
    are compared.
    """

    pathfinder: Pathfinder = field(default_factory=Pathfinder)
    id: int = _option(1, _ID, "Number of the first path, in messages, file names and random streams")
    data: Data = _scope(Data, "The data of the model")
    init: Init = _option(
        Init("2"),
        _RADIUS_OR_FILE,
        "Start uniformly within this radius on the unconstrained scale (0: at zero), or at a file's values",
        shown='"2"',
    )
    random: Random = _scope(Random, "Random numbers")
    output: Output = _scope(Output, "What is written, and where")
    num_threads: int = _option(
        1, _THREADS, "Threads to compute with; -1 takes all cores", shown="STAN_NUM_THREADS if it is set, else 1"
    )
    engine: Engine = _scope(Engine, "What this program offers beyond CmdStan")
    given: frozenset[str] = field(default=frozenset(), compare=False)
    environment_threads: int = field(default=1, compare=False)

    def value(self, path: str) -> Any:
        """The value at a path such as `"output.file"`."""
        value = self
        for name in path.split("."):
            value = getattr(value, name)
        return value

    def is_default(self, path: str) -> bool:
        """Whether the value at a path equals its default, written or not."""
        default = DEFAULTS.value(path) if path != "num_threads" else self.environment_threads
        return self.value(path) == default

    def uses_engine(self) -> bool:
        """Whether any option of the scope `engine` was written."""
        return any(path.startswith("engine.") for path in self.given)


def _value_type(annotation: Any) -> ValueType:
    return one_of(*get_args(annotation)) if get_origin(annotation) is Literal else _TYPES[annotation]


def _node(declared: "dataclasses.Field[Any]") -> Node:
    metadata = declared.metadata
    if "rule" not in metadata:
        return Category(declared.name, metadata["help"], _nodes(declared.type))
    value_type, rule = metadata["type"] or _value_type(declared.type), metadata["rule"]
    if get_origin(declared.type) is Literal:
        rule = Rule(", ".join(get_args(declared.type)))
    return Option(declared.name, metadata["help"], value_type, rule, declared.default, metadata["shown"])


def _nodes(group: Any) -> tuple[Node, ...]:
    return tuple(_node(declared) for declared in dataclasses.fields(group) if "help" in declared.metadata)


DEFAULTS = Configuration()
PATHFINDER = Category("pathfinder", "Normal approximations along optimization paths", _nodes(Pathfinder))
METHOD = Selection(
    "method",
    "What to compute; `method=` may be left out",
    other_methods.in_order(PATHFINDER),
    "nothing, one has to be chosen",
)
ARGUMENTS: tuple[Node, ...] = (METHOD, *_nodes(Configuration))
