"""Shuffled streaming against reading the same arrays raw with zarr, and its memory on a short store and a long one.

The case: four variables on 64 x 128 cells, samples of two consecutive 6-hourly steps, zarr 3 in chunks of 50 steps and
its default codec. The numbers are noise, which zstd packs by less than a tenth. Both sides give 9,999 windows: the
ratio of times is the inverse of that of windows per second, and 80 % of raw is a ratio of 1.25.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr

pytest.importorskip("torch", reason="streaming needs the extra 'models'")

NAMES = ("u", "v", "t", "z")
CHUNK, SHORT, LONG = 50, 1000, 10_000
BLOCKS = 2**27  # bytes of blocks: twice ten pieces

STREAM = f"""
import sys
from tests.performance.test_streaming import stream
stream(sys.argv[1], memory={2**26})()
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    return {times: write(folder / f"{times}.zarr", times) for times in (SHORT, LONG)}


def write(path, times):
    """Write the store piece by piece, in little memory."""
    group = zarr.create_group(path, zarr_format=3)
    rng = np.random.default_rng(0)
    for name in NAMES:
        dims = ("time", "latitude", "longitude")
        array = group.create_array(
            name, shape=(times, 64, 128), chunks=(CHUNK, 64, 128), dtype="float32", dimension_names=dims
        )
        for start in range(0, times, CHUNK):
            array[start : start + CHUNK] = rng.standard_normal((CHUNK, 64, 128), dtype="float32")
    coords = {
        "time": pd.date_range("1979-01-01", periods=times, freq="6h"),
        "latitude": np.linspace(-88.0, 88.0, 64),
        "longitude": np.arange(128) * 360 / 128,
    }
    xr.Dataset(coords=coords).to_zarr(path, mode="a", zarr_format=3, consolidated=False)
    return path


def stream(path, *, memory=BLOCKS):
    """Return a function that goes through one epoch."""
    from climbench.data.splits import Split
    from climbench.data.streaming import Part, StreamLoader, WindowStream

    data = xr.open_zarr(path, chunks=None, consolidated=False)
    parts = {"inputs": Part(NAMES, (0,)), "targets": Part(NAMES, (1,))}
    loader = StreamLoader(WindowStream(data, parts, Split("noise"), batch_size=32, memory=memory))

    def epoch():
        windows = sum(len(batch["time"]) for batch in loader)
        assert windows == data.sizes["time"] - 1

    return epoch


def raw(path, times):
    """Return a function that reads everything once, so many times at once."""
    group = zarr.open_group(path, mode="r")
    arrays = [group[name] for name in NAMES]

    def read():
        for start in range(0, arrays[0].shape[0], times):
            for array in arrays:
                array[start : start + times]

    return read


@pytest.mark.parametrize("times", [CHUNK, 8 * CHUNK])
def test_time(ratio, stores, times):
    """The second peer reads eight chunks in one call, which zarr decodes side by side: the best it can do."""
    ours, peer = stream(stores[LONG]), raw(stores[LONG], times)
    against = f"reading the arrays raw with zarr, {times} times in a call"
    ratio("streaming 9,999 shuffled windows", ours, against=against, peer=peer, rounds=5)


@pytest.mark.parametrize("times", [SHORT, LONG])
def test_memory(peak_memory, stores, times):
    peak_memory(f"streaming a store of {times} times", STREAM, stores[times], limit_mb=1000)
