"""Options of the program's own commands: `--name value`, `--name=value`, and short names."""

from collections.abc import Mapping, Sequence

from pathfinder._close_names import did_you_mean
from pathfinder_cli._errors import UsageError


INCLUDE_PATHS = {"--include-paths": ""}


def include_paths(options: Mapping[str, Sequence[str]]) -> list[str]:
    """The folders of `--include-paths=a,b`, as for stanc."""
    return [folder for value in options["--include-paths"] for folder in value.split(",") if folder]


def listed(words: Sequence[str]) -> str:
    """What was given in place of one word, to follow what is wanted."""
    return f", but {', '.join(map(repr, words))} were given" if words else ", but none was given"


def wants_help(words: Sequence[str]) -> bool:
    """Whether a command's words ask for its help page."""
    return any(word in ("-h", "--help", "help") for word in words)


def split_options(
    command: str, words: Sequence[str], options: Mapping[str, str], help_page: str
) -> tuple[list[str], dict[str, list[str]]]:
    """Tell the options among a command's words from the others.

    Args:
        command: Name of the command, for messages.
        words: The words after it.
        options: The options it has, each of which takes a value, and their short names, or "".
        help_page: Follows after messages.

    Returns:
        The other words, and the values of each option in the order given, none where it is absent.

    Raises:
        UsageError: For an option that there is not, or one without its value.
    """
    names = {short: name for name, short in options.items() if short} | {name: name for name in options}
    others: list[str] = []
    values: dict[str, list[str]] = {name: [] for name in options}
    queue = list(words)
    while queue:
        word = queue.pop(0)
        given, equals, value = word.partition("=")
        if given not in names:
            if word.startswith("-") and word != "-":
                question = did_you_mean(given, options) or "."
                raise UsageError(f"Error: pathfinder {command} has no option {given}{question}\n\n{help_page}")
            others.append(word)
            continue
        if not equals:
            value = queue.pop(0) if queue else ""
        if not value:
            raise UsageError(f"Error: pathfinder {command}: {given} needs a value.\n\n{help_page}")
        values[names[given]].append(value)
    return others, values


def only_value(command: str, name: str, values: Sequence[str], help_page: str) -> str | None:
    """The value of an option that may be given once.

    Raises:
        UsageError: If it is given more often.
    """
    if len(values) > 1:
        given = " and ".join(repr(value) for value in values)
        raise UsageError(f"Error: pathfinder {command}: {name} is given {len(values)} times: {given}.\n\n{help_page}")
    return values[0] if values else None
