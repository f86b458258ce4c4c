"""Pattern scaling on a physical global response: all forcings through impulse responses and an energy balance.

Emissions of all four species become concentrations and forcings (`climbench.models.response.forcing`), these become
global temperature and precipitation (`climbench.models.response.global_response`), and every cell follows the global
response. The constants of the physics are from the literature; none was fitted to a climate model or chosen on a test
scenario.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.models.base import Emulator
from climbench.models.fold_scores import CLEARLY_BETTER, Fold, fold_errors, pooled, target_names
from climbench.models.response.emission_history import SPECIES
from climbench.models.response.global_response import GlobalResponse
from climbench.models.response.local_regression import regress
from climbench.variables import is_water

STRENGTHS = (1.0, 0.5, 1.5)  # of the assessed aerosol forcing, which differs among models by 0.36 of itself
CELL = ("time", "latitude", "longitude")


class ImpulseResponse(Emulator):
    r"""Global response by physics, local response by regression on it.

    .. math:: \hat y_{ij}(t) = A_{ij} + B_{ij} X(t) + C_{ij} T_{aer}(t)

    X is global precipitation for water, as `climbench.models.response.global_response.GlobalResponse` gives it, and
    global temperature for everything else; both are as fitted, so that a cell is not regressed on internal variability.
    C is zero but for variables that have a pattern for the part of temperature due to aerosols.

    Parameters
    ----------
    aerosol_strength : float
        Factor on the assessed aerosol forcing.
    aerosol_patterns : iterable of str
        Variables with a second pattern, for aerosols.

    Attributes
    ----------
    response : GlobalResponse
        The global part.
    patterns : Dataset
        For each variable ``{name}_intercept`` and ``{name}_slopes``, along the predictors X and T_aer.
    chosen : dict
        What `choose` settled, and the errors that decided.
    """

    inputs: ClassVar[tuple[str, ...] | None] = SPECIES
    training_variables: ClassVar[tuple[str, ...]] = ("tas",)
    history: ClassVar[int] = 400  # as far back as there is anything

    def __init__(self, aerosol_strength: float = 1.0, aerosol_patterns: Iterable[str] = ()) -> None:
        self.aerosol_strength = aerosol_strength
        self.aerosol_patterns = tuple(aerosol_patterns)
        self.response = GlobalResponse()
        self.patterns = xr.Dataset()
        self.chosen: dict[str, Any] = {}

    def choose(self, folds: Sequence[Fold], *, seed: int) -> None:
        """Settle the strength of aerosols, and which variables have a pattern for them, on folds of training data.

        The assessed strength, and one pattern, are kept unless the folds' error falls by a tenth or more.

        Parameters
        ----------
        folds : sequence of (train, validation)
            Mappings as in `fit`.
        seed : int
            Not used.
        """
        errors = {}
        for strength in STRENGTHS:
            self.aerosol_strength, self.aerosol_patterns = strength, ()
            errors[strength] = fold_errors(self, folds, seed=seed)
        best = min(errors, key=lambda strength: pooled(errors[strength].values()))
        assessed = STRENGTHS[0]
        clear = pooled(errors[best].values()) < CLEARLY_BETTER * pooled(errors[assessed].values())
        self.aerosol_strength = best if clear else assessed
        one = errors[self.aerosol_strength]
        self.aerosol_patterns = tuple(one)
        two = fold_errors(self, folds, seed=seed)
        self.aerosol_patterns = tuple(name for name in one if two[name] < CLEARLY_BETTER * one[name])
        self.chosen = {
            "aerosol_strength": self.aerosol_strength,
            "aerosol_patterns": list(self.aerosol_patterns),
            "fold_errors": {f"strength {strength:g}": values for strength, values in errors.items()},
            "fold_errors_with_aerosol_patterns": two,
        }

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Fit the global response, then the patterns; nothing is random and no validation is needed.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs, ``tas`` in K and the targets, of shape (time, latitude, longitude).
        validation : mapping of str to Dataset, optional
            Not used.
        seed : int
            Not used.
        """
        scenarios = list(train.values())
        self.response = GlobalResponse(self.aerosol_strength)
        self.response.fit(train)
        response = xr.concat([self.response.respond(s) for s in scenarios], "time")
        maps: dict[str, Any] = {}
        for name in target_names(scenarios[0], SPECIES):
            fields = np.concatenate([s[name].transpose(*CELL).values for s in scenarios])
            intercept, slopes = regress(self._predictors(name, response), fields)
            maps[f"{name}_intercept"] = (CELL[1:], intercept)
            maps[f"{name}_slopes"] = ((f"{name}_predictor", *CELL[1:]), slopes)
        self.patterns = xr.Dataset(maps, coords={d: scenarios[0][d] for d in CELL[1:]})

    def _predictors(self, name: str, response: xr.Dataset) -> np.ndarray:
        """Return what a variable is regressed on, of shape (time, predictor)."""
        first = "rain" if is_water(name) and "rain" in response else "temperature"
        names = [first, "aerosol"] if name in self.aerosol_patterns else [first]
        return np.stack([response[n].values for n in names], axis=1)

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
            raise ModelError("ImpulseResponse was not fitted; call fit(train, seed=...) or load(directory) first.")
        response = self.response.respond(inputs)
        fields = {}
        for name in (str(v).removesuffix("_slopes") for v in self.patterns if str(v).endswith("_slopes")):
            slopes = self.patterns[f"{name}_slopes"].values
            change = np.tensordot(self._predictors(name, response), slopes, axes=1)
            fields[name] = (CELL, self.patterns[f"{name}_intercept"].values + change)
        return xr.Dataset(fields, coords={"time": inputs["time"], **{d: self.patterns[d] for d in CELL[1:]}})

    @property
    def parameters(self) -> int:
        """Number of fitted coefficients: the feedback, the line of precipitation, and the patterns."""
        line = 0 if self.response.rain is None else 2
        return 1 + line + sum(v.size for v in self.patterns.values())

    def save(self, directory: Path) -> None:
        """Write the fitted emulator into a folder as netCDF and JSON; raise `ModelError` where it was not fitted."""
        if not self.patterns:
            raise ModelError("ImpulseResponse was not fitted; there is nothing to save.")
        directory.mkdir(parents=True, exist_ok=True)
        self.patterns.to_netcdf(directory / "patterns.nc")
        if self.response.past is not None:
            self.response.past.to_netcdf(directory / "past.nc")
        content = {
            "aerosol_strength": self.aerosol_strength,
            "aerosol_patterns": self.aerosol_patterns,
            "feedback": self.response.feedback,
            "rain": self.response.rain,
            "chosen": self.chosen,
        }
        (directory / "settings.json").write_text(json.dumps(content))

    @classmethod
    def load(cls, directory: Path) -> ImpulseResponse:
        """Return the emulator that `save` wrote into a folder."""
        content = json.loads((directory / "settings.json").read_text())
        emulator = cls(content["aerosol_strength"], content["aerosol_patterns"])
        past = directory / "past.nc"
        emulator.response = GlobalResponse(
            emulator.aerosol_strength,
            content["feedback"],
            content["rain"] and tuple(content["rain"]),
            xr.load_dataset(past) if past.is_file() else None,
        )
        emulator.patterns = xr.load_dataset(directory / "patterns.nc")
        emulator.chosen = content["chosen"]
        return emulator
