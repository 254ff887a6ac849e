"""Libraries that BridgeStan has made of Stan programs, loaded; and what can be wrong with them, in plain words."""

from typing import Any

from pathfinder._optional_packages import required


OLDEST_MAJOR_VERSION = 2


def load_bridgestan(library: Any, data: Any = None) -> Any:
    """The `bridgestan.StanModel` of a compiled library; one that is given is returned as it is.

    Args:
        library: A `StanModel`, or the path of a library that BridgeStan has made of a program.
        data: Data of the program if a path is given: a dictionary, a JSON text, or the path of a JSON file.

    Raises:
        ModuleNotFoundError: If BridgeStan is not installed.
        ValueError: If the library cannot be loaded, is of version 1, or the data do not fit.
    """
    if not isinstance(library, str) and not hasattr(library, "__fspath__"):
        if data is not None:
            raise ValueError("`data` goes with the path of a library; a StanModel has its own.")
        if not hasattr(library, "log_density_gradient"):
            raise ValueError(
                "`stan_model` must be a bridgestan.StanModel or the path of a library that BridgeStan has compiled, "
                f"but {library!r} was given."
            )
        _check_version(library)
        return library
    path = str(library)
    if path.endswith(".stan"):
        raise ValueError(
            f"'{path}' is a program, not a library. Compile it with bridgestan.compile_model('{path}'), or use "
            "Model.from_stan, which needs no compiler."
        )
    bridgestan = required("bridgestan", "Model.from_bridgestan needs", "bridgestan")
    try:
        model = bridgestan.StanModel(path, data=data, warn=False)
    except (OSError, AttributeError, RuntimeError) as error:
        raise ValueError(_why_not_loaded(path, error)) from error
    _check_version(model)
    return model


def _why_not_loaded(path: str, error: Exception) -> str:
    """What is wrong with a library, or the data of its model, in plain words."""
    text = str(error).strip()
    if isinstance(error, RuntimeError):
        return f"The program of '{path}' does not take the data: {text}"
    if isinstance(error, AttributeError):  # of the symbols that version 2 has
        return f"'{path}' is no library of BridgeStan 2.0 or newer ({text}); compile the program again."
    if isinstance(error, FileNotFoundError | PermissionError):
        named = str(error.filename or path)
        what = "There is no file" if isinstance(error, FileNotFoundError) else "It is not allowed to read"
        return f"{what} '{named}'."
    if "GLIBCXX" in text or "CXXABI" in text:
        return (
            f"'{path}' needs another C++ runtime than this process has ({text}). Compile the program on this machine, "
            "or with the compiler of this environment."
        )
    return f"'{path}' cannot be loaded as a library: {text}"


def _check_version(model: Any) -> None:
    version = tuple(model.model_version()) if hasattr(model, "model_version") else (1, 0, 0)
    if version[0] < OLDEST_MAJOR_VERSION:
        raise ValueError(
            f"The library was compiled with BridgeStan {'.'.join(map(str, version))}, but 2.0 or newer is needed; "
            "compile the program again."
        )
