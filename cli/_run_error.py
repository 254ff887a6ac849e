"""The error of a run that cannot go on."""


class RunError(Exception):
    """A run that failed for a reason the user can act on; the text is printed on stderr.

    Its last part begins with `Error: `, the beginning that CmdStanPy looks for.
    """
