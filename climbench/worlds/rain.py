"""rain: high-resolution rain over regions of different climate, with what a coarse model knows of it.

What falls is in `climbench.worlds.rain_sequence`, by what law in `climbench.worlds.rain_law`, where in
`climbench.worlds.rain_regions`; here it is written in RainShift's layout, a folder for each region. All of it is
simulated: no number here is evidence about real rain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from climbench import records
from climbench.errors import DataError
from climbench.worlds.rain_files import INPUTS, TARGET, static, write_store
from climbench.worlds.rain_regions import CELLS, REGIONS, region_of
from climbench.worlds.rain_sequence import Hours, block_means, simulate

TEST_YEAR = 2100  # of a calendar that is made up, so that no date is taken for one of real weather
HOURS_A_YEAR = 8760


class Rain:
    """The world of rain.

    Parameters
    ----------
    regions : sequence of str
        Which of `climbench.worlds.rain_regions.REGIONS`; all without.
    factor : int
        Fine cells along each side of a coarse one. The same seed has the same fine fields whatever the factor.
    sequences : int
        Sequences of hours in a year, independent of one another.
    hours : int
        Hours of a sequence.

    Raises
    ------
    DataError
        If there is no such region, or a setting cannot be.
    """

    name: ClassVar[str] = "rain"
    version: ClassVar[str] = "1"

    def __init__(
        self, regions: Sequence[str] = tuple(REGIONS), factor: int = 8, sequences: int = 64, hours: int = 2
    ) -> None:
        for region in regions:
            region_of(region)
        if factor < 1 or CELLS % factor:
            raise DataError(f"factor is {factor}; it must divide the {CELLS} cells of a region, as 8 and 16 do.")
        if sequences < 1 or hours < 1 or sequences * (hours + 1) > HOURS_A_YEAR:
            raise DataError(f"{sequences} sequences of {hours} h with gaps between them do not fit in a year.")
        self.regions, self.factor, self.sequences, self.hours = tuple(regions), factor, sequences, hours

    def write(
        self, directory: Path, *, members: int = 8, seed: int = 0, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Write a folder for each region: fixed fields, and pairs of coarse and fine to train on and to test on.

        Parameters
        ----------
        directory : Path
            An existing folder.
        members : int
            Years to train on: 2099 and those before it. 2100 is the test's. More members add earlier years, and leave
            others as they are.
        seed : int
            The world's seed. The land of a region does not depend on it.
        progress : callable, optional
            Called with years of regions written and in all.
        """
        periods = {"train": range(TEST_YEAR - members, TEST_YEAR), "test": range(TEST_YEAR, TEST_YEAR + 1)}
        total, done = len(self.regions) * (members + 1), 0
        for region in self.regions:
            folder = directory / region
            folder.mkdir()
            about = self._about(region, members, seed)
            static(region).assign_attrs(about).to_netcdf(folder / "static_variables.nc")
            for split, years in periods.items():
                made = []
                for year in years:
                    made.append(self._year(region, year, seed))
                    done += 1
                    if progress is not None:
                        progress(done, total)
                fields, times = _joined(made), self.times(years)
                targets, a_year = {TARGET: fields.pop(TARGET)}, self.sequences * self.hours
                write_store(folder / f"{split}_data_in.zarr", region, times, fields, about, chunk=a_year)
                write_store(folder / f"{split}_data_out.zarr", region, times, targets, about, chunk=self.hours)

    def predictors(self, made: Hours) -> dict[str, np.ndarray]:
        """Return what is known of some hours on the coarse grid: block means, of rain as it is stored, in float32.

        Parameters
        ----------
        made : Hours
            Of `climbench.worlds.rain_sequence.simulate`.

        Returns
        -------
        dict of str to ndarray of shape (hours, CELLS / factor, CELLS / factor)
            By the names of `INPUTS`.
        """
        fine = {"tp": made.rain, **made.weather}
        return {name: block_means(fine[name], self.factor).astype("float32") for name in INPUTS}

    def times(self, years: Sequence[int]) -> np.ndarray:
        """Return the hours of some years, ascending, as datetime64: sequences start equally spaced, the first at 0 h.

        Parameters
        ----------
        years : sequence of int
            Which.
        """
        starts = np.array([np.datetime64(f"{year}-01-01", "h") for year in years])
        spacing = HOURS_A_YEAR // self.sequences
        return (starts[:, None, None] + np.arange(self.sequences)[:, None] * spacing + np.arange(self.hours)).ravel()

    def mark(self, members: int, seed: int) -> dict[str, Any]:
        """Return what every file says of the world that made it."""
        made = {"world": self.name, "version": self.version, "seed": seed, "members": members}
        plain, own = vars(Rain()), vars(self)
        changed = {name: value for name, value in own.items() if value != plain[name]}
        return {**made, "settings": changed} if changed else made

    def _about(self, region: str, members: int, seed: int) -> dict[str, str]:
        return {
            "title": f"{region} ({region_of(region).title}), simulated by climbench (no real rain)",
            records.WORLD_ATTRIBUTE: json.dumps(self.mark(members, seed)),
            "licence": "CC0 1.0",
        }

    def _year(self, region: str, year: int, seed: int) -> dict[str, np.ndarray]:
        """Return the fields of a year; each sequence has a seed of its own, whichever thread makes it."""

        def one(number: int) -> dict[str, np.ndarray]:
            made = simulate(region, (year, number), self.hours, seed=seed)
            return {TARGET: made.rain, **self.predictors(made)}

        with ThreadPoolExecutor(int(records.hardware()["cores"])) as pool:
            return _joined(list(pool.map(one, range(self.sequences))))


def _joined(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
