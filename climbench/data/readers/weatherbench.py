"""WeatherBench 2's stores: observations, forecasts and climatologies, and what is laid out like them.

Stores differ in the order of dimensions, the direction of latitude and the names of coordinates; forecasts may lack
lead 0, bear their members along ``number``, ``realization`` or ``sample``, and write levels as suffixes. Climatologies
run over ``hour`` and ``dayofyear`` in place of ``time``; beside a variable's mean stand its other statistics, by the
suffixes ``_std``, ``_quantile``, ``_seeps_threshold`` and ``_seeps_dry_fraction``.

Reference: Rasp et al. (2023), arXiv:2308.15560; https://weatherbench2.readthedocs.io.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import xarray as xr

from climbench.data.readers.plain import PlainReader, is_store
from climbench.data.stores import in_own_chunks, open_store

StoreKind = Literal["observations", "forecast", "climatology"]
LEADS = ("prediction_timedelta", "lead_time", "step")
UNMISTAKABLE = {
    *("geopotential", "u_component_of_wind", "v_component_of_wind", "specific_humidity", "vertical_velocity"),
    *("2m_temperature", "mean_sea_level_pressure", "10m_u_component_of_wind", "10m_v_component_of_wind"),
    *("10m_wind_speed", "total_precipitation_6hr", "total_precipitation_12hr", "total_precipitation_24hr"),
}
ELSEWHERE_TOO = {"temperature"}  # a sign of WeatherBench only on levels
STATISTICS = ("_std", "_quantile", "_seeps_threshold", "_seeps_dry_fraction")


def store_kind(data: xr.Dataset) -> StoreKind | None:
    """Return which of WeatherBench's kinds of store a data set is, or None.

    Parameters
    ----------
    data : Dataset
        As opened, or canonical.

    Returns
    -------
    {"observations", "forecast", "climatology"} or None
    """
    if not any(_is_sign(str(name), data) for name in data.data_vars):
        return None
    if {"hour", "dayofyear"} <= set(data.dims):
        return "climatology"
    if any(lead in data.dims for lead in LEADS):
        return "forecast"
    return "observations" if "time" in data.dims else None


def _is_sign(name: str, data: xr.Dataset) -> bool:
    """Return whether a variable is named as only WeatherBench and its kin do."""
    on_levels = "level" in data[name].dims
    base, sign, level = name.rpartition("_")
    if sign and level.isdigit():
        name, on_levels = base, True
    name = next((name.removesuffix(s) for s in STATISTICS if name.endswith(s)), name)
    return name in UNMISTAKABLE or (on_levels and name in ELSEWHERE_TOO)


class WeatherBenchReader(PlainReader):
    """Reads one store in WeatherBench 2's layout.

    In this layout a variable's name implies its unit: stores that state none are read by the data set's own card.
    """

    layout = "weatherbench"
    own_card = "weatherbench2-era5"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether the place is a store with WeatherBench's variables and dimensions."""
        return is_store(place) and store_kind(open_store(place)) is not None

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return the store; static fields stored once per time keep their time, scalars are left out."""
        data = super().raw(part, variables)
        return _with_initial_time(data.drop_vars([str(v) for v in data.data_vars if not data[v].dims]))


def _with_initial_time(data: xr.Dataset) -> xr.Dataset:
    """Return a forecast from one initial time, a coordinate of no dimension, with a dimension for it."""
    single = next((name for name in ("time", "init_time") if name in data.coords and not data[name].dims), None)
    if single is None or not any(lead in data.dims for lead in LEADS):
        return data
    moving = [str(v) for v in data.data_vars if any(lead in data[v].dims for lead in LEADS)]
    grown = in_own_chunks(data[moving]).expand_dims(single)
    return data.drop_vars([*moving, single]).merge(grown)
