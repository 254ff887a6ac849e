"""`pathfinder plot`: pictures of what a run wrote."""

import glob
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pathfinder._close_names import did_you_mean
from pathfinder_cli._arguments.file_names import split_suffix
from pathfinder_cli._arguments.options import only_value, split_options, wants_help
from pathfinder_cli._commands.loading import loading
from pathfinder_cli._commands.summary import bracketed
from pathfinder_cli._console.streams import print_line, write_stdout
from pathfinder_cli._errors import RunError, UsageError
from pathfinder_cli._outputs.atomic_files import atomic_bytes, check_writable


if TYPE_CHECKING:
    from pathfinder_cli._inputs.draws_file import DrawsFile
    from pathfinder_cli._inputs.trajectory_file import TrajectoryFile

HELP = """\
Usage: pathfinder plot FILE.csv... [FILE.json...] [-k KIND]... [-i NAME]... [-p M,N] [-o PREFIX]

Draw PNG pictures of what a run wrote: pairs of variables and importance weights from CSV files of
draws, ELBOs and trajectories from the JSON files of single paths. Files of single paths
(save_single_paths=1) are found beside the draws. It needs matplotlib.

  -k, --kind=KIND            pairs, weights, elbo or trajectory; may be repeated (all that can be drawn)
  -i, --include_param=NAME   variables of pairs, such as theta, theta[1] or theta.1; may be repeated
  -p, --pair=M,N             unconstrained parameters of trajectory, by their numbers from 1 (1,2)
  -o, --output=PREFIX        what names of pictures begin with, or a folder for them (the name of the first
                             file without its suffix)
"""

_OPTIONS = {"--kind": "-k", "--include_param": "-i", "--pair": "-p", "--output": "-o"}
_KINDS = ("pairs", "weights", "elbo", "trajectory")
_DOTS_PER_INCH = 150
_WINDOW = 30.0  # nats


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if wants_help(words):
        write_stdout(HELP)
        return 0
    paths, options = split_options("plot", words, _OPTIONS, HELP)
    if not paths:
        raise UsageError(f"Error: pathfinder plot takes the names of CSV and JSON files.\n\n{HELP}")
    for kind in options["--kind"]:
        if kind not in _KINDS:
            question = did_you_mean(kind, _KINDS) or "."
            raise UsageError(f"Error: --kind={kind}: it is one of {', '.join(_KINDS)}{question}\n")
    pair = _pair(only_value("plot", "--pair", options["--pair"], HELP) or "1,2")
    prefix = only_value("plot", "--output", options["--output"], HELP) or split_suffix(paths[0])[0]
    if os.path.isdir(prefix):
        prefix = os.path.join(prefix, os.path.basename(split_suffix(paths[0])[0]))
    check_writable(f"{prefix}_{(options['--kind'] or _KINDS)[0]}.png")
    with loading():
        pictures = _Pictures(paths, options["--include_param"], pair)
    for kind, content in pictures.drawn(options["--kind"]):
        name = f"{prefix}_{kind}.png"
        atomic_bytes(name, content)
        print_line(name)
    return 0


