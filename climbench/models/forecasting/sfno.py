"""The spherical Fourier neural operator as a forecaster.

References
----------
Bonev et al. (2023), Spherical Fourier neural operators: learning stable dynamics on the sphere, arXiv:2306.03838; the
network is that of torch-harmonics.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, get_args

import torch
import xarray as xr
from torch import nn
from torch_harmonics.examples.models import SphericalFourierNeuralOperator

from climbench.errors import ModelError, did_you_mean
from climbench.models.forecasting.degree_loss import DegreeLoss, DegreePower
from climbench.models.forecasting.network_forecaster import NetworkForecaster
from climbench.models.forecasting.sampled_changes import AreaMean, Reduction, reduced_changes
from climbench.models.forecasting.steady_means import SteadyMeans, steady_means
from climbench.models.forecasting.training import Training
from climbench.models.layers.globe import require_globe
from climbench.models.sfno import SFNONetwork
from climbench.quadrature import recognise_quadrature

Places = Literal["none", "learnable lat", "learnable latlon"]
Normalisation = Literal["none", "instance_norm"]


class SphericalOperator(NetworkForecaster):
    """What the operators of torch-harmonics have in common as forecasters.

    The rows of Gaussian grids and of grids with both poles are transformed as they are. Others, as those of cell
    centres, are interpolated linearly to as many Gaussian rows and the predicted change back; which was done is said
    in ``chosen``. Global means that do not change in training do not change in a forecast (``steady_means``).

    Parameters
    ----------
    operator : type of Module
        Of torch-harmonics.
    options : mapping
        Its further arguments.
    own : mapping
        The forecaster's own settings beside those below.
    width, layers, scale : int
        Channels within the operator, its blocks, and by what factor the grid is coarser between them.
    places : {"none", "learnable lat", "learnable latlon"}
        Trained maps that tell the operator where it is: nothing, the latitude (the Earth turns), or the place
        (mountains and coasts). But for the last, turning the globe about its axis turns the forecast.
    normalisation : {"none", "instance_norm"}
        Within the blocks.
    degrees : float
        Which share of the degrees of spherical harmonics that the grid resolves the blocks work on and changes have; of
        fields with degrees below two thirds of them the grid can tell products apart, as in spectral models.
    history, clock
        As for `NetworkForecaster`.
    **training
        Settings of `ForecastTraining`.

    Raises
    ------
    ModelError
        If a setting is none of those there are.
    """

    def __init__(
        self,
        operator: type[nn.Module],
        options: Mapping[str, Any],
        own: Mapping[str, Any],
        *,
        width: int = 32,
        layers: int = 4,
        scale: int = 1,
        places: Places = "learnable latlon",
        normalisation: Normalisation = "none",
        degrees: float = 1.0,
        history: int = 1,
        clock: bool | None = None,
        **training: Any,
    ) -> None:
        shape = {"width": width, "layers": layers, "scale": scale, "degrees": degrees}
        arguments = {**own, **shape, "places": places, "normalisation": normalisation}
        super().__init__(arguments, training, history=history, clock=clock)
        for name, known in (("places", Places), ("normalisation", Normalisation)):
            if arguments[name] not in get_args(known):
                raise ModelError(
                    f"{name}={arguments[name]!r} is not known. {did_you_mean(arguments[name], get_args(known))}"
                )
        if not 0.0 < degrees <= 1.0:
            raise ModelError(f"degrees is a share above 0 and up to 1; it is {degrees}.")
        self.operator = operator
        self.options = {**options, "pos_embed": places, "normalization_layer": normalisation, "degrees": degrees}

    def network(self, grid: xr.Dataset, channels_in: int, channels_out: int) -> nn.Module:
        """Return a new operator; raise `ModelError` where the grid does not go round the globe from pole to pole."""
        return self._made(grid, channels_in, channels_out)

    def _made(self, grid: xr.Dataset, channels_in: int, channels_out: int, **more: Any) -> nn.Module:
        """Return a new operator, with more of its arguments."""
        require_globe(grid)
        latitude, longitudes = grid["latitude"].values, grid.sizes["longitude"]
        rule = recognise_quadrature(latitude)
        self.chosen["rows"] = rule or "interpolated to legendre-gauss"
        width, layers, scale = (self.arguments[name] for name in ("width", "layers", "scale"))
        made = SFNONetwork(
            channels_in,
            channels_out,
            latitude,
            longitudes,
            width,
            layers,
            scale,
            rule or "legendre-gauss",
            self.operator,
            **{**self.options, **more},
        )
        names = [channel.name for channel in self.channels.channels] if self.channels else []
        steady = [name in self.chosen.get("steady_means", ()) for name in names]
        return SteadyMeans(_OfMaps(made), grid["latitude"], steady) if any(steady) else _OfMaps(made)

    def _observe(self, training: Training) -> None:
        self._seen(training)

    def _seen(self, training: Training, *reductions: Reduction) -> list[torch.Tensor]:
        """Find the means that stay, and return what further reductions give of the same changes, read once."""
        mean = AreaMean(self.grid["latitude"])
        means, *further = reduced_changes(training.train, training.channels, [mean, *reductions])
        self.chosen["steady_means"] = steady_means(means, training.channels)
        return further


class SFNO(SphericalOperator):
    """The spherical Fourier neural operator as a forecaster.

    Parameters
    ----------
    spectral_weight : float
        Of the error of each degree in training (`climbench.models.forecasting.degree_loss`); that of cells has 1.
    **settings
        Of `SphericalOperator`, from ``width`` on.
    """

    def __init__(self, *, spectral_weight: float = 0.0, **settings: Any) -> None:
        super().__init__(SphericalFourierNeuralOperator, {}, {"spectral_weight": spectral_weight}, **settings)
        if not spectral_weight >= 0.0:
            raise ModelError(f"spectral_weight must not be negative; it is {spectral_weight}.")
        self.spectral_weight = spectral_weight

    def _observe(self, training: Training) -> None:
        if not self.spectral_weight:
            super()._observe(training)
            return
        power = DegreePower(self.grid["latitude"].values, self.grid.sizes["longitude"], self.arguments["degrees"])
        (powers,) = self._seen(training, power)
        training.loss = partial(DegreeLoss, power=power, usual=powers.mean(0), weight=self.spectral_weight)


class _OfMaps(nn.Module):
    """A network of windows, shown one."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.network(maps[:, None])
        return answer
