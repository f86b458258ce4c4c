"""CMIP output as netCDF files: a tree in CMIP6's data reference syntax, or any folder of files named the CMIP way.

A file's name tells its facets: ``tas_Amon_ACCESS-ESM1-5_historical_r1i1p1f1_gn_200001-201412.nc``; CMIP5 has no grid
label. The folders above it add what the name leaves out: version, institution and activity.

Reference: CMIP6 Global Attributes, DRS, Filenames, Directory Structure, and CVs (Taylor et al., v6.2.7, 2018).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from climbench.data.files import first_files
from climbench.data.readers.catalogue import files_by_facets
from climbench.data.readers.cmip import FACETS, CmipReader
from climbench.data.stores import is_url

NAME = re.compile(
    r"(?P<variable_id>[A-Za-z0-9-]+)_(?P<table_id>[A-Za-z0-9-]+)_(?P<source_id>[A-Za-z0-9.-]+)"
    r"_(?P<experiment_id>[A-Za-z0-9.-]+)_(?P<member_id>(?:s\d{4}-)?r\d+i\d+p\d+(?:f\d+)?)"
    r"(?:_(?P<grid_label>g[A-Za-z0-9]*))?(?:_\d{4,14}(?:-\d{4,14})?(?:-clim)?)?\.nc"
)
VERSION = re.compile(r"v\d+")
ABOVE_VERSION = ("grid_label", "variable_id", "table_id", "member_id", "experiment_id", "source_id")


class CmipDrsReader(CmipReader):
    """Reads netCDF files named the CMIP way, wherever they stand below a folder."""

    layout = "cmip6-drs"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether files of the folder are named the CMIP way; of a URL, whether its path names CMIP6."""
        if is_url(place):
            parts = str(place).rstrip("/").split("/")
            return "CMIP6" in parts and not parts[-1].endswith((".nc", ".zarr"))
        return any(facets_of(path) is not None for path in first_files(place))

    def list_archive(self) -> pd.DataFrame:
        """Return one row for each file whose name is understood."""
        return files_by_facets(self.place, facets_of, FACETS, self.storage_options)


def facets_of(path: str) -> dict[str, str] | None:
    """Return what a file's path tells of it, or None where its name is not of CMIP's form.

    Parameters
    ----------
    path : str
        With forward slashes.

    Returns
    -------
    dict of str to str, or None
        All of the facets; empty where neither name nor folders tell.
    """
    pure = PurePosixPath(path)
    match = NAME.fullmatch(pure.name)
    if match is None:
        return None
    facets = dict.fromkeys(FACETS, "") | {k: v or "" for k, v in match.groupdict().items()}
    above = [parent.name for parent in pure.parents]
    facets["version"] = next((name for name in above[:2] if VERSION.fullmatch(name)), "")
    in_tree = len(above) > 8 and all(facets[facet] == above[i] for i, facet in enumerate(ABOVE_VERSION, 1))
    if in_tree:
        facets["institution_id"], facets["activity_id"] = above[7], above[8]
    return facets
