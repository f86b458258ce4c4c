"""Pattern scaling, and a network for what it leaves: lines carry far from the training data, where networks stray."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr

from climbench.errors import ModelError
from climbench.models.base import Emulator
from climbench.models.lightning import NetworkEmulator
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.progress import Progress
from climbench.registry import Registry

Scenarios = Mapping[str, xr.Dataset]
NETWORKS = Registry(
    "network",
    {
        "cnn-lstm": "climbench.models.cnn_lstm:CNNLSTM",
        "unet": "climbench.models.unet:UNet",
        "climax": "climbench.models.climax:ClimaX",
        "sfno-projector": "climbench.models.sfno:SFNOProjector",
    },
)


class ResidualOnPatternScaling(Emulator):
    r"""The sum of linear pattern scaling and of a network trained on its residuals.

    .. math:: \hat y = \hat y_{LPS} + N(\ldots), \qquad N \text{ trained on } y - \hat y_{LPS}

    Parameters
    ----------
    network : {"cnn-lstm", "unet", "climax", "sfno-projector"}
        Which network.
    arguments : mapping
        Its arguments.

    Attributes
    ----------
    line : LinearPatternScaling
        Fitted on the training scenarios, and on each fold's anew.
    residual : NetworkEmulator
        The network.
    """

    inputs: ClassVar[tuple[str, ...] | None] = NetworkEmulator.inputs
    training_variables: ClassVar[tuple[str, ...]] = ("tas",)
    history: ClassVar[int] = NetworkEmulator.history

    def __init__(self, network: str, arguments: Mapping[str, Any] | None = None) -> None:
        self.network, self.arguments = network, dict(arguments or {})
        self.line = LinearPatternScaling()
        self.residual: NetworkEmulator = NETWORKS.load(network)(**self.arguments)

    @property
    def chosen(self) -> dict[str, Any]:
        """What the network chose."""
        return self.residual.chosen

    @property
    def progress(self) -> Progress:
        """Told the network's epochs."""
        return self.residual.progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self.residual.progress = progress

    @property
    def parameters(self) -> int:
        """Number of coefficients of the line and of the network."""
        return self.line.parameters + self.residual.parameters

    def choose(self, folds: Sequence[tuple[Scenarios, Scenarios]], *, seed: int) -> None:
        """Settle the network's epochs on what the line, fitted on each fold's training data, leaves in the fold."""
        left = []
        for train, held_out in folds:
            self._fit_line(train)
            left.append((self._left(train), self._left(held_out)))
        self.residual.choose(left, seed=seed)

    def fit(self, train: Scenarios, validation: Scenarios | None = None, *, seed: int) -> None:
        """Fit the line, then the network on what it leaves.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs, ``tas`` and the targets.
        validation : mapping of str to Dataset, optional
            As for `NetworkEmulator.fit`.
        seed : int
            Of the network.
        """
        self._fit_line(train)
        self.residual.fit(self._left(train), validation and self._left(validation), seed=seed)

    def _fit_line(self, scenarios: Scenarios) -> None:
        """Fit the line on what it is to see: it would take maps of emissions for targets."""
        maps = [name for name in self.inputs or () if name not in (self.line.inputs or ())]
        self.line.fit({name: data.drop_vars(maps) for name, data in scenarios.items()}, seed=0)

    def _left(self, scenarios: Scenarios) -> dict[str, xr.Dataset]:
        """Return scenarios with what the line leaves of their targets."""
        left = {}
        for name, data in scenarios.items():
            line = self.line.predict(data, seed=0)
            left[name] = data.assign({v: data[v] - line[v] for v in line})
        return left

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the climate of every year of the inputs, as `NetworkEmulator.predict`."""
        line = self.line.predict(inputs, seed=seed)
        network = self.residual.predict(inputs, seed=seed)
        return network.assign({v: network[v] + line[v] for v in network})

    def save(self, directory: Path) -> None:
        """Write line and network into a folder, without pickle; raise `ModelError` where it was not fitted."""
        directory.mkdir(parents=True, exist_ok=True)
        self.line.save(directory / "line")
        self.residual.save(directory / "network")
        content = {"network": self.network, "arguments": self.arguments}
        (directory / "settings.json").write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> ResidualOnPatternScaling:
        """Return the emulator that `save` wrote; raise `ModelError` where the folder holds none that is whole."""
        try:
            content = json.loads((directory / "settings.json").read_text(encoding="utf-8"))
            emulator = cls(content["network"], content["arguments"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{directory} holds no pattern scaling with a network that can be read: {error}"
            ) from error
        emulator.line = LinearPatternScaling.load(directory / "line")
        emulator.residual = type(emulator.residual).load(directory / "network")
        return emulator
