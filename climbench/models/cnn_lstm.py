"""The convolutional and recurrent network that ClimateBench came with.

References
----------
Watson-Parris et al. (2022), ClimateBench v1.0, J. Adv. Model. Earth Syst. 14, doi:10.1029/2021MS002954, and the
notebooks of its repository; Lütjens et al. (2025), J. Adv. Model. Earth Syst., doi:10.1029/2024MS004619.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
import xarray as xr
from torch import nn

from climbench.models.layers.recurrence import RectifiedLSTM
from climbench.models.lightning import NetworkEmulator
from climbench.models.training.history_windows import PAST, Record, continued
from climbench.models.training.losses import Loss, mean_square
from climbench.models.training.scaling import Scaling

# Those of the original's notebooks: inputs in GtCO2, GtCH4/yr and kg m-2 s-1, targets in K and mm/day.
INPUT_RANGES = {"CO2": (0.0, 1e4), "CH4": (0.0, 1.0), "SO2": (0.0, 2e-9), "BC": (0.0, 6e-11)}
TARGET_RANGES = {
    "tas": (-7.0, 15.0),
    "diurnal_temperature_range": (-2.25, 6.0),
    "pr": (-11.0, 14.0),
    "pr90": (-25.5, 35.0),
}


class CNNLSTMNetwork(nn.Module):
    """One convolution over each year's maps, their mean, a recurrence over the years, and a dense layer to the map.

    It has 20 (9 c + 1) + 4 u (20 + u + 1) + (u + 1) v n parameters for c channels, 20 filters, u units, and v
    variables of n cells: 364,764 for 4 channels, 25 units and one variable on 96 x 144 cells.

    Parameters
    ----------
    channels, variables : int
        Numbers of input channels and of predicted variables.
    grid : tuple of int
        Numbers of latitudes and longitudes.
    filters, units : int
        Of the convolution and of the recurrence.
    """

    def __init__(
        self, channels: int, variables: int, grid: tuple[int, int], filters: int = 20, units: int = 25
    ) -> None:
        super().__init__()
        self.shape = (variables, *grid)
        self.convolution = nn.Conv2d(channels, filters, 3, padding="same")
        self.recurrence = RectifiedLSTM(filters, units)
        self.dense = nn.Linear(units, variables * grid[0] * grid[1])
        for layer in (self.convolution, self.dense):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return (batch, variable, latitude, longitude) for (batch, year, channel, latitude, longitude)."""
        maps = torch.relu(self.convolution(windows.flatten(0, 1)))
        # The original pools by two and then over what is left: the mean, but for an odd last row or column.
        rows, columns = (size // 2 * 2 for size in maps.shape[-2:])
        means = maps[..., :rows, :columns].mean((-2, -1))
        state = self.recurrence(means.view(*windows.shape[:2], -1))
        fields: torch.Tensor = self.dense(state)
        return fields.view(-1, *self.shape)


class CNNLSTM(NetworkEmulator):
    """The CNN-LSTM as an emulator.

    Parameters
    ----------
    filters, units : int
        Sizes of the network.
    separate : bool
        Whether each variable has a network of its own, as the original.
    input_scaling : {"ranges", "standard"}
        By the original's fixed ranges, or standardised over the training data.
    target_scaling : {"ranges", "standard", "none"}
        Likewise; Lütjens et al. leave targets as they are.
    area_weighted : bool
        Whether cells weigh by their area in the loss; in the originals they do not.
    published_windows : {"joined", "alone"}
        Which windows there are where the task is run as published. ``"joined"`` follows ClimateBench's original: each
        scenario is joined to the whole of ``historical``, whose years are then samples as often as there are scenarios,
        and its last window is left out; experiments that do not go on from ``historical`` are not trained on; and
        predictions are labelled a year late. ``"alone"`` follows Lütjens et al.: no scenario has a past in training.
    **training
        Settings of `TrainingSettings`.
    """

    # One year more than a window reaches back: the original's label is a year late.
    history: ClassVar[int] = 10

    def __init__(
        self,
        *,
        filters: int = 20,
        units: int = 25,
        separate: bool = False,
        input_scaling: Literal["ranges", "standard"] = "ranges",
        target_scaling: Literal["ranges", "standard", "none"] = "ranges",
        area_weighted: bool = False,
        published_windows: Literal["joined", "alone"] = "joined",
        **training: Any,
    ) -> None:
        own = {
            "filters": filters,
            "units": units,
            "separate": separate,
            "input_scaling": input_scaling,
            "target_scaling": target_scaling,
            "area_weighted": area_weighted,
            "published_windows": published_windows,
        }
        super().__init__(own, training, separate=separate)
        self.filters, self.units = filters, units
        self.input_scaling, self.target_scaling = input_scaling, target_scaling
        self.area_weighted, self.published_windows = area_weighted, published_windows

    def network(self, grid: xr.Dataset, variables: int) -> nn.Module:
        """Return a new `CNNLSTMNetwork`."""
        size = (grid.sizes["latitude"], grid.sizes["longitude"])
        return CNNLSTMNetwork(len(self._channels), variables, size, self.filters, self.units)

    def loss(self, grid: xr.Dataset) -> Loss:
        """Return the mean square, weighted by area or not."""
        return super().loss(grid) if self.area_weighted else mean_square

    def scale(self, found: Mapping[str, Record]) -> tuple[Scaling, Scaling]:
        """Return fixed or standard scalings, as set."""
        inputs, targets = super().scale(found)
        if self.input_scaling == "ranges":
            inputs = Scaling.ranges(self._channels, INPUT_RANGES)
        if self.target_scaling == "ranges":
            targets = Scaling.ranges(self.variables, TARGET_RANGES)
        if self.target_scaling == "none":
            targets = Scaling.none(self.variables)
        return inputs, targets

    @property
    def label_shift(self) -> int:
        """One year as ClimateBench published, otherwise none."""
        return int(self.as_published and self.published_windows == "joined")

    def records(self, scenarios: Mapping[str, xr.Dataset], past: xr.Dataset | None = None) -> dict[str, Record]:
        """Return the windows of scenarios: each year once, or as published."""
        if not self.as_published:
            return super().records(scenarios, past)
        if self.published_windows == "alone":
            each = [NetworkEmulator.records(self, {name: data}, past) for name, data in scenarios.items()]
            return {name: record for found in each for name, record in found.items()}
        found = super().records(joined_to_historical(scenarios), past)
        return {name: Record(r.inputs, r.targets, r.ends[:-1], r.labels[:-1]) for name, r in found.items()}


def joined_to_historical(scenarios: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Return those scenarios that go on from ``historical``, each with all its years before its own.

    Parameters
    ----------
    scenarios : mapping of str to Dataset
        Inputs and targets.

    Returns
    -------
    dict of str to Dataset
        The scenarios as they are where there is no ``historical`` or none goes on from it.
    """
    past = scenarios.get(PAST)
    if past is None:
        return dict(scenarios)
    others = {name: data for name, data in scenarios.items() if name != PAST}
    joined = {name: continued(data, past, past.sizes["time"]) for name, data in others.items()}
    longer = {name: data for name, data in joined.items() if data.sizes["time"] > others[name].sizes["time"]}
    return longer or dict(scenarios)
