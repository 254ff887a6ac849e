"""`pathfinder inits`: files for CmdStan's sampler, so that it goes on from a run."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pathfinder._close_names import did_you_mean
from pathfinder_cli._arguments.grammar import Engine
from pathfinder_cli._arguments.options import INCLUDE_PATHS, include_paths, split_options, wants_help
from pathfinder_cli._commands.backend import compilation_cache, start_jax
from pathfinder_cli._commands.loading import loading
from pathfinder_cli._console.streams import print_error_line, print_line, write_stdout
from pathfinder_cli._errors import RunError, UsageError
from pathfinder_cli._inputs.input_file import read_input_file
from pathfinder_cli._models.source import KINDS, ModelOptions, ModelSource


if TYPE_CHECKING:
    import numpy as np

    from pathfinder import Model
    from pathfinder_cli._inputs.draws_file import DrawsFile
    from pathfinder_cli._inputs.estimates import WeightedDraws

HELP = """\
Usage: pathfinder inits FILE.csv [model=MODEL] [data=DATA] [num_chains=4] [num_warmup=75]
                                 [metric=auto|dense|diagonal] [seed=0] [output=FOLDER]

Write files with which CmdStan's sampler goes on from the draws of a run: init_1.json and so on, one
for each chain, and metric.json; and print the command that uses them, in which the step size alone
is adapted.

  model=MODEL           the model of the run; by default the .stan or .py file of its name beside the
                        draws, in this folder, or beside the data
  data=DATA             its data; by default the file that the run was given
  num_chains=4          how many chains start
  num_warmup=75         steps of warm-up
  metric=auto           dense, if there are enough draws and at most 200 parameters; else diagonal
  seed=0                of the choice of draws to start from
  output=FOLDER         where the files go (inits)
  --include-paths=A,B   folders to look for included Stan programs in
