"""Local spherical convolutions between blocks of the spherical Fourier operator, as a forecaster.

References
----------
Liu-Schiaffini et al. (2024), Neural operators with localized integral and differential kernels, ICML,
arXiv:2402.16845; the network is that of torch-harmonics.
"""

from __future__ import annotations

from typing import Any

from torch_harmonics.examples.models import LocalSphericalNeuralOperator

from climbench.models.forecasting.sfno import SphericalOperator


class LSNO(SphericalOperator):
    """The local spherical neural operator as a forecaster.

    Parameters
    ----------
    spectral_every : int
        The last of each so many blocks is that of the spherical Fourier operator; the others are local.
    **settings
        Of `SphericalOperator`, from ``width`` on.
    """

    def __init__(self, *, spectral_every: int = 2, **settings: Any) -> None:
        options = {"sfno_block_frequency": spectral_every, "filter_basis_type": "piecewise linear"}
        super().__init__(LocalSphericalNeuralOperator, options, {"spectral_every": spectral_every}, **settings)
