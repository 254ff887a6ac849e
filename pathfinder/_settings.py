"""The options of Pathfinder: names, defaults, ranges and help, each declared once."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


NUM_CHAINS = 125
CHAINS_PER_START = (5, 4, 6, 8, 3, 7, 2)  # in this order of preference


def superchains(num_chains: int) -> tuple[int, int] | None:
    """From how many points so many chains start, and how many from each; None if they cannot be shared out."""
    per_start = next((own for own in CHAINS_PER_START if num_chains % own == 0), None)
    return None if per_start is None or num_chains < 8 else (num_chains // per_start, per_start)


def _positive(value: Any) -> bool:
    return value > 0


def _count(value: Any) -> bool:
    return value >= 1


def _not_negative(value: Any) -> bool:
    return value >= 0 and math.isfinite(value)


def _can_be_shared_out(value: Any) -> bool:
    return superchains(value) is not None


_RULES: dict[Callable[[Any], bool], str] = {
    _positive: "greater than 0",
    _count: "a whole number of at least 1",
    _not_negative: "finite and at least 0",
    _can_be_shared_out: "True, False, 'auto', or a whole number of at least 8 that a number from 2 to 8 divides",
}


_MAY_BE_NONE = ("refine", "temper", "init_radius", "covariance_history", "elbo_patience", "max_chain_gradients")


def _option(default: Any, help_text: str, valid: Callable[[Any], bool] | tuple[Any, ...] | str | None = None) -> Any:
    return dataclasses.field(default=default, metadata={"help": help_text, "valid": valid})


@dataclass(frozen=True)
class Settings:
    """Options of a fit, with CmdStan's names and defaults where CmdStan has them.

    Settings are checked when built; change them with `dataclasses.replace`. `Settings.describe()` lists all with their
    help.

    Raises:
        ValueError: If a value is outside its range; the message names the option and the range.
    """

    num_paths: int = _option(4, "Number of paths", _count)
    num_draws: int = _option(1000, "Draws from the best approximation of each path", _count)
    num_psis_draws: int = _option(1000, "Draws kept after importance resampling", _count)
    num_elbo_draws: int = _option(25, "Draws to estimate each ELBO", _count)
    max_lbfgs_iters: int = _option(1000, "Largest number of L-BFGS iterations", _count)
    history_size: int = _option(5, "Number of past steps that the inverse Hessian is made from", _count)
    covariance_history: int | None = _option(
        None,
        "Number of past steps that the covariance of an approximation is made from; None is `history_size`, which then "
        "is for the direction alone",
        _count,
    )
    init_alpha: float = _option(0.001, "First trial step length, times the gradient", _positive)
    tol_obj: float = _option(1e-12, "Stop when the log density changes by less", _positive)
    tol_rel_obj: float = _option(1e4, "Stop at this relative change of the log density, in units of 2.2e-16", _positive)
    tol_grad: float = _option(1e-8, "Stop when the norm of the gradient is less", _positive)
    tol_rel_grad: float = _option(1e7, "Stop at this relative size of the gradient, in units of 2.2e-16", _positive)
    tol_param: float = _option(1e-8, "Stop when the norm of the step is less", _positive)
    init_radius: float | None = _option(
        None,
        "Initial points are uniform within this distance of `init`, or of 0, in each unconstrained coordinate; None is "
        '2 without `init`, 1 with `init="pymc"` and 0 with points',
        _not_negative,
    )
    calculate_lp: bool = _option(True, "Evaluate the log density of the draws; without it they cannot be weighted")
    psis_resample: bool = _option(True, "Resample the draws of all paths by their importance weights")
    weights: str = _option(
        "mixture",
        "Proposal density of the importance weights: the mixture of all paths, or each draw's own path as in Stan",
        ("mixture", "component"),
    )
    resample: str = _option(
        "systematic",
        "How draws are resampled",
        ("systematic", "stratified", "multinomial", "without_replacement"),
    )
    scale_by_diagonal: bool = _option(
        True, "Scale the L-BFGS direction by the diagonal of the approximation instead of a number; fewer gradients"
    )
    elbo_patience: int | None = _option(
        50, "Stop a path when its ELBO has not improved for this many iterations; None goes on to convergence", _count
    )
    diagonals: str = _option(
        "gilbert",
        "Diagonal that a covariance is built on: that of Gilbert and Lemarechal, a running secant estimate, or the "
        "best by ELBO of both and a single number, at three times the draws",
        ("gilbert", "secant", "bank"),
    )
    schedule: str = _option(
        "race",
        "How ELBOs are compared: `num_elbo_draws` for every approximation as in Stan, or a race with fewer, whose best "
        "three are then estimated with `num_elbo_draws` others",
        ("cmdstan", "race"),
    )
    num_race_draws: int = _option(8, "Draws for every approximation in the race", _count)
    optimizer: str = _option("lbfgs", "What makes the paths", ("lbfgs", "jaxopt"))
    refine: bool | None = _option(
        None,
        "Refine the best approximation of each mode by matching scores on small batches of draws, and draw from that; "
        "None does so unless `calculate_lp` is off",
        (True, False),
    )
    proposal: str = _option(
        "auto",
        "What refined draws come from, besides the draws of the last rounds: the refined normals, all with the normals "
        "they started from, or whichever the ELBOs favour",
        ("auto", "refined", "all"),
    )
    refine_form: str = _option(
        "auto",
        "Covariances of refined normals beyond 200 parameters: of low rank, or with a banded precision where the "
        "parameters are neighbours in a pattern; 'auto' takes whichever has the higher ELBO",
        ("auto", "low_rank", "banded"),
    )
    pattern: Any = _option(
        None,
        "Which parameters are neighbours: None looks for a `Pattern` in the program of the log density, False does not",
        "False or a `pathfinder.Pattern`",
    )
    max_refine_rounds: int = _option(40, "Largest number of batches of gradients for each mode", _count)
    temper: bool | None = _option(
        None,
        "Where importance weights are unreliable, choose draws by the largest power of them at which half as many are "
        "effective as are wanted; None does so where approximations are refined",
        (True, False),
    )
    chains: bool | int | str = _option(
        "auto",
        "Run short chains of Hamiltonian Monte Carlo from the weighted draws, and return their states: True for 125, a "
        "number of them, or False; 'auto' runs them after a refinement whose importance weights will not do",
        _can_be_shared_out,
    )
    max_chain_gradients: int | None = _option(
        None,
        "Gradients that all chains of a fit may take together; None is 100,000, but fewer of densities that take more "
        "than 300,000 operations, and none under 'auto' where that is too few for chains to begin",
        _count,
    )
    reuse_elbo_draws: bool = _option(
        False,
        "Return the draws that won the ELBO comparison among the draws, as Stan does; their ELBO is biased upwards",
    )
    density_memory: int = _option(
        64,
        "Mebibytes that the log density may take at a time for intermediate results, where the host drives; one that "
        "takes more is evaluated at fewer points at a time",
        _count,
    )
    cache: bool = _option(
        True,
        "Keep compiled programs in the user's cache folder for other processes, where the host drives; a cache that "
        "JAX was given is used instead",
    )
    save_trajectory: bool = _option(False, "Keep the positions, gradients and approximations of all iterations")

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            checked = _checked(field.name, value, field.default, field.metadata["valid"])
            object.__setattr__(self, field.name, checked)
        for name in ("refine", "temper", "chains"):
            if getattr(self, name) not in (None, False, "auto") and not self.calculate_lp:
                raise ValueError(f"`{name}` needs the log density of the draws; leave `calculate_lp` at True.")
        if self.refine_form == "banded" and self.pattern is False:
            raise ValueError("`refine_form` is 'banded', which needs a pattern; leave `pattern` at None, or give one.")

    @property
    def refines(self) -> bool:
        """Whether approximations are refined."""
        return self.calculate_lp if self.refine is None else self.refine

    @property
    def tempers(self) -> bool:
        """Whether draws are chosen by powers of weights that are unreliable."""
        return self.refines if self.temper is None else self.temper

    @property
    def may_run_chains(self) -> bool:
        """Whether chains run in any case, or after a refinement that leaves too few effective draws."""
        return bool(self.refines and self.resamples_paths if self.chains == "auto" else self.chains)

    @property
    def num_chains(self) -> int:
        """How many chains run, if any do."""
        return NUM_CHAINS if isinstance(self.chains, bool | str) else self.chains

    @property
    def resamples_paths(self) -> bool:
        """Whether `num_psis_draws` draws are chosen by their weights, as CmdStan does for several paths."""
        return self.psis_resample and self.calculate_lp and (self.num_paths > 1 or self.refines)

    @classmethod
    def describe(cls) -> str:
        """One line per option: name, default and help."""
        return "\n".join(f"{f.name} = {f.default!r}: {f.metadata['help']}." for f in dataclasses.fields(cls))


def _checked(name: str, value: Any, default: Any, valid: Any) -> Any:
    if name == "pattern":
        if value is not None and value is not False and not hasattr(value, "num_products"):
            raise ValueError(f"`pattern` must be {valid}, but {value!r} was given.")
        return value
    if value is None:
        if name in _MAY_BE_NONE:
            return None
        raise ValueError(f"`{name}` must not be None.")
    if name == "chains" and (isinstance(value, bool) or (isinstance(value, str) and value == "auto")):
        return value
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` must be True or False, but {value!r} was given.")
        return value
    if isinstance(valid, tuple):
        if value not in valid:
            raise ValueError(f"`{name}` must be one of {', '.join(map(repr, valid))}, but {value!r} was given.")
        return value
    rule = _RULES[valid]
    try:
        number: Any = int(value) if isinstance(default, int) or valid in (_count, _can_be_shared_out) else float(value)
        fits = not isinstance(value, bool | str) and number == value and valid(number)
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise ValueError(f"`{name}` must be {rule}, but {value!r} was given.")
    return number
