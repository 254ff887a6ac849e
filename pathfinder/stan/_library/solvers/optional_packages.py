"""Packages that only some programs need."""

from importlib import import_module
from types import ModuleType


def required(package: str, purpose: str) -> ModuleType:
    """A package of the extra `stan`.

    Raises:
        ModuleNotFoundError: If it is not installed; says which extra to install.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        message = f"{purpose} needs {package}; install it with `pip install 'pathfinder-vi[stan]'`."
        raise ModuleNotFoundError(message, name=package) from error
