"""A request to stop, raised where a fit looks for one."""


class Interrupt(Exception):  # noqa: N818 (a request, not an error)
    """Raised by the `check` callable between chunks to end all paths early."""
