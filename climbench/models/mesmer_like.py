"""Pattern scaling with internal variability: an emulator of the distribution, in the manner of MESMER.

Written from the description of the method, without MESMER's code (which is under another licence).

References
----------
Beusch et al. (2020), Emulating Earth system model temperatures with MESMER, Earth Syst. Dynam. 11, section 3,
doi:10.5194/esd-11-139-2020.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.models.base import Emulator
from climbench.models.fold_scores import target_names
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.models.response.emission_history import SPECIES
from climbench.models.variability.local_variability import LocalVariability
from climbench.models.variability.red_noise import lag_one, red_noise
from climbench.models.variability.smoothing import variability

CELL = ("time", "latitude", "longitude")


class MesmerLike(Emulator):
    r"""Linear pattern scaling plus internal variability that is correlated in time and space.

    .. math:: y_{ij}(t) = A_{ij} + B_{ij} \hat T(t) + V_{ij} T'(t) + \epsilon_{ij}(t)

    The first two terms are `climbench.models.pattern_scaling.LinearPatternScaling`, and the mean over many members is
    theirs. :math:`T'` is the variability of global temperature, a first-order autoregression that all variables share;
    V is each cell's regression on it; :math:`\epsilon` is
    `climbench.models.variability.local_variability.LocalVariability`.

    Training data is a mean over m members, whose variability is smaller by the root of m. It is taken to be what a
    smooth curve through each scenario leaves (`climbench.models.variability.smoothing`), and scaled up by the root of
    the number of members that the data set's attribute ``members`` says were averaged, or by one where it says nothing.
    So members must be independent, and variability the same in all scenarios. Variables share :math:`T'`; their local
    parts are drawn apart, and nothing keeps precipitation from falling below zero.

    Attributes
    ----------
    mean : LinearPatternScaling
        The forced response.
    global_noise : tuple of float
        Correlation of :math:`T'` from year to year, and its standard deviation in K.
    sensitivity : Dataset of shape (latitude, longitude)
        V of each variable, in its unit per K.
    local : dict of str to LocalVariability
        The local part of each variable.
    chosen : dict
        The localisation radius of each variable, and how many members each scenario was taken to be the mean of.
    """

    inputs: ClassVar[tuple[str, ...] | None] = ("CO2",)
    training_variables: ClassVar[tuple[str, ...]] = ("tas",)
    ensemble: ClassVar[bool] = True

    def __init__(self) -> None:
        self.mean = LinearPatternScaling()
        self.global_noise = (0.0, 0.0)
        self.sensitivity = xr.Dataset()
        self.local: dict[str, LocalVariability] = {}
        self.chosen: dict[str, Any] = {}

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Fit the forced response, then the variability about smooth curves; nothing is random.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario ``CO2`` of shape (time,) in GtCO2, ``tas`` and the targets of shape
            (time, latitude, longitude), ten years or more.
        validation : mapping of str to Dataset, optional
            Not used.
        seed : int
            Not used.
        """
        scenarios = list(train.values())
        names = target_names(scenarios[0], SPECIES)
        self.mean.fit({name: s[["CO2", *names]] for name, s in train.items()}, seed=seed)
        weights = latitude_weights(scenarios[0]["latitude"], "cos_latitude")
        warmth = [_variability(area_mean(s["tas"], weights), s) for s in scenarios]
        pooled = np.concatenate(warmth)
        self.global_noise = (float(lag_one(warmth)), float(np.sqrt((pooled**2).mean())))
        sensitivity = {}
        for name in names:
            fields = [_variability(s[name].transpose(*CELL), s) for s in scenarios]
            slope = np.tensordot(pooled, np.concatenate(fields), axes=1) / float(pooled @ pooled)
            rest = [field - np.multiply.outer(warm, slope) for field, warm in zip(fields, warmth, strict=True)]
            self.local[name] = LocalVariability.fitted(rest, scenarios[0])
            sensitivity[name] = (CELL[1:], slope)
        self.sensitivity = xr.Dataset(sensitivity, coords={d: scenarios[0][d] for d in CELL[1:]})
        self.chosen = {
            "radius_km": {name: local.radius for name, local in self.local.items()},
            "members_averaged": {name: int(s.attrs.get("members", 1)) for name, s in train.items()},
        }

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return members: the forced response of the inputs' years, each with variability of its own.

        Parameters
        ----------
        inputs : Dataset
            ``CO2`` of shape (time,) in GtCO2, a value a year.
        members : int
            How many.
        seed : int
            The seed of the draws.

        Returns
        -------
        Dataset
            Every variable it was fitted on, of shape (member, time, latitude, longitude), float64.

        Raises
        ------
        ModelError
            If it was not fitted.
        """
        forced = self.mean.predict(inputs, seed=seed)
        rng = np.random.default_rng(seed)
        shape = (members, inputs.sizes["time"])
        correlation, spread = self.global_noise
        warm = spread * red_noise(rng.standard_normal(shape), np.array(correlation))
        fields = {}
        for name, local in self.local.items():
            noise = local.draw(rng, *shape)
            noise += np.multiply.outer(warm, self.sensitivity[name].values)
            fields[name] = (("member", *CELL), forced[name].values + noise)
        coordinates = {"member": np.arange(1, members + 1), "time": inputs["time"].values}
        return xr.Dataset(fields, coords={**coordinates, **{d: self.sensitivity[d] for d in CELL[1:]}})

    @property
    def parameters(self) -> int:
        """Number of fitted numbers: the lines, the sensitivities, and what the noise is made of."""
        local = sum(1 + v.samples.size + 2 * v.grid["spread"].size for v in self.local.values())
        return self.mean.parameters + 2 + sum(v.size for v in self.sensitivity.values()) + local

    def save(self, directory: Path) -> None:
        """Write the fitted emulator into a folder as netCDF and JSON; raise `ModelError` where it was not fitted."""
        if not self.local:
            raise ModelError("MesmerLike was not fitted; there is nothing to save.")
        self.mean.save(directory / "mean")
        self.sensitivity.to_netcdf(directory / "sensitivity.nc")
        for name, local in self.local.items():
            local.samples.rename("samples").to_netcdf(directory / f"samples_{name}.nc")
            local.grid.assign_attrs(radius=local.radius).to_netcdf(directory / f"noise_{name}.nc")
        content = {"global_noise": self.global_noise, "variables": list(self.local), "chosen": self.chosen}
        (directory / "settings.json").write_text(json.dumps(content))

    @classmethod
    def load(cls, directory: Path) -> MesmerLike:
        """Return the emulator that `save` wrote into a folder."""
        content = json.loads((directory / "settings.json").read_text())
        emulator = cls()
        emulator.mean = LinearPatternScaling.load(directory / "mean")
        emulator.sensitivity = xr.load_dataset(directory / "sensitivity.nc")
        emulator.global_noise = (content["global_noise"][0], content["global_noise"][1])
        emulator.chosen = content["chosen"]
        for name in content["variables"]:
            samples = xr.load_dataarray(directory / f"samples_{name}.nc")
            grid = xr.load_dataset(directory / f"noise_{name}.nc")
            radius = float(grid.attrs.pop("radius"))
            emulator.local[name] = LocalVariability(samples, radius, grid)
        return emulator


def _variability(field: xr.DataArray, scenario: xr.Dataset) -> np.ndarray:
    """Return a field's variability in one member, though only the mean over some is given."""
    averaged = float(scenario.attrs.get("members", 1))
    return variability(field.values, field["time"].values) * np.sqrt(averaged)
