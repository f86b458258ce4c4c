"""Opens the stores a forecast is scored with: the forecast, the truth and the climatology, each in canonical form.

A process opens a place once, however many pieces of work are cut from it; a worker elsewhere opens it again by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import xarray as xr

from climbench.cards import find_dataset
from climbench.data import READERS
from climbench.data.layouts import recognise
from climbench.data.readers.plain import PlainReader, is_store
from climbench.data.readers.weatherbench import WeatherBenchReader, store_kind
from climbench.data.stores import is_url, open_store
from climbench.errors import ClimbenchError, DataError

Role = str  # "forecast", "truth" or "climatology"
WANTED = {
    "forecast": ("init_time", "lead_time", "latitude", "longitude"),
    "truth": ("time", "latitude", "longitude"),
    "climatology": ("dayofyear", "latitude", "longitude"),
}
STATIC, INTERFACES = ("latitude", "longitude"), ("interface",)


@dataclass(frozen=True)
class Places:
    """Where the stores are; plain text, so that any process can open them.

    Attributes
    ----------
    forecast, truth : str
        Local paths or URLs.
    climatology : str or None
        Likewise; None where anomalies are not scored.
    dataset : str
        The data set's card, which declares units.
    include : tuple of str
        Further folders with cards.
    """

    forecast: str
    truth: str
    climatology: str | None
    dataset: str
    include: tuple[str, ...] = ()

    def open(self, role: Role) -> xr.Dataset:
        """Return one of the stores, opened once a process."""
        place = getattr(self, role)
        if place is None:
            raise DataError("No climatology was given. Name one with --set climatology=STORE.")
        try:
            return _opened(place, role, self.dataset, self.include)
        except ClimbenchError as error:
            if f"The {role} " in str(error):
                raise
            raise DataError(f"The {role} cannot be opened: {error}") from error


@lru_cache(maxsize=16)
def _opened(place: str, role: Role, dataset: str, include: tuple[str, ...]) -> xr.Dataset:
    return open_weather(place, role, dataset, include)


def forget() -> None:
    """Close what is held open: a store of the same name may be another one by now."""
    _opened.cache_clear()


def open_weather(place: str | Path, role: Role, dataset: str, include: tuple[str, ...] = ()) -> xr.Dataset:
    """Return a store of weather in canonical form and known units, lazily.

    Parameters
    ----------
    place : str or Path
        A file, folder or store: a local path or any fsspec URL.
    role : {"forecast", "truth", "climatology"}
        What it should hold.
    dataset : str
        The data set's card, which declares units where a store states none.
    include : tuple of str
        Further folders with cards.

    Returns
    -------
    Dataset
        A forecast of dimensions ([member,] init_time, lead_time, [level,] latitude, longitude), a truth ([member,]
        time, ...), or a climatology ([hour,] dayofyear, ...); variables without these dimensions are left out, but for
        a truth's maps of what does not change and coefficients of its interfaces.

    Raises
    ------
    DataError
        If there is nothing at the place, it cannot be read, or has nothing with the dimensions of its role.
    """
    card = find_dataset(dataset, [Path(folder) for folder in include])
    if is_url(place) or is_store(place):
        kind = store_kind(open_store(place))
        reader = (WeatherBenchReader if kind is not None else PlainReader)(place, card)
        part = str(place).rstrip("/").rpartition("/")[2]
    else:
        reader, part = READERS.load(recognise(place))(place, card), None
    data = reader.open(part, look=False) if not is_url(place) else _from_url(reader, part)
    return _of_role(data, role, str(place))


def _from_url(reader: PlainReader, part: str | None) -> xr.Dataset:
    return reader.open(part if part in reader.parts() else reader.parts()[0], look=False)


def _of_role(data: xr.Dataset, role: Role, place: str) -> xr.Dataset:
    wanted = WANTED[role]
    if role == "truth" and "init_time" in data.dims:
        raise DataError(f"The truth {place} is a forecast: it has initial times and lead times. Name observations.")
    kept = [str(v) for v in data.data_vars if set(wanted) <= set(data[v].dims)]
    if not kept:
        found = "; ".join(f"{v} ({', '.join(map(str, data[v].dims))})" for v in list(data.data_vars)[:4])
        raise DataError(
            f"The {role} {place} has no variable of dimensions ({', '.join(wanted)}). Found: {found or 'nothing'}. "
            "A forecast has initial times (time or init_time) and lead times (prediction_timedelta, lead_time or step)."
        )
    allowed = {*wanted, "member", "level", "hour", "quantile"}
    for name in kept:
        strange = [str(d) for d in data[name].dims if d not in allowed]
        if strange:
            raise DataError(f"The {role} {place}: {name} has a further dimension '{strange[0]}'. Select one of it.")
    maps = [str(v) for v in data.data_vars if data[v].dims in (STATIC, INTERFACES)] if role == "truth" else []
    return data[kept + maps]
