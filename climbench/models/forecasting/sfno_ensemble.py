"""The spherical Fourier neural operator shown noise on the sphere, trained as an ensemble.

References
----------
Bonev et al. (2025), FourCastNet 3: a geometric approach to probabilistic machine-learning weather forecasting at scale,
arXiv:2507.12144, for the noise and the loss; Bonev et al. (2023), arXiv:2306.03838, for the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from torch import nn
from torch_harmonics.examples.models import SphericalFourierNeuralOperator

from climbench.errors import ModelError
from climbench.models.forecasting.ensemble_forecaster import EnsembleForecaster
from climbench.models.forecasting.ensemble_loss import Amplitudes, EnsembleLoss
from climbench.models.forecasting.ensemble_stage import EnsembleStage
from climbench.models.forecasting.noisy_stepper import NoisyStepper
from climbench.models.forecasting.sfno import SphericalOperator
from climbench.models.forecasting.stepper import Clock, Stepper
from climbench.models.forecasting.training import Training
from climbench.models.layers.spherical_noise import SphericalNoise, resolved_scales

ALONE, PAIR = (1.0,), (1.0, -1.0)


class SFNOEnsemble(EnsembleForecaster, SphericalOperator):
    r"""The spherical Fourier neural operator as a forecaster of ensembles.

    Parameters
    ----------
    members : int
        Members from each state in training; forecasts have as many as are asked for.
    alpha : float
        The loss is the fair CRPS with 1, the classical with 0, and almost fair between them.
    spectral_weight : float
        Weight of the CRPS of the amplitudes of harmonics; that of cells has 1.
    noise_scales : sequence of float or None
        :math:`k_T` of each map of noise; None takes those of FourCastNet 3's eight that the grid resolves.
    noise_rate : float
        A step over the time in which noise forgets itself.
    centred : bool
        Whether members come in pairs of opposite noise.
    **settings
        Of `climbench.models.forecasting.sfno.SphericalOperator`, from ``width`` on.

    Raises
    ------
    ModelError
        If there are fewer than two members, an odd number of them in pairs, or `alpha` is not within 0 and 1.
    """

    def __init__(
        self,
        *,
        members: int = 2,
        alpha: float = 0.95,
        spectral_weight: float = 0.1,
        noise_scales: Sequence[float] | None = None,
        noise_rate: float = 1.0,
        centred: bool = False,
        **settings: Any,
    ) -> None:
        own = {
            "members": members,
            "alpha": alpha,
            "spectral_weight": spectral_weight,
            "noise_scales": None if noise_scales is None else list(noise_scales),
            "noise_rate": noise_rate,
            "centred": centred,
        }
        if members < 2 or (centred and members % 2):
            raise ModelError(f"members must be at least 2, and even where noise is centred; it is {members}.")
        if not 0.0 <= alpha <= 1.0:
            raise ModelError(f"alpha must lie between 0 (classical CRPS) and 1 (fair); it is {alpha:g}.")
        super().__init__(SphericalFourierNeuralOperator, {}, own, **settings)
        self.members, self.alpha, self.spectral_weight = members, alpha, spectral_weight
        self.noise_scales, self.noise_rate, self.centred = noise_scales, noise_rate, centred

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new operator, shown noise after all else; raise `ModelError` where the grid is not the globe's."""
        return super().network(grid, channels_in + len(self._scales(grid)), channels_out)

    def _scales(self, grid: xr.Dataset) -> Sequence[float]:
        if self.noise_scales is not None:
            return self.noise_scales
        return resolved_scales(grid.sizes["latitude"], grid.sizes["longitude"])

    def _stepper(
        self, network: nn.Module, change: np.ndarray, clock: Clock | None, kind: Callable[..., Stepper] = NoisyStepper
    ) -> Stepper:
        scales = self._scales(self.grid)
        self.chosen["noise_scales"] = list(scales)
        noise = SphericalNoise(self.grid["latitude"].values, self.grid.sizes["longitude"], scales, self.noise_rate)
        signs = PAIR if self.centred else ALONE
        return super()._stepper(network, change, clock, partial(kind, noise=noise, signs=signs))

    def _ready_for(self, number: int, seed: int) -> int:
        if not self.centred:
            return super()._ready_for(number, seed)
        assert isinstance(self.stepper, NoisyStepper)
        self.stepper.signs = (PAIR[number % 2],)
        return super()._ready_for(number // 2, seed)

    def _training(self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None) -> Training:
        amplitudes = Amplitudes(self.grid["latitude"].values, self.grid.sizes["longitude"])
        return Training(
            train,
            validation,
            self.history,
            self.training,
            stage=partial(EnsembleStage, members=self.members),
            loss=partial(EnsembleLoss, alpha=self.alpha, spectral=self.spectral_weight, amplitudes=amplitudes),
        )
