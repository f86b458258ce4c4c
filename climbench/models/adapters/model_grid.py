"""A model's own grid within the suite's: rows from north to south, with or without a pole, longitudes from anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from climbench.errors import ModelError

TOLERANCE = 1e-3


@dataclass(frozen=True)
class ModelGrid:
    """Where the points of a model are among those of a task, and the other way round.

    Attributes
    ----------
    rows, columns : ndarray of int
        For each row and column of the model the one of the task.
    back_rows, back_columns : ndarray of int
        For each row and column of the task the one of the model. A pole that the model leaves out, as many do with
        the southern one, has the values of the row beside it.
    """

    rows: np.ndarray
    columns: np.ndarray
    back_rows: np.ndarray
    back_columns: np.ndarray

    @classmethod
    def of(
        cls, latitude: np.ndarray, longitude: np.ndarray, *, own: tuple[np.ndarray, np.ndarray], model: str
    ) -> ModelGrid:
        """Return how the grids lie.

        Parameters
        ----------
        latitude, longitude : ndarray of shape (row,), (column,)
            Those of the model, in its order.
        own : tuple of ndarray
            Latitudes and longitudes of the task.
        model : str
            What to call the model.

        Raises
        ------
        ModelError
            If they are not the same grid, but for a pole.
        """
        away = np.abs(latitude[:, None] - own[0][None, :])
        around = np.abs((longitude[:, None] - own[1][None, :] + 180.0) % 360.0 - 180.0)
        left_out = away.min(axis=0) > TOLERANCE
        poles = np.abs(np.abs(own[0]) - 90.0) < TOLERANCE
        fits = away.min(axis=1).max() <= TOLERANCE and around.min(axis=1).max() <= TOLERANCE
        if not fits or (left_out & ~poles).any() or around.min(axis=0).max() > TOLERANCE:
            raise ModelError(
                f"{model} runs on {_told(latitude, longitude)}; the task has {_told(*own)}. Bring the data to the "
                "model's grid with `climbench data convert --grid`."
            )
        return cls(away.argmin(axis=1), around.argmin(axis=1), away.argmin(axis=0), around.argmin(axis=0))

    def there(self, values: np.ndarray) -> np.ndarray:
        """Return maps of the task, of shape (..., latitude, longitude), on the model's grid."""
        return np.ascontiguousarray(values[..., self.rows, :][..., self.columns])

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return maps of the model on the task's grid."""
        return np.ascontiguousarray(values[..., self.back_rows, :][..., self.back_columns])


def _told(latitude: np.ndarray, longitude: np.ndarray) -> str:
    north, east = f"{latitude[0]:g} to {latitude[-1]:g}", f"{longitude[0]:g} to {longitude[-1]:g}"
    return f"{latitude.size} latitudes ({north}) by {longitude.size} longitudes ({east})"
