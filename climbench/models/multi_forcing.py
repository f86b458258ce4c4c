"""Pattern scaling with one pattern a forcing: ridge regression on what each of four species does to global climate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.models.base import Emulator
from climbench.models.fold_scores import Fold, fold_errors, target_names
from climbench.models.response.emission_history import SPECIES, after, emissions, global_past, global_series
from climbench.models.response.energy_balance import MEAN_FEEDBACK, warming
from climbench.models.response.forcing import forcing
from climbench.models.response.global_response import fast_rain
from climbench.models.response.local_regression import regress_about_common
from climbench.variables import is_water

# Precipitation rises by 2 to 3 % per kelvin (Andrews et al. 2010, doi:10.1029/2010GL043991) of about 2.9 mm/day.
HYDROLOGICAL_SENSITIVITY = 0.025 * 2.9  # mm/day per K
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
CELL = ("time", "latitude", "longitude")


class MultiForcingRidge(Emulator):
    r"""Each cell of each variable as a linear function of four global forcings, with a penalty on the slopes.

    .. math:: \hat y_{ij}(t) = A_{ij} + \sum_k B_{k,ij} x_k(t)

    A predictor is what one forcing would do to global temperature in a climate with the mean feedback of climate models
    (`climbench.models.response.energy_balance`), or, for water, to global precipitation. In few scenarios forcings rise
    and fall together and cannot be told apart; the penalty therefore draws the four slopes of a cell to one another
    (`climbench.models.response.local_regression.regress_about_common`), and they differ only as far as the data
    insists.

    Parameters
    ----------
    strength : float
        Of the penalty, for variables that `choose` did not settle.

    Attributes
    ----------
    strengths : dict of str to float
        What `choose` settled for each variable.
    patterns : Dataset
        For each variable ``{name}_intercept`` and ``{name}_slopes`` (predictor, latitude, longitude).
    chosen : dict
        What `choose` settled, and the errors that decided.
    """

    inputs: ClassVar[tuple[str, ...] | None] = SPECIES
    history: ClassVar[int] = 400  # as far back as there is anything

    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength
        self.strengths: dict[str, float] = {}
        self.past: xr.Dataset | None = None
        self.patterns = xr.Dataset()
        self.chosen: dict[str, Any] = {}

    def choose(self, folds: Sequence[Fold], *, seed: int) -> None:
        """Settle the strength of the penalty for each variable: the one of least error on folds of training data.

        Parameters
        ----------
        folds : sequence of (train, validation)
            Mappings as in `fit`.
        seed : int
            Not used.
        """
        default, errors = self.strength, {}
        self.strengths = {}
        for self.strength in STRENGTHS:
            errors[self.strength] = fold_errors(self, folds, seed=seed)
        self.strength = default
        for name in errors[STRENGTHS[0]]:
            self.strengths[name] = min(STRENGTHS, key=lambda strength: errors[strength][name])
        self.chosen = {
            "strengths": self.strengths,
            "fold_errors": {f"strength {strength:g}": values for strength, values in errors.items()},
        }

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Fit all cells by closed form; nothing is random and no validation is needed.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs and the targets, of shape (time, latitude, longitude). The inputs of
            ``historical``, where it is there, precede those of the scenarios after it.
        validation : mapping of str to Dataset, optional
            Not used.
        seed : int
            Not used.
        """
        scenarios = list(train.values())
        self.past = global_past(train)
        predictors = xr.concat([self._predictors(s) for s in scenarios], "time")
        maps: dict[str, Any] = {}
        for name in target_names(scenarios[0], SPECIES):
            fields = np.concatenate([s[name].transpose(*CELL).values for s in scenarios])
            strength = self.strengths.get(name, self.strength)
            intercept, slopes = regress_about_common(_seen_by(name, predictors), fields, strength)
            maps[f"{name}_intercept"] = (CELL[1:], intercept)
            maps[f"{name}_slopes"] = (("predictor", *CELL[1:]), slopes)
        coordinates = {d: scenarios[0][d] for d in CELL[1:]}
        self.patterns = xr.Dataset(maps, coords={"predictor": list(SPECIES), **coordinates})

    def _predictors(self, inputs: xr.Dataset) -> xr.Dataset:
        """Return what each species does to global temperature and precipitation, of shape (time, predictor)."""
        forced = forcing(emissions(after(self.past, global_series(inputs))))
        parts = (forced.carbon_dioxide, forced.methane, forced.sulfate, forced.soot)
        warm = np.stack([forced.now(warming(part, MEAN_FEEDBACK), inputs) for part in parts], axis=1)
        rain = HYDROLOGICAL_SENSITIVITY * warm
        for species, fast in enumerate(fast_rain(forced)):
            rain[:, species] += forced.now(fast, inputs)
        series = {"temperature": (("time", "predictor"), warm), "rain": (("time", "predictor"), rain)}
        return xr.Dataset(series, coords={"time": inputs["time"].values})

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the climate in every year of the inputs.

        Parameters
        ----------
        inputs : Dataset
            ``CO2`` of shape (time,) in GtCO2, ``CH4`` of shape (time,) in GtCH4/yr, ``SO2`` and ``BC`` of shape (time,
            latitude, longitude) in kg m-2 s-1. Years before their first are those of ``historical``, where it was
            trained on and reaches them, or else the recorded ones.
        members : int
            Not used: the prediction is the forced response.
        seed : int
            Not used.

        Returns
        -------
        Dataset
            Every variable it was fitted on, of shape (time, latitude, longitude), float64.

        Raises
        ------
        ModelError
            If it was not fitted, or an input is missing.
        """
        if not self.patterns:
            raise ModelError("MultiForcingRidge was not fitted; call fit(train, seed=...) or load(directory) first.")
        predictors = self._predictors(inputs)
        fields = {}
        for name in (str(v).removesuffix("_slopes") for v in self.patterns if str(v).endswith("_slopes")):
            change = np.tensordot(_seen_by(name, predictors), self.patterns[f"{name}_slopes"].values, axes=1)
            fields[name] = (CELL, self.patterns[f"{name}_intercept"].values + change)
        return xr.Dataset(fields, coords={"time": inputs["time"], **{d: self.patterns[d] for d in CELL[1:]}})

    @property
    def parameters(self) -> int:
        """Number of fitted coefficients."""
        return sum(v.size for v in self.patterns.values())

    def save(self, directory: Path) -> None:
        """Write the fitted emulator into a folder as netCDF and JSON; raise `ModelError` where it was not fitted."""
        if not self.patterns:
            raise ModelError("MultiForcingRidge was not fitted; there is nothing to save.")
        directory.mkdir(parents=True, exist_ok=True)
        self.patterns.to_netcdf(directory / "patterns.nc")
        if self.past is not None:
            self.past.to_netcdf(directory / "past.nc")
        content = {"strength": self.strength, "strengths": self.strengths, "chosen": self.chosen}
        (directory / "settings.json").write_text(json.dumps(content))

    @classmethod
    def load(cls, directory: Path) -> MultiForcingRidge:
        """Return the emulator that `save` wrote into a folder."""
        content = json.loads((directory / "settings.json").read_text())
        emulator = cls(content["strength"])
        emulator.strengths, emulator.chosen = content["strengths"], content["chosen"]
        if (directory / "past.nc").is_file():
            emulator.past = xr.load_dataset(directory / "past.nc")
        emulator.patterns = xr.load_dataset(directory / "patterns.nc")
        return emulator


def _seen_by(name: str, predictors: xr.Dataset) -> np.ndarray:
    """Return the predictors of a variable, of shape (time, predictor)."""
    return predictors["rain" if is_water(name) else "temperature"].transpose("time", "predictor").values
