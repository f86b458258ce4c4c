"""States whose weather moves east by one column a step, and doubles of other packages' models that say so."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
import xarray as xr

STEP = np.timedelta64(6, "h").astype("timedelta64[ns]")
LATITUDE = np.linspace(-90.0, 90.0, 5)
LONGITUDE = np.arange(0.0, 360.0, 45.0)
UNITS = {"geopotential": "m2 s-2", "temperature": "K", "2m_temperature": "K", "mean_sea_level_pressure": "Pa"}


def moving(names=("geopotential", "2m_temperature"), levels=(500, 850), times=8, latitude=LATITUDE):
    """Return a series that moves by one column a step, with values that differ everywhere."""
    coords = {"time": pd.date_range("2020-01-01", periods=times, freq="6h"), "level": list(levels)}
    coords |= {"latitude": latitude, "longitude": LONGITUDE}
    made = {}
    for number, name in enumerate(names):
        aloft = name in ALOFT
        dims = [d for d in coords if d != "level" or aloft]
        shape = [len(coords[d]) for d in dims[1:]]
        first = np.random.default_rng(number).uniform(200.0, 300.0, shape)
        values = np.stack([np.roll(first, n, -1) for n in range(times)])
        made[name] = (dims, values.astype("float32"), {"units": UNITS.get(name, "m s-1")})
    return xr.Dataset(made, coords)


ALOFT = {"geopotential", "temperature", "u_component_of_wind", "v_component_of_wind", "specific_humidity"}


class Mover:
    """A double of earth2studio's protocol: it extrapolates in time from its states, then moves by one column.

    With a history of two it says what the mean of the last state and of the one before, moved on, would be: the last
    state itself where the series moves as it thinks, something else where the states come in another order.
    """

    def __init__(self, variables, latitude=LATITUDE[::-1], longitude=LONGITUDE, history=1, diagnostic=()):
        self.variables, self.history, self.diagnostic = list(variables), history, list(diagnostic)
        self.latitude, self.longitude = latitude, longitude
        self.starts = []

    def _coords(self, lead_time, variables):
        pairs = [("batch", np.empty(0)), ("lead_time", lead_time), ("variable", np.array(variables))]
        return OrderedDict([*pairs, ("lat", self.latitude), ("lon", self.longitude)])

    def input_coords(self):
        return self._coords(np.arange(1 - self.history, 1) * STEP, self.variables)

    def output_coords(self, coords):
        return self._coords(coords["lead_time"][-1:] + STEP, [*self.variables, *self.diagnostic])

    def create_iterator(self, x, coords):
        assert list(coords) == ["time", "lead_time", "variable", "lat", "lon"]
        assert tuple(x.shape) == tuple(len(c) for c in coords.values())
        self.starts.append(coords["time"])
        moved = [torch.roll(x[:, n], self.history - 1 - n, -1) for n in range(self.history)]
        state, lead = torch.stack(moved).mean(0), coords["lead_time"][-1:]
        yield state[:, None], coords | {"lead_time": lead}
        while True:
            state, lead = torch.roll(state, 1, -1), lead + STEP
            said = torch.cat([state, state[:, : len(self.diagnostic)] * 0.0], 1)
            names = np.array([*self.variables, *self.diagnostic])
            yield said[:, None], coords | {"lead_time": lead, "variable": names}


class FakeAurora(torch.nn.Module):
    """A double of Aurora's network."""

    def __init__(self, patch_size=4, surf_vars=("2t", "msl"), atmos_vars=("z", "t"), static_vars=("lsm",)):
        super().__init__()
        self.patch_size, self.max_history_size = patch_size, 2
        self.surf_vars, self.atmos_vars, self.static_vars = surf_vars, atmos_vars, static_vars
        self.timestep = pd.Timedelta("6h").to_pytimedelta()
        self.weight = torch.nn.Parameter(torch.ones(3))

    def load_checkpoint_local(self, path):
        self.load_state_dict(torch.load(path, weights_only=True))


def _rollout(model, batch, steps):
    """Move by one column a step from the mean of both states, the first moved on; drop the last row as Aurora does."""
    meta = batch.metadata
    assert bool((meta.lat[1:] < meta.lat[:-1]).all())
    assert batch.static_vars["lsm"].shape == (meta.lat.numel(), meta.lon.numel())
    rows = meta.lat.numel() // model.patch_size * model.patch_size
    for step in range(1, steps + 1):
        both = {}
        for kind in ("surf_vars", "atmos_vars"):
            given = {v: x[..., :rows, :] for v, x in getattr(batch, kind).items()}
            mean = {v: (torch.roll(x[:, 0], 1, -1) + x[:, 1]) / 2 for v, x in given.items()}
            both[kind] = {v: torch.roll(x, step, -1)[:, None] for v, x in mean.items()}
        yield SimpleNamespace(**both, metadata=SimpleNamespace(lat=meta.lat[:rows], lon=meta.lon))


FAKE_AURORA = SimpleNamespace(
    Aurora=FakeAurora, Batch=SimpleNamespace, Metadata=SimpleNamespace, rollout=_rollout, __name__="aurora"
)
