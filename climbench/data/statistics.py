"""What normalisation needs: means and spreads of a split's values and one-step differences, streamed chunk by chunk.

Each chunk is read once and leaves a small summary; summaries are pooled in an order that the chunks alone fix. So the
result has the same bits for any number of threads, processes or machines, and differs between ways of chunking by
float64 round-off only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import xarray as xr
from dask.base import compute

from climbench.data.one_pass import Column, columns, gathered, kinds_of_times
from climbench.data.splits import Split
from climbench.data.summaries import NaN, Totals, total
from climbench.errors import DataError, did_you_mean
from climbench.grids import WeightKind
from climbench.run_directory import write_text

VERSION = 1
KEPT = ("level",)
STATISTICS = (
    "mean",
    "std",
    "difference_mean",
    "difference_std",
    "minimum",
    "maximum",
    "count",
    "difference_count",
    "missing",
)


@dataclass(frozen=True)
class Statistics:
    """Means and spreads of a split's values and one-step differences, by variable and level.

    Attributes
    ----------
    table : Dataset
        Variables of shape (statistic,) or (statistic, level), float64, in the variable's own unit where that makes
        sense; NaN where nothing was counted (differences of a variable without time).
    split : Split
        The samples they were taken from.
    weights : str or None
        The kind of area weights; None where every value counted the same.
    nan : {"error", "mask"}
        Whether NaN were left out.

    Notes
    -----
    ``std`` and ``difference_std`` divide by the count (not by one less). ``count`` and ``difference_count`` are
    numbers of values; with weights, sums of weights that are one in the mean. ``missing`` is the number of NaN left
    out. Differences are taken from one time of the split to the next where the two are one step apart; across gaps
    and between scenarios there are none.
    """

    table: xr.Dataset
    split: Split
    weights: WeightKind | None = None
    nan: NaN = "error"

    @classmethod
    def compute(
        cls,
        data: xr.Dataset | Mapping[str, xr.Dataset],
        split: Split,
        *,
        variables: Sequence[str] | None = None,
        weights: WeightKind | None = None,
        nan: NaN = "error",
    ) -> Statistics:
        """Return the statistics of a split, reading each of its chunks once.

        The work runs on the scheduler that is set (`climbench.cluster.cluster`), otherwise on this machine's threads.

        Parameters
        ----------
        data : Dataset, or mapping of str to Dataset
            Canonical data, or one data set for each scenario; whole, for the split selects. Opened without dask
            (``chunks=None``), small chunks of the file are read several at a time, which is faster; dask's own chunks
            are taken as they are.
        split : Split
            The training samples.
        variables : sequence of str, optional
            All numeric variables without.
        weights : {"cell_area", "cos_latitude"}, optional
            Weigh values by area. Without, every value counts the same, as in most published normalisations.
        nan : {"error", "mask"}
            Whether a NaN is an error, or left out and counted.

        Returns
        -------
        Statistics

        Raises
        ------
        DataError
            If the split has no samples in the data, a variable is not there or not numeric, data sets disagree, an
            option is unknown, or there are NaN or infinite values that were not declared.
        """
        for option, known in ((weights or "none", ("none", *get_args(WeightKind))), (nan, get_args(NaN))):
            if option not in known:
                raise DataError(f"There is no option '{option}' for statistics. {did_you_mean(option, known)}")
        datasets = _datasets(data, split)
        names = _numeric(datasets, variables)
        kinds = [kinds_of_times(one["time"], split.positions(one["time"])) for one in datasets]
        found = {
            name: [
                columns(one[name], kind, kept=KEPT, weights=weights, nan=nan)
                for one, kind in zip(datasets, kinds, strict=True)
                if kind.any()
            ]
            for name in names
        }
        (done,) = compute(found)
        first = datasets[0]
        table = {name: _table(first[name], done[name]) for name in names}
        coords = {"statistic": list(STATISTICS), **{dim: first[dim] for dim in KEPT if dim in first.coords}}
        return cls(xr.Dataset(table, coords), split, weights, nan)

    def __getitem__(self, statistic: str) -> xr.Dataset:
        """Return one statistic of all variables, such as ``"mean"``; variables of shape () or (level,)."""
        if statistic not in STATISTICS:
            raise KeyError(f"There is no statistic '{statistic}'. {did_you_mean(statistic, STATISTICS)}")
        return self.table.sel(statistic=statistic, drop=True)

    def check(self, train: Split, *, held_out: Sequence[Split] = ()) -> None:
        """Raise where normalising with these statistics would let held-out data leak into training.

        Parameters
        ----------
        train : Split
            The training samples they are to be used with.
        held_out : sequence of Split
            Validation and test samples.

        Raises
        ------
        DataError
            If they were taken from another split, or from samples that a held-out split holds too.
        """
        if self.split.fingerprint != train.fingerprint:
            raise DataError(
                f"The statistics are those of '{self.split.describe()}', not of the training samples "
                f"'{train.describe()}'. Compute them on the training samples."
            )
        for split in held_out:
            if self.split.overlap(split):
                raise DataError(
                    f"The statistics were taken from '{self.split.describe()}', which overlaps the held-out samples "
                    f"'{split.describe()}': what is tested on would leak into training. Part the periods."
                )

    def save(self, path: Path) -> None:
        """Write the statistics as JSON with the split and its fingerprint, whole or not at all."""
        variables = {
            str(name): {
                "units": values.attrs.get("units"),
                "dims": list(values.dims[1:]),
                **{key: _plain(values.sel(statistic=key).values) for key in STATISTICS},
            }
            for name, values in self.table.data_vars.items()
        }
        content = {
            "climbench_statistics": VERSION,
            "split": self.split.to_json(),
            "fingerprint": self.split.fingerprint,
            "weights": self.weights,
            "nan": self.nan,
            "coordinates": {str(d): self.table[d].values.tolist() for d in self.table.dims if d != "statistic"},
            "variables": variables,
        }
        write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Statistics:
        """Return statistics from a file that `save` wrote.

        Raises
        ------
        DataError
            If the file is missing, damaged, of another version, or its split is not the one it was written with.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as statistics: {error}") from error
        if not isinstance(content, dict) or content.get("climbench_statistics") != VERSION:
            raise DataError(f"{path} holds no statistics of climbench in version {VERSION}; compute them again.")
        try:
            split = Split.from_json(content["split"])
            tables = {name: _from_plain(entry) for name, entry in content["variables"].items()}
            coords = {"statistic": list(STATISTICS), **content["coordinates"]}
            loaded = cls(xr.Dataset(tables, coords), split, content["weights"], content["nan"])
            written = content["fingerprint"]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path} is damaged ({error!r}); compute the statistics again.") from error
        if split.fingerprint != written:
            raise DataError(f"{path}: its split was changed after the statistics were taken; compute them again.")
        return loaded


