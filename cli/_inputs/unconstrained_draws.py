"""Draws of files on the unconstrained scale of their model."""

import numpy as np

from pathfinder import Model
from pathfinder.stan._demands.demand import written_with
from pathfinder_cli._errors import RunError
from pathfinder_cli._inputs.draws_file import DrawsFile
from pathfinder_cli._outputs.csv import DEFAULT_SIG_FIGS


def unconstrained_draws(model: Model, file: DrawsFile, draws: np.ndarray) -> np.ndarray:
    """The unconstrained vectors of draws, one in each row; not finite where rounding put one on a bound.

    Args:
        model: The model that they are of.
        file: The file that they come from.
        draws: Rows of it.

    Raises:
        RunError: If the draws are not those of the model, or violate its constraints by more than rounding.
    """
    places = {name: column for column, name in enumerate(file.names)}
    columns = {}
    for variable in model.parameters:
        own = variable.columns("stan")
        missing = [name for name in own if name not in places]
        if missing:
            raise RunError(f'Error: "{file.path}" has no column {missing[0]!r}, which the model {model.name} has.')
        columns[variable] = [places[name] for name in own]
    positions = np.empty((len(draws), model.dim))
    for row, draw in enumerate(draws):
        values = {variable.name: draw[own].reshape(variable.shape, order="F") for variable, own in columns.items()}
        try:
            with written_with(_num_digits(file)):
                positions[row] = model.unconstrain(values)
        except ValueError as error:
            raise RunError(f'Error: a draw in "{file.path}" is no point of the model {model.name}: {error}') from error
    return positions


def _num_digits(file: DrawsFile) -> int:
    """Significant digits of the numbers in a file."""
    given = file.setting("output", "sig_figs")
    return max(1, int(given)) if given.isdigit() else DEFAULT_SIG_FIGS
