"""Emissions that drive the simulated climate: yearly totals by scenario, and the regions sulfur and soot come from."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import numpy as np

FIRST, LAST_PAST, LAST = 1850, 2014, 2100
SPECIES = ("co2_fossil", "co2_land_use", "ch4", "so2", "bc")

# Shares of the regions in emissions of sulfur dioxide and black carbon: assumed, in outline after the shift of
# emissions from Europe and North America to Asia and the South.
REGIONS = ("North America", "Europe", "East Asia", "South Asia", "Africa and South America")
SHARE_YEARS = (1850, 1950, 1980, 2014, 2050, 2100)
SHARES = (
    (0.20, 0.60, 0.08, 0.04, 0.08),
    (0.40, 0.40, 0.06, 0.03, 0.11),
    (0.25, 0.45, 0.13, 0.05, 0.12),
    (0.08, 0.12, 0.40, 0.18, 0.22),
    (0.07, 0.10, 0.28, 0.30, 0.25),
    (0.06, 0.08, 0.22, 0.32, 0.32),
)


@cache
def _table() -> dict[str, dict[str, list[float]]]:
    """Return the cited table of decadal values: scenario, then column, then values by row."""
    text = resources.files("climbench.worlds").joinpath("emissions.csv").read_text(encoding="utf-8")
    table: dict[str, dict[str, list[float]]] = {}
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        columns = table.setdefault(row["scenario"], {name: [] for name in ("year", *SPECIES)})
        for name, values in columns.items():
            values.append(float(row[name]))
    return table


def yearly_totals(scenario: str) -> dict[str, np.ndarray]:
    """Return yearly emissions from 1850 to 2100 (or to 2014 for ``"historical"``).

    Parameters
    ----------
    scenario : str
        ``"historical"``, ``"ssp126"``, ``"ssp245"``, ``"ssp370"``, ``"ssp585"``, or ``"ssp370-lowNTCF"``, for which
        ssp370's greenhouse gases are taken with ssp126's aerosols: a stand-in, as the cited table does not have it.

    Returns
    -------
    dict of str to ndarray of shape (year,)
        Linear between the table's years: ``co2_fossil`` and ``co2_land_use`` in PgC/yr, ``ch4`` in Tg/yr, ``so2`` in
        Gg S/yr, ``bc`` in Tg/yr.
    """
    if scenario == "ssp370-lowNTCF":
        clean = yearly_totals("ssp126")
        return {**yearly_totals("ssp370"), "so2": clean["so2"], "bc": clean["bc"]}
    past = _table()["historical"]
    future = _table()[scenario] if scenario != "historical" else {name: [] for name in past}
    last = LAST if future["year"] else LAST_PAST
    years = np.arange(FIRST, last + 1)
    return {name: np.interp(years, past["year"] + future["year"], past[name] + future[name]) for name in SPECIES}


def regional_shares(years: np.ndarray) -> np.ndarray:
    """Return the share of each region in aerosol emissions, of shape (year, region); rows sum to one."""
    table = np.array(SHARES)
    return np.stack([np.interp(years, SHARE_YEARS, table[:, r]) for r in range(len(REGIONS))], axis=1)
