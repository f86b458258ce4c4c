"""What a forecaster is fed and asked: the training period, and states at initial times from which it forecasts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from climbench.cards import ForecastCard
from climbench.data.splits import Split
from climbench.errors import ModelError, PredictionError
from climbench.task_cards import Period
from climbench.tasks.forecast.matching import task_inits
from climbench.tasks.forecast.stores import INTERFACES
from climbench.tasks.forecast.targets import Target, resolve

SPACE = ("latitude", "longitude")
BLOCK_BYTES = 64 * 2**20
WEATHERBENCH = {"init_time": "time", "lead_time": "prediction_timedelta", "member": "number"}
Told = Callable[[int, int], None]


def handshake(forecaster: Any, name: str) -> None:
    """Raise `ModelError` where a model cannot forecast."""
    missing = [method for method in ("fit", "predict") if not callable(getattr(forecaster, method, None))]
    if missing:
        raise ModelError(
            f"'{name}' is no forecaster: it has no method {' nor '.join(missing)} (climbench.models.base)."
        )


def state_of(card: ForecastCard, truth: xr.Dataset) -> xr.Dataset:
    """Return the variables and levels that a task's targets are made from, as a truth has them.

    All variables have the levels of all targets: with others than their neighbours they would be filled with NaN.
    """
    targets = resolve(card.targets, truth, truth, card.name)
    state = truth[_components(targets)]
    levels = {target.level for target in targets if any("level" in truth[c].dims for c in target.components)}
    return state if "level" not in state.dims or None in levels else state.sel(level=sorted(levels))


def _components(targets: list[Target]) -> list[str]:
    return list(dict.fromkeys(c for target in targets for c in target.components))


def fed(card: ForecastCard, truth: xr.Dataset, forecaster: Any) -> xr.Dataset:
    """Return what a model is fed: the states, and the task's static variables where it asks for them."""
    return state_of(card, truth).assign(static_of(card, truth, forecaster).data_vars)


def static_of(card: ForecastCard, truth: xr.Dataset, forecaster: Any) -> xr.Dataset:
    """Return the task's static variables, of shape (latitude, longitude), where a model asks for them; none otherwise.

    Raises
    ------
    PredictionError
        If the truth lacks one.
    """
    if not getattr(forecaster, "static", False):
        return xr.Dataset()
    for name in card.static:
        if name not in truth or truth[name].dims != SPACE:
            there = [str(v) for v in truth.data_vars if truth[v].dims == SPACE]
            raise PredictionError(
                f"The truth has no map '{name}' of dimensions {SPACE}, which models of '{card.name}' are given beside "
                f"the states. It has: {', '.join(there) or 'none'}. Choose some, or none, with --set 'static=[...]'."
            )
    return truth[list(card.static)]


def vertical_of(truth: xr.Dataset) -> xr.Dataset:
    """Return what says where layers lie (hybrid coefficients along ``interface``); nothing where a truth has levels.

    Forecasts in layers go by those of the truth, and without them would be taken for forecasts on levels of pressure.
    """
    return truth[[str(v) for v in truth.data_vars if truth[v].dims == INTERFACES]]


def training(
    card: ForecastCard, truth: xr.Dataset, forecaster: Any = None
) -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset] | None]:
    """Return what a model may be fitted to and what it may choose its settings on, lazily.

    Parameters
    ----------
    card : ForecastCard
        Says which periods.
    truth : Dataset of shape (time, [level,] latitude, longitude)
        Canonical.
    forecaster : Forecaster, optional
        Says by ``static`` whether it is given static variables, too.

    Returns
    -------
    dict of str to Dataset
        The training period.
    dict of str to Dataset, or None
        The validation period.

    Raises
    ------
    DataError
        If a period is not in the truth, or overlaps the test.
    """
    state = fed(card, truth, forecaster)
    train = _period(card, state, card.train)
    return {"train": train}, {"validation": _period(card, state, card.validation)} if card.validation else None