class _Pictures:
    """The pictures of some files.

    Args:
        paths: Their names.
        wanted: Variables of pairs; the first ones if empty.
        pair: Numbers of unconstrained parameters, from 0.

    Raises:
        RunError: If a file is not what its name says, or files do not fit together.
    """

    def __init__(self, paths: Sequence[str], wanted: Sequence[str], pair: tuple[int, int]):
        from pathfinder_cli._inputs.draws_file import check_same_columns, read_draws
        from pathfinder_cli._inputs.trajectory_file import read_trajectory

        self._wanted, self._pair = wanted, pair
        of_paths = [path for path in paths if split_suffix(path)[1] == ".json"]
        self._files: list[DrawsFile] = [read_draws(path) for path in paths if path not in of_paths]
        if self._files:
            check_same_columns(self._files)
        self._trajectories: list[TrajectoryFile] = [read_trajectory(path) for path in of_paths]
        if not of_paths:
            self._trajectories = [
                found for file in self._files for found in _beside(file.path, ".json", read_trajectory)
            ]
        if len({found.positions.shape[1] for found in self._trajectories if len(found.positions)}) > 1:
            raise RunError("Error: the JSON files are of models with different numbers of parameters.")
        self._ratios = _ratios(self._files) or _ratios(
            [found for file in self._files for found in _beside(file.path, ".csv", read_draws)]
        )

    def drawn(self, kinds: Sequence[str]) -> list[tuple[str, bytes]]:
        """The kinds that are wanted as PNG, or all that can be drawn if none are.

        Raises:
            RunError: If one that is wanted cannot be drawn, or none can be.
        """
        makers: Mapping[str, Callable[[Any], None]] = {kind: getattr(self, f"_draw_{kind}") for kind in _KINDS}
        found, reasons = [], []
        for kind in dict.fromkeys(kinds or _KINDS):
            try:
                found.append((kind, _png(makers[kind])))
            except ModuleNotFoundError as error:
                raise RunError(f"Error: {error}") from error
            except ValueError as error:
                if kinds:
                    raise RunError(f"Error: --kind={kind}: {error}") from error
                reasons.append(f"  {kind}: {error}")
        if not found:
            raise RunError("\n".join(["Error: nothing can be drawn.", *reasons]))
        return found

    def _draw_pairs(self, figure: Any) -> None:
        import numpy as np

        from pathfinder.plots._columns import chosen
        from pathfinder.plots._pairs import BY_DEFAULT, MOST, draw_pairs
        from pathfinder_cli._inputs.estimates import joined

        if not self._files:
            raise ValueError("there is no CSV file of draws.")
        names = [bracketed(name) for name in self._files[0].names]
        sample = joined(self._files)
        kind, groups = "path", np.repeat(np.arange(len(self._files)) + 1, [len(file.draws) for file in self._files])
        if "path__" in names:
            groups = sample.draws[:, names.index("path__")].astype(int)
        else:
            kind = "file"
        own = [place for place, name in enumerate(names) if not name.endswith("__")]
        wanted = [bracketed(name) for name in self._wanted] or None
        places = chosen([names[place] for place in own], wanted, MOST if wanted else BY_DEFAULT)
        shown = [own[place] for place in places]
        draw_pairs([names[place] for place in shown], sample.draws[:, shown], sample.weights, groups, kind, {}, figure)

    def _draw_weights(self, figure: Any) -> None:
        import numpy as np

        from pathfinder.plots._weights import draw_weights

        if not self._ratios:
            raise ValueError(
                "the draws were resampled or have no densities; run with save_single_paths=1, or psis_resample=0."
            )
        draw_weights(np.concatenate(self._ratios), figure)

    def _draw_elbo(self, figure: Any) -> None:
        import numpy as np

        from pathfinder.plots._elbo import ElboCurve, draw_elbos

        curves = []
        for own in self._trajectories:
            later, unknown = own.iteration > 0, np.full(len(own.elbo), np.nan)
            best = (-1, -np.inf) if own.best is None else (int(own.iteration[own.best]), float(own.elbo[own.best]))
            curves.append(ElboCurve(own.number, own.iteration[later], own.elbo[later], unknown[later], *best, np.nan))
        if not curves:
            raise ValueError(_NO_PATHS)
        draw_elbos(curves, {}, _WINDOW, figure, star="highest")

    def _draw_trajectory(self, figure: Any) -> None:
        import numpy as np

        from pathfinder.plots._trajectory import PlanarPath, draw_paths, limits_of, planar_normal

        usable = [own for own in self._trajectories if len(own.positions)]
        if not usable:
            raise ValueError(_NO_PATHS)
        dim, places = usable[0].positions.shape[1], self._pair
        if max(places) >= dim:
            raise ValueError(f"--pair names number {max(places) + 1}, and there is no such parameter among {dim}.")
        paths = [
            PlanarPath(
                own.number, own.positions[:, list(places)], own.best,
                None if own.approximation is None else planar_normal(own.approximation, places),
            )
            for own in usable
        ]  # fmt: skip
        ellipses = [path.approximation.ellipse(2.0) for path in paths if path.approximation is not None]
        shown = np.concatenate(ellipses or [path.points[1:] if len(path.points) > 1 else path.points for path in paths])
        labels = tuple(f"unconstrained parameter {place + 1}" for place in places)
        draw_paths(paths, [], None, limits_of(shown.min(axis=0), shown.max(axis=0), paths), labels, (1, 2), figure)


_NO_PATHS = "there are no JSON files of single paths; run with save_single_paths=1."


def _png(draw: Callable[[Any], None]) -> bytes:
    from pathfinder.plots._axes import empty_figure, png

    figure = empty_figure()
    draw(figure)
    return png(figure, _DOTS_PER_INCH)


def _ratios(files: Sequence["DrawsFile"]) -> list[Any]:
    """Log importance ratios of the files that have some."""
    return [ratios for file in files if (ratios := file.log_ratios) is not None]


def _beside(path: str, suffix: str, read: Callable[[str], Any]) -> list[Any]:
    """The files of single paths beside one of draws, in the order of their numbers; those that are not are left out."""
    base, own = split_suffix(path)
    pattern = re.compile(
        re.escape(base) + r"_path_([0-9]+)" + re.escape(suffix if suffix == ".json" else own or suffix)
    )
    names = [name for name in glob.glob(f"{glob.escape(base)}_path_*") if pattern.fullmatch(name)]
    names.sort(key=lambda name: int(pattern.fullmatch(name)[1]))  # type: ignore[index]
    found = []
    for name in [*([f"{base}.json"] if suffix == ".json" else []), *names]:
        try:
            found.append(read(name))
        except RunError:
            continue
    return found


def _pair(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"\s*([1-9][0-9]*)\s*,\s*([1-9][0-9]*)\s*", text)
    if match is None or match[1] == match[2]:
        raise UsageError(f"Error: --pair={text}: give the numbers of two parameters, from 1, such as 1,2.\n")
    return int(match[1]) - 1, int(match[2]) - 1
