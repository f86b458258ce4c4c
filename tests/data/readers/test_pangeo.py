"""CMIP6 in the cloud: catalogues near and far, versions, decadal predictions, and catalogues that are none."""

from __future__ import annotations

import gzip
import json
import warnings

import numpy as np
import pytest

from climbench.data import stores
from climbench.data.readers.pangeo import PangeoReader
from climbench.errors import DataError
from tests.data.object_store import ObjectStore, start
from tests.data.readers.cmip_files import monthly, months

COLUMNS = (
    "activity_id,institution_id,source_id,experiment_id,member_id,table_id,variable_id,grid_label,zstore,"
    "dcpp_init_year,version"
)
PART = "Model-1.historical.r1i1p1f1.Amon.gn"
STORES = (  # name of the store, experiment, member, variable, first year, years, start of the prediction, version
    ("a", "historical", "r1i1p1f1", "tas", 2000, 3, "", "20190101"),
    ("b", "historical", "r1i1p1f1", "pr", 2000, 3, "", "20190101"),
    ("old", "historical", "r1i1p1f1", "tas", 2000, 1, "", "20180101"),
    ("c", "dcppA-hindcast", "r1i1p1f1", "tas", 1961, 1, "1960.0", "20190101"),
    ("d", "dcppA-hindcast", "r1i1p1f1", "tas", 1971, 1, "1970.0", "20190101"),
)


def write(folder, at="", stores=STORES):
    """Write stores, and a table with their addresses below `at`; return the table."""
    rows = [COLUMNS]
    for name, experiment, member, variable, begin, years, init, version in stores:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            monthly(variable, begin, years).to_zarr(folder / "stores" / name, zarr_format=2, consolidated=True)
        row = (
            "CMIP",
            "Centre",
            "Model-1",
            experiment,
            member,
            "Amon",
            variable,
            "gn",
            f"{at}stores/{name}/",
            init,
            version,
        )
        rows.append(",".join(row))
    (folder / "catalogue.csv").write_text("\n".join(rows) + "\n")
    return folder / "catalogue.csv"


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "PAUSES", (0.01, 0.02, 0.04))
    monkeypatch.setattr(stores, "TIMEOUT", 0.5)
    held = ObjectStore(tmp_path)
    server = start(held)
    yield held
    server.shutdown()
    server.server_close()


def test_variables_of_a_part_stand_side_by_side(tmp_path):
    reader = PangeoReader(write(tmp_path, at=f"{tmp_path}/"))
    data = reader.open(PART)
    assert set(data) == {"tas", "pr"}
    np.testing.assert_array_equal(data["time"], months(2000, 3))
    np.testing.assert_array_equal(data["tas"], monthly("tas", 2000, 3)["tas"])
    assert data["pr"].attrs["units"] == "mm/day"


def test_of_a_variable_the_newest_version_is_read(tmp_path):
    reader = PangeoReader(write(tmp_path, at=f"{tmp_path}/"))
    assert "tas: v20180101 left out" in reader.open(PART).attrs["climbench_changes"][0]
    assert reader.select(version="v20180101").open()["tas"].sizes["time"] == 12


def test_decadal_predictions_are_told_apart_by_their_start(tmp_path):
    reader = PangeoReader(write(tmp_path)).select(experiment_id="dcppA-hindcast")
    parts = [f"Model-1.dcppA-hindcast.s{year}-r1i1p1f1.Amon.gn" for year in (1960, 1970)]
    assert reader.parts() == parts
    assert reader.open(parts[1])["time"].dt.year.values.tolist() == [1971] * 12


def test_facets_choose_and_what_is_not_there_is_named(tmp_path):
    reader = PangeoReader(write(tmp_path))
    assert reader.select(source_id="Model-1", experiment_id="historical", table_id="Amon").parts() == [PART]
    with pytest.raises(DataError, match=r"catalogue\.csv has no source_id 'Model-2'\. Did you mean 'Model-1'\?"):
        reader.select(source_id="Model-2")


@pytest.mark.parametrize("packed", [False, True])
def test_addresses_may_be_relative_and_the_table_compressed(tmp_path, packed):
    table = write(tmp_path)
    if packed:
        table = tmp_path / "catalogue.csv.gz"
        table.write_bytes(gzip.compress((tmp_path / "catalogue.csv").read_bytes()))
    assert PangeoReader.recognises(table)
    assert PangeoReader(table).open(PART, ["tas"]).sizes["time"] == 36


