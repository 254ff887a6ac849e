"""Names of the output files."""

from typing import NamedTuple

from pathfinder_cli._arguments.file_names import split_suffix
from pathfinder_cli._arguments.grammar import Configuration
from pathfinder_cli._errors import UsageError


class OutputNames(NamedTuple):
    """Every file of a run; the tuples have one name per path, or are empty where none is written."""

    draws: str
    path_draws: tuple[str, ...]
    trajectories: tuple[str, ...]
    configuration: str | None
    report: str | None = None

    def all(self) -> list[str]:
        """Their names."""
        names = (self.draws, *self.path_draws, *self.trajectories, self.configuration, self.report)
        return [name for name in names if name is not None]


def output_names(config: Configuration) -> OutputNames:
    """Name the output files.

    CmdStan creates the trajectory files of several paths when only `diagnostic_file` is given,
    and leaves them empty. Here `diagnostic_file` asks for them as `save_single_paths` does.

    Raises:
        UsageError: If a given name cannot be that of a file, or two files would share a name.
    """
    output, num_paths = config.output, config.pathfinder.num_paths
    _check_well_formed(output.file)
    _check_well_formed(output.diagnostic_file)
    _check_well_formed(config.engine.report)
    if output.file in ("", "."):
        raise UsageError(f"Error: {output.file!r} cannot be the name of the output file.\n")
    singles = config.pathfinder.save_single_paths or output.diagnostic_file != ""
    many = num_paths > 1
    tag = "_path" if many else ""
    numbers = [config.id + index if many else None for index in range(num_paths if singles else 0)]
    template = output.diagnostic_file or output.file
    saved = output.save_cmdstan_config
    names = OutputNames(
        output_name(output.file),
        tuple(output_name(output.file, tag=tag, number=number) for number in numbers if many),
        tuple(output_name(template, tag=tag, suffix=".json", number=number) for number in numbers),
        output_name(output.file, tag="_config", suffix=".json") if saved else None,
        config.engine.report or None,
    )
    _check_distinct(names)
    return names


def output_name(template: str, *, tag: str = "", suffix: str = ".csv", number: int | None = None) -> str:
    """Name a file after a template: its base, the tag, the number and a suffix.

    A CSV file keeps the suffix of the template, whatever it is; others always get their own.
    """
    base, own_suffix = split_suffix(template)
    if suffix == ".csv" and own_suffix:
        suffix = own_suffix
    return f"{base}{tag}{'' if number is None else f'_{number}'}{suffix}"


def _check_well_formed(name: str) -> None:
    if name.endswith(("/", "..", "/.")):
        raise UsageError(f"Ill-formed output filename {name}\n\n")


def _check_distinct(names: OutputNames) -> None:
    seen: set[str] = set()
    for name in names.all():
        if name in seen:
            raise UsageError(
                f"Error: two output files would both be called {name}; change `output file`, `diagnostic_file` or "
                "`engine report`.\n"
            )
        seen.add(name)
