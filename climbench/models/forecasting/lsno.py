"""Local spherical convolutions between blocks of the spherical Fourier operator, as a forecaster.

References
----------
Liu-Schiaffini et al. (2024), Neural operators with localized integral and differential kernels, ICML,
arXiv:2402.16845; the network is that of torch-harmonics.
"""

from __future__ import annotations

from typing import Any

from torch_harmonics.examples.models import LocalSphericalNeuralOperator

from climbench.models.forecasting.sfno import Normalisation, Places, SphericalOperator


class LSNO(SphericalOperator):
    """The local spherical neural operator as a forecaster.

    Parameters
    ----------
    width, layers, scale : int
        Channels within the operator, its blocks, and by what factor the grid is coarser between them.
    spectral_every : int
        Every so-manieth block is that of the spherical Fourier operator, the others are local.
    places, normalisation, degrees
        As for `climbench.models.forecasting.sfno.SFNO`.
    history, clock
        As for `NetworkForecaster`.
    **training
        Settings of `ForecastTraining`.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        layers: int = 4,
        scale: int = 1,
        spectral_every: int = 2,
        places: Places = "learnable latlon",
        normalisation: Normalisation = "none",
        degrees: float = 1.0,
        history: int = 1,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        own = {
            "width": width,
            "layers": layers,
            "scale": scale,
            "spectral_every": spectral_every,
            "places": places,
            "normalisation": normalisation,
            "degrees": degrees,
        }
        options = {"sfno_block_frequency": spectral_every, "filter_basis_type": "piecewise linear"}
        super().__init__(LocalSphericalNeuralOperator, options, own, training, history=history, clock=clock)
