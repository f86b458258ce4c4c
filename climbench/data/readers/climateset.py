"""ClimateSet: monthly output of CMIP6 models and the emissions that drove them, one netCDF file a year.

Outputs stand at ``outputs/CMIP6/{model}/{member}/{scenario}/{variable}/250_km/mon/{year}/*.nc``, inputs at
``inputs/input4mips/{scenario}/{variable}/250_km/mon/{year}/*.nc``. A folder of inputs may hold several files, one for
each way of counting fires; their names say which.

Reference: Kaltenborn et al. (2023), arXiv:2311.03721.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from climbench.data.files import first_files
from climbench.data.readers.catalogue import CatalogueReader, files_by_facets
from climbench.data.readers.climateset_scenarios import ClimateSetModel
from climbench.data.readers.scenarios import world_mark
from climbench.errors import DataError, did_you_mean

YEARLY = (
    r"/(?P<experiment_id>[^/]+)/(?P<variable_id>[^/]+)/(?:map_)?(?P<nominal_resolution>\d+_km)/(?P<frequency>[^/]+)"
    r"/(?P<period>\d{4}(?:-\d{4})?)/(?P<file>[^/]+\.nc)"
)
OUTPUTS = re.compile(r".*/(?P<kind>outputs)/CMIP6/(?P<source_id>[^/]+)/(?P<member_id>[^/]+)" + YEARLY)
INPUTS = re.compile(r".*/(?P<kind>inputs)/input4mips" + YEARLY, re.IGNORECASE)
FIRES = re.compile(r"(?:all|anthro|no)-fires")
PART = ("kind", "source_id", "member_id", "experiment_id", "nominal_resolution", "frequency", "fires")


class ClimateSetReader(CatalogueReader):
    """Reads ClimateSet's folders.

    A part of the outputs is one model, member and scenario; one of the inputs is a scenario and a way of counting
    fires. Inputs that no fires go into (CO2) belong to each of those.
    """

    layout = "climateset"
    own_card = "climateset"
    facets = (*PART, "variable_id")
    named_by = PART

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether files of the folder stand where ClimateSet's do."""
        return any(facets_of(path) is not None for path in first_files(place))

    def list_archive(self) -> pd.DataFrame:
        """Return one row for each year's file."""
        return _with_fireless(files_by_facets(self.place, facets_of, self.facets, self.storage_options))

    @property
    def models(self) -> tuple[str, ...]:
        """The climate models that have outputs, by name."""
        rows = self.catalogue
        return tuple(sorted(rows.loc[rows["kind"] == "outputs", "source_id"].unique()))

    def model(self, name: str) -> ClimateSetModel:
        """Return the scenarios of one climate model.

        Parameters
        ----------
        name : str
            As its folder is called.

        Returns
        -------
        ClimateSetModel

        Raises
        ------
        DataError
            If there is no such model.
        """
        if name not in self.models:
            raise DataError(f"{self.place} has no model '{name}'. {did_you_mean(name, self.models)}")
        return ClimateSetModel(self, name)

    def experiments(self, part: str) -> list[str]:
        """Return the experiments of "inputs" or "outputs" that any model has."""
        rows = self.catalogue
        return sorted(rows.loc[rows["kind"] == part, "experiment_id"].unique())

    def origin(self, paths: Sequence[Path]) -> dict[str, Any] | None:
        """Return the mark of a simulated world in the first of some files, or None for real data."""
        return world_mark(paths[0]) if paths else None

    def piece(self, data: xr.Dataset, variable: str, place: str, notes: list[str]) -> xr.Dataset:
        """Return one year of a variable; a sum over sectors (``BC_sum``) may be called by its gas in the file."""
        gas = variable.removesuffix("_sum")
        if variable not in data.data_vars and gas in data.data_vars:
            notes.append(f"{variable} is called '{gas}' in its files")
            encoding = data.encoding
            data = data.rename({gas: variable})
            data.encoding = encoding
        return super().piece(data, variable, place, notes)


def facets_of(path: str) -> dict[str, str] | None:
    """Return what a file's path tells of it, or None where it is none of ClimateSet's.

    Parameters
    ----------
    path : str
        With forward slashes.

    Returns
    -------
    dict of str to str, or None
        Kind, scenario, variable and so on; facets that a kind has not are empty.
    """
    match = OUTPUTS.fullmatch(path) or INPUTS.fullmatch(path)
    if match is None:
        return None
    facets = dict.fromkeys((*PART, "variable_id"), "") | {k: v for k, v in match.groupdict().items() if k != "file"}
    fires = FIRES.search(match["file"])
    facets["fires"] = fires[0] if fires and facets["kind"] == "inputs" else ""
    del facets["period"]
    return facets


def _with_fireless(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with those inputs that no fires go into repeated for each way that fires are counted beside them."""
    beside = ["kind", "source_id", "member_id", "experiment_id", "nominal_resolution", "frequency"]
    counted = rows.loc[rows["fires"] != "", [*beside, "fires"]].drop_duplicates()
    fireless = rows[rows["fires"] == ""].drop(columns="fires").merge(counted, how="left", on=beside)
    both = pd.concat([rows[rows["fires"] != ""], fireless.fillna({"fires": ""})], ignore_index=True)
    return both[rows.columns]
