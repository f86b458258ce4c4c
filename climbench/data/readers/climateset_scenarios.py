"""One climate model of ClimateSet as a projection task wants it: annual changes, and emissions in ClimateBench's terms.

Emissions are maps of fluxes in each month. Black carbon and sulfur dioxide become annual mean fluxes; methane the total
of the globe in a year; carbon dioxide that total added up from the first year of ``historical`` on.

References: Kaltenborn et al. (2023), arXiv:2311.03721, and its repository for which fires drove which model;
Watson-Parris et al. (2022), doi:10.1029/2021MS002954, for the terms of the emissions.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from climbench.constants import EARTH_RADIUS, SECONDS_PER_DAY
from climbench.data.canonical import CHANGES
from climbench.data.readers.annual import SPACE, annual_means
from climbench.data.readers.scenarios import PAST, AbsoluteScenarios, members_joined
from climbench.errors import DataError, did_you_mean
from climbench.grids import cell_areas

if TYPE_CHECKING:
    from climbench.data.readers.climateset import ClimateSetReader

# Which fires are among the emissions that drove a model: in the past, and in the scenarios; of all others anthro-fires.
FIRES = {
    "CESM2-WACCM": ("no-fires", "no-fires"),
    "CMCC-ESM2": ("no-fires", "no-fires"),
    "NorESM2-LM": ("no-fires", "no-fires"),
    "NorESM2-MM": ("no-fires", "no-fires"),
    "GFDL-ESM4": ("no-fires", "no-fires"),
    "TaiESM1": ("anthro-fires", "all-fires"),
    "CESM2": ("anthro-fires", "all-fires"),
    "MRI-ESM2-0": ("anthro-fires", "all-fires"),
}
OTHERS = ("anthro-fires", "anthro-fires")
FLUXES = {"SO2": "SO2_sum", "BC": "BC_sum"}
TOTALS = {"CO2": "CO2_sum", "CH4": "CH4_sum"}
GIGATONNE = 1e12  # kg
BEFORE_SCENARIOS = 1500.0  # GtCO2 emitted in 1850-2014, the last historical value of ClimateBench's inputs


class ClimateSetModel(AbsoluteScenarios):
    """The scenarios of one climate model.

    Parameters
    ----------
    reader : ClimateSetReader
        Of the whole folder.
    name : str
        The model's, as its folder is called.

    Attributes
    ----------
    directory : Path
        The model's folder, or where it would be.
    """

    def __init__(self, reader: ClimateSetReader, name: str) -> None:
        super().__init__()
        self.reader = copy(reader)
        self.reader.chunks = "auto" if reader.chunks is None else reader.chunks
        self.name = name
        self.directory = Path(reader.place) / "outputs" / "CMIP6" / name

    def _rows(self, part: str, experiment: str) -> pd.DataFrame:
        """Return the catalogue's rows of an experiment: the model's own outputs, or the inputs of all models."""
        rows = self.reader.catalogue
        rows = rows[(rows["kind"] == part) & (rows["frequency"] == "mon")]
        own = rows if part == "inputs" else rows[rows["source_id"] == self.name]
        found = own[own["experiment_id"] == experiment]
        if found.empty:
            known = did_you_mean(experiment, sorted(own["experiment_id"].unique()))
            raise DataError(f"{self.reader.place} has no {part} of '{experiment}' of {self.name}. {known}")
        return found

    def experiments(self, part: str) -> list[str]:
        """Return the experiments there are of "inputs" or "outputs"."""
        rows = self.reader.catalogue
        own = (rows["kind"] == part) & ((rows["source_id"] == self.name) | (part == "inputs"))
        return sorted(rows.loc[own, "experiment_id"].unique())

    def absolute(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return annual means of shape (member, time, latitude, longitude), lazily; months count by their lengths."""
        rows = self._rows("outputs", experiment)
        members = sorted(rows["member_id"].unique())
        annual = []
        for member in members:
            part = _only_part(rows[rows["member_id"] == member], self.reader.named_by, f"{experiment} {member}")
            data = self._open(part, variables)
            annual.append(annual_means(data, f"{self.name} {experiment} {member}"))
        return members_joined(annual, members, f"{self.name} {experiment}")

    def _open(self, part: str, variables: Sequence[str]) -> xr.Dataset:
        data = self.reader.open(part, variables)
        for note in data.attrs.get(CHANGES, ()):
            self.add_note(note)
        return data

    def inputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return forcings of an experiment, with the fires that drove this model.

        Parameters
        ----------
        experiment : str
            For example ``"ssp126"``.
        variables : sequence of str
            Among ``CO2``, ``CH4``, ``SO2`` and ``BC``.

        Returns
        -------
        Dataset
            ``CO2`` of shape (time,) in GtCO2, added up from the past on; ``CH4`` of shape (time,) in GtCH4/year;
            ``SO2`` and ``BC`` of shape (time, latitude, longitude) in kg m-2 s-1. ``time`` in integer years.

        Raises
        ------
        DataError
            If there is no such experiment or emission.
        """
        found: dict[str, xr.DataArray] = {}
        for name in variables:
            if name in FLUXES:
                found[name] = self._months(experiment, FLUXES[name], annual=True)
            elif name in TOTALS:
                found[name] = self._totals(experiment, name)
            else:
                raise DataError(f"ClimateSet has no input '{name}'. {did_you_mean(name, [*TOTALS, *FLUXES])}")
        return xr.merge(
            [array.rename(name).to_dataset() for name, array in found.items()], join="exact", combine_attrs="override"
        )

    def _totals(self, experiment: str, name: str) -> xr.DataArray:
        """Return the globe's emissions in each year in Gt; those of carbon dioxide added up."""
        yearly = self._yearly_totals(experiment, TOTALS[name])
        if name != "CO2":
            return yearly.assign_attrs(units="GtCH4/year")
        before = 0.0
        if experiment != PAST and PAST in self.experiments("inputs"):
            past = self._yearly_totals(PAST, TOTALS[name])
            before = float(past.sel(time=past["time"] < yearly["time"][0]).sum())
        elif experiment != PAST:
            before = BEFORE_SCENARIOS
            self.add_note(
                f"no inputs of {PAST}: {BEFORE_SCENARIOS:g} GtCO2 are taken to have been emitted before {experiment}"
            )
        return (yearly.cumsum("time") + before).assign_coords(time=yearly["time"]).assign_attrs(units="GtCO2")

    def _yearly_totals(self, experiment: str, variable: str) -> xr.DataArray:
        flux = self._months(experiment, variable, annual=False)
        seconds = flux["time"].dt.days_in_month * SECONDS_PER_DAY
        rate = (flux * cell_areas(flux)).sum(SPACE) * EARTH_RADIUS**2  # kg s-1
        months = rate * seconds.astype("float64") / GIGATONNE
        return months.load().groupby("time.year").sum().rename(year="time")

    def _months(self, experiment: str, variable: str, *, annual: bool) -> xr.DataArray:
        """Return the monthly fluxes of an emission, or their annual means."""
        rows = self._rows("inputs", experiment)
        rows = rows[rows["variable_id"] == variable]
        where = f"{experiment} {variable}"
        if rows.empty:
            raise DataError(f"{self.reader.place} has no {variable} of '{experiment}'.")
        data = self._open(_only_part(self._with_fires(rows, experiment), self.reader.named_by, where), [variable])
        means = annual_means(data, where)
        return means[variable].assign_attrs(units="kg m-2 s-1") if annual else data[variable]

    def _with_fires(self, rows: pd.DataFrame, experiment: str) -> pd.DataFrame:
        """Return rows with the fires that drove the model, or with the one kind that is there."""
        past, future = FIRES.get(self.name, OTHERS)
        wanted = past if experiment == PAST else future
        there = sorted(rows["fires"].unique())
        if wanted in there:
            return rows[rows["fires"] == wanted]
        if len(there) > 1:
            raise DataError(
                f"{self.reader.place}: {self.name} was driven by emissions with {wanted} in {experiment}; there are "
                f"only {', '.join(there)}. Download those too."
            )
        if there[0]:
            self.add_note(f"{experiment}: emissions with {there[0]} stand in for those with {wanted}")
        return rows

    def paths(self, inputs: Sequence[str], outputs: Sequence[str]) -> list[Path]:
        """Return the files that given inputs and outputs are read from, those changes are taken from among them."""
        past = [PAST] if PAST in self.experiments("outputs") and outputs else []
        before = [PAST] if PAST in self.experiments("inputs") and inputs else []
        places = [
            place
            for part, names in (("inputs", [*inputs, *before]), ("outputs", [*outputs, *past]))
            for experiment in dict.fromkeys(names)
            for place in self._rows(part, experiment)["place"]
        ]
        return [Path(place) for place in dict.fromkeys(places)]


def _only_part(rows: pd.DataFrame, named_by: Sequence[str], where: str) -> str:
    """Return the one part that rows of the catalogue are of."""
    parts = sorted({".".join(filter(None, row)) for row in rows[list(named_by)].itertuples(index=False, name=None)})
    if len(parts) != 1:
        raise DataError(f"{where}: there is more than one: {', '.join(parts)}. Remove what is not wanted.")
    return parts[0]
