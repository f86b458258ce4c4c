"""Em-MPI: annual means of the 50 members of MPI-ESM1-2-LR, their summaries, and the monthly control run.

Below ``interim/CMIP6/MPI-ESM1-2-LR/r1-r50i1p1f1/{scenario}/{variable}/250_km/{mon|day}/{years}/`` stand
``ensemble.nc``, with all members, and ``ensemble_summaries_yr.nc``, with the mean over members, the standard deviation
over members of each cell (``tas_std``) and that of the global mean (``tas_global_std``). Below ``raw/CMIP6/`` stands
the control run as its model wrote it, one file a year.

Reference: Lütjens et al. (2025), doi:10.1029/2024MS004619.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import xarray as xr

from climbench.cards import DatasetCard
from climbench.data.files import first_files
from climbench.data.readers.catalogue import CatalogueReader, files_by_facets
from climbench.data.readers.climateset import YEARLY

PATH = re.compile(r".*/(?P<stage>interim|raw)/CMIP6/(?P<source_id>[^/]+)/(?P<member_id>r[^/]+)" + YEARLY)
KINDS = {"ensemble.nc": "ensemble", "ensemble_summaries_yr.nc": "summaries"}
PART = ("kind", "member_id", "experiment_id", "nominal_resolution", "frequency")


class EmMpiReader(CatalogueReader):
    """Reads Em-MPI's folders.

    Parts are of three kinds: ``ensemble``, ``summaries`` and ``raw``. Values are as the files have them, before the
    mean of the control run is subtracted.
    """

    layout = "em-mpi"
    own_card = "em-mpi"
    facets = (*PART, "variable_id")
    named_by = PART
    derived = ("_std", "_global_std")

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