"""

_DEFAULTS = {
    "model": "",
    "data": "",
    "num_chains": "4",
    "num_warmup": "75",
    "metric": "auto",
    "seed": "0",
    "output": "inits",
}
_METRICS = ("auto", "dense", "diagonal")
_DRAWS_PER_DIMENSION = 2  # that a covariance needs to be worth more than its diagonal
# Stan shrinks a covariance towards a thousandth of the identity, which counts as five draws; here of its own diagonal.
_PRIOR_DRAWS, _PRIOR_SCALE = 5.0, 1e-3


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if wants_help(words):
        write_stdout(HELP)
        return 0
    others, options = split_options("inits", words, INCLUDE_PATHS, HELP)
    path, given = _arguments(others)
    num_chains, num_warmup = _number(given, "num_chains", 1), _number(given, "num_warmup", 1)
    seed = _number(given, "seed", 0)
    if given["metric"] not in _METRICS:
        raise UsageError(f"Error: metric={given['metric']}: give one of {', '.join(_METRICS)}.\n")
    from pathfinder_cli._inputs.draws_file import read_draws

    file = read_draws(path)
    data_file = given["data"] or file.setting("data", "file")
    source = ModelSource.read(given["model"] or _model_of(file, data_file), include_paths(options))
    source.module.check(source)
    data = read_input_file(data_file)
    with loading():
        start_jax(Engine(), 1)
    with compilation_cache(), source.module.running(source):
        model = source.module.bind(source, data, _model_options(file, source))
        command, notes = _write(file, model, given, num_chains, num_warmup, seed, data_file)
    for note in notes:
        print_error_line(note)
    files = ", ".join(f"init_{number}.json" for number in range(1, num_chains + 1))
    print_line(f"Wrote {files} and metric.json into {given['output']}. Run CmdStan's sampler with")
    print_line(command)
    return 0


def _write(
    file: "DrawsFile",
    model: "Model",
    given: Mapping[str, str],
    num_chains: int,
    num_warmup: int,
    seed: int,
    data_file: str,
) -> tuple[str, list[str]]:
    """Write the files; the command that uses them, and what is to be said of the draws."""
    import numpy as np

    from pathfinder._draws.sampler_starts import systematic_rows
    from pathfinder._results.warm_start import warm_start_from
    from pathfinder_cli._inputs.estimates import joined
    from pathfinder_cli._inputs.unconstrained_draws import unconstrained_draws

    sample = joined([file])
    # Copies of a draw are one point to start from, with the weight of all.
    _, first, copy = np.unique(sample.draws, axis=0, return_index=True, return_inverse=True)
    weights = np.bincount(copy.ravel(), sample.weights)
    positions = unconstrained_draws(model, file, sample.draws[first])
    used = (weights > 0) & np.isfinite(positions).all(axis=1)
    first, weights, positions = first[used], weights[used], positions[used]
    if len(first) < num_chains:
        raise RunError(f'Error: "{file.path}" has {len(first)} different draws, too few for {num_chains} chains.')
    matrix, notes = _metric(positions, weights / weights.sum(), _size(file, sample), given["metric"])
    # In the order of the paths, so that each has its share of the starts.
    paths = sample.draws[first, file.names.index("path__")] if "path__" in file.names else np.zeros(len(first))
    order = np.argsort(paths, kind="stable")
    rows = order[systematic_rows(weights[order], num_chains, np.random.default_rng(seed))]
    start = warm_start_from(positions[rows].astype(model.dtype), matrix, model)
    try:
        command = start.write_cmdstan(
            given["output"], num_warmup=num_warmup, executable=f"./{model.name}", data_file=data_file
        )
    except OSError as error:
        raise RunError(f'Error: cannot write into "{given["output"]}": {error.strerror}.') from error
    said = file.reliability or sample.reliability
    return command, ([said] if said else []) + notes


def _size(file: "DrawsFile", sample: "WeightedDraws") -> float:
    """How many draws the sample is worth, by the variable with the fewest; all where nothing is known."""
    import numpy as np

    from pathfinder._draws.summary import effective_sizes

    if not sample.has_sizes:
        return float(len(sample.draws))
    used = sample.weights > 0
    variables = [not name.endswith("__") for name in file.names]
    sizes = effective_sizes(sample.draws[used][:, variables], sample.weights[used], sample.groups[used])
    known = sizes[np.isfinite(sizes)]
    return float(known.min()) if known.size else float(len(sample.draws))


def _metric(positions: "np.ndarray", weights: "np.ndarray", size: float, form: str) -> "tuple[np.ndarray, list[str]]":
    """The covariance of the draws or its diagonal, and what is to be said of the choice."""
    import numpy as np

    from pathfinder._draws.metric import DENSE_UP_TO

    dim = positions.shape[1]
    centred = positions - weights @ positions
    notes = []
    enough = size >= _DRAWS_PER_DIMENSION * dim
    if form == "auto":
        form = "dense" if enough and dim <= DENSE_UP_TO else "diagonal"
        if form == "diagonal" and dim <= DENSE_UP_TO:
            notes.append(
                f"The metric is diagonal: draws are worth {size:.0f}, and a dense one of {dim} unconstrained "
                f"parameters wants {_DRAWS_PER_DIMENSION * dim}. Ask for more draws (num_psis_draws), or for "
                "metric=dense."
            )
    variance = weights @ centred**2
    if not np.all(variance > 0):
        raise RunError("Error: a parameter has the same value in all draws, so that there is no metric.")
    if form == "diagonal":
        return variance, notes
    covariance = (centred * weights[:, None]).T @ centred
    prior = _PRIOR_DRAWS * _PRIOR_SCALE * np.diag(variance)
    return (size * covariance + prior) / (size + _PRIOR_DRAWS), notes


def _arguments(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The file of draws, and the arguments with their defaults."""
    given: dict[str, str] = {}
    files = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or os.path.exists(word):
            files.append(word)
        elif name not in _DEFAULTS:
            question = did_you_mean(name, _DEFAULTS) or "."
            raise UsageError(f"Error: pathfinder inits has no argument {name!r}{question}\n\n{HELP}")
        elif name in given:
            raise UsageError(f"Error: pathfinder inits: {name} is given twice.\n\n{HELP}")
        elif not value:
            raise UsageError(f"Error: pathfinder inits: {name} needs a value.\n\n{HELP}")
        else:
            given[name] = value
    if len(files) != 1:
        found = f", but {', '.join(map(repr, files))} were given" if files else ", but none was given"
        raise UsageError(f"Error: pathfinder inits takes one CSV file of draws{found}.\n\n{HELP}")
    return files[0], _DEFAULTS | given


def _number(given: Mapping[str, str], name: str, least: int) -> int:
    text = given[name]
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise UsageError(f"Error: {name}={text}: give a whole number from {least} on.\n")
    return int(text)


def _model_of(file: "DrawsFile", data_file: str) -> str:
    """The file of the model that a run was of.

    Raises:
        RunError: If it is not where it is looked for.
    """
    stem = file.setting("", "model").removesuffix("_model")
    folders = dict.fromkeys([os.path.dirname(file.path), "", os.path.dirname(data_file)])
    if stem:
        for folder in folders:
            for suffix in KINDS:
                path = os.path.join(folder, f"{stem}{suffix}")
                if os.path.isfile(path):
                    return path
    looked = f": there is no {' or '.join(stem + suffix for suffix in KINDS)} beside it or here" if stem else ""
    raise RunError(f'Error: the model of "{file.path}" is not known{looked}; give model=FILE.')


def _model_options(file: "DrawsFile", source: ModelSource) -> ModelOptions:
    seed = file.setting("random", "seed")
    simplex = file.setting("engine", "simplex") or source.simplex
    return ModelOptions(int(seed) if seed.isdigit() else 0, simplex)