def _period(card: ForecastCard, state: xr.Dataset, period: Period) -> xr.Dataset:
    split = Split(card.dataset, (period,))
    if split.overlap(Split(card.dataset, (card.test.period,))):
        raise PredictionError(f"The period {period[0]} to {period[1]} overlaps the test; choose another.")
    split.require([state["time"]])
    return state.isel(time=split.positions(state["time"]))


def leads_of(card: ForecastCard) -> np.ndarray:
    """Return the lead times that a forecaster is asked for, of a task: all after the initial time."""
    hours = np.asarray(card.leads.hours())
    return np.round(hours[hours > 0.0] * 3600).astype("timedelta64[s]").astype("timedelta64[ns]")


def forecast_into(
    store: Path,
    forecaster: Any,
    card: ForecastCard,
    truth: xr.Dataset,
    *,
    seed: int,
    attributes: Mapping[str, str],
    told: Told,
) -> None:
    """Let a model forecast from every initial time of a task, and write what it says in WeatherBench's layout.

    Parameters
    ----------
    store : Path
        The zarr store; written under a temporary name and renamed when whole.
    forecaster : Forecaster
        Fitted.
    card : ForecastCard
        The task.
    truth : Dataset
        Canonical; the states forecasts start from.
    seed : int
        The seed of everything random.
    attributes : mapping of str to str
        For the store.
    told : callable
        Called with initial times done and in all.

    Raises
    ------
    PredictionError
        If a forecast does not answer the task.
    """
    state, given = state_of(card, truth), fed(card, truth, forecaster)
    leads = leads_of(card)
    lags = history_of(forecaster)
    inits = startable(card, state["time"].values, lags)
    members = card.members if getattr(forecaster, "ensemble", False) else 1
    one = sum(v.nbytes for v in state.isel(time=[0]).data_vars.values()) * leads.size * members
    step = max(1, BLOCK_BYTES // max(1, one))
    temporary = store.with_name(f".{store.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    for start in range(0, inits.size, step):
        block = inits[start : start + step]
        said = forecaster.predict(states_at(given, block, lags), leads=leads, members=members, seed=seed + start)
        said = _checked(said, state, block, leads, str(attributes.get("model", "the model")))
        if start == 0:
            _template(temporary, said.assign(vertical_of(truth).data_vars), inits, attributes)
        region = {"time": slice(start, start + block.size)}
        _laid_out(said).drop_vars([c for c in _laid_out(said).coords if c != "time"]).to_zarr(
            temporary, region=region, consolidated=False
        )
        told(start + block.size, inits.size)
    shutil.rmtree(store, ignore_errors=True)
    temporary.rename(store)


def history_of(forecaster: Any) -> int:
    """Return how many states a model starts from."""
    return max(1, int(getattr(forecaster, "history", 1)))


def startable(card: ForecastCard, times: np.ndarray, history: int) -> np.ndarray:
    """Return the initial times of a task from which a truth has all states that a model starts from.

    Raises
    ------
    PredictionError
        If there are none.
    """
    known = times.astype("datetime64[s]")
    asked = task_inits(card)
    there = np.isin(asked, known)
    for lag in lags_of(known, history)[:-1]:
        there &= np.isin(asked + lag, known)
    if not there.any():
        raise PredictionError(
            f"The truth has no state at any initial time of the task ({asked.min()} to {asked.max()}); it has "
            f"{known.min()} to {known.max()}."
        )
    return asked[there]


def lags_of(times: np.ndarray, history: int) -> np.ndarray:
    """Return the times of the states that a forecast starts from, relative to its initial time; 0 is last."""
    step = np.diff(np.sort(times)).min() if times.size > 1 else np.timedelta64(0, "s")
    return np.arange(1 - history, 1) * step.astype("timedelta64[s]")


def states_at(state: xr.Dataset, inits: np.ndarray, history: int) -> xr.Dataset:
    """Return states at initial times, in memory.

    Parameters
    ----------
    state : Dataset of shape (time, [level,] latitude, longitude)
        Canonical.
    inits : ndarray of datetime64
        Initial times.
    history : int
        How many states up to each.

    Returns
    -------
    Dataset of shape (init_time, history, [level,] latitude, longitude)
        Along ``history`` stand lags, 0 last.
    """
    known = state["time"].values.astype("datetime64[s]")
    order = np.argsort(known)
    lags = lags_of(known, history)
    positions = order[np.searchsorted(known[order], inits[:, None] + lags[None, :])]
    unique, inverse = np.unique(positions, return_inverse=True)
    loaded = state.isel(time=unique).load()
    index = xr.DataArray(inverse.reshape(positions.shape), dims=("init_time", "history"))
    picked = loaded.isel(time=index).drop_vars("time")
    return picked.assign_coords(init_time=inits, history=lags.astype("timedelta64[ns]"))


def _checked(said: Any, state: xr.Dataset, inits: np.ndarray, leads: np.ndarray, name: str) -> xr.Dataset:
    """Return a forecast with its dimensions in order, if it answers what was asked."""
    if not isinstance(said, xr.Dataset):
        raise PredictionError(f"'{name}' gave {type(said).__name__}, not an xarray Dataset.")
    arrays = {}
    for variable in map(str, state.data_vars):
        if variable not in said:
            raise PredictionError(f"'{name}' does not forecast '{variable}'.")
        array, own = said[variable], state[variable]
        rest = tuple(d for d in own.dims if d != "time")
        dims = ("init_time", "lead_time", *(("member",) if "member" in array.dims else ()), *rest)
        if set(array.dims) != set(dims):
            raise PredictionError(f"'{name}' gives {variable} of dimensions {array.dims}; wanted are {dims}.")
        sizes = {"init_time": inits.size, "lead_time": leads.size, **{d: own.sizes[d] for d in rest}}
        wrong = [f"{d} {array.sizes[d]} for {n}" for d, n in sizes.items() if array.sizes[d] != n]
        if wrong:
            raise PredictionError(f"'{name}' gives {variable} of another size: {', '.join(wrong)}.")
        arrays[variable] = array.transpose(*dims).astype("float32").assign_attrs(own.attrs)
    coordinates: dict[str, Any] = {"init_time": inits.astype("datetime64[ns]"), "lead_time": leads}
    coordinates |= {d: state[d] for d in ("level", "latitude", "longitude") if d in state.coords}
    return xr.Dataset({v: a.variable for v, a in arrays.items()}, coords=coordinates)


def _laid_out(said: xr.Dataset) -> xr.Dataset:
    return said.rename({old: new for old, new in WEATHERBENCH.items() if old in said.dims})


def _template(path: Path, said: xr.Dataset, inits: np.ndarray, attributes: Mapping[str, str]) -> None:
    """Write a store's metadata and coordinates for all initial times."""
    import dask.array as da

    block = _laid_out(said)
    arrays = {}
    for name, array in block.data_vars.items():
        if "time" not in array.dims:
            arrays[name] = array
            continue
        shape = (inits.size, *array.shape[1:])
        empty = da.zeros(shape, dtype=array.dtype, chunks=(1, *array.shape[1:]))
        arrays[name] = xr.DataArray(empty, dims=array.dims, attrs=array.attrs)
    coordinates = {c: block[c] for c in block.coords if c != "time"}
    whole = xr.Dataset(arrays, coords={"time": inits.astype("datetime64[ns]"), **coordinates}, attrs=dict(attributes))
    whole = whole.drop_encoding()  # a truth's coordinates bring codecs of its own version of zarr
    with zarr.config.set({"array.write_empty_chunks": True}):
        whole.to_zarr(path, compute=False, zarr_format=3, consolidated=False)
