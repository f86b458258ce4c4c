"""Gaussian-process emulation of annual climate from emissions: ClimateBench's second baseline.

References
----------
Watson-Parris et al. (2022), ClimateBench v1.0, J. Adv. Model. Earth Syst. 14, section 3.2, doi:10.1029/2021MS002954.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.models.base import Emulator
from climbench.models.fold_scores import target_names
from climbench.models.regressors.emission_eofs import EmissionEofs
from climbench.models.regressors.exact_gaussian_process import Kernel, fit_kernel
from climbench.models.response.emission_history import SPECIES

CELL = ("time", "latitude", "longitude")


class GaussianProcess(Emulator):
    """An exact Gaussian process for each variable, all cells with one kernel.

    Predictors are those of `climbench.models.regressors.emission_eofs.EmissionEofs`; outputs are standardised by one
    mean and one standard deviation over all years and cells. The kernel is the sum of four Matérn-3/2 kernels, of CO2,
    of CH4, and of the components of BC and of SO2 with a length scale each
    (`climbench.models.regressors.exact_gaussian_process`). Far from what was trained on it returns to the mean.

    Parameters
    ----------
    patterns : int
        Principal components of each aerosol.
    area_weighted : bool
        Whether cells weigh as their area in those; not in the published emulator.
    iterations : int
        At most so many steps of L-BFGS.
    iterations_for : mapping of str to int
        The same for single variables.
    kernel_years : int or None
        Find the kernels' settings on so many training years at most, evenly chosen, as time grows with their cube; all
        years are predicted from. None, as in the published emulator, finds them on all.

    Attributes
    ----------
    kernels : dict of str to Kernel
        What was fitted for each variable.
    """

    inputs: ClassVar[tuple[str, ...] | None] = SPECIES

    def __init__(
        self,
        patterns: int = 5,
        area_weighted: bool = True,
        iterations: int = 100,
        iterations_for: Mapping[str, int] | None = None,
        kernel_years: int | None = 250,
    ) -> None:
        self.kernel_years = kernel_years
        self.iterations = iterations
        self.iterations_for = dict(iterations_for or {})
        self.eofs = EmissionEofs(patterns, area_weighted=area_weighted)
        self.points = np.empty((0, 0))
        self.kernels: dict[str, Kernel] = {}
        self.scales: dict[str, tuple[float, float]] = {}
        self.weights = xr.Dataset()

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Fit predictors and kernels; nothing is random and no validation is used.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs and the targets, of shape (time, latitude, longitude).
        validation : mapping of str to Dataset, optional
            Not used.
        seed : int
            Not used.
        """
        scenarios = list(train.values())
        self.points = self.eofs.fit(scenarios)
        weights = {}
        for name in target_names(scenarios[0], SPECIES):
            fields = np.concatenate([s[name].transpose(*CELL).values for s in scenarios]).astype("float64")
            mean, spread = float(fields.mean()), float(fields.std())
            if not spread > 0.0:
                raise ModelError(f"{name} is the same in all training years and cells; there is nothing to fit.")
            values = (fields.reshape(len(fields), -1) - mean) / spread
            steps = self.iterations_for.get(name, self.iterations)
            self.kernels[name], found = fit_kernel(
                self.points, values, self.eofs.groups, iterations=steps, most=self.kernel_years
            )
            self.scales[name] = (mean, spread)
            weights[name] = (("sample", *CELL[1:]), found.reshape(fields.shape))
        self.weights = xr.Dataset(weights, coords={d: scenarios[0][d] for d in CELL[1:]})

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the mean of the process in every year of the inputs.

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
        if not self.weights:
            raise ModelError("GaussianProcess was not fitted; call fit(train, seed=...) or load(directory) first.")
        points = self.eofs.predictors(inputs)
        fields = {}
        for name, kernel in self.kernels.items():
            covariance = kernel.covariance(points, self.points)
            mean, spread = self.scales[name]
            standard = kernel.mean + np.tensordot(covariance, self.weights[name].values, axes=1)
            fields[name] = (CELL, mean + spread * standard)
        return xr.Dataset(fields, coords={"time": inputs["time"], **{d: self.weights[d] for d in CELL[1:]}})

    @property
    def parameters(self) -> int:
        """Number of fitted numbers: those of the kernels, and the weight of every training year in every cell."""
        settings = sum(k.variances.size + k.lengths.size + 2 for k in self.kernels.values())
        return settings + sum(v.size for v in self.weights.values())

    def save(self, directory: Path) -> None:
        """Write the fitted emulator into a folder as netCDF and JSON; raise `ModelError` where it was not fitted."""
        if not self.weights:
            raise ModelError("GaussianProcess was not fitted; there is nothing to save.")
        directory.mkdir(parents=True, exist_ok=True)
        self.eofs.save(directory / "eofs.nc")
        self.weights.assign(points=(("sample", "column"), self.points)).to_netcdf(directory / "weights.nc")
        kernels = {
            name: {"variances": k.variances.tolist(), "lengths": k.lengths.tolist(), "noise": k.noise, "mean": k.mean}
            for name, k in self.kernels.items()
        }
        steps = {n: getattr(self, n) for n in ("iterations", "iterations_for", "kernel_years")}
        content = {**steps, "kernels": kernels, "scales": self.scales}
        (directory / "kernels.json").write_text(json.dumps(content))

    @classmethod
    def load(cls, directory: Path) -> GaussianProcess:
        """Return the emulator that `save` wrote into a folder."""
        content = json.loads((directory / "kernels.json").read_text())
        emulator = cls(**{n: content[n] for n in ("iterations", "iterations_for", "kernel_years")})
        emulator.eofs = EmissionEofs.load(directory / "eofs.nc")
        weights = xr.load_dataset(directory / "weights.nc")
        emulator.points, emulator.weights = weights["points"].values, weights.drop_vars("points")
        groups = tuple(tuple(g) for g in emulator.eofs.groups)
        for name, k in content["kernels"].items():
            arrays = np.array(k["variances"]), np.array(k["lengths"])
            emulator.kernels[name] = Kernel(groups, *arrays, k["noise"], k["mean"])
            emulator.scales[name] = (content["scales"][name][0], content["scales"][name][1])
        return emulator
