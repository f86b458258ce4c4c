"""CMIP6 as zarr stores in the cloud, listed in an intake-esm catalogue: a CSV table, or the JSON that points to one.

The table has a row for each store: CMIP6's facets, and the store's address in the column ``zstore``. What has been
retracted since the table was written is not known here.

References: https://pangeo-data.github.io/pangeo-cmip6-cloud, and the ESM collection specification,
https://github.com/NCAR/esm-collection-spec.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from climbench.data.files import read_bytes
from climbench.data.readers.cmip import FACETS, PART, CmipReader
from climbench.data.stores import is_url
from climbench.errors import DataError

TABLES = (".csv", ".csv.gz")
NEEDED = (*PART, "variable_id")
START_YEAR = "dcpp_init_year"
GZIP = b"\x1f\x8b"


class PangeoReader(CmipReader):
    """Reads zarr stores of CMIP6 output through an intake-esm catalogue, near or far."""

    layout = "pangeo"

    @classmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether the place is a table with stores and models, or JSON that points to a table."""
        name = str(place)
        if is_url(place):
            return name.endswith((*TABLES, ".json"))
        if not Path(place).is_file():
            return False
        if name.endswith(".json"):
            return "catalog_file" in _parsed(read_bytes(place), name)
        return name.endswith(TABLES) and {"source_id", "zstore"} <= set(_header(Path(place)))

    def list_archive(self) -> pd.DataFrame:
        """Return one row for each store."""
        table, column = self._table()
        rows = _read_table(read_bytes(table, self._options_for(table)), table, column)
        rows["place"] = [_beside(table, store.rstrip("/")) for store in rows.pop("zstore")]
        rows["version"] = rows["version"].str.extract(r"(\d+)", expand=False).radd("v").fillna("")
        year = rows.pop(START_YEAR).str.extract(r"(\d{4})", expand=False)
        decadal = year.notna() & ~rows["member_id"].str.startswith("s")
        rows.loc[decadal, "member_id"] = "s" + year[decadal] + "-" + rows.loc[decadal, "member_id"]
        return rows[[*FACETS, "place"]]

    def _table(self) -> tuple[str, str]:
        """Return where the table is, and its column of addresses."""
        place = str(self.place)
        if not place.endswith(".json"):
            return place, "zstore"
        content = _parsed(read_bytes(self.place, self._options_for(place)), place)
        assets = content.get("assets")
        assets = assets if isinstance(assets, dict) else {}
        if not isinstance(content.get("catalog_file"), str):
            raise DataError(f"{place} points to no table (key 'catalog_file'). Name the catalogue's CSV file itself.")
        if assets.get("format", "zarr") != "zarr":
            raise DataError(
                f"{place} lists assets of the format '{assets['format']}'; only zarr stores are read through a "
                "catalogue. Name the folder of the files."
            )
        return _beside(place, content["catalog_file"]), str(assets.get("column_name", "zstore"))

    def _options_for(self, place: str) -> Mapping[str, Any] | None:
        """Return fsspec's options where a place is on the file system that the catalogue was named on."""
        scheme = str(self.place).partition("://")[0]
        return self.storage_options if place.partition("://")[0] == scheme else None


def _parsed(content: bytes, place: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except ValueError as error:
        raise DataError(f"{place} is not JSON: {error}. Copy it again.") from None
    return parsed if isinstance(parsed, dict) else {}


def _header(path: Path) -> list[str]:
    """Return the columns of a local table, from its first line."""
    try:
        with gzip.open(path, "rt") if path.name.endswith(".gz") else path.open() as file:
            return file.readline().strip().split(",")
    except (OSError, EOFError, UnicodeDecodeError):
        return []


def _read_table(content: bytes, place: str, column: str) -> pd.DataFrame:
    """Return the columns that are used, as text; those a table may lack are empty then."""
    try:
        plain = gzip.decompress(content) if content.startswith(GZIP) else content
        used = {*FACETS, START_YEAR, column}
        rows = pd.read_csv(io.BytesIO(plain), usecols=lambda name: name in used, dtype="str", keep_default_na=False)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{place} cannot be read as a table: {error}. Copy it again.") from None
    missing = [name for name in (*NEEDED, column) if name not in rows]
    if missing:
        raise DataError(f"{place} is no catalogue of CMIP stores: it lacks the columns {', '.join(missing)}.")
    rows = rows.rename(columns={column: "zstore"})
    return rows.reindex(columns=[*FACETS, START_YEAR, "zstore"], fill_value="")


def _beside(place: str, name: str) -> str:
    """Return an address that may be relative to the file that states it."""
    if is_url(name) or Path(name).is_absolute():
        return name
    if is_url(place):
        return f"{place.rpartition('/')[0]}/{name}"
    return str(Path(place).parent / name)
