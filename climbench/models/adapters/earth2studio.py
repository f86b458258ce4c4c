"""Any prognostic model of earth2studio as a forecaster, by its protocol alone.

References
----------
NVIDIA (2026), Earth2Studio, https://github.com/NVIDIA/earth2studio: ``earth2studio.models.px.base.PrognosticModel``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr

from climbench.errors import ModelError, did_you_mean
from climbench.models.adapters.earth2studio_names import field_named
from climbench.models.adapters.fields import Field, laid_out, require_fields, stacked
from climbench.models.adapters.model_grid import ModelGrid
from climbench.models.adapters.outside import OutsideForecaster, installed
from climbench.models.forecaster import lead_times
from climbench.models.training.trainer import device_kind, reproducible, seed_of

MODELS, PACKAGE = "earth2studio.models.px", "earth2studio"
METHODS = ("input_coords", "output_coords", "create_iterator")
IN_ORDER = ("time", "lead_time", "variable", "lat", "lon")


class Earth2Studio(OutsideForecaster):
    """A prognostic model of earth2studio.

    Parameters
    ----------
    model : str or PrognosticModel
        A class by its name in ``earth2studio.models.px`` or its path within earth2studio; in Python also a model,
        made and loaded.
    package : str or None
        Where its weights are: a folder, or ``"default"`` for those its authors publish, which earth2studio then
        downloads; None for a class that is made from `arguments` alone.
    arguments : mapping, optional
        For the class, where there is no package.
    batch_size : int
        Initial times at once.
    accelerator : str
        As in the settings of training.
    """

    def __init__(
        self,
        model: Any = None,
        package: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        batch_size: int = 1,
        accelerator: str = "auto",
    ) -> None:
        if batch_size < 1:
            raise ModelError(f"batch_size must be at least 1; it is {batch_size}.")
        if package is not None and arguments:
            raise ModelError("A model of a package takes no arguments; give `package` or `arguments`.")
        named = model is None or isinstance(model, str)
        super().__init__(
            {
                "model": model if named else None,
                "package": package,
                "arguments": dict(arguments or {}),
                "batch_size": batch_size,
                "accelerator": accelerator,
            }
        )
        self._model: Any = None if named else _prognostic(model, type(model).__name__)

    @property
    def parameters(self) -> int | None:
        """Number of parameters, where the model is a torch module that was made; None otherwise."""
        module = self._model
        return sum(p.numel() for p in module.parameters()) if isinstance(module, torch.nn.Module) else None

    @property
    def model(self) -> Any:
        """The model, made on first use.

        Raises
        ------
        MissingExtraError
            If earth2studio is not installed.
        ModelError
            If it has no such model, or that cannot be made.
        """
        if self._model is None:
            name = self.settings["model"]
            self._model = _prognostic(_made(name, self.settings["package"], self.settings["arguments"]), name)
        return self._model

    def lags(self) -> np.ndarray:
        """Return the model's input lead times."""
        return np.asarray(self.model.input_coords()["lead_time"]).astype("timedelta64[ns]")

    def _ahead(self) -> tuple[list[str], np.ndarray]:
        """Return which variables one step gives, and at which lead times."""
        coords = self.model.output_coords(self.model.input_coords())
        return [str(v) for v in coords["variable"]], np.asarray(coords["lead_time"]).astype("timedelta64[ns]")

    def _grid(self, data: xr.Dataset) -> ModelGrid:
        coords = self.model.input_coords()
        if np.ndim(coords.get("lat")) != 1 or np.ndim(coords.get("lon")) != 1:
            raise ModelError("The model has no regular latitudes and longitudes; only those are scored.")
        own = (data["latitude"].values, data["longitude"].values)
        return ModelGrid.of(np.asarray(coords["lat"]), np.asarray(coords["lon"]), own=own, model="The model")

    def require(self, data: xr.Dataset) -> None:
        """Raise `ModelError` where grid, variables or units of a task are not the model's."""
        shown = [str(v) for v in self.model.input_coords()["variable"]]
        unknown = [short for short in shown if field_named(short) is None]
        if unknown:
            raise ModelError(f"The model starts from variables that the suite does not know: {', '.join(unknown)}.")
        given = [field for short in self._ahead()[0] if (field := field_named(short))]
        require_fields(data, _fields(shown), given, "The model")
        self._grid(data)

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return roll-outs at the lead times.

        Raises
        ------
        ModelError
            If states or lead times are not the model's.
        """
        self.require(inputs)
        ahead = lead_times(leads)
        self._require_leads(ahead.values)
        variables = self._ahead()[0]
        kept = [(place, f) for place, short in enumerate(variables) if (f := field_named(short)) and f.within(inputs)]
        grid, size, found = self._grid(inputs), self.settings["batch_size"], []
        starts = self.starts(inputs)
        with reproducible(seed_of(seed, "earth2studio")), torch.inference_mode():
            for start in range(0, inputs.sizes["init_time"], size):
                part = starts.isel(init_time=slice(start, start + size))
                rolled = self._rolled(part, grid, ahead.values, [place for place, _ in kept])
                found.append(grid.back(rolled))
        return laid_out(np.concatenate(found), [field for _, field in kept], starts, ahead)

    def _require_leads(self, leads: np.ndarray) -> None:
        reached = self._ahead()[1]
        period = reached.max()
        for lead in leads:
            rest = lead % period
            if lead <= np.timedelta64(0) or not np.isin(rest if rest else period, reached):
                told = ", ".join(f"{one / np.timedelta64(1, 'h'):g} h" for one in reached)
                raise ModelError(
                    f"The model does not reach the lead time {lead / np.timedelta64(1, 'h'):g} h: one step gives "
                    f"{told}. Choose lead times that it reaches."
                )

    def _rolled(self, starts: xr.Dataset, grid: ModelGrid, leads: np.ndarray, places: Sequence[int]) -> np.ndarray:
        """Return what the model says, of shape (init_time, lead_time, field, row, column)."""
        own = self.model.input_coords()
        device = "cuda" if device_kind(self.settings["accelerator"]) == "gpu" else "cpu"
        if callable(getattr(self.model, "to", None)):
            self.model.to(device)
        x = torch.from_numpy(grid.there(stacked(starts, _fields(own["variable"])))).to(device)
        coords = OrderedDict({name: own[name] for name in IN_ORDER if name != "time"})
        coords = OrderedDict({"time": starts["init_time"].values.astype("datetime64[ns]"), **coords})
        steps = self.model.create_iterator(x, coords)
        next(steps)  # the initial state
        told: dict[np.timedelta64, np.ndarray] = {}
        while len(told) < leads.size:
            values, where = next(steps)
            now = xr.DataArray(values.float().cpu().numpy(), dims=list(where)).squeeze(
                [d for d in where if d not in IN_ORDER]
            )
            now = now.transpose(*IN_ORDER).isel(variable=list(places))
            for number, lead in enumerate(np.asarray(where["lead_time"]).astype("timedelta64[ns]")):
                if np.isin(lead, leads):
                    told[lead] = now.isel(lead_time=number).values
        return np.stack([told[lead] for lead in leads], axis=1)


def _prognostic(model: Any, name: str) -> Any:
    """Return a model, if it has the methods of the protocol."""
    lacking = [method for method in METHODS if not callable(getattr(model, method, None))]
    if lacking:
        raise ModelError(f"'{name}' is no prognostic model: it has no method {', '.join(lacking)}.")
    return model


def _fields(shorts: Sequence[str]) -> list[Field]:
    return [field for short in shorts if (field := field_named(str(short)))]


def _made(name: str | None, package: str | None, arguments: Mapping[str, Any]) -> Any:
    """Return a model of earth2studio, with its weights."""
    if name is None:
        raise ModelError("No model is named; give init_args its name in earth2studio.models.px, as `model: DLWP`.")
    path, _, short = name.rpartition(".")
    if path.partition(".")[0] not in ("", PACKAGE):
        raise ModelError(f"'{name}' is not within earth2studio. Make it in Python and give `Earth2Studio` the model.")
    module = installed(path or MODELS, f"The model '{name}'", "earth2studio")
    if not hasattr(module, short):
        known = [n for n in vars(module) if n[:1].isupper()]
        raise ModelError(f"There is no '{short}' in {path or MODELS}. {did_you_mean(short, known)}")
    made = getattr(module, short)
    try:
        if package is None:
            return made(**arguments)
        return made.from_pretrained(None if package == "default" else package)
    except Exception as error:  # another package's loading: what it raises is not ours to foresee
        raise ModelError(f"'{name}' of earth2studio cannot be made: {type(error).__name__}: {error}") from error
