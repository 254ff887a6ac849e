"""The variables of a file, of which some may be what no program can use."""

from collections.abc import Iterator, Mapping

from pathfinder._data_files.errors import InputFileError
from pathfinder._data_files.json_values import Value


class Variables(Mapping[str, Value]):
    """Values by name; one that is no number, such as a string, is an error only when it is looked up.

    Files often hold more than a program declares, such as names of groups.

    Args:
        found: For each name the value, or the error of what stands there instead.
    """

    def __init__(self, found: Mapping[str, Value | InputFileError]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> Value:
        """The value of a name.

        Raises:
            KeyError: If there is none.
            InputFileError: If what stands there is no value; tells the place.
        """
        value = self._found[name]
        if isinstance(value, InputFileError):
            raise value
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
