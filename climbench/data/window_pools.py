"""What a climatology keeps of a series while it is read: sums by day of the year, or all values.

Each takes the series block by block in order of time, and gives statistics over the window around each day.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from climbench.data.day_windows import DAYS, CalendarDays, window_days, window_quantiles, window_weights

HEAVY = 2.0 / 3.0  # the quantile of wet values that parts light from heavy precipitation


class Moments:
    """Means and standard deviations, from sums over years for each hour and day.

    Parameters
    ----------
    days : CalendarDays
        Where the times of the series lie.
    cells : int
        Number of cells.
    window : int
        Days in the window.
    spread : bool
        Whether standard deviations are asked for.
    """

    def __init__(self, days: CalendarDays, cells: int, window: int, spread: bool) -> None:
        shape = (days.hours.size, DAYS, cells)
        self.days, self.window = days, window
        self.count = np.zeros(shape, np.int32)
        self.sums = np.zeros(shape)
        self.squares = np.zeros(shape) if spread else None
        self.origin: np.ndarray | None = None  # near the values, so that squares do not cancel

    @staticmethod
    def cell_bytes(days: CalendarDays, spread: bool) -> int:
        """Return the bytes that a cell takes: its sums, its results, and what one hour is worked out in."""
        return DAYS * (days.hours.size * (16 + 12 * spread) + 40)

    def add(self, start: int, values: np.ndarray) -> None:
        """Take values of shape (time, cell) that begin at a time of the series; NaN do not count."""
        if self.origin is None:
            self.origin = np.nan_to_num(values[0].astype("float64"))
        for time, row in enumerate(values, start):
            there = ~np.isnan(row)
            deviation = np.where(there, row - self.origin, 0.0)
            day = int(self.days.day[time])
            for at in (day, DAYS - 1)[: 1 + bool(self.days.twice[time])]:
                where = (self.days.hour[time], at)
                self.count[where] += there
                self.sums[where] += deviation
                if self.squares is not None:
                    self.squares[where] += deviation**2

    def results(self) -> dict[str, np.ndarray]:
        """Return statistics of shape (hour, 366, cell) by suffix; NaN where no value lies in a window."""
        weights, found = window_weights(self.window), {"": np.empty(self.sums.shape, np.float32)}
        if self.squares is not None:
            found["_std"] = np.empty(self.sums.shape, np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            for hour in range(self.days.hours.size):
                weight = weights @ self.count[hour].astype("float64")
                mean = weights @ self.sums[hour] / weight
                found[""][hour] = mean + self.origin
                if self.squares is not None:
                    variance = weights @ self.squares[hour] / weight - mean**2
                    found["_std"][hour] = np.sqrt(np.maximum(variance, 0.0))
        return found


class Pools:
    """Quantiles and the climatology of SEEPS, from all values of each cell.

    Parameters
    ----------
    days : CalendarDays
        Where the times of the series lie.
    cells : int
        Number of cells.
    window : int
        Days in the window.
    quantiles : sequence of float
        Those asked for; none for none.
    dry : float or None
        Below it precipitation counts as dry; None where SEEPS is not asked for.
    """

    def __init__(
        self, days: CalendarDays, cells: int, window: int, quantiles: Sequence[float], dry: float | None
    ) -> None:
        self.days, self.window, self.quantiles, self.dry = days, window, tuple(quantiles), dry
        self.values = np.full((days.hours.size, cells, days.years.size, DAYS), np.nan, np.float32)

    @staticmethod
    def cell_bytes(days: CalendarDays) -> int:
        """Return the bytes that a cell takes, with room for a copy of one hour."""
        return (days.hours.size + 2) * days.years.size * DAYS * 4

    def add(self, start: int, values: np.ndarray) -> None:
        """Take values of shape (time, cell) that begin at a time of the series; NaN do not count."""
        times = np.arange(start, start + len(values))
        hour, year = self.days.hour[times], self.days.year[times]
        self.values[hour, :, year, self.days.day[times]] = values
        twice = self.days.twice[times]
        self.values[hour[twice], :, year[twice], DAYS - 1] = values[twice]

    def results(self) -> dict[str, np.ndarray]:
        """Return quantiles of shape (hour, 366, quantile, cell) and SEEPS' fields (hour, 366, cell) by suffix."""
        found: dict[str, np.ndarray] = {}
        if self.quantiles:
            by_hour = [window_quantiles(pool, self.quantiles, self.window) for pool in self.values]
            found["_quantile"] = np.stack(by_hour).swapaxes(1, 2)
        if self.dry is not None:
            fields = [self._seeps(pool, self.dry) for pool in self.values]
            found["_seeps_dry_fraction"] = np.stack([fraction for fraction, _ in fields])
            found["_seeps_threshold"] = np.stack([threshold for _, threshold in fields])
        return found

    def _seeps(self, pool: np.ndarray, dry: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the dry fraction, all days of a window counting alike, and the threshold, by the window's weights."""
        is_dry = pool < np.float32(dry)
        inside = window_days(self.window)
        with np.errstate(invalid="ignore", divide="ignore"):
            fraction = (is_dry.sum(axis=1) @ inside) / ((~np.isnan(pool)).sum(axis=1) @ inside)
        threshold = window_quantiles(np.where(is_dry, np.float32(np.nan), pool), (HEAVY,), self.window)[0]
        return fraction.T.astype("float32"), threshold
