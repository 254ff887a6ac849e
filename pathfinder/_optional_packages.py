"""Packages that only some models or some views of results need."""

from importlib import import_module
from types import ModuleType


def required(package: str, purpose: str, extra: str) -> ModuleType:
    """A package, or a module of one, that is in an extra of ours.

    Args:
        package: Its name.
        purpose: The beginning of the sentence that says what needs it: "Plots need".
        extra: That it is in.

    Raises:
        ModuleNotFoundError: If it is not installed; says what needs it, and how to get it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        message = f"{purpose} {package.split('.')[0]}; install it with `pip install 'pathfinder-vi[{extra}]'`."
        raise ModuleNotFoundError(message, name=error.name) from error
