"""Aurora, a foundation model of the atmosphere, as a forecaster; its network is that of the package microsoft-aurora.

References
----------
Bodnar et al. (2025), A foundation model for the Earth system, Nature 641, 1180-1187, doi:10.1038/s41586-025-09005-y.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from climbench.errors import ModelError, did_you_mean
from climbench.models.adapters.aurora_statics import static_maps
from climbench.models.adapters.fields import Field, laid_out, require_fields, stacked
from climbench.models.adapters.model_grid import ModelGrid
from climbench.models.adapters.outside import OutsideForecaster, installed
from climbench.models.forecaster import lead_times
from climbench.models.forecasting.steps import steps_to
from climbench.models.training.trainer import device_kind, reproducible, seed_of
from climbench.variables import known_name

KINDS = ("Aurora", "AuroraPretrained", "AuroraSmallPretrained", "Aurora12hPretrained", "AuroraHighRes")
LEVELS = (50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000)  # it knows means and scales of no others
WHICH = "'published' (downloaded by its package), 'random', or the path of a checkpoint"


class Aurora(OutsideForecaster):
    """Aurora with weights from elsewhere.

    Parameters
    ----------
    weights : str
        A checkpoint's file (``.ckpt`` of tensors alone, or ``.safetensors``), ``"published"``, or ``"random"``.
    kind : str
        The class of microsoft-aurora.
    options : mapping, optional
        For the class, such as ``use_lora`` or the sizes of a network of one's own.
    static : str, optional
        A netCDF file with land-sea mask, geopotential at the surface and soil type.
    batch_size : int
        Initial times at once.
    accelerator : str
        As in the settings of training.
    """

    def __init__(
        self,
        weights: str | None = None,
        kind: str = "Aurora",
        options: Mapping[str, Any] | None = None,
        static: str | None = None,
        batch_size: int = 1,
        accelerator: str = "auto",
    ) -> None:
        if kind not in KINDS:
            raise ModelError(f"There is no kind '{kind}' of Aurora. {did_you_mean(kind, KINDS)}")
        if batch_size < 1:
            raise ModelError(f"batch_size must be at least 1; it is {batch_size}.")
        super().__init__(
            {
                "weights": weights,
                "kind": kind,
                "options": dict(options or {}),
                "static": static,
                "batch_size": batch_size,
                "accelerator": accelerator,
            }
        )
        self._model: Any = None

    @property
    def parameters(self) -> int:
        """Number of parameters; 0 before the model is made."""
        return 0 if self._model is None else sum(p.numel() for p in self._model.parameters())

    @property
    def model(self) -> Any:
        """The network with its weights, made on first use.

        Raises
        ------
        MissingExtraError
            If microsoft-aurora is not installed.
        ModelError
            If no weights are named, or they are not the network's.
        """
        if self._model is None:
            weights, kind = self.settings["weights"], self.settings["kind"]
            if weights is None:
                raise ModelError(f"Aurora has no weights; give `weights`: {WHICH}.")
            package = installed("aurora", "Aurora", "aurora")
            with reproducible(seed_of(self.seed, "aurora")):
                model = getattr(package, kind)(**self.settings["options"])
            if weights == "published":
                model.load_checkpoint()
            elif weights != "random":
                _load(model, Path(weights))
            self._model = model.eval()
        return self._model

    def lags(self) -> np.ndarray:
        """Return the times of its states of history, two by default."""
        step = np.timedelta64(self.model.timestep).astype("timedelta64[ns]")
        return np.arange(1 - self.model.max_history_size, 1) * step

    def _fields(self, data: xr.Dataset) -> list[Field]:
        """Return surface fields, then those aloft, level by level."""
        levels = data["level"].values if "level" in data.dims else ()
        aloft = [Field(known_name(v), float(level)) for v in self.model.atmos_vars for level in levels]
        return [*(Field(known_name(v)) for v in self.model.surf_vars), *aloft]

    def require(self, data: xr.Dataset) -> None:
        """Raise `ModelError` where a task's grid, fields, levels or maps are not Aurora's."""
        if "level" not in data.dims:
            raise ModelError("Aurora forecasts variables on pressure levels, and the task has none.")
        other = [f"{level:g}" for level in data["level"].values if level not in LEVELS]
        if other:
            raise ModelError(f"Aurora does not know the levels {', '.join(other)} hPa; it knows {LEVELS}.")
        fields = self._fields(data)
        require_fields(data, fields, fields, "Aurora")
        patch, rows, columns = self.model.patch_size, data.sizes["latitude"], data.sizes["longitude"]
        pole = abs(float(data["latitude"].min()) + 90.0) < 1e-3
        if columns % patch or rows % patch != (1 if rows % patch and pole else 0):
            raise ModelError(
                f"Aurora cuts maps into patches of {patch} x {patch}, and the task has {rows} x {columns} points: rows "
                "must be a multiple of that, or with the South Pole one more. Bring the data to such a grid with "
                "`climbench data convert --grid`."
            )
        static_maps(self.model.static_vars, data, self.settings["static"])

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return roll-outs at the lead times.

        Raises
        ------
        ModelError
            If states or lead times are not Aurora's.
        """
        self.require(inputs)
        ahead, starts = lead_times(leads), self.starts(inputs)
        wanted = steps_to(leads, np.timedelta64(self.model.timestep).astype("timedelta64[ns]"))
        maps = static_maps(self.model.static_vars, inputs, self.settings["static"])
        found, size = [], self.settings["batch_size"]
        with reproducible(seed_of(seed, "aurora")), torch.inference_mode():
            for start in range(0, inputs.sizes["init_time"], size):
                part = starts.isel(init_time=slice(start, start + size))
                found.append(self._rolled(self._batch(part, maps), wanted, part))
        return laid_out(np.concatenate(found), self._fields(inputs), starts, ahead)

    def _batch(self, starts: xr.Dataset, maps: Mapping[str, np.ndarray]) -> Any:
        """Return states as Aurora takes them, rows from the north."""
        package, model = installed("aurora", "Aurora", "aurora"), self.model
        values = torch.from_numpy(stacked(starts, self._fields(starts))[..., ::-1, :].copy())
        surface, levels = len(model.surf_vars), starts.sizes["level"]
        places = {v: surface + number * levels for number, v in enumerate(model.atmos_vars)}
        return package.Batch(
            surf_vars={v: values[:, :, number] for number, v in enumerate(model.surf_vars)},
            static_vars={v: torch.from_numpy(one[::-1].copy()) for v, one in maps.items()},
            atmos_vars={v: values[:, :, place : place + levels] for v, place in places.items()},
            metadata=package.Metadata(
                lat=torch.from_numpy(starts["latitude"].values[::-1].astype("float32")),
                lon=torch.from_numpy(starts["longitude"].values.astype("float32")),
                time=tuple(_date(time) for time in starts["init_time"].values),
                atmos_levels=tuple(int(level) for level in starts["level"].values),
            ),
        )

    def _rolled(self, batch: Any, wanted: np.ndarray, starts: xr.Dataset) -> np.ndarray:
        """Return forecasts of shape (init_time, lead_time, field, latitude, longitude)."""
        package, model = installed("aurora", "Aurora", "aurora"), self.model
        model.to("cuda" if device_kind(self.settings["accelerator"]) == "gpu" else "cpu")
        told: dict[int, np.ndarray] = {}
        for number, said in enumerate(package.rollout(model, batch, int(wanted.max())), 1):
            if number in wanted:
                surface = torch.stack([said.surf_vars[v][:, -1] for v in model.surf_vars], 1)
                aloft = [said.atmos_vars[v][:, -1] for v in model.atmos_vars]
                values = torch.cat([surface, *aloft], 1).float().cpu().numpy()
                rows, columns = (c.double().cpu().numpy() for c in (said.metadata.lat, said.metadata.lon))
                own = (starts["latitude"].values, starts["longitude"].values)
                told[number] = ModelGrid.of(rows, columns, own=own, model="Aurora").back(values)
        return np.stack([told[int(number)] for number in wanted], axis=1)


def _date(time: np.datetime64) -> datetime:
    made: datetime = time.astype("datetime64[s]").item()
    return made


def _load(model: Any, path: Path) -> None:
    """Put a checkpoint's tensors into a network; what else a file holds is refused, not run."""
    if not path.is_file():
        raise ModelError(f"There is no checkpoint {path}. `weights` is {WHICH}.")
    try:
        if path.suffix == ".safetensors":
            model.load_state_dict(installed("safetensors.torch", "Aurora", "aurora").load_file(path))
        else:
            torch.load(path, map_location="meta", weights_only=True)  # refuses more than tensors, whoever loads next
            model.load_checkpoint_local(str(path))
    except (RuntimeError, KeyError, AssertionError, pickle.UnpicklingError, OSError, ValueError) as error:
        told = str(error).splitlines()[0]
        raise ModelError(f"{path} is no checkpoint for this Aurora: {type(error).__name__}: {told}") from error