def _datasets(data: xr.Dataset | Mapping[str, xr.Dataset], split: Split) -> list[xr.Dataset]:
    if isinstance(data, xr.Dataset):
        datasets = [split.select_scenarios(data)]
    else:
        datasets = list(split.select_datasets(data).values())
    if not datasets:
        raise DataError(f"There are no data sets to take statistics of '{split.describe()}' from.")
    for one in datasets:
        if "time" not in one.dims or "time" not in one.coords:
            raise DataError("Statistics are taken along 'time', and the data have no such dimension with labels.")
    split.require([one["time"] for one in datasets])
    return datasets


def _numeric(datasets: Sequence[xr.Dataset], variables: Sequence[str] | None) -> list[str]:
    """Return the variables to do, having checked that all data sets have them alike."""
    first = datasets[0]
    if variables is None:
        variables = [str(name) for name, values in first.data_vars.items() if values.dtype.kind in "fiub"]
    for one in datasets:
        for name in variables:
            if name not in one.data_vars:
                raise DataError(f"The data have no variable '{name}'. {did_you_mean(name, map(str, one.data_vars))}")
            if one[name].dtype.kind not in "fiub":
                raise DataError(f"'{name}' holds {one[name].dtype}, which has no mean; leave it out.")
            _same(one[name], first[name])
    return list(variables)


def _same(one: xr.DataArray, other: xr.DataArray) -> None:
    """Raise unless two data sets have a variable in the same unit on the same levels."""
    units = [values.attrs.get("units") for values in (one, other)]
    if units[0] != units[1]:
        raise DataError(f"'{one.name}' is in {units[0]} in one scenario and in {units[1]} in another; convert one.")
    for dim in KEPT:
        if (dim in one.dims) != (dim in other.dims) or (dim in one.dims and not one[dim].equals(other[dim])):
            raise DataError(f"'{one.name}' has another '{dim}' in one scenario than in another; select common ones.")


def _table(variable: xr.DataArray, found: Sequence[Sequence[Column]]) -> xr.DataArray:
    """Return all statistics of a variable from what was found in each data set."""
    kept = [dim for dim in KEPT if dim in variable.dims]
    shape = tuple(variable.sizes[dim] for dim in kept)
    values = _numbers(total([gathered(columns, shape) for columns in found]))
    attrs = {key: variable.attrs[key] for key in ("units",) if key in variable.attrs}
    return xr.DataArray(values, dims=("statistic", *kept), attrs=attrs)


def _numbers(totals: Totals) -> np.ndarray:
    """Return the statistics in the order of `STATISTICS`."""
    values, differences = totals.values, totals.differences
    something = values.count > 0
    return np.stack(
        [
            values.mean,
            values.standard_deviation,
            differences.mean,
            differences.standard_deviation,
            np.where(something, totals.minimum, np.nan),
            np.where(something, totals.maximum, np.nan),
            values.count,
            differences.count,
            totals.missing,
        ]
    )


def _plain(values: np.ndarray) -> Any:
    """Return numbers as JSON has them: None for NaN."""
    if values.ndim:
        return [_plain(value) for value in values]
    return None if np.isnan(values) else float(values)


def _from_plain(entry: Mapping[str, Any]) -> xr.DataArray:
    values = np.array([np.array(entry[key], "float64") for key in STATISTICS])
    return xr.DataArray(values, dims=("statistic", *entry["dims"]), attrs={k: entry[k] for k in ("units",) if entry[k]})
