"""The error of a command line that cannot be run."""

from typing import Literal


class UsageError(Exception):
    """A command line that cannot be run; the main program prints `text` and exits.

    Where CmdStan refuses the same words, `text` is what CmdStan prints. What only this program
    knows or refuses is said in one further line that begins with `Error: `, the beginning that
    CmdStanPy looks for.

    Args:
        text: Everything to print, with its final newline.
        stream: Where it belongs.
        exit_code: Exit status of the process.
    """

    def __init__(self, text: str, *, stream: Literal["stdout", "stderr"] = "stderr", exit_code: int = 1):
        super().__init__(text)
        self.text = text
        self.stream: Literal["stdout", "stderr"] = stream
        self.exit_code = exit_code
