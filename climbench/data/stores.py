"""Opens files and stores, near and far, lazily: netCDF, GRIB and zarr (2 and 3) by local path or fsspec URL.

Remote stores are read without credentials unless some are given, with patience: a server's error, a time-out or a cut
connection is waited for and tried again. A chunk that is not there is an error that names it, not silent fill values.
"""

from __future__ import annotations

import importlib.util
import json
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import xarray as xr
import zarr
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore

from climbench.data.checked_store import PIPELINE, CheckedStore, EmptyChunks
from climbench.data.classic_netcdf import expected_size
from climbench.data.netcdf_lock import NETCDF_LOCK
from climbench.errors import ClimbenchError, DataError, MissingExtraError
from climbench.records import cache_home

Chunks = Literal["auto"] | dict[str, int] | None

ANONYMOUS: dict[str, dict[str, Any]] = {"gs": {"token": "anon"}, "gcs": {"token": "anon"}, "s3": {"anon": True}}
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each further try
TIMEOUT = 60.0  # seconds without an answer
_PIPELINE_LOCK = threading.Lock()  # zarr's settings are the process's: two threads would leave one another's behind
GRIB = (".grib", ".grib2", ".grb", ".grb2")


def is_url(place: str | Path) -> bool:
    """Return whether a place is named by a URL, not a local path."""
    return "://" in str(place) and not isinstance(place, Path)


def open_store(
    place: str | Path,
    *,
    chunks: Chunks = None,
    empty_chunks: EmptyChunks = "error",
    storage_options: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Open a file or store lazily, without running anything it brings.

    Parameters
    ----------
    place : str or Path
        A netCDF file, GRIB file or zarr store: a local path or any fsspec URL.
    chunks : None, "auto" or mapping of str to int
        None reads without dask; ``{}`` keeps a zarr store's own chunks.
    empty_chunks : {"error", "fill"}
        Whether a missing chunk of a zarr store is an error, or equals the fill value.
    storage_options : mapping, optional
        Passed to fsspec; anonymous access without.

    Returns
    -------
    Dataset
        ``encoding["climbench_notes"]`` has what the decoding had to say.

    Raises
    ------
    DataError
        If there is nothing at the place, or it is damaged or of another format.
    MissingExtraError
        If reading it needs a package that is not installed.
    """
    name = str(place)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data = _open(place, chunks, empty_chunks, storage_options)
    except ClimbenchError:
        raise
    except ImportError as error:
        raise MissingExtraError(f"'{name}'", "cloud") from error
    except Exception as error:  # a damaged file trips its library in any way
        raise DataError(
            f"The {_what(place)} {name} cannot be opened; it may be cut short or damaged: {_first_line(error)}"
        ) from error
    notes = dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, xr.SerializationWarning))
    data.encoding["climbench_notes"] = list(notes)
    return data


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0]


def _what(place: str | Path) -> str:
    if is_url(place):
        return "store"
    return "zarr store" if Path(place).is_dir() else f"netCDF file ({Path(place).stat().st_size} bytes)"


def _open(
    place: str | Path, chunks: Chunks, empty_chunks: EmptyChunks, storage_options: Mapping[str, Any] | None
) -> xr.Dataset:
    if is_url(place):
        name = str(place)
        if Path(name).suffix in (".nc", ".nc4", *GRIB):
            return _open_file(_cached(name, storage_options), chunks)
        store = FsspecStore.from_url(name, storage_options=_options(name, storage_options), read_only=True)
        return _open_zarr(store, name, chunks, empty_chunks, PAUSES)
    path = Path(place)
    if not path.exists():
        raise DataError(f"There is no file or store {path}.")
    if path.is_dir():
        return _open_zarr(LocalStore(path, read_only=True), str(path), chunks, empty_chunks, ())
    return _open_file(path, chunks)


def _options(url: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return fsspec's options for a URL: anonymous unless told otherwise, and no waiting for ever."""
    scheme = url.partition("://")[0]
    options = {**ANONYMOUS.get(scheme, {}), **(given or {})}
    if scheme in ("http", "https"):
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=TIMEOUT)
        options.setdefault("client_kwargs", {})["timeout"] = timeout
    return options