def test_a_collection_s_description_points_to_the_table(tmp_path):
    table = write(tmp_path)
    table.write_text(table.read_text().replace(",zstore,", ",address,"))
    description = tmp_path / "collection.json"
    assets = {"column_name": "address", "format": "zarr"}
    description.write_text(json.dumps({"esmcat_version": "0.1.0", "catalog_file": "catalogue.csv", "assets": assets}))
    assert PangeoReader.recognises(description)
    assert PangeoReader(description).open(PART, ["tas"]).sizes["time"] == 36


def test_columns_that_tables_may_lack(tmp_path):
    table = tmp_path / "catalogue.csv"
    write(tmp_path, stores=STORES[:1])
    table.write_text("\n".join(",".join(line.split(",")[2:9]) for line in table.read_text().splitlines()))
    assert table.read_text().startswith("source_id,experiment_id,member_id,table_id,variable_id,grid_label,zstore\n")
    assert PangeoReader(table).open().sizes["time"] == 36


# Over a server


@pytest.mark.parametrize("name", ["catalogue.csv", "collection.json"])
def test_catalogue_and_stores_on_a_server(served, tmp_path, name):
    write(tmp_path, at=f"{served.url}/")
    (tmp_path / "collection.json").write_text(json.dumps({"catalog_file": f"{served.url}/catalogue.csv"}))
    assert PangeoReader.recognises(f"{served.url}/{name}")
    data = PangeoReader(f"{served.url}/{name}").open(PART)
    np.testing.assert_array_equal(data["tas"], monthly("tas", 2000, 3)["tas"])
    assert any(path.startswith("stores/b/pr/") for path in served.requests)


def test_only_the_stores_that_are_asked_for_are_opened(served, tmp_path):
    write(tmp_path, at=f"{served.url}/")
    PangeoReader(f"{served.url}/catalogue.csv").open(PART, ["tas"])
    assert {path.split("/")[1] for path in served.requests if path.startswith("stores/")} == {"a"}


def test_a_server_that_fails_is_asked_again(served, tmp_path):
    write(tmp_path, at=f"{served.url}/")
    served.faults["catalogue.csv"] = [500, "drop"]
    served.faults["stores/a/.zmetadata"] = [503]
    data = PangeoReader(f"{served.url}/catalogue.csv").open(PART, ["tas"])
    np.testing.assert_array_equal(data["tas"], monthly("tas", 2000, 3)["tas"])
    assert served.requests.count("catalogue.csv") == 3


def test_what_a_server_does_not_have_is_named(served, tmp_path):
    write(tmp_path, at=f"{served.url}/gone-")
    with pytest.raises(DataError, match=r"There is no file http://127.*/nothing\.csv"):
        PangeoReader(f"{served.url}/nothing.csv").parts()
    with pytest.raises(DataError, match=r"/gone-stores/a"):
        PangeoReader(f"{served.url}/catalogue.csv").open(PART, ["tas"])


# What is no catalogue


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"x,y\n1,2\n", r"a\.csv is no catalogue of CMIP stores: it lacks the columns source_id, .*zstore"),
        ("a.csv", b"", r"a\.csv cannot be read as a table"),
        ("a.csv", b"\x1f\x8bnothing", r"a\.csv cannot be read as a table"),
        ("a.csv", COLUMNS.encode() + b"\n", r"holds nothing in the layout 'pangeo'"),
        ("a.json", b"{", r"a\.json is not JSON"),
        ("a.json", b"[1]", r"a\.json points to no table \(key 'catalog_file'\)"),
        (
            "a.json",
            b'{"catalog_file": "x.csv", "assets": {"format": "netcdf"}}',
            r"assets of the format 'netcdf'; only zarr stores are read",
        ),
        ("a.json", b'{"catalog_file": "x.csv"}', r"There is no file .*x\.csv"),
    ],
)
def test_what_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        PangeoReader(tmp_path / name).parts()


def test_other_tables_and_descriptions_are_not_recognised(tmp_path):
    (tmp_path / "scores.csv").write_text("model,value\n")
    (tmp_path / "grid.json").write_text('{"cells": 3}')
    (tmp_path / "a.csv.gz").write_bytes(b"no gzip")
    names = ("scores.csv", "grid.json", "a.csv.gz", "gone.csv")
    assert not any(PangeoReader.recognises(tmp_path / name) for name in names)
    assert not PangeoReader.recognises(tmp_path)


def test_two_stores_of_one_version_are_named(tmp_path):
    twice = (STORES[0], ("again", *STORES[0][1:]))
    with pytest.raises(DataError, match=r"tas: a and again overlap: 36 times are in more than one file"):
        PangeoReader(write(tmp_path, stores=twice)).open()
