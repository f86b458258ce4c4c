"""Closure: what fluxes leave unexplained of changes, over the globe; and column by column, where winds are known."""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.budget.areas import Areas
from climbench.budget.result import Budget
from climbench.budget.series import Series, residuals, variables_of
from climbench.budget.times import Times
from climbench.constants import SECONDS_PER_DAY
from climbench.physics.diagnosis import CLOSURES, FIELDS, WATER_COLUMN_RESIDUAL, WATER_RESIDUALS, Diagnosis

NO_GLOBE = "a whole globe: what winds carry over the borders of a part is not known (it covers {region})"


def closing(series: Series, times: Times, areas: Areas, missing: dict[str, list[str]], *, means: bool) -> list[Budget]:
    """Return the residuals that series allow.

    Parameters
    ----------
    series : Series
        Means over the area.
    times : Times
        Theirs.
    areas : Areas
        Tell whether they are of the globe.
    missing : dict of str to list of str
        What fields lack; takes what residuals lack.
    means : bool
        Whether states are means over their times.

    Returns
    -------
    list of Budget
        Water in mm/day, energy in W m-2: mean and root mean square over time of the residual of the mean over the
        area; of columns of water, whose convergence is known, the root mean square over cells beside.
    """
    unbroken = times.unbroken() if times.moments.size > 1 else np.zeros(1, bool)
    if not unbroken.any():
        few = "two times or more" if times.moments.size < 2 else "times that follow one another without gaps"
        missing |= {name: [*_lacking(parts, series, missing), few] for name, parts in CLOSURES.items()}
        return []
    fields = xr.Dataset(
        {n: ("time", s, {"long_name": FIELDS[n].words}) for n, s in series.means.items() if n in FIELDS}
    )
    lacking = {name: tuple(words) for name, words in missing.items()}
    closed = residuals(Diagnosis(fields, lacking), times, slice(None), means=means)
    missing |= {name: list(words) for name, words in closed.missing.items()}
    found = []
    for name in map(str, closed.fields.data_vars):
        if areas.region is not None and name != WATER_COLUMN_RESIDUAL:
            missing[name] = [NO_GLOBE.format(region=areas.region)]
            continue
        found.append(_residual(name, closed.fields[name], series, times, unbroken[1:], means))
    return found


def _lacking(parts: tuple[str, ...], series: Series, missing: dict[str, list[str]]) -> list[str]:
    words = [word for part in parts if part not in series.means for word in missing.get(part, ())]
    return list(dict.fromkeys(words))


def _residual(name: str, residual: xr.DataArray, series: Series, times: Times, kept: np.ndarray, means: bool) -> Budget:
    """Return one residual over time; steps across gaps do not count."""
    scale, units = (SECONDS_PER_DAY, "mm/day") if name in WATER_RESIDUALS else (1.0, "W m-2")
    values = residual.values[kept] * scale
    seconds = times.seconds(means)[1:][kept]
    years, own = times.years[1:][kept], []
    for year in np.unique(years):
        inside = years == year
        own.append((int(year), np.average(values[inside], weights=seconds[inside]), seconds[inside].sum()))
    squares = np.concatenate(series.squares)[kept] if name == WATER_COLUMN_RESIDUAL else None
    return Budget(
        name,
        str(residual.attrs["long_name"]),
        "residual",
        float(np.average(values, weights=seconds)),
        units,
        [year for year, _, _ in own],
        [float(mean) for _, mean, _ in own],
        [float(length / SECONDS_PER_DAY) for _, _, length in own],
        rms=float(np.sqrt(np.average(values**2, weights=seconds))),
        local_rms=None if squares is None else scale * float(np.sqrt(np.average(squares, weights=seconds))),
        sources=list(dict.fromkeys(v for part in CLOSURES[name] for v in variables_of(part, series.sources))),
    )
