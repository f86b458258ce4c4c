"""What the readers of CMIP archives share: the facets of its data reference syntax, and which version is read."""

from __future__ import annotations

import pandas as pd

from climbench.data.readers.catalogue import CatalogueReader

FACETS = (
    "activity_id",
    "institution_id",
    "source_id",
    "experiment_id",
    "member_id",
    "table_id",
    "variable_id",
    "grid_label",
    "version",
)
PART = ("source_id", "experiment_id", "member_id", "table_id", "grid_label")


class CmipReader(CatalogueReader):
    """Reads an archive of CMIP output: one part for each model, experiment, member, table and grid.

    Of each variable the newest version is read, unless `select` names another.
    """

    facets = FACETS
    named_by = PART

    def rows_of(self, part: str, notes: list[str]) -> pd.DataFrame:
        """Return the newest version of each variable of a part; versions left out are noted."""
        rows = super().rows_of(part, notes)
        number = rows["version"].str.extract(r"(\d+)", expand=False).fillna("-1").astype("int64")
        newest = number.groupby(rows["variable_id"]).transform("max")
        for (variable, version), _ in rows[number < newest].groupby(["variable_id", "version"]):
            what = version or "files of no version"
            notes.append(f"{self.describe(part)}: {variable}: {what} left out, there is a newer version")
        return rows[number == newest]
