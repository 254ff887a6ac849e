"""The error of every input file and value."""


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
