"""Global temperature and precipitation that emissions bring about, with few parameters fitted to a climate model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from scipy.optimize import minimize_scalar

from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.models.response.emission_history import after, emissions, global_past, global_series
from climbench.models.response.energy_balance import warming
from climbench.models.response.forcing import Forcing, forcing
from climbench.models.response.local_regression import regress

FEEDBACKS = (0.3, 2.5)  # W m-2 K-1: wider than AR6's very likely range, 0.51 to 1.81
# The part of a forcing that the air absorbs, so that less rain falls before temperature responds: Andrews et al.
# (2010), doi:10.1029/2010GL043991.
CO2_ABSORBED, CH4_ABSORBED = 0.8, 0.5
LATENT = 28.94  # W m-2 per mm/day: latent heat of condensation times density of water


def fast_rain(forced: Forcing) -> tuple[np.ndarray, np.ndarray]:
    """Return what carbon dioxide and methane do to global precipitation before temperature responds.

    Parameters
    ----------
    forced : Forcing
        The forcing.

    Returns
    -------
    carbon_dioxide, methane : ndarray of shape (year,)
        In mm/day, negative where they are above their pre-industrial levels.
    """
    return -CO2_ABSORBED / LATENT * forced.carbon_dioxide, -CH4_ABSORBED / LATENT * forced.absorbed_by_methane


@dataclass
class GlobalResponse:
    r"""The global response to emissions.

    Temperature is that of a two-box energy balance whose feedback :math:`\lambda` is fitted. Precipitation is
    :math:`p + k T - (0.8 F_{CO_2} + 0.5 F_{CH_4}) / (L \rho)` with p and k fitted.

    Attributes
    ----------
    aerosol_strength : float
        Factor on the assessed aerosol forcing.
    feedback : float or None
        lambda in W m-2 K-1; None before it is fitted.
    rain : tuple of float or None
        p in mm/day and k in mm/day per K; None where precipitation is not trained on.
    past : Dataset of shape (time,) or None
        Global totals that precede those of later scenarios.
    """

    aerosol_strength: float = 1.0
    feedback: float | None = None
    rain: tuple[float, float] | None = None
    past: xr.Dataset | None = field(default=None, repr=False)

    def fit(self, train: Mapping[str, xr.Dataset]) -> None:
        """Fit the feedback to annual global temperature, then the line of precipitation; every year weighs the same.

        Both fits have a free intercept, as anomalies may have any reference.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs, ``tas`` in K and, where it is trained on, ``pr`` in mm/day. The inputs of
            ``historical``, where it is there, precede those of the scenarios after it.
        """
        scenarios = list(train.values())
        self.past = global_past(train)
        self.feedback = self._fitted_feedback(scenarios)
        self.rain = None
        if "pr" in scenarios[0]:
            response = xr.concat([self.respond(s) for s in scenarios], "time")
            slow = _global_means(scenarios, "pr") - response["fast_rain"].values
            intercept, slopes = regress(response["temperature"].values[:, None], slow)
            self.rain = (float(intercept), float(slopes[0]))

    def _fitted_feedback(self, scenarios: Sequence[xr.Dataset]) -> float:
        """Return the feedback whose temperature differs from the true one by what varies least."""
        forced = [self._forced(s) for s in scenarios]
        true = _global_means(scenarios, "tas")

        def variance(feedback: float) -> float:
            ours = [f.now(warming(self._total(f), feedback), s) for f, s in zip(forced, scenarios, strict=True)]
            return float(np.var(true - np.concatenate(ours)))

        return float(minimize_scalar(variance, bounds=FEEDBACKS, method="bounded").x)

    def _forced(self, inputs: xr.Dataset) -> Forcing:
        return forcing(emissions(after(self.past, global_series(inputs))))

    def _total(self, forced: Forcing) -> np.ndarray:
        return forced.greenhouse + self.aerosol_strength * forced.aerosol

    def respond(self, inputs: xr.Dataset) -> xr.Dataset:
        """Return the response in the years of the inputs.

        Parameters
        ----------
        inputs : Dataset
            As for `climbench.models.response.emission_history.global_series`.

        Returns
        -------
        Dataset of shape (time,)
            ``temperature`` above the pre-industrial and ``aerosol``, the part of it due to aerosols, in K;
            ``fast_rain``, what forcing does to global precipitation before temperature responds, and ``rain``, the
            whole anomaly as fitted (where it was), in mm/day.

        Raises
        ------
        ModelError
            If the feedback was not fitted.
        """
        if self.feedback is None:
            raise ModelError("GlobalResponse was not fitted; call fit(train) first.")
        forced = self._forced(inputs)
        temperature = warming(self._total(forced), self.feedback)
        series = {
            "temperature": temperature,
            "aerosol": warming(self.aerosol_strength * forced.aerosol, self.feedback),
            "fast_rain": np.sum(fast_rain(forced), axis=0),
        }
        if self.rain is not None:
            series["rain"] = self.rain[0] + self.rain[1] * temperature + series["fast_rain"]
        now = {name: ("time", forced.now(values, inputs)) for name, values in series.items()}
        return xr.Dataset(now, coords={"time": inputs["time"].values})


def _global_means(scenarios: Sequence[xr.Dataset], name: str) -> np.ndarray:
    """Return annual cos(latitude)-weighted means of all scenarios, one after the other."""
    weights = latitude_weights(scenarios[0]["latitude"], "cos_latitude")
    return np.concatenate([area_mean(s[name], weights).values for s in scenarios])