def _cached(url: str, given: Mapping[str, Any] | None) -> Path:
    """Download a file once into the cache and return its path."""
    import fsspec

    scheme = url.partition("://")[0]
    folder = str(cache_home() / "remote")
    options = {scheme: {**ANONYMOUS.get(scheme, {}), **(given or {})}, "filecache": {"cache_storage": folder}}
    return Path(fsspec.open_local(f"filecache::{url}", **options))


def _open_zarr(
    store: Store, name: str, chunks: Chunks, empty_chunks: EmptyChunks, pauses: tuple[float, ...]
) -> xr.Dataset:
    checked = CheckedStore(store, name, empty_chunks, pauses)
    consolidated = False
    if isinstance(store, FsspecStore):  # a server may not be able to list what it has
        consolidated = _has_consolidated(store)
    with _PIPELINE_LOCK, zarr.config.set({"codec_pipeline.path": PIPELINE}):
        data = xr.open_zarr(checked, chunks=chunks, consolidated=consolidated, decode_times=_times())
    if not data.variables:
        raise DataError(
            f"{name} has no arrays that can be found. A store on a server that cannot list its files needs "
            "consolidated metadata (.zmetadata)."
        )
    data.encoding["climbench_store"] = checked
    for coordinate in data.coords:  # one that equals the fill value throughout has no chunk
        if data[coordinate].ndim < 2:
            data.variables[coordinate].load()
    checked.ledger.strict = True
    return data


def _has_consolidated(store: FsspecStore) -> bool:
    """Return whether a remote store has consolidated metadata, in the form of either zarr version."""
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    async def look() -> bool:
        patient = CheckedStore(store, str(store), pauses=PAUSES)
        if await patient.get(".zmetadata", default_buffer_prototype()) is not None:
            return True
        root = await patient.get("zarr.json", default_buffer_prototype())
        return root is not None and bool(json.loads(root.to_bytes()).get("consolidated_metadata"))

    return bool(sync(look()))


def _times() -> xr.coders.CFDatetimeCoder:
    """Return the decoder of time: microseconds reach from year 1 of a control run to any future."""
    return xr.coders.CFDatetimeCoder(use_cftime=None, time_unit="us")


def _open_file(path: Path, chunks: Chunks) -> xr.Dataset:
    if path.suffix in GRIB:
        if importlib.util.find_spec("cfgrib") is None:
            raise MissingExtraError(f"The GRIB file {path}", "grib")
        return xr.open_dataset(path, engine="cfgrib", chunks=chunks, backend_kwargs={"indexpath": ""})
    _refuse_short_classic(path)
    with NETCDF_LOCK:
        return xr.open_dataset(path, chunks=chunks, decode_times=_times(), lock=NETCDF_LOCK)


def _refuse_short_classic(path: Path) -> None:
    """Raise `ValueError` where a classic netCDF file ends before its values do: netCDF would read them as zeros."""
    size, needed = path.stat().st_size, expected_size(path)
    if needed is not None and size < needed:
        raise ValueError(f"its values end early, its header announces {needed} bytes")


def remote_store(url: str, storage_options: Mapping[str, Any] | None = None) -> CheckedStore:
    """Return what lies under a URL as a store that asks its server again where it fails; anonymous by default."""
    store = FsspecStore.from_url(url, storage_options=_options(url, storage_options), read_only=True)
    return CheckedStore(store, url, pauses=PAUSES)


def filled_chunks(data: xr.Dataset) -> int:
    """Return how many missing chunks of a store have been read as fill values so far."""
    store = data.encoding.get("climbench_store")
    return len(store.ledger.filled) if isinstance(store, CheckedStore) else 0


def in_own_chunks(data: xr.Dataset, renamed: Mapping[str, str] | None = None) -> xr.Dataset:
    """Return variables as dask arrays in the chunks that their store has them in.

    Parameters
    ----------
    data : Dataset
        Lazily opened; what is a dask array stays as it is.
    renamed : mapping of str to str, optional
        What dimensions are called now, by the names the store has for them.

    Returns
    -------
    Dataset
    """
    chunked = {}
    for name in map(str, data.data_vars):
        array = data[name]
        stored = array.encoding.get("preferred_chunks", {})
        own = {(renamed or {}).get(d, d): size for d, size in stored.items()}
        if array.chunks is None:
            chunked[name] = array.chunk({d: size for d, size in own.items() if d in array.dims} or "auto")
    return data.assign(chunked)
