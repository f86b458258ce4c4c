"""A fitted forecaster with correctors: in each step where it steps as a network, after its forecast otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from climbench.models.forecaster import initial_state
from climbench.models.step_corrections import StepCorrections


class CorrectedForecaster:
    """Forecasts as another does, and corrects what it says; it cannot be fitted or saved, as the other can.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted. One that has ``corrects_steps`` is given the corrections, and feeds corrected steps on; what another
        says is corrected lead by lead.
    corrections : StepCorrections
        Made for its states.
    """

    def __init__(self, forecaster: Any, corrections: StepCorrections) -> None:
        self.forecaster, self.corrections = forecaster, corrections
        self.history = int(getattr(forecaster, "history", 1))
        self.ensemble = bool(getattr(forecaster, "ensemble", False))
        self.static = bool(getattr(forecaster, "static", False))

    @property
    def parameters(self) -> int | None:
        """Number of trained parameters of the forecaster, where it knows."""
        return getattr(self.forecaster, "parameters", None)

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return corrected forecasts; as for `Forecaster`.

        Raises
        ------
        ModelError
            If budgets are closed by fluxes, in forecasts of another than a network, at leads that leave steps out.
        """
        asked: dict[str, Any] = {"leads": leads, "members": members, "seed": seed}
        if getattr(self.forecaster, "corrects_steps", False):
            self.forecaster.corrections = self.corrections
            try:
                said: xr.Dataset = self.forecaster.predict(inputs, **asked)
            finally:
                self.forecaster.corrections = None
            return said
        self.corrections.require_steps(leads)  # before anything is forecast
        return self.corrections.after(self.forecaster.predict(inputs, **asked), initial_state(inputs))
