"""Linear inverse model: anomalies as amplitudes of EOFs, and linear operators from now and the steps before to ahead.

References
----------
Penland and Sardeshmukh (1995), The optimal growth of tropical sea surface temperature anomalies, J. Climate 8,
1999-2024, doi:10.1175/1520-0442(1995)008<1999:TOGOTS>2.0.CO;2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import xarray as xr

from climbench.errors import ModelError, did_you_mean
from climbench.models.fitted_fields import read_fields, write_fields
from climbench.models.forecaster import Forecaster, in_forecast_order, lead_times, one_series, valid_times
from climbench.models.forecasting.complete_series import require_complete
from climbench.models.forecasting.eofs import EOFs
from climbench.models.forecasting.lagged_regression import (
    RIDGES,
    Amplitudes,
    Choice,
    CrossValidation,
    Operator,
    iterated,
)
from climbench.models.forecasting.normals import Normals
from climbench.models.forecasting.steps import require_history, step_of, steps_to

EOFS = (10, 20, 40, 80, 160)
LAGS = (1, 2, 3)
TIMES_AN_EOF = 5  # training times for each EOF at least: more are not tried
JUDGED = (1, 2, 4, 8)
SETTINGS = "linear.json"
PARTS = ("normals", "maps", "filters", "amplitudes")


class LinearInverseModel(Forecaster):
    """Forecasts anomalies from the training climatology by ridge regression of EOF amplitudes on their past.

    What is not set is chosen by cross-validation: stretches of the training period are left out in turn, and the
    settings of the least mean square error, in the mean over leads of 1, 2, 4 and 8 steps, are taken. Climatology and
    EOFs are those of the whole training period throughout.

    Parameters
    ----------
    eofs : int, optional
        How many EOFs.
    lags : int, optional
        At how many times their amplitudes are used, the initial time among them.
    operator : {"direct", "iterated"}, optional
        Whether each lead has an operator of its own, or that of one step is applied again and again.
    ridge : float, optional
        Shrinks the operators, in units of the mean variance of an amplitude; 0 is plain regression.
    folds : int
        Stretches of the cross-validation.

    Attributes
    ----------
    chosen : dict
        The settings used, how they were chosen, and the cross-validated error over the variance.
    history : int
        As many states as there are lags; known once fitted.
    """

    def __init__(
        self,
        *,
        eofs: int | None = None,
        lags: int | None = None,
        operator: Operator | None = None,
        ridge: float | None = None,
        folds: int = 6,
    ) -> None:
        for name, value, least in (("eofs", eofs, 1), ("lags", lags, 1), ("ridge", ridge, 0), ("folds", folds, 2)):
            if value is not None and not value >= least:
                raise ModelError(f"{name} must be at least {least}; it is {value}.")
        if operator is not None and operator not in get_args(Operator):
            raise ModelError(f"There is no operator '{operator}'. {did_you_mean(operator, get_args(Operator))}")
        self.arguments: dict[str, Any] = {
            "eofs": eofs,
            "lags": lags,
            "operator": operator,
            "ridge": ridge,
            "folds": folds,
        }
        self.history = lags or 1
        self.chosen: dict[str, Any] = {}
        self.normals: Normals | None = None
        self.eofs: EOFs | None = None
        self.amplitudes: Amplitudes | None = None
        self.choice = Choice(0, 0, "direct", {1: 0.0})
        self._operators: dict[int, np.ndarray] = {}

    @property
    def parameters(self) -> int:
        """How many numbers the operators used so far have; at least those of the operator of one step."""
        one = self.choice.lags * self.choice.eofs**2
        return one * max(1, len(self._operators)) if self.choice.operator == "direct" else one

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Find EOFs and settings; the validation years are not looked at, and nothing is random.

        Raises
        ------
        ModelError
            If training data is not finite, has no step, or is too short for the lags.
        """
        require_complete(train)
        step, series = step_of(train), one_series(train)
        self.normals = Normals.of(series)
        wanted = self.arguments["eofs"] or min(max(EOFS), max(EOFS[0], series.sizes["time"] // TIMES_AN_EOF))
        found = EOFs.of(series, self.normals, wanted)
        amplitudes = Amplitudes(found.series(series, self.normals), series["time"].values, step)
        self.choice = self._chosen(amplitudes, found)
        self.eofs = found.first(self.choice.eofs)
        self.amplitudes = Amplitudes(amplitudes.values[:, : self.choice.eofs], amplitudes.times, step)
        self.history, self._operators = self.choice.lags, {}

    def _chosen(self, amplitudes: Amplitudes, found: EOFs) -> Choice:
        given = self.arguments
        eofs = sorted({min(count, found.count) for count in ((given["eofs"],) if given["eofs"] else EOFS)})
        lags = (given["lags"],) if given["lags"] else LAGS
        operators = (given["operator"],) if given["operator"] else get_args(Operator)
        ridges = RIDGES if given["ridge"] is None else (given["ridge"],)
        judge = CrossValidation(amplitudes, max(lags), JUDGED, given["folds"], found.variance)
        if not judge.leads:
            raise ModelError(
                f"The training period is too short: {amplitudes.times.size} times in {given['folds']} stretches leave "
                f"none with {max(lags)} lags and a step. Give more training data, or set fewer folds and lags."
            )
        best = judge.best(eofs, lags, operators, ridges)
        self.chosen = {
            "by": f"cross-validation within the training period, {given['folds']} stretches, leads of "
            f"{', '.join(map(str, judge.leads))} steps",
            "eofs": best.eofs,
            "lags": best.lags,
            "operator": best.operator,
            "ridge": {str(lead): ridge for lead, ridge in best.ridges.items()},
            "relative_mean_square_error": best.error,
        }
        return best

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return the climatology plus the anomalies that the operators give.

        Raises
        ------
        ModelError
            If it was not fitted, a lead is no whole number of steps, or the history is not what it needs.
        """
        normals, eofs, amplitudes = self._fitted()
        steps = steps_to(leads, amplitudes.step)
        require_history(inputs, self.choice.lags, amplitudes.step)
        given = inputs[list(eofs.maps)].isel(history=slice(inputs.sizes["history"] - self.choice.lags, None))
        times = given["init_time"].reset_coords(drop=True) + given["history"]
        found = eofs.amplitudes(given - normals.at(times))
        past = found[:, ::-1].reshape(found.shape[0], -1)
        ahead = np.stack([past @ self.operator(int(count)) for count in steps], axis=1)
        coords = {"init_time": inputs["init_time"], "lead_time": lead_times(leads)}
        anomalies = eofs.fields(xr.DataArray(ahead, coords, ("init_time", "lead_time", "mode")))
        return in_forecast_order(normals.at(valid_times(inputs, leads)) + anomalies).drop_attrs(deep=False)

    def operator(self, steps: int) -> np.ndarray:
        """Return the operator to a lead, of shape (lags eofs, eofs); it is computed when first asked for."""
        if steps not in self._operators:
            amplitudes, choice = self._fitted()[2], self.choice
            if choice.operator == "direct":
                found = amplitudes.operator(choice.eofs, choice.lags, steps, choice.ridge(steps))
            else:
                found = iterated(amplitudes.operator(choice.eofs, choice.lags, 1, choice.ridge(1)), steps)
            self._operators[steps] = found
        return self._operators[steps]

    def _fitted(self) -> tuple[Normals, EOFs, Amplitudes]:
        if self.normals is None or self.eofs is None or self.amplitudes is None:
            raise ModelError("The linear inverse model was not fitted; call fit(train, seed=...) first.")
        return self.normals, self.eofs, self.amplitudes

    def save(self, directory: Path) -> None:
        """Write climatology, EOFs, amplitudes and settings into a folder, as netCDF and JSON."""
        normals, eofs, amplitudes = self._fitted()
        series = xr.Dataset({"amplitude": (("time", "mode"), amplitudes.values)}, {"time": amplitudes.times})
        for name, fields in zip(PARTS, (normals.fields, eofs.maps, eofs.filters, series), strict=True):
            write_fields(fields, directory, name)
        choice = {**vars(self.choice), "ridges": [list(pair) for pair in self.choice.ridges.items()]}
        content = {
            "emulator": "LinearInverseModel",
            "arguments": self.arguments,
            "choice": choice,
            "chosen": self.chosen,
            "step_hours": amplitudes.step / np.timedelta64(1, "h"),
            "variance": eofs.variance,
        }
        (directory / SETTINGS).write_text(json.dumps(content, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> LinearInverseModel:
        """Return the emulator that `save` wrote; raise `ModelError` where the folder holds none that is whole."""
        normals, maps, filters, series = (read_fields(directory, name) for name in PARTS)
        try:
            content = json.loads((directory / SETTINGS).read_text(encoding="utf-8"))
            model = cls(**content["arguments"])
            ridges = {int(lead): float(ridge) for lead, ridge in content["choice"].pop("ridges")}
            model.choice = Choice(**content["choice"], ridges=ridges)
            model.chosen, variance = content["chosen"], float(content["variance"])
            step = np.timedelta64(round(content["step_hours"] * 3.6e12), "ns")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{directory} holds no whole linear inverse model: {error!r}.") from error
        model.history = model.choice.lags
        model.normals, model.eofs = Normals(normals), EOFs(maps, filters, variance)
        model.amplitudes = Amplitudes(series["amplitude"].values, series["time"].values, step)
        return model
