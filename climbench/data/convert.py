"""Writes any data set as one zarr 3 store with sharding: in slabs of time, resumable, and named when it is whole."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dask.config
import numpy as np
import xarray as xr
import zarr

from climbench.errors import DataError
from climbench.run_directory import locked, write_text, writing

Progress = Callable[[str, int, int], None]
CHUNK_BYTES = 4_000_000
SHARD_BYTES = 128_000_000
TIMES = ("time", "init_time")
DONE = "done.json"


def _silent(name: str, done: int, total: int) -> None:
    """Show nothing."""


def convert(
    data: xr.Dataset,
    out: Path,
    *,
    identity: str,
    chunks: Mapping[str, int] | None = None,
    shards: Mapping[str, int] | None = None,
    progress: Progress = _silent,
) -> Path:
    """Write a data set as a zarr 3 store, slab by slab.

    Parameters
    ----------
    data : Dataset
        Lazily opened; canonical or not.
    out : Path
        The store to make. Work goes on in ``{out}.partial`` until it is whole.
    identity : str
        A fingerprint of what is converted: leavings of an interrupted conversion with the same one are gone on from.
    chunks, shards : mapping of str to int, optional
        Sizes by dimension. Without, chunks hold whole maps and about 4 MB, and shards about 128 MB.
    progress : callable
        Called with the store's name, bytes written and bytes in all.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    DataError
        If `out` exists and is another store, another conversion is at work there, or a slab cannot be read.
    RunError
        If the folder cannot be written to.
    """
    if _is_whole(out, identity):
        return out
    partial = out.with_name(out.name + ".partial")
    with writing(out):
        partial.mkdir(parents=True, exist_ok=True)
    with locked(partial / ".lock", wait=False) as ours:
        if not ours:
            raise DataError(f"Another conversion into {out} is at work. Wait for it, or name another store.")
        with writing(out):
            _write(_plain(data), partial, identity, _layout(data, chunks or {}, shards or {}), out.name, progress)
            (partial / "store").rename(out)
    shutil.rmtree(partial, ignore_errors=True)
    return out


def _is_whole(out: Path, identity: str) -> bool:
    if not out.exists():
        return False
    try:
        found = zarr.open_group(out, mode="r").attrs.get("climbench_conversion")
    except Exception:  # anything that is no store of ours
        found = None
    if found != identity:
        raise DataError(f"{out} exists already and is not what this conversion makes. Name another, or remove it.")
    return True


def _plain(data: xr.Dataset) -> xr.Dataset:
    """Return the data without the encodings of the files it came from, and with plain attributes."""
    plain = data.drop_encoding()
    plain.attrs = {k: v for k, v in data.attrs.items() if isinstance(v, str | int | float | list | tuple)}
    return plain


def _layout(
    data: xr.Dataset, chunks: Mapping[str, int], shards: Mapping[str, int]
) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return chunk and shard shapes by variable: shards are whole numbers of chunks."""
    layout = {}
    for name in map(str, data.data_vars):
        array = data[name]
        if not array.dims or not array.size:
            continue
        chunk = {str(d): min(chunks.get(str(d), array.sizes[d]), array.sizes[d]) for d in array.dims}
        along = next((d for d in TIMES if d in chunk), None)
        if along and along not in chunks:
            chunk[along] = _fitting(array, chunk, along, CHUNK_BYTES)
        shard = {d: -(-min(shards.get(d, array.sizes[d]), array.sizes[d]) // n) * n for d, n in chunk.items()}
        if along and along not in shards:
            times = _fitting(array, shard, along, SHARD_BYTES)
            shard[along] = max(times // chunk[along], 1) * chunk[along]
        layout[name] = {"chunks": tuple(chunk.values()), "shards": tuple(shard.values())}
    return layout


def _fitting(array: xr.DataArray, shape: Mapping[str, int], along: str, limit: int) -> int:
    """Return how many times fit into a number of bytes, at least one."""
    one = array.dtype.itemsize * int(np.prod([n for d, n in shape.items() if d != along]))
    return int(max(1, min(array.sizes[along], limit // max(one, 1))))


def _write(
    data: xr.Dataset,
    partial: Path,
    identity: str,
    layout: dict[str, dict[str, tuple[int, ...]]],
    name: str,
    progress: Progress,
) -> None:
    along = next((d for d in TIMES if d in data.dims), None)
    steps = _slab_length(data, layout, along)
    store, done = partial / "store", _finished_slabs(partial, identity)
    if not done:
        shutil.rmtree(store, ignore_errors=True)
        _lay_out(data, store, identity, layout, along)
        write_text(partial / DONE, json.dumps({"identity": identity, "done": [0]}))
        done = {0}
    if along is None:
        progress(name, data.nbytes, data.nbytes)
        return
    starts = range(0, data.sizes[along], steps)
    slabs = {n: slice(start, min(start + steps, data.sizes[along])) for n, start in enumerate(starts, 1)}
    for number in _as_written({n: part for n, part in slabs.items() if n not in done}, data, store, along):
        done.add(number)
        write_text(partial / DONE, json.dumps({"identity": identity, "done": sorted(done)}))
        progress(name, data.nbytes * (len(done) - 1) // len(slabs), data.nbytes)
    progress(name, data.nbytes, data.nbytes)


def _as_written(slabs: Mapping[int, slice], data: xr.Dataset, store: Path, along: str) -> Iterator[int]:
    """Write slabs, on the dask cluster that is at work if there is one, and give each one's number when it stands."""
    import distributed

    try:
        client = distributed.default_client()
    except ValueError:
        for number, part in slabs.items():
            _write_slab(data, store, along, part)
            yield number
        return
    futures = {
        client.submit(_write_slab, data, store, along, part, retries=2, pure=False): number
        for number, part in slabs.items()
    }
    for future in distributed.as_completed(futures):
        future.result()
        yield futures[future]


def _slab_length(data: xr.Dataset, layout: dict[str, dict[str, tuple[int, ...]]], along: str | None) -> int:
    """Return a number of times that is a whole number of every variable's shards, so that no shard is written twice."""
    lengths = [shapes["shards"][data[n].dims.index(along)] for n, shapes in layout.items() if along in data[n].dims]
    return int(np.lcm.reduce(lengths)) if lengths else 1


def _finished_slabs(partial: Path, identity: str) -> set[int]:
    try:
        content = json.loads((partial / DONE).read_text())
        return set(content["done"]) if content["identity"] == identity else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _lay_out(
    data: xr.Dataset, store: Path, identity: str, layout: dict[str, dict[str, Any]], along: str | None
) -> None:
    """Write metadata, coordinates and what has no time; what has time follows in slabs."""
    timed = [str(v) for v in data.data_vars if along in data[v].dims]
    template = data.chunk(-1) if timed else data  # whole: chunks of the source may cut across those of the store
    with zarr.config.set({"array.write_empty_chunks": True}), _quiet():
        template.assign_attrs(climbench_conversion=identity).to_zarr(
            store, mode="w", zarr_format=3, consolidated=True, encoding=layout, compute=False
        )
        fixed = data.drop_vars(timed)
        if along is None or fixed.data_vars:
            whole = fixed.drop_vars([c for c in fixed.coords if c in fixed.dims])
            whole.load().to_zarr(store, mode="r+", zarr_format=3, consolidated=False)


def _write_slab(data: xr.Dataset, store: Path, along: str, part: slice) -> None:
    timed = [str(v) for v in data.data_vars if along in data[v].dims]
    slab = data[timed].isel({along: part})
    with dask.config.set(scheduler="threads"):  # on a worker of a cluster, its own threads
        slab = slab.drop_vars([str(c) for c in slab.coords]).load()
    with zarr.config.set({"array.write_empty_chunks": True}), _quiet():
        slab.to_zarr(store, region={along: part}, zarr_format=3, consolidated=False)


def _quiet() -> warnings.catch_warnings[None]:
    """Return a context without zarr's word that consolidated metadata is not yet part of its third version."""
    return warnings.catch_warnings(action="ignore", category=zarr.errors.ZarrUserWarning)
