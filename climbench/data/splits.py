"""Which samples are used: periods of time, scenarios and a stride, described once and named by a fingerprint."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from climbench.errors import DataError, did_you_mean
from climbench.records import fingerprint

Label = int | str | datetime.date | None
LABEL = re.compile(r"(-?\d{4,})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.\d*)?)?)?)?)?)?")
FIELDS = ("month", "day", "hour", "minute", "second")
YEAR = 100 ** len(FIELDS)
EARLIEST, LATEST = -(2**62), 2**62


@dataclass(frozen=True)
class Split:
    """Which samples of a data set are used, for example for training.

    Parameters
    ----------
    data : str
        The data set: its card's name, or the fingerprint of its files.
    periods : sequence of (start, end)
        Inclusive periods. A bound is a year as an integer, a date, or text in ISO 8601 that may be cut short: an end of
        ``"2014"`` or ``"2014-12"`` reaches to the end of December 2014 on any calendar. None leaves a side open. No
        periods at all mean all times.
    scenarios : sequence of str
        The scenarios used; none means all.
    stride : int
        Every `stride`-th time of each period is used, from its first.

    Raises
    ------
    DataError
        If a bound cannot be read, a period ends before it begins, two periods overlap, or the stride is not positive.

    Notes
    -----
    Bounds are kept as text, so that 1979, ``"1979"`` and the year written in a card are the same split with the same
    fingerprint.
    """

    data: str
    periods: tuple[tuple[Any, Any], ...] = ()
    scenarios: tuple[str, ...] = ()
    stride: int = 1

    def __post_init__(self) -> None:
        pairs = [tuple(period) for period in self.periods]
        if any(len(pair) != 2 for pair in pairs):
            raise DataError(f"A period is a start and an end, not {pairs}.")
        periods = sorted(((_text(start), _text(end)) for start, end in pairs), key=_bounds)
        object.__setattr__(self, "periods", tuple(periods))
        scenarios = (self.scenarios,) if isinstance(self.scenarios, str) else self.scenarios
        object.__setattr__(self, "scenarios", tuple(sorted(scenarios)))
        for period in periods:
            first, last = _bounds(period)
            if first > last:
                raise DataError(f"The period {_words(period)} ends before it begins.")
        for one, other in pairwise(periods):
            if _bounds(one)[1] >= _bounds(other)[0]:
                raise DataError(f"The periods {_words(one)} and {_words(other)} overlap; join them into one.")
        if not isinstance(self.stride, int) or self.stride < 1:
            raise DataError(f"The stride is {self.stride!r}; it must be a positive whole number.")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the split's content: equal for equal splits, whatever form their bounds were given in."""
        return fingerprint(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the split as plain content, from which `from_json` makes it again."""
        content = asdict(self)
        return {
            **content,
            "periods": [list(period) for period in self.periods],
            "scenarios": list(self.scenarios),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Split:
        """Return the split that `to_json` described.

        Raises
        ------
        DataError
            If the content is not that of a split.
        """
        try:
            periods = tuple((start, end) for start, end in content["periods"])
            return cls(str(content["data"]), periods, tuple(content["scenarios"]), content["stride"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"This does not describe a split ({error!r}): {content}.") from None

    def describe(self) -> str:
        """Return the split in words, for messages, such as ``"era5 1979..2014"``."""
        parts = [self.data, *map(_words, self.periods or ((None, None),)), *self.scenarios]
        return " ".join(parts) + (f" every {self.stride} steps" if self.stride > 1 else "")

    def overlap(self, other: Split) -> bool:
        """Return whether two splits share data, a scenario and a stretch of time.

        The stride is left out of account: samples interleaved in time are no independent test. So are lags: leave a gap
        between training and test where the data remember longer than a step. Splits of differently named data are taken
        as apart.

        Parameters
        ----------
        other : Split
            For example the test split.
        """
        apart = self.scenarios and other.scenarios and not set(self.scenarios) & set(other.scenarios)
        if self.data != other.data or apart:
            return False
        ours, theirs = ([_bounds(p) for p in s.periods or ((None, None),)] for s in (self, other))
        return any(a[0] <= b[1] and b[0] <= a[1] for a in ours for b in theirs)

    def positions(self, time: xr.DataArray) -> np.ndarray:
        """Return where on a time axis the split's samples are.

        Parameters
        ----------
        time : DataArray of shape (time,)
            Integer years, datetime64 or cftime dates of any calendar, ascending.

        Returns
        -------
        ndarray of int64
            Ascending positions along ``time``; empty where no period meets the axis.

        Raises
        ------
        DataError
            If the axis is not ascending, or a bound is finer than a year and the axis counts years.
        """
        parts = [found[:: self.stride] for found in self._by_period(time)]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _by_period(self, time: xr.DataArray) -> list[np.ndarray]:
        stamps = _stamps(time, [bound for period in self.periods for bound in period])
        if (np.diff(stamps) < 0).any():
            raise DataError("The time axis is not ascending; put it in order with data.sortby('time').")
        bounds = np.array([_bounds(p) for p in self.periods or ((None, None),)], np.int64)
        starts, ends = np.searchsorted(stamps, bounds[:, 0], "left"), np.searchsorted(stamps, bounds[:, 1], "right")
        return [np.arange(start, end, dtype=np.int64) for start, end in zip(starts, ends, strict=True)]

    def select(self, data: xr.Dataset) -> xr.Dataset:
        """Return the split's samples of a canonical data set, lazily where it is lazy.

        Parameters
        ----------
        data : Dataset
            With ``time``, and ``scenario`` where it holds several.

        Returns
        -------
        Dataset

        Raises
        ------
        DataError
            If a scenario or a period has no sample in the data.
        """
        self.require([data["time"]])
        return self.select_scenarios(data).isel(time=evenly(self.positions(data["time"])))

    def select_scenarios(self, data: xr.Dataset) -> xr.Dataset:
        """Return the data set with only the split's scenarios; one without that dimension is returned as it is."""
        if not self.scenarios or "scenario" not in data.dims:
            return data
        self._require_scenarios([str(name) for name in data["scenario"].values])
        return data.sel(scenario=list(self.scenarios))

    def select_datasets(self, data: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
        """Return the data sets of the split's scenarios from data sets by scenario, in alphabetical order.

        Raises
        ------
        DataError
            If a scenario is not there.
        """
        self._require_scenarios(list(data))
        return {name: data[name] for name in self.scenarios or sorted(data)}

    def _require_scenarios(self, there: Sequence[str]) -> None:
        for name in self.scenarios:
            if name not in there:
                raise DataError(f"The data have no scenario '{name}'. {did_you_mean(name, there)}")

    def require(self, times: Sequence[xr.DataArray]) -> None:
        """Raise where a period has no sample on any of the given time axes.

        Raises
        ------
        DataError
            It names the period and what the axes span.
        """
        found = [self._by_period(time) for time in times]
        for number, period in enumerate(self.periods or ((None, None),)):
            if not any(by_period[number].size for by_period in found):
                spans = ", ".join(f"{t.values[0]}..{t.values[-1]}" if t.size else "nothing" for t in times)
                raise DataError(
                    f"No sample lies in the period {_words(period)} of the split '{self.describe()}'; the data span "
                    f"{spans}. Mend the period, or name the data that hold it."
                )


def evenly(positions: np.ndarray) -> slice | np.ndarray:
    """Return evenly spaced positions as a slice, which needs no copy and keeps chunks; others as they are."""
    stride = positions[1] - positions[0] if positions.size > 1 else 1
    if not positions.size or (np.diff(positions) != stride).any():
        return positions
    return slice(int(positions[0]), int(positions[-1]) + 1, int(stride))


def _text(label: Label) -> str | None:
    """Return a bound as text in one form: four digits and more for the year, the rest as far as it was given."""
    if label is None:
        return None
    if isinstance(label, np.datetime64):
        label = str(label)
    if isinstance(label, (int, np.integer)) and not isinstance(label, bool):
        return f"{int(label):05d}" if label < 0 else f"{int(label):04d}"
    text = label.isoformat() if hasattr(label, "isoformat") else str(label).strip()
    if not LABEL.fullmatch(text):
        raise DataError(f"'{label}' is no bound of a period; write a year or a date, such as 1979 or '1979-01-01T06'.")
    return text.replace(" ", "T")


def _bounds(period: tuple[str | None, str | None]) -> tuple[int, int]:
    """Return the first and the last stamp of a period; fields that were cut short run from the least to the largest."""
    start, end = period
    return EARLIEST if start is None else _stamp(start, 0), LATEST if end is None else _stamp(end, 99)


def _stamp(text: str, missing: int) -> int:
    match = LABEL.fullmatch(text)
    assert match is not None  # _text let nothing else through
    stamp = int(match[1])
    for field in match.groups()[1:]:
        stamp = stamp * 100 + (missing if field is None else int(field))
    return stamp


def _stamps(time: xr.DataArray, bounds: Sequence[str | None]) -> np.ndarray:
    """Return the labels of a time axis as sortable integers: year, month, day, hour, minute, second in decimal."""
    if np.issubdtype(time.dtype, np.integer):
        finer = [bound for bound in bounds if bound is not None and "-" in bound[1:]]
        if finer:
            raise DataError(f"The data count whole years, and the split has the bound '{finer[0]}'; write its year.")
        return time.values.astype(np.int64) * YEAR
    try:
        stamps = time.dt.year.values.astype(np.int64)
        for field in FIELDS:
            stamps = stamps * 100 + getattr(time.dt, field).values.astype(np.int64)
    except (AttributeError, TypeError):
        raise DataError(
            f"The time axis holds {time.dtype}, neither whole years nor dates; decode it, or state what it counts."
        ) from None
    return stamps


def _words(period: tuple[str | None, str | None]) -> str:
    return "..".join("" if bound is None else bound for bound in period) if any(period) else "all times"
