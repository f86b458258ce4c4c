"""Linear pattern scaling, trained: the same two straight lines by gradient steps on batches that are streamed.

Nothing is averaged or held in memory but one batch, so that ensembles of any size can be learned from; and it shows, on
the simplest case there is, the way any network here is trained.

References
----------
Lütjens et al. (2025), The impact of internal variability on benchmarking deep learning climate emulators, section 3.1,
J. Adv. Model. Earth Syst., doi:10.1029/2024MS004619.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from pytorch_lightning import LightningModule

from climbench.data.splits import Split
from climbench.data.streaming import Part, StreamLoader, WindowStream
from climbench.errors import ModelError
from climbench.grids import latitude_weights
from climbench.models.pattern_scaling import ROUNDING, LinearPatternScaling
from climbench.models.training.settings import Accelerator
from climbench.models.training.trainer import device_kind, reproducible, run_trainer
from climbench.variables import kind_of

SPACE = ("latitude", "longitude")
Batch = dict[str, torch.Tensor]


class GlobalSeries:
    """What a first pass through the stream learns: for each scenario and year CO2, and temperature over all members.

    Attributes
    ----------
    members : dict of (int, int) to float
        How many members were seen of each scenario and year.
    """

    def __init__(self, batches: Iterable[Batch], row_weights: torch.Tensor, tas: int) -> None:
        self._sums: dict[tuple[int, int], np.ndarray] = {}
        for batch in batches:
            warm = global_mean(batch["climate"][:, 0, tas], row_weights).numpy()
            carbon = batch["carbon"][:, 0, 0, 0, 0].double().numpy()
            for key, seen in zip(_keys(batch), np.stack([np.ones_like(warm), carbon, warm], axis=1), strict=True):
                self._sums[key] = self._sums.get(key, 0.0) + seen
        table = np.array(list(self._sums.values()))
        self.carbon, self.warming = (Standardised.of(table[:, n] / table[:, 0]) for n in (1, 2))
        self.years = len(table)

    def of(self, batch: Batch) -> torch.Tensor:
        """Return (sample, 3): standardised CO2, standardised warming over all members, and the sample's weight.

        Samples of a year weigh one together, so that every year of every scenario weighs the same.
        """
        rows = np.array([self._sums[key] for key in _keys(batch)])
        carbon, warming = rows[:, 1] / rows[:, 0], rows[:, 2] / rows[:, 0]
        columns = [self.carbon.apply(carbon), self.warming.apply(warming), 1.0 / rows[:, 0]]
        return torch.from_numpy(np.stack(columns, axis=1))


@dataclass(frozen=True)
class Standardised:
    """A predictor's mean and standard deviation over years."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: np.ndarray) -> Standardised:
        """Return those of values; raise `ModelError` where they do not vary."""
        if not float(np.ptp(values)) > ROUNDING * float(np.abs(values).max()):
            raise ModelError("Pattern scaling cannot be fitted: the predictor is the same in all training years.")
        return cls(float(values.mean()), float(values.std()))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return values with mean 0 and standard deviation 1."""
        return (values - self.mean) / self.std

    def line(self, weights: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return intercept and slope in the predictor's own unit; `weights` are those for mean 0 and deviation 1."""
        level, slope = weights.detach().cpu().numpy()
        return level - slope * self.mean / self.std, slope / self.std


class PatternScalingModule(LightningModule):
    r"""Two straight lines on standardised predictors.

    .. math:: \ell = \frac{1}{2 n} \sum_i w_i \left[ (a + b x_i - T_i)^2 + \sum (A + B z_i - y_i)^2 \right]

    With predictors of mean 0 and variance 1 the second derivative of the loss is one for every parameter, and zero
    between two: a gradient step of length one, taken on the gradient over all batches, leads to the minimum at once.

    Parameters
    ----------
    series : GlobalSeries
        Predictors and weights.
    shape : tuple of int
        Variables, latitudes, longitudes.
    row_weights : Tensor of shape (latitude, 1)
        Area weights, adding up to 1 over rows.
    tas : int
        Which variable is temperature.
    batches : int
        In an epoch, over which the gradient is added up.
    """

    row_weights: torch.Tensor

    def __init__(
        self, series: GlobalSeries, shape: tuple[int, ...], row_weights: torch.Tensor, tas: int, batches: int
    ) -> None:
        super().__init__()
        self.series, self.tas, self.batches = series, tas, batches
        self.line = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.maps = torch.nn.Parameter(torch.zeros(2, *shape, dtype=torch.float64))
        self.register_buffer("row_weights", row_weights, persistent=False)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the share of a batch in the loss; Lightning divides it by the number of batches, so it is undone."""
        carbon, warming, weight = self.series.of(batch).to(self.device).unbind(1)
        climate = batch["climate"][:, 0].double()
        temperature = global_mean(climate[:, self.tas], self.row_weights)
        first = (self.line[0] + self.line[1] * carbon - temperature) ** 2
        second = (self.maps[0] + self.maps[1] * warming[:, None, None, None] - climate) ** 2
        total = (weight * (first + second.sum((1, 2, 3)))).sum()
        return total * self.batches / (2 * self.series.years)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return plain gradient descent with steps of length one."""
        return torch.optim.SGD(self.parameters(), lr=1.0)


