"""DYffusion on the sphere: a forecaster and an interpolator whose dropout makes members differ.

References
----------
Ruhling Cachay et al. (2023), DYffusion: a dynamics-informed diffusion model for spatiotemporal forecasting, NeurIPS,
arXiv:2306.01984; Ruhling Cachay et al. (2024), Probabilistic emulation of a global climate model with spherical
DYffusion, NeurIPS, arXiv:2406.14798, with spherical Fourier operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from torch import nn
from torch_harmonics.examples.models import SphericalFourierNeuralOperator

from climbench.errors import ModelError
from climbench.models.forecasting.dyffusion_stages import EndStage, InterpolationStage
from climbench.models.forecasting.dyffusion_stepper import DYffusionStepper
from climbench.models.forecasting.ensemble_forecaster import EnsembleForecaster
from climbench.models.forecasting.ensemble_loss import CellLoss
from climbench.models.forecasting.plan import Plan
from climbench.models.forecasting.sfno import SphericalOperator
from climbench.models.forecasting.stepper import Clock, Stepper
from climbench.models.forecasting.training import Training


class DYffusion(EnsembleForecaster, SphericalOperator):
    """DYffusion as a forecaster of ensembles; both networks are spherical Fourier neural operators.

    Parameters
    ----------
    horizon : int
        Steps that are sampled together; the forecaster learns the state so far ahead.
    dropout : float
        Share of values that the interpolator drops, in forecasts as in training.
    refined : bool
        Whether the steps before a horizon's last are interpolated anew to the end that was found last.
    lookahead : float
        Of `climbench.models.forecasting.dyffusion_stages.EndStage`.
    judged : int
        Members by which epochs are chosen.
    **settings
        Of `climbench.models.forecasting.sfno.SphericalOperator`, from ``width`` on, for both networks; there is no
        stage of roll-outs, and the history is one state.

    Raises
    ------
    ModelError
        If a setting is out of bounds, or one that this training does not have.
    """

    corrects_steps: ClassVar[bool] = False

    def __init__(
        self,
        *,
        horizon: int = 4,
        dropout: float = 0.1,
        refined: bool = True,
        lookahead: float = 0.5,
        judged: int = 2,
        **settings: Any,
    ) -> None:
        own = {
            "horizon": horizon,
            "dropout": dropout,
            "refined": refined,
            "lookahead": lookahead,
            "judged": judged,
        }
        if settings.get("history", 1) != 1:
            raise ModelError(f"DYffusion starts from one state; history is {settings['history']}. Leave it out.")
        super().__init__(SphericalFourierNeuralOperator, {}, own, **settings)
        _require("horizon", horizon, 2, math.inf)
        _require("dropout", dropout, 1e-6, 0.9)
        _require("lookahead", lookahead, 0.0, 1.0)
        _require("judged", judged, 2, math.inf)
        if self.training.rollout_steps > 1 or self.training.compiled:
            raise ModelError(
                "DYffusion is trained without roll-outs and not compiled; leave rollout_steps and compiled."
            )

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return both networks, new; raise `ModelError` where the grid does not go round the globe.

        Beside what a network of one state is shown, the forecaster is shown the start and the place in the horizon, the
        interpolator both ends and the place.
        """
        interpolator = self._made(
            grid, channels_in + 2 * channels_out + 1, channels_out, drop_rate=self._own("dropout")
        )
        forecaster = self._made(grid, channels_in + channels_out + 1, channels_out)
        return nn.ModuleDict({"interpolator": interpolator, "forecaster": forecaster})

    def _own(self, name: str) -> Any:
        return self.arguments[name]

    def _stepper(
        self,
        network: nn.Module,
        change: np.ndarray,
        clock: Clock | None,
        kind: Callable[..., Stepper] = DYffusionStepper,
    ) -> Stepper:
        made = partial(kind, horizon=self._own("horizon"), refined=self._own("refined"))
        return super()._stepper(network, change, clock, made)

    def _training(self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None) -> Training:
        horizon = self._own("horizon")
        stages = [Plan(horizon, self.training.epochs, horizon)]
        return Training(train, validation, self.history, self.training, stages=stages, loss=CellLoss)

    def _trained_by(
        self, training: Training, stepper: Stepper, seed: int, identity: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Train the interpolator, then the forecaster, each with a state of training of its own."""
        assert isinstance(stepper, DYffusionStepper)
        stages: dict[str, tuple[Stepper, Any]] = {
            "interpolator": (stepper.interpolator, InterpolationStage),
            "forecaster": (stepper, partial(EndStage, lookahead=self._own("lookahead"))),
        }
        chosen = {}
        for name, (part, stage) in stages.items():
            training.stage = partial(stage, members=self._own("judged"))
            folder = None if self.checkpoints is None else self.checkpoints / name
            told = partial(self._told, name)
            chosen[name] = training.run(part, seed, {**identity, "network": name}, folder, told)
            part.requires_grad_(False)
        return chosen

    def _told(self, name: str, what: str, done: int, total: int) -> None:
        self.progress.step(f"{name}: {what}", done, total)


def _require(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ModelError(f"{name} must be from {least:g} to {most:g}; it is {value:g}.")
