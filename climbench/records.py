"""What a run leaves behind: fingerprints of what went in, provenance, and the result read from it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from climbench.errors import RunError
from climbench.run_directory import RunDirectory, write_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

WORLD_ATTRIBUTE = "climbench_world"
ZERO_ATTRIBUTE = "climbench_zero_by_design"
COLUMNS = ("model", "variable", "metric", "region", "lead_time", "value", "floor", "low", "high", "units")


def cache_home() -> Path:
    """Return the folder for things that can be made again: ``CLIMBENCH_CACHE``, or the platform's cache folder."""
    import platformdirs

    return Path(os.environ.get("CLIMBENCH_CACHE") or platformdirs.user_cache_dir("climbench"))


def data_home() -> Path:
    """Return the folder of downloaded data: ``CLIMBENCH_DATA``, or the platform's data folder."""
    import platformdirs

    return Path(os.environ.get("CLIMBENCH_DATA") or platformdirs.user_data_dir("climbench"))


def fingerprint(content: object) -> str:
    """Return the SHA-256 of plain content (mappings, lists, strings, numbers) in canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def fingerprint_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of arrays, however they lie in memory.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        By name; their order does not matter.

    Returns
    -------
    str
        Hexadecimal.

    Raises
    ------
    TypeError
        If an array holds Python objects: their bytes are where they lie in memory.
    """
    digest = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        if values.dtype.hasobject:
            raise TypeError(f"'{name}' holds Python objects, which have no bytes of their own.")
        digest.update(json.dumps([name, values.dtype.str, values.shape]).encode() + b"\n")
        digest.update(values.tobytes())
    return digest.hexdigest()


def fingerprint_code() -> str:
    """Return the SHA-256 over the sources of this package: results of other code are not taken for ours."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + path.read_bytes())
    return digest.hexdigest()


def fingerprint_files(paths: Sequence[Path]) -> str:
    """Return the SHA-256 over names and contents of files and stores, wherever they stand.

    Digests are remembered by path, size and time of change, so that unchanged files are not read twice.

    Parameters
    ----------
    paths : sequence of Path
        Files, or folders that are stores.

    Returns
    -------
    str
        Hexadecimal.
    """
    memory_file = cache_home() / "fingerprints.json"
    try:
        memory = dict(json.loads(memory_file.read_text()))
    except (OSError, TypeError, ValueError):
        memory = {}
    known = len(memory)
    digest = hashlib.sha256()
    for path in sorted(set(paths), key=lambda p: (p.name, str(p))):
        for file in sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]:
            name = path.name if file == path else f"{path.name}/{file.relative_to(path)}"
            digest.update(f"{name}:{_file_digest(file, memory)}\n".encode())
    if len(memory) > known:
        with contextlib.suppress(OSError):
            write_text(memory_file, json.dumps(memory))
    return digest.hexdigest()


def _file_digest(path: Path, memory: dict[str, str]) -> str:
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    if key not in memory:
        with path.open("rb") as file:
            memory[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return memory[key]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers depend on."""
    names = ("climbench", "numpy", "xarray", "dask", "zarr", "netCDF4", "scipy", "torch")
    found = {"python": platform.python_version()}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def hardware() -> dict[str, str | int]:
    """Return the machine in a few words: processor, cores this process may use, system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"machine": platform.machine(), "cores": cores, "system": platform.system()}


def peak_memory_mb() -> float:
    """Return the most memory this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage there starts from the peak of the process that launched this one
        peak = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "")
        if peak:
            return int(peak.split()[1]) / 1024.0
    import resource

    unit = 1024.0**2 if sys.platform == "darwin" else 1024.0  # macOS counts bytes, others kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