def global_mean(fields: torch.Tensor, row_weights: torch.Tensor) -> torch.Tensor:
    """Return area means, float64, of fields of shape (sample, latitude, longitude)."""
    return (fields.double().mean(-1) * row_weights[:, 0]).sum(-1)


def _keys(batch: Batch) -> list[tuple[int, int]]:
    return list(zip(batch["scenario"].tolist(), batch["time"].tolist(), strict=True))


class LPSLightning(LinearPatternScaling):
    """Linear pattern scaling fitted by streaming; everything but `fit` is that of `LinearPatternScaling`.

    Parameters
    ----------
    epochs : int
        Passes with a gradient step, after a first one for the predictors. One leads to the closed form but for
        rounding, which a second takes away.
    batch_size : int
        Fields held at once.
    memory : int
        Bytes that the stream may read ahead.
    accelerator : {"auto", "cpu", "gpu"}
        ``"auto"`` takes a CUDA device where there is one.
    """

    def __init__(
        self,
        *,
        epochs: int = 2,
        batch_size: int = 32,
        memory: int = 2**29,
        accelerator: Accelerator = "auto",
    ) -> None:
        super().__init__()
        self.epochs, self.batch_size, self.memory, self.accelerator = epochs, batch_size, memory, accelerator

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Fit both lines by gradient steps on streamed batches; nothing is random and no validation is needed.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario ``CO2`` of shape (time,) in GtCO2, ``tas`` and the targets of shape
            (time, latitude, longitude) or (member, time, latitude, longitude), in memory or lazily opened. Members are
            not averaged first; the lines are those of the ensemble means.
        validation : mapping of str to Dataset, optional
            Not used.
        seed : int
            Not used.

        Raises
        ------
        ModelError
            If a predictor does not vary.
        """
        first = next(iter(train.values()))
        names = [str(v) for v in first if set(SPACE) <= set(first[v].dims) and kind_of(str(v)) != "forcing"]
        weights = latitude_weights(first["latitude"], "cos_latitude").values
        rows = torch.tensor(weights / weights.sum(), dtype=torch.float64)[:, None]
        loader = self._loader(train, names)
        with reproducible(seed):
            series = GlobalSeries(loader, rows, names.index("tas"))
            shape = (len(names), *(first.sizes[d] for d in SPACE))
            module = PatternScalingModule(series, shape, rows, names.index("tas"), len(loader))
            run_trainer(
                module,
                loader,
                max_epochs=self.epochs,
                accumulate_grad_batches=len(loader),
                accelerator=device_kind(self.accelerator),
            )
        self._keep(module.cpu(), names, first)

    def _loader(self, train: Mapping[str, xr.Dataset], names: list[str]) -> StreamLoader:
        parts = {"carbon": Part(["CO2"]), "climate": Part(names)}
        fields = sum(data.sizes["time"] * data.sizes.get("member", 1) for data in train.values())
        split, size = Split("training"), min(self.batch_size, fields)
        return StreamLoader(WindowStream(train, parts, split, batch_size=size, shuffle=False, memory=self.memory))

    def _keep(self, module: PatternScalingModule, names: list[str], grid: xr.Dataset) -> None:
        intercept, slope = module.series.carbon.line(module.line)
        self.global_fit = (float(intercept), float(slope))
        fitted = zip(("intercept", "slope"), module.series.warming.line(module.maps), strict=True)
        maps = {f"{n}_{part}": (SPACE, values[v]) for part, values in fitted for v, n in enumerate(names)}
        self.patterns = xr.Dataset(maps, coords={d: grid[d] for d in SPACE})
