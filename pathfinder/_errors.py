"""Errors and requests to stop that callers tell apart by their class."""


class NoParametersError(ValueError):
    """A model without parameters: there is nothing to fit.

    Args:
        dim: How many it is said to have.
        reason: What shows that.
    """

    def __init__(self, dim: int = 0, reason: str = "") -> None:
        super().__init__(
            f"The model has {dim} parameters{f': {reason}' if reason else '; Pathfinder needs at least 1.'}"
        )


class BoundaryValueError(ValueError):
    """Values of parameters on the boundary of a constraint, which are infinite on the unconstrained scale."""


class Interrupt(Exception):  # noqa: N818 (a request, not an error)
    """Raised by the `check` callable between steps to end a stage early, with what it has come to."""
