"""Yearly emissions as a few numbers: carbon dioxide and methane, and the leading patterns of the aerosol maps.

The design of ClimateBench's baselines: cumulative CO2 and CH4, and five principal components each of the maps of black
carbon and sulfur dioxide.

References
----------
Watson-Parris et al. (2022), ClimateBench v1.0, J. Adv. Model. Earth Syst. 14, section 3, doi:10.1029/2021MS002954.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.models.response.emission_history import SPECIES

MAPS = ("BC", "SO2")
CO2_SCALE, CH4_SCALE = 9500.0, 0.8  # GtCO2, GtCH4/yr: as published
ROUNDING = 1e-6  # of the largest pattern: what is smaller than this is none
CELL = ("time", "latitude", "longitude")


class EmissionEofs:
    """Turns emissions into predictors: CO2, CH4, then principal components of BC and of SO2.

    Parameters
    ----------
    count : int
        Patterns a species.
    area_weighted : bool
        Whether cells weigh as their area in what a leading pattern is; published work weighed all the same.

    Attributes
    ----------
    basis : Dataset
        For each map its ``{name}_mean`` and ``{name}_projection`` (pattern, latitude, longitude), which gives
        components of variance one over the training years; zero beyond the number of patterns there are.
    standard : ndarray of shape (2, 2)
        Mean and standard deviation of CO2 and of CH4, each over its scale.
    """

    def __init__(self, count: int = 5, *, area_weighted: bool = True) -> None:
        self.count = count
        self.area_weighted = area_weighted
        self.basis = xr.Dataset()
        self.standard = np.zeros((2, 2))

    @property
    def groups(self) -> list[list[int]]:
        """The columns that belong together: CO2, CH4, BC, SO2."""
        first, second = 2 + self.count, 2 + 2 * self.count
        return [[0], [1], list(range(2, first)), list(range(first, second))]

    def fit(self, scenarios: Sequence[xr.Dataset]) -> np.ndarray:
        """Find patterns and scales over all years of all scenarios, and return their predictors.

        Parameters
        ----------
        scenarios : sequence of Dataset
            With ``CO2`` and ``CH4`` (time,), ``BC`` and ``SO2`` (time, latitude, longitude).

        Returns
        -------
        ndarray of shape (year, 2 + 2 count)

        Raises
        ------
        ModelError
            If an input is missing.
        """
        gases = np.concatenate([_gases(s) for s in scenarios])
        spread = gases.std(axis=0)
        self.standard = np.stack([gases.mean(axis=0), np.where(spread > 0.0, spread, 1.0)])
        weights = latitude_weights(scenarios[0]["latitude"], "cos_latitude").values
        root = np.sqrt(weights if self.area_weighted else np.ones_like(weights))[:, None]
        parts: dict[str, Any] = {}
        for name in MAPS:
            fields = np.concatenate([_map(s, name) for s in scenarios])
            mean = fields.mean(axis=0)
            projection = _projection((fields - mean) * root, self.count) * root
            parts[f"{name}_mean"] = (CELL[1:], mean)
            parts[f"{name}_projection"] = (("pattern", *CELL[1:]), projection)
        self.basis = xr.Dataset(parts, coords={d: scenarios[0][d] for d in CELL[1:]})
        return np.concatenate([self.predictors(s) for s in scenarios])

    def predictors(self, inputs: xr.Dataset) -> np.ndarray:
        """Return the predictors of a data set's years.

        Parameters
        ----------
        inputs : Dataset
            As for `fit`.

        Returns
        -------
        ndarray of shape (year, 2 + 2 count)

        Raises
        ------
        ModelError
            If an input is missing.
        """
        columns = [(_gases(inputs) - self.standard[0]) / self.standard[1]]
        for name in MAPS:
            change = _map(inputs, name) - self.basis[f"{name}_mean"].values
            columns.append(np.tensordot(change, self.basis[f"{name}_projection"].values, axes=((1, 2), (1, 2))))
        return np.concatenate(columns, axis=1)

    def save(self, path: Path) -> None:
        """Write what was found to a netCDF file."""
        attributes = {"count": self.count, "area_weighted": int(self.area_weighted)}
        content = self.basis.assign(standard=(("moment", "gas"), self.standard)).assign_attrs(attributes)
        content.to_netcdf(path)

    @classmethod
    def load(cls, path: Path) -> EmissionEofs:
        """Return what `save` wrote."""
        content = xr.load_dataset(path)
        made = cls(int(content.attrs["count"]), area_weighted=bool(content.attrs["area_weighted"]))
        made.standard = content["standard"].values
        made.basis = content.drop_vars("standard")
        return made


def _gases(inputs: xr.Dataset) -> np.ndarray:
    lacking = [name for name in SPECIES if name not in inputs]
    if lacking:
        raise ModelError(f"The inputs lack {', '.join(lacking)}; emissions of {', '.join(SPECIES)} are needed.")
    scaled = [inputs["CO2"] / CO2_SCALE, inputs["CH4"] / CH4_SCALE]
    return np.stack([s.broadcast_like(inputs["time"]).values.astype("float64") for s in scaled], axis=1)


def _map(inputs: xr.Dataset, name: str) -> np.ndarray:
    """Return a map of emissions, of shape (year, latitude, longitude)."""
    if set(inputs[name].dims) != set(CELL):
        raise ModelError(f"{name} must be a map a year; it has the dimensions {inputs[name].dims}.")
    return inputs[name].transpose(*CELL).values.astype("float64")


def _projection(fields: np.ndarray, count: int) -> np.ndarray:
    """Return maps whose inner products with fields are their leading components, of variance one each."""
    flat = fields.reshape(len(fields), -1)
    # From the years' inner products: there are far fewer years than cells.
    squares, directions = np.linalg.eigh(flat @ flat.T)
    kept = np.flatnonzero(squares > ROUNDING**2 * squares[-1])[::-1][:count]
    projection = np.zeros((count, flat.shape[1]))
    leading = np.sqrt(len(flat)) * (directions[:, kept] / squares[kept]).T @ flat
    projection[: len(leading)] = _upright(leading)
    return projection.reshape(count, *fields.shape[1:])


def _upright(patterns: np.ndarray) -> np.ndarray:
    """Return patterns with the sign that makes the largest value positive: the sign is arbitrary otherwise."""
    largest = np.abs(patterns).argmax(axis=1)
    signs: np.ndarray = np.sign(patterns[np.arange(len(patterns)), largest])
    return patterns * signs[:, None]
