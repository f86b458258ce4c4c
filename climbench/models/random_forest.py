"""Random-forest emulation of annual climate from emissions: ClimateBench's third baseline.

References
----------
Watson-Parris et al. (2022), ClimateBench v1.0, J. Adv. Model. Earth Syst. 14, section 3.3, doi:10.1029/2021MS002954.
Breiman (2001), Random forests, Machine Learning 45, doi:10.1023/A:1010933404324.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from climbench.errors import MissingExtraError, ModelError
from climbench.grids import latitude_weights
from climbench.models.base import Emulator
from climbench.models.fold_scores import target_names
from climbench.models.regressors.emission_eofs import EmissionEofs
from climbench.models.regressors.forest import Forest
from climbench.models.response.emission_history import SPECIES

CELL = ("time", "latitude", "longitude")


class RandomForest(Emulator):
    """A random forest for each variable, all cells in each leaf.

    Predictors are those of `climbench.models.regressors.emission_eofs.EmissionEofs`. A leaf's value is the mean over
    the training years in it, so that a prediction is a weighted mean of training years and never leaves their range.
    scikit-learn grows the trees; they are kept as `climbench.models.regressors.forest.Forest`.

    Parameters
    ----------
    patterns : int
        Principal components of each aerosol.
    area_weighted : bool
        Whether cells weigh as their area, in those and in where trees split; not in the published emulator.
    components : int or None
        Trees are split by so many leading principal components of the maps, which is quicker; leaves hold whole maps.
        None, as in the published emulator, splits by all cells.
    settings : mapping of str to object, optional
        Arguments of scikit-learn's ``RandomForestRegressor``.
    settings_for : mapping of str to mapping, optional
        Further arguments for single variables.

    Attributes
    ----------
    forests : dict of str to Forest
        What was grown for each variable.
    years : Dataset
        The training years' maps that predictions are made of.
    """

    inputs: ClassVar[tuple[str, ...] | None] = SPECIES

    def __init__(
        self,
        patterns: int = 5,
        area_weighted: bool = True,
        components: int | None = 50,
        settings: Mapping[str, Any] | None = None,
        settings_for: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.components = components
        self.settings = dict(settings or {})
        self.settings_for = {name: dict(more) for name, more in (settings_for or {}).items()}
        self.eofs = EmissionEofs(patterns, area_weighted=area_weighted)
        self.forests: dict[str, Forest] = {}
        self.years = xr.Dataset()

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Grow the forests.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs and the targets, of shape (time, latitude, longitude).
        validation : mapping of str to Dataset, optional
            Not used.
        seed : int
            The forests' random state.

        Raises
        ------
        MissingExtraError
            If scikit-learn is not installed.
        """
        regressor = _regressor()
        scenarios = list(train.values())
        points = self.eofs.fit(scenarios)
        years = {}
        for name in target_names(scenarios[0], SPECIES):
            fields = np.concatenate([s[name].transpose(*CELL).values for s in scenarios]).astype("float64")
            settings = {**self.settings, **self.settings_for.get(name, {})}
            grown = regressor(random_state=seed, **settings).fit(points, self._split_by(fields, scenarios[0]))
            self.forests[name] = Forest.of(grown, points)
            years[name] = (("sample", *CELL[1:]), fields)
        self.years = xr.Dataset(years, coords={d: scenarios[0][d] for d in CELL[1:]})

    def _split_by(self, fields: np.ndarray, grid: xr.Dataset) -> np.ndarray:
        """Return what trees are split by, of shape (year, number): they part years whose squares lie far apart."""
        weights = latitude_weights(grid["latitude"], "cos_latitude").values
        root = np.sqrt(weights if self.eofs.area_weighted else np.ones_like(weights))
        flat = (fields * root[:, None]).reshape(len(fields), -1)
        return flat if self.components is None else leading_components(flat, self.components)

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the forests' means in every year of the inputs.

        Parameters
        ----------
        inputs : Dataset
            ``CO2`` of shape (time,) in GtCO2, ``CH4`` of shape (time,) in GtCH4/yr, ``SO2`` and ``BC`` of shape (time,
            latitude, longitude) in kg m-2 s-1, on the grid that was trained on.
        members : int
            Not used: the prediction is the mean.
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
        if not self.years:
            raise ModelError("RandomForest was not fitted; call fit(train, seed=...) or load(directory) first.")
        points = self.eofs.predictors(inputs)
        fields = {
            name: (CELL, np.tensordot(forest.weights(points), self.years[name].values, axes=1))
            for name, forest in self.forests.items()
        }
        return xr.Dataset(fields, coords={"time": inputs["time"], **{d: self.years[d] for d in CELL[1:]}})

    @property
    def parameters(self) -> int:
        """Number of fitted numbers: two a split, and a value a cell in every leaf."""
        cells = self.years.sizes.get("latitude", 0) * self.years.sizes.get("longitude", 0)
        return sum(2 * forest.splits + cells * forest.leaves for forest in self.forests.values())

    def save(self, directory: Path) -> None:
        """Write the trees and the training years into a folder; raise `ModelError` where it was not fitted."""
        if not self.years:
            raise ModelError("RandomForest was not fitted; there is nothing to save.")
        directory.mkdir(parents=True, exist_ok=True)
        self.eofs.save(directory / "eofs.nc")
        self.years.to_netcdf(directory / "years.nc")
        for name, forest in self.forests.items():
            forest.dataset().to_netcdf(directory / f"forest_{name}.nc")
        settings = {n: getattr(self, n) for n in ("components", "settings", "settings_for")}
        (directory / "settings.json").write_text(json.dumps({**settings, "variables": list(self.forests)}))

    @classmethod
    def load(cls, directory: Path) -> RandomForest:
        """Return the emulator that `save` wrote into a folder; scikit-learn is not needed to predict."""
        content = json.loads((directory / "settings.json").read_text())
        emulator = cls(**{n: content[n] for n in ("components", "settings", "settings_for")})
        emulator.eofs = EmissionEofs.load(directory / "eofs.nc")
        emulator.years = xr.load_dataset(directory / "years.nc")
        for name in content["variables"]:
            emulator.forests[name] = Forest.from_dataset(xr.load_dataset(directory / f"forest_{name}.nc"))
        return emulator


def leading_components(rows: np.ndarray, count: int) -> np.ndarray:
    """Return the leading principal components of rows about their mean.

    Parameters
    ----------
    rows : ndarray of shape (n, m)
        Any numbers.
    count : int
        How many, at most.

    Returns
    -------
    ndarray of shape (n, count)
        With as many columns as rows, squared distances between rows are kept; with fewer, nearly.
    """
    centred = rows - rows.mean(axis=0)
    squares, directions = np.linalg.eigh(centred @ centred.T)
    last = slice(None, -count - 1, -1)
    components: np.ndarray = directions[:, last] * np.sqrt(np.clip(squares[last], 0.0, None))
    return components


def _regressor() -> Any:
    try:
        from sklearn.ensemble import RandomForestRegressor
    except ImportError:
        raise MissingExtraError("'random-forest'", "models") from None
    return RandomForestRegressor
