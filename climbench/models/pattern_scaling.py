"""Linear pattern scaling: the straight line that any emulator of annual climate is measured against.

References
----------
Lütjens et al. (2025), The impact of internal variability on benchmarking deep learning climate emulators, section 3.1,
J. Adv. Model. Earth Syst., doi:10.1029/2024MS004619.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.models.base import Emulator

ROUNDING = 1e-12


def least_squares(x: np.ndarray, y: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return intercept and slope of ordinary least squares with intercept, for many dependent variables at once.

    Parameters
    ----------
    x : ndarray of shape (n,)
        The predictor.
    y : iterable of ndarray of shape (n_i, ...), the n_i adding up to n
        The dependent variables, in pieces along the sample axis, in the order of `x`.

    Returns
    -------
    intercept, slope : ndarray of shape (...)
        In float64, from centred sums.

    Raises
    ------
    ModelError
        If the predictor does not vary.
    """
    x = x.astype("float64")
    # The range, not the scatter: the mean of equal values can differ from them by a rounding error.
    if not float(np.ptp(x)) > ROUNDING * float(np.abs(x).max()):
        raise ModelError("Pattern scaling cannot be fitted: the predictor is the same in all training years.")
    centred = x - x.mean()
    scatter = float(centred @ centred)
    slope: np.ndarray | float = 0.0
    mean: np.ndarray | float = 0.0
    start = 0
    for piece in y:
        part = centred[start : start + piece.shape[0]]
        values = piece.reshape(piece.shape[0], -1).astype("float64", copy=False)
        slope = slope + (part @ values).reshape(piece.shape[1:])
        mean = mean + values.sum(axis=0).reshape(piece.shape[1:])
        start += piece.shape[0]
    slope = np.asarray(slope) / scatter
    return np.asarray(mean) / x.size - slope * x.mean(), slope


class LinearPatternScaling(Emulator):
    r"""Two-stage linear pattern scaling on cumulative carbon dioxide emissions.

    .. math:: \hat T(t) = a + b\,\mathrm{CO_2}(t), \qquad \hat y_{ij}(t) = A_{ij} + B_{ij} \hat T(t)

    Both stages are ordinary least squares with intercept in which every training year of every scenario weighs the
    same. The first is fitted on the cos(latitude)-weighted global mean of temperature, the second on the *true*
    global-mean temperature of the training scenarios, cell by cell; it is not fitted again on the first stage's
    output. Only cumulative CO2 is used: aerosols, methane and lag are not seen.

    Attributes
    ----------
    global_fit : tuple of float
        Intercept a in K and slope b in K per GtCO2.
    patterns : Dataset
        For each variable ``{name}`` the maps ``{name}_intercept`` in its unit and ``{name}_slope`` in its unit per K.
    """

    inputs: ClassVar[tuple[str, ...] | None] = ("CO2",)
    training_variables: ClassVar[tuple[str, ...]] = ("tas",)

    def __init__(self) -> None:
        self.global_fit: tuple[float, float] | None = None
        self.patterns = xr.Dataset()

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Fit both stages by closed form; nothing is random and no validation is needed.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario ``CO2`` of shape (time,) in GtCO2, ``tas`` and the targets of shape
            (time, latitude, longitude).
        validation : mapping of str to Dataset, optional
            Not used.
        seed : int
            Not used.
        """
        scenarios = list(train.values())
        weights = latitude_weights(scenarios[0]["latitude"], "cos_latitude")
        temperature = np.concatenate([area_mean(s["tas"], weights).values for s in scenarios])
        emissions = np.concatenate([s["CO2"].values for s in scenarios])
        intercept, slope = least_squares(emissions, [temperature])
        self.global_fit = (float(intercept), float(slope))
        maps = {}
        for name in (str(v) for v in scenarios[0] if {"latitude", "longitude"} <= set(scenarios[0][v].dims)):
            fields = (s[name].transpose("time", "latitude", "longitude") for s in scenarios)
            fitted = least_squares(temperature, (field.values for field in fields))
            for part, values in zip(("intercept", "slope"), fitted, strict=True):
                maps[f"{name}_{part}"] = (("latitude", "longitude"), values)
        coordinates = {d: scenarios[0][d] for d in ("latitude", "longitude")}
        self.patterns = xr.Dataset(maps, coords=coordinates)

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the climate on the two fitted lines.

        Parameters
        ----------
        inputs : Dataset
            ``CO2`` of shape (time,) in GtCO2.
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
            If it was not fitted.
        """
        if self.global_fit is None:
            raise ModelError("LinearPatternScaling was not fitted; call fit(train, seed=...) or load(directory) first.")
        warming = self.global_fit[0] + self.global_fit[1] * inputs["CO2"].astype("float64")
        names = [str(v).removesuffix("_slope") for v in self.patterns if str(v).endswith("_slope")]
        prediction = {n: self.patterns[f"{n}_intercept"] + warming * self.patterns[f"{n}_slope"] for n in names}
        return xr.Dataset(prediction).transpose("time", "latitude", "longitude")

    @property
    def parameters(self) -> int:
        """Number of fitted coefficients."""
        return 2 + sum(v.size for v in self.patterns.values())

    def save(self, directory: Path) -> None:
        """Write the coefficients into a folder as netCDF and JSON; raise `ModelError` where it was not fitted."""
        if self.global_fit is None:
            raise ModelError("LinearPatternScaling was not fitted; there is nothing to save.")
        directory.mkdir(parents=True, exist_ok=True)
        self.patterns.to_netcdf(directory / "patterns.nc")
        (directory / "global_fit.json").write_text(json.dumps(self.global_fit))

    @classmethod
    def load(cls, directory: Path) -> LinearPatternScaling:
        """Return the emulator that `save` wrote into a folder."""
        emulator = cls()
        emulator.patterns = xr.load_dataset(directory / "patterns.nc")
        intercept, slope = json.loads((directory / "global_fit.json").read_text())
        emulator.global_fit = (float(intercept), float(slope))
        return emulator
