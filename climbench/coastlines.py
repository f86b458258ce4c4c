"""Natural Earth's coastlines, from cartopy's cache or from its server: found quickly, or done without."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

MISSING = "Coastlines not drawn: Natural Earth's 110m coastline is neither cached on this machine nor reachable."
DAMAGED = "Coastlines not drawn: Natural Earth's 110m coastline in cartopy's cache cannot be read; delete {}."


@cache
def coastlines(timeout: float = 4.0) -> tuple[tuple[np.ndarray, ...] | None, str | None]:
    """Return Natural Earth's coastlines if they are at hand, and otherwise a line that says they are not.

    The network is tried once in the life of the process; ``CLIMBENCH_OFFLINE=1`` forbids even that.

    Parameters
    ----------
    timeout : float
        Seconds after which a download is no longer waited for, whatever it is stuck in.

    Returns
    -------
    tuple of ndarray of shape (point, 2) or None
        Longitude and latitude in degrees along each line.
    str or None
        What to tell the reader.
    """
    import cartopy
    import cartopy.io

    downloader = cartopy.io.Downloader.from_config(("shapefiles", "natural_earth"))
    names = {"config": cartopy.config, "resolution": "110m", "category": "physical", "name": "coastline"}
    ready, target = downloader.pre_downloaded_path(names), downloader.target_path(names)
    path = next((p for p in (ready, target) if p is not None and p.exists()), None)
    if path is None and _downloaded(downloader, names, target, timeout):
        path = target
    if path is None:
        return None, MISSING
    try:
        return _lines(path), None
    except Exception:  # whatever is wrong with the file: a map without coastlines is still a map
        return None, DAMAGED.format(path.name)


def _lines(path: Path) -> tuple[np.ndarray, ...]:
    import cartopy.io.shapereader as shapes

    geometries = [shape for shape in shapes.Reader(str(path)).geometries() if shape is not None]
    parts = [part for shape in geometries for part in getattr(shape, "geoms", (shape,))]
    return tuple(np.asarray(part.coords)[:, :2] for part in parts)


def _downloaded(downloader: Any, names: dict[str, Any], target: Path, timeout: float) -> bool:
    """Return whether a download came through in time.

    cartopy sets no timeout, and looking up a host's name knows none: a thread can be left behind wherever it is stuck.
    """
    if os.environ.get("CLIMBENCH_OFFLINE"):
        return False
    done = threading.Event()
    thread = threading.Thread(target=_download, args=(downloader, names, target, done), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        thread.start()
        thread.join(timeout)
    return done.is_set()


def _download(downloader: Any, names: dict[str, Any], target: Path, done: threading.Event) -> None:
    """Download the files beside their place and move them there when whole, the one that is looked for last."""
    with contextlib.suppress(Exception):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            downloader.acquire_resource(Path(folder) / target.name, names)
            for file in sorted(Path(folder).iterdir(), key=lambda f: f.suffix == target.suffix):
                file.replace(target.with_suffix(file.suffix))
            done.set()
