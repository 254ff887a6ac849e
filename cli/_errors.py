"""The errors that end a command: a command line, an input or a run that cannot go on."""

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


class InputError(ValueError):
    """An input file, or a value in it, that cannot be used.

    The text has CmdStan's own message first, so that scripts looking for it keep working, then
    one line `Error: ...` that says where and what to change. CmdStanPy shows its users only
    lines that begin with `Error` or `Exception`.

    Args:
        message: CmdStan's message, without a trailing newline.
        detail: What is wrong, where, and what to do, in a sentence or two.
    """

    def __init__(self, message: str, detail: str):
        self.message = message
        self.detail = detail
        super().__init__(f"{message}\nError: {detail}")


class RunError(Exception):
    """A run that failed for a reason the user can act on; the text is printed on stderr.

    Its last part begins with `Error: `, the beginning that CmdStanPy looks for.
    """
