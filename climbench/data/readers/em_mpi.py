"""Em-MPI: annual means of the 50 members of MPI-ESM1-2-LR, their summaries, and the monthly control run.

Below ``interim/CMIP6/MPI-ESM1-2-LR/r1-r50i1p1f1/{scenario}/{variable}/250_km/{mon|day}/{years}/`` stand
``ensemble.nc``, with all members, and ``ensemble_summaries_yr.nc``, with the mean over members, the standard deviation
over members of each cell (``tas_std``) and that of the global mean (``tas_global_std``). Below ``raw/CMIP6/`` stands
the control run as its model wrote it, one file a year.

As a task reads it, the scenarios are changes from the mean of the control run. What drove them are ClimateBench's
inputs, which the archive does not hold: they are looked for below its folder, and where ClimateBench was pulled.

Reference: Lütjens et al. (2025), doi:10.1029/2024MS004619.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from climbench import records
from climbench.cards import DatasetCard, find_dataset
from climbench.data.canonical import CHANGES
from climbench.data.files import first_files
from climbench.data.readers.annual import annual_means, mean_of_years
from climbench.data.readers.catalogue import CatalogueReader, files_by_facets
from climbench.data.readers.climatebench import ClimateBenchReader, layout_files
from climbench.data.readers.climateset import YEARLY
from climbench.data.readers.scenarios import AbsoluteScenarios, member_numbers
from climbench.data.stores import Chunks, is_url
from climbench.errors import DataError, did_you_mean
from climbench.variables import known_name

PATH = re.compile(r".*/(?P<stage>interim|raw)/CMIP6/(?P<source_id>[^/]+)/(?P<member_id>r[^/]+)" + YEARLY)
KINDS = {"ensemble.nc": "ensemble", "ensemble_summaries_yr.nc": "summaries"}
PART = ("kind", "member_id", "experiment_id", "nominal_resolution", "frequency")
CONTROL, CONTROL_YEARS = "piControl", (1850, 2250)


class EmMpiReader(AbsoluteScenarios, CatalogueReader):
    """Reads Em-MPI's folders.

    Parts are of three kinds: ``ensemble``, ``summaries`` and ``raw``. Their values are as the files have them, before
    the mean of the control run is subtracted; `outputs` gives the changes from it.
    """

    layout = "em-mpi"
    own_card = "em-mpi"
    facets = (*PART, "variable_id")
    named_by = PART
    derived = ("_std", "_global_std")
    card: DatasetCard

    def __init__(
        self,
        place: str | Path,
        card: DatasetCard | None = None,
        *,
        chunks: Chunks = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        CatalogueReader.__init__(self, place, card, chunks=chunks, storage_options=storage_options)
        AbsoluteScenarios.__init__(self)
        self.directory = Path(place)

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether files of the folder stand where Em-MPI's do."""
        return any(facets_of(path) is not None for path in first_files(place))

    def list_archive(self) -> pd.DataFrame:
        """Return one row for each file."""
        return files_by_facets(self.place, facets_of, self.facets, self.storage_options)

    def card_for(self, part: str) -> DatasetCard | None:
        """Return the card; its units are those of the annual files, so that raw output goes by its own attributes."""
        raw = self._named[part][0] == "raw"
        return self.card.model_copy(update={"variables": {}, "inputs": {}}) if raw and self.card else self.card

    def piece(self, data: xr.Dataset, variable: str, place: str, notes: list[str]) -> xr.Dataset:
        """Return a variable; members that are not named are numbered in the data set's own spelling."""
        kept = super().piece(data, variable, place, notes)
        if "member" not in kept.dims or "member" in kept.coords:
            return kept
        names = [f"r{n}i1f1p1" for n in range(1, kept.sizes["member"] + 1)]
        notes.append(f"members are not named in the files; taken as {names[0]} to {names[-1]}, in their order")
        return kept.assign_coords(member=names)

    def experiments(self, part: str) -> list[str]:
        """Return the experiments there are of "inputs" or "outputs"."""
        if part == "inputs":
            return self.forcings.experiments("inputs")
        rows = self.catalogue
        return sorted(rows.loc[rows["kind"] == "ensemble", "experiment_id"].unique())

    def absolute(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return annual means of all members, of shape (member, time, latitude, longitude), lazily."""
        opened = [self._lazily("ensemble", experiment, variable) for variable in variables]
        data = xr.merge(opened, join="exact", compat="override", combine_attrs="override")
        return data.assign_coords(member=member_numbers(data["member"].values.tolist()))

    def control(self, variable: str) -> xr.Dataset | None:
        """Return the mean of the control run over 1850-2250: annual means in which all months count the same."""
        if not self._parts_with("raw", CONTROL, variable):
            return None
        annual = annual_means(self._lazily("raw", CONTROL, variable), f"{CONTROL}: {variable}", by_length=False)
        mean = mean_of_years(annual, *CONTROL_YEARS)
        if mean is not None:
            self.add_note(
                f"{variable}: changes are from the mean of {CONTROL}, {annual['time'].values[0]}.."
                f"{annual['time'].values[-1]}"
            )
        return mean

    def _parts_with(self, kind: str, experiment: str, variable: str) -> list[str]:
        rows = self.catalogue
        rows = rows[(rows["kind"] == kind) & (rows["experiment_id"] == experiment)]
        named = rows[rows["variable_id"].map(known_name) == variable]
        return sorted({".".join(row) for row in named[list(PART)].itertuples(index=False, name=None)})

    def _lazily(self, kind: str, experiment: str, variable: str) -> xr.Dataset:
        parts = self._parts_with(kind, experiment, variable)
        if len(parts) > 1:
            raise DataError(
                f"{self.place} has {variable} of {experiment} more than once: {', '.join(parts)}. Name a folder with "
                "one of them."
            )
        if not parts:
            raise DataError(f"{self.place} has no {variable} of '{experiment}'. {self._offered(experiment)}")
        reader = copy(self)
        reader.chunks = "auto" if self.chunks is None else self.chunks
        data = reader.open(parts[0], [variable])
        for note in data.attrs.get(CHANGES, ()):
            self.add_note(note)
        return data

    def _offered(self, experiment: str) -> str:
        rows = self.catalogue[self.catalogue["kind"] == "ensemble"]
        there = sorted(rows["experiment_id"].unique())
        if experiment not in there:
            return did_you_mean(experiment, there)
        found = sorted({known_name(v) for v in rows.loc[rows["experiment_id"] == experiment, "variable_id"]})
        return f"It has {', '.join(found)}."

    @cached_property
    def forcings(self) -> ClimateBenchReader:
        """ClimateBench's inputs, below the folder or where ClimateBench was pulled."""
        below = [] if is_url(self.place) else sorted({p.parent for p in Path(self.place).rglob("inputs_*.*")})
        for folder in (*below, records.data_home() / "climatebench"):
            if any(kind == "inputs" for kind, _ in layout_files(folder)):
                return ClimateBenchReader(folder, find_dataset("climatebench"))
        raise DataError(
            f"{self.place} holds no emissions: Em-MPI was driven by those of ClimateBench. Put ClimateBench's files "
            "inputs_ssp126.nc and so on into a folder below it, or run: climbench data pull climatebench."
        )

    def inputs(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return forcings of an experiment, which are ClimateBench's.

        Parameters
        ----------
        experiment : str
            For example ``"ssp126"``.
        variables : sequence of str
            Names on the data set's card, for example ``["CO2", "SO2"]``.

        Returns
        -------
        Dataset
            Variables of shape (time,) or (time, latitude, longitude), in ClimateBench's units and on its grid.

        Raises
        ------
        DataError
            If they are not on this machine.
        """
        return self.forcings.inputs(experiment, variables)

    def paths(self, inputs: Sequence[str], outputs: Sequence[str]) -> list[Path]:
        """Return the files that given inputs and outputs are read from, those of the control run among them."""
        rows = self.catalogue
        found = self.forcings.paths(inputs, []) if inputs else []
        for experiment in outputs:
            of = (rows["kind"] == "ensemble") & (rows["experiment_id"] == experiment)
            if not of.any():
                raise DataError(f"{self.place} has no outputs of '{experiment}'. {self._offered(experiment)}")
            found += map(Path, rows.loc[of, "place"])
        control = rows[(rows["kind"] == "raw") & (rows["experiment_id"] == CONTROL)]
        return [*found, *(map(Path, control["place"]) if outputs else ())]


def facets_of(path: str) -> dict[str, str] | None:
    """Return what a file's path tells of it, or None where it is none of Em-MPI's.

    Parameters
    ----------
    path : str
        With forward slashes.

    Returns
    -------
    dict of str to str, or None
    """
    match = PATH.fullmatch(path)
    if match is None:
        return None
    kind = "raw" if match["stage"] == "raw" else KINDS.get(match["file"])
    return None if kind is None else {"kind": kind} | {k: match[k] for k in (*PART[1:], "variable_id")}