class Predictions(Mapping[str, "xr.Dataset"]):
    """The predictions of a run by model, each opened when it is asked for.

    Parameters
    ----------
    folder : Path or None
        Where the stores are; None where nothing was written.
    models : sequence of str
        The models that have one.
    """

    def __init__(self, folder: Path | None, models: Sequence[str]) -> None:
        self.folder, self.models = folder, list(models)

    def __getitem__(self, model: str) -> xr.Dataset:
        """Return the prediction of a model as an xarray Dataset, read lazily."""
        import xarray as xr

        if self.folder is None or model not in self.models:
            raise KeyError(model)
        return xr.open_zarr(self.folder / f"{model}.zarr", consolidated=False)

    def __iter__(self) -> Iterator[str]:
        """Return the models that have predictions."""
        return iter(self.models)

    def __len__(self) -> int:
        """Return the number of models that have predictions."""
        return len(self.models)


@dataclass(frozen=True)
class Data:
    """The data a result was made on.

    Attributes
    ----------
    name : str
        The data set.
    kind : {"real", "simulated"}
        Simulated where the data carries a world's mark.
    fingerprint : str
        SHA-256 over the files used.
    world : mapping
        The world's mark: its name, version, seed and members; empty for real data.
    """

    name: str
    kind: Literal["real", "simulated"]
    fingerprint: str
    world: Mapping[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, str]:
        """Return name, kind and fingerprint."""
        return {"name": self.name, "kind": self.kind, "fingerprint": self.fingerprint}


@dataclass(frozen=True)
class Result:
    """What a run or a scoring gave.

    Attributes
    ----------
    task : str
        The task's name.
    data : Data
        What it was made on.
    modified : bool
        Whether settings differ from the task's card.
    rows : list of dict
        The score table, row by row.
    run_dir : Path or None
        Where it was written; None where nothing was.
    notes : list of str
        What was done to the data, and why values are null.
    predictions : mapping of str to Dataset
        By model.
    impossible : mapping of str to mapping of str to list of str
        By model and score of physics that could not be had, what was missing.
    """

    task: str
    data: Data
    modified: bool
    rows: list[dict[str, Any]]
    run_dir: Path | None
    notes: list[str]
    predictions: Predictions
    impossible: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @property
    def scores(self) -> pd.DataFrame:
        """The score table as a pandas DataFrame; missing numbers are NaN."""
        return score_table(self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain content: numbers are numbers, not-a-number is None."""
        return {
            "task": self.task,
            "data": self.data.summary(),
            "modified": self.modified,
            "run_dir": None if self.run_dir is None else str(self.run_dir),
            "scores": self.rows,
            "notes": self.notes,
            "physics": physics_section(self.impossible),
        }


def physics_section(impossible: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, Any]:
    """Return what a record says of physics: by model, the scores that could not be had, with what was missing."""
    named = {model: {name: list(what) for name, what in scores.items()} for model, scores in impossible.items()}
    return {"impossible": {model: scores for model, scores in named.items() if scores}}


def score_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of scores as a DataFrame with the contract's columns, numbers as float64."""
    import pandas as pd

    table = pd.DataFrame([{c: row[c] for c in COLUMNS} for row in rows], columns=list(COLUMNS))
    return table.astype(dict.fromkeys(("lead_time", "value", "floor", "low", "high"), "float64"))


def read_result(run_dir: Path) -> Result:
    """Return the result of a finished run from its folder.

    Parameters
    ----------
    run_dir : Path
        A finished run's folder.

    Returns
    -------
    Result

    Raises
    ------
    RunError
        If the folder holds no finished run.
    """
    import pyarrow.parquet as pq

    record = RunDirectory(run_dir).record()
    if record is None:
        raise RunError(f"There is no run in {run_dir}.")
    rows = pq.read_table(run_dir / "scores.parquet").to_pylist()
    rows = [{c: None if row[c] != row[c] else row[c] for c in COLUMNS} for row in rows]
    return Result(
        record["task"],
        Data(**record["data"]),
        bool(record["modified"]),
        rows,
        run_dir,
        record["notes"],
        Predictions(run_dir / "predictions", record["predictions"]),
        record.get("physics", {}).get("impossible", {}),
    )


def command_line() -> str:
    """Return the command that this process was started with, for the record."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
