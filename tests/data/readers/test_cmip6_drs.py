"""CMIP output as files: trees, loose folders, versions, split files, facets that are wrong, and real pieces of it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.calendars import time_axis
from climbench.cards import find_dataset
from climbench.data.readers.cmip6_drs import CmipDrsReader, facets_of
from climbench.errors import DataError
from tests.data.readers.cmip_files import monthly, months

EXPERIMENTS = {"historical": "CMIP", "piControl": "CMIP", "ssp126": "ScenarioMIP"}
SECONDS = 86400.0


def put(root, variable, start, years, *, experiment="historical", member="r1i1p1f1", version="v20190101", **options):
    """Write a file where CMIP6's data reference syntax has it."""
    folder = root / "CMIP6" / EXPERIMENTS[experiment] / "Centre" / "Model-1" / experiment / member / "Amon" / variable
    path = (
        folder
        / "gn"
        / version
        / f"{variable}_Amon_Model-1_{experiment}_{member}_gn_{start:04d}01-{start + years - 1:04d}12.nc"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    monthly(variable, start, years, **options).to_netcdf(path)
    return path


@pytest.fixture
def tree(tmp_path):
    """Two experiments; a variable split over two files, of which the second is also there in an older version."""
    put(tmp_path, "tas", 2000, 10)
    put(tmp_path, "tas", 2010, 5)
    put(tmp_path, "pr", 2000, 15)
    put(tmp_path, "pr", 2010, 5, version="v20180101")
    put(tmp_path, "tas", 2015, 3, experiment="ssp126", member="r2i1p1f1")
    return tmp_path


PART = "Model-1.historical.r1i1p1f1.Amon.gn"


def test_a_part_is_one_model_experiment_member_table_and_grid(tree):
    assert CmipDrsReader(tree).parts() == [PART, "Model-1.ssp126.r2i1p1f1.Amon.gn"]


def test_split_files_are_joined_and_variables_stand_side_by_side(tree):
    data = CmipDrsReader(tree).open(PART)
    np.testing.assert_array_equal(data["time"], months(2000, 15))
    assert set(data) == {"tas", "pr"}
    assert data["tas"].dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(data["tas"], monthly("tas", 2000, 15)["tas"])
    assert data["pr"].attrs["units"] == "mm/day"
    np.testing.assert_allclose(data["pr"], monthly("pr", 2000, 15)["pr"] * SECONDS, rtol=1e-6)
    assert set(data.coords) == {"time", "latitude", "longitude"}


def test_split_files_stay_lazy(tree):
    assert CmipDrsReader(tree).open(PART, ["tas"])["tas"].chunks is not None


def test_of_a_variable_the_newest_version_is_read_and_that_is_noted(tree):
    data = CmipDrsReader(tree).open(PART, ["pr"])
    assert data.sizes["time"] == 180
    assert f"{tree.name}: {PART}: pr: v20180101 left out, there is a newer version" in data.attrs["climbench_changes"]
    old = CmipDrsReader(tree).select(variable_id="pr", version="v20180101").open()
    np.testing.assert_array_equal(old["time"], months(2010, 5))


def test_versions_are_compared_as_numbers(tmp_path):
    put(tmp_path, "tas", 2000, 1, version="v9")
    put(tmp_path, "tas", 2001, 1, version="v10")
    assert CmipDrsReader(tmp_path).open()["time"].dt.year.values.tolist() == [2001] * 12


def test_only_what_is_asked_for_is_opened(tree):
    (tree / "CMIP6/CMIP/Centre/Model-1/historical/r1i1p1f1/Amon/pr/gn/v20190101").rename(tree / "elsewhere")
    bad = put(tree, "pr", 2000, 15)
    bad.write_bytes(b"CDF")
    assert list(CmipDrsReader(tree).open(PART, ["tas"])) == ["tas"]
    with pytest.raises(DataError, match="cannot be opened"):
        CmipDrsReader(tree).open(PART)


def test_a_variable_is_given_by_the_name_another_community_has_for_it(tree):
    data = CmipDrsReader(tree).open(PART, ["2m_temperature"])
    assert list(data) == ["2m_temperature"]


# Choosing


def test_facets_choose(tree):
    reader = CmipDrsReader(tree)
    chosen = reader.select(source_id="Model-1", experiment_id="ssp126", variable_id=["tas"])
    assert chosen.parts() == ["Model-1.ssp126.r2i1p1f1.Amon.gn"]
    assert chosen.open().sizes["time"] == 36
    assert len(reader.parts()) == 2, "the reader itself stays as it is"
    assert reader.select(activity_id="CMIP", institution_id="Centre").parts() == [PART]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"experiment_id": "ssp162"},
            r"has no experiment_id 'ssp162'\. Did you mean 'ssp126'\? There is: historical, ssp126",
        ),
        ({"experiment": "ssp126"}, r"cannot be chosen from by 'experiment'\. Did you mean 'experiment_id'\?"),
        ({"experiment_id": "ssp126", "variable_id": "pr"}, r"has no variable_id 'pr'\. There is: tas\."),
        ({"member_id": ["r2i1p1f1", "r3i1p1f1"]}, r"has no member_id 'r3i1p1f1'\. Did you mean 'r[12]i1p1f1'"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(tree, chosen, message):
    with pytest.raises(DataError, match=message):
        CmipDrsReader(tree).select(**chosen)


def test_parts_and_variables_that_are_not_there_are_named_with_what_is(tree):
    reader = CmipDrsReader(tree)
    with pytest.raises(DataError, match=r"name one of its parts\. There is: Model-1\.historical"):
        reader.open()
    with pytest.raises(
        DataError, match=r"has no part 'Model-1\.ssp126\.r1i1p1f1\.Amon\.gn'\. Did you mean 'Model-1\.ssp126"
    ):
        reader.open("Model-1.ssp126.r1i1p1f1.Amon.gn")
    with pytest.raises(DataError, match=r"has no variable 'ts'\. Did you mean 'tas'\? There is: pr, tas"):
        reader.open(PART, ["ts"])


def test_of_very_many_parts_no_list_is_shown(tmp_path):
    put(tmp_path, "tas", 2000, 1)
    source = next(tmp_path.rglob("*.nc"))
    for n in range(2, 53):
        (tmp_path / f"tas_Amon_Model-1_historical_r{n}i1p1f1_gn_200001-200012.nc").hardlink_to(source)
    with pytest.raises(DataError, match=r"has 52 parts\. Choose by facets \(select\): activity_id, .*, version\."):
        CmipDrsReader(tmp_path).open()
    with pytest.raises(DataError, match=r"has 52 parts, but no 'x'"):
        CmipDrsReader(tmp_path).open("x")


# Names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tas_Amon_IPSL-CM6A-LR_ssp126_r1i1p1f1_gr_201501-210012.nc", "tas Amon IPSL-CM6A-LR ssp126 r1i1p1f1 gr"),
        ("tas_Amon_HadGEM2-ES_rcp85_r1i1p1_200512-203011.nc", "tas Amon HadGEM2-ES rcp85 r1i1p1 "),
        ("tas_ann_IPSL-CM6A-LR_historical_r1i1p1f1_g025.nc", "tas ann IPSL-CM6A-LR historical r1i1p1f1 g025"),
        ("areacella_fx_GFDL-CM3_historical_r0i0p0.nc", "areacella fx GFDL-CM3 historical r0i0p0 "),
        ("areacella_fx_ACCESS-ESM1-5_piControl_r1i1p1f1_gn.nc", "areacella fx ACCESS-ESM1-5 piControl r1i1p1f1 gn"),
        ("pr_Amon_M_dcppA-hindcast_s1960-r1i1p1f1_gn_196011-197012.nc", "pr Amon M dcppA-hindcast s1960-r1i1p1f1 gn"),
        ("tas_3hr_M_ssp585_r1i1p1f2_gr1_201501010000-201512312230.nc", "tas 3hr M ssp585 r1i1p1f2 gr1"),
        ("sos_Oclim_M_historical_r1i1p1f1_gn_185001-201412-clim.nc", "sos Oclim M historical r1i1p1f1 gn"),
        ("outputs_ssp126.nc", None),
        ("CMIP6_NorESM2-LM_r1i1p1f1_ssp126_tas_250_km_mon_gn_2015.nc", None),
        ("tas_Amon_M_ssp126_r1i1p1f1_gn_201501-210012.nc.part", None),
    ],
)
def test_what_a_file_s_name_tells(name, expected):
    facets = facets_of(f"/any/folder/{name}")
    keys = ("variable_id", "table_id", "source_id", "experiment_id", "member_id", "grid_label")
    assert (facets and " ".join(facets[k] for k in keys)) == expected
    assert facets is None or facets["version"] == facets["institution_id"] == ""


def test_what_the_folders_add():
    name = "tas_Amon_M_ssp126_r1i1p1f1_gn_201501-210012.nc"
    facets = facets_of(f"/x/CMIP6/ScenarioMIP/Centre/M/ssp126/r1i1p1f1/Amon/tas/gn/v20190101/{name}")
    assert (facets["activity_id"], facets["institution_id"], facets["version"]) == (
        "ScenarioMIP",
        "Centre",
        "v20190101",
    )
    other = facets_of(f"/x/CMIP6/ScenarioMIP/Centre/M/ssp126/r1i1p1f1/Amon/pr/gn/v20190101/{name}")
    assert (other["activity_id"], other["variable_id"]) == ("", "tas"), "folders that say something else say nothing"


def test_loose_files_of_two_models_are_read_as_such(tmp_path):
    for name, start in (
        ("tas_Amon_A_rcp85_r1i1p1_200001-200112", 2000),
        ("tas_Amon_A_rcp85_r1i1p1_200201-200212", 2002),
    ):
        monthly("tas", start, 2 if start == 2000 else 1).to_netcdf(tmp_path / f"{name}.nc")
    monthly("tas", 2000, 1).to_netcdf(tmp_path / "tas_Amon_B_rcp85_r1i1p1_200001-200012.nc")
    (tmp_path / "readme.txt").write_text("none of ours")
    reader = CmipDrsReader(tmp_path)
    assert reader.parts() == ["A.rcp85.r1i1p1.Amon", "B.rcp85.r1i1p1.Amon"]
    assert reader.open("A.rcp85.r1i1p1.Amon").sizes["time"] == 36


def test_a_link_to_the_newest_version_does_not_double_it(tmp_path):
    folder = put(tmp_path, "tas", 2000, 2).parent
    (folder.parent / "latest").mkdir()
    for path in folder.iterdir():
        (folder.parent / "latest" / path.name).symlink_to(path)
    assert CmipDrsReader(tmp_path).open().sizes["time"] == 24


def test_which_places_are_recognised(tree, tmp_path):
    assert CmipDrsReader.recognises(tree)
    assert CmipDrsReader.recognises(str(tree / "CMIP6" / "ScenarioMIP"))
    assert CmipDrsReader.recognises("s3://archive/CMIP6/CMIP/Centre")
    assert not CmipDrsReader.recognises("gs://bucket/CMIP6/some.zarr")
    assert not CmipDrsReader.recognises(next(tree.rglob("*.nc")))
    (tmp_path / "empty").mkdir()
    assert not CmipDrsReader.recognises(tmp_path / "empty")


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(DataError, match=r"holds nothing in the layout 'cmip6-drs'\. Name the folder that does"):
        CmipDrsReader(tmp_path).parts()


def test_a_tree_on_another_file_system_is_read(tmp_path, tree):
    reader = CmipDrsReader(tree.as_uri() + "/CMIP6")
    assert reader.parts() == CmipDrsReader(tree).parts()
    np.testing.assert_array_equal(reader.open(PART, ["tas"])["tas"], monthly("tas", 2000, 15)["tas"])


# Wrong input


def test_files_that_overlap_are_named(tmp_path):
    put(tmp_path, "tas", 2000, 10)
    put(tmp_path, "tas", 2008, 4)
    with pytest.raises(DataError, match=r"tas_.*200001-200912\.nc and tas_.*200801-201112\.nc overlap: 24 times"):
        CmipDrsReader(tmp_path).open()
    card = find_dataset("cmip6-pangeo").model_copy(update={"duplicate_times": "first"})
    data = CmipDrsReader(tmp_path, card).open()
    np.testing.assert_array_equal(data["time"], months(2000, 12))
    assert "24 repeated times left out, the first of each kept" in data.attrs["climbench_changes"][-1]


def test_a_hole_between_files_is_noted(tmp_path):
    put(tmp_path, "tas", 2000, 2)
    put(tmp_path, "tas", 2004, 2)
    data = CmipDrsReader(tmp_path).open()
    assert data.sizes["time"] == 48
    assert data.attrs["climbench_changes"] == [
        f"{tmp_path.name}: Model-1.historical.r1i1p1f1.Amon.gn: 1 gaps in time, first after 2001-12-16"
    ]


def test_a_file_that_does_not_hold_what_its_name_says_is_refused(tmp_path):
    monthly("pr", 2000, 1).to_netcdf(tmp_path / "tas_Amon_M_historical_r1i1p1f1_gn_200001-200012.nc")
    with pytest.raises(DataError, match=r"_200001-200012\.nc holds no variable 'tas', as its name says"):
        CmipDrsReader(tmp_path).open()


def test_a_variable_in_another_unit_than_it_says_is_refused(tmp_path):
    path = tmp_path / "tas_Amon_M_historical_r1i1p1f1_gn_200001-200012.nc"
    data = monthly("tas", 2000, 1)
    data["tas"] = (data["tas"] - 273.15).assign_attrs(units="K")
    data.to_netcdf(path)
    with pytest.raises(DataError, match=r"tas runs from -0\.35 to -0\.35 K.*look like degC: declare that on the card"):
        CmipDrsReader(tmp_path).open()


def test_a_damaged_file_is_named(tree):
    path = put(tree, "tas", 2010, 5)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=rf"{path.name} cannot be opened; it may be cut short or damaged"):
        CmipDrsReader(tree).open(PART)


# Real pieces


def test_a_real_control_run_of_year_101(shared_data):
    reader = CmipDrsReader(shared_data / "cmip6-access")
    control = reader.select(experiment_id="piControl", table_id="Amon").open()
    axis = time_axis(control["time"])
    assert (axis.first, axis.last, axis.size, axis.gaps) == ("0101-01-16T12:00", "0125-12-16T12:00", 300, ())
    area = reader.select(experiment_id="piControl", table_id="fx", variable_id="areacella").open()["areacella"]
    assert area.dims == ("latitude", "longitude")
    # The published energy budget of this control run: incoming less outgoing at the top, W m-2.
    net = (control["rsdt"] - control["rsut"] - control["rlut"]).weighted(area.astype("f8")).mean(area.dims)
    days = control["time"].dt.days_in_month
    assert float(net.weighted(days).mean()) == pytest.approx(-0.02, abs=0.01)


def test_a_real_historical_run_with_a_fixed_field_beside_it(shared_data):
    reader = CmipDrsReader(shared_data / "cmip6-access").select(experiment_id="historical")
    assert reader.parts() == ["ACCESS-ESM1-5.historical.r1i1p1f1.Amon.gn", "ACCESS-ESM1-5.historical.r1i1p1f1.fx.gn"]
    data, fixed = (reader.open(part) for part in reader.parts())
    assert set(data) == {"pr", "rlut", "rsdt", "rsut", "tas", "ts"}
    assert {name: a.attrs["units"] for name, a in fixed.items()} == {"areacella": "m2", "sftlf": "%"}
    for name in ("rsdt", "sftlf", "pr"):
        path = next((shared_data / "cmip6-access").rglob(f"{name}_*_historical_*.nc"))
        with xr.open_dataset(path) as plain:
            found = data[name] if name in data else fixed[name]
            np.testing.assert_allclose(found, plain[name] * (SECONDS if name == "pr" else 1.0), rtol=1e-6)
    assert 1.0 < float(data["pr"].mean()) < 5.0, "precipitation is given in mm/day"


def test_real_annual_means_named_loosely(shared_data):
    reader = CmipDrsReader(shared_data / "cmip6-ipsl")
    assert reader.select(table_id="ann", experiment_id="historical").catalogue["member_id"].tolist() == [
        "r1i1p1f1",
        "r2i1p1f1",
    ]
    data = reader.open("IPSL-CM6A-LR.ssp126.r1i1p1f1.ann.g025")
    np.testing.assert_array_equal(data["time"], np.arange(2015, 2101))
    assert data["tas"].dtype == "float64"
    assert list(data) == ["tas"], "the file's quality flag is no variable of CMIP"


def test_a_real_360_day_calendar_split_over_three_files(shared_data):
    data = CmipDrsReader(shared_data / "cmip5-hadgem2-360day").open()
    axis = time_axis(data["time"])
    assert (axis.calendar, axis.step, axis.size, axis.gaps) == ("360_day", "monthly", 900, ())
    assert (axis.first, axis.last) == ("2005-12-16", "2080-11-16")
    source = sorted((shared_data / "cmip5-hadgem2-360day").glob("*203012*.nc"))[0]
    with xr.open_dataset(source, decode_times=False) as middle:
        np.testing.assert_array_equal(data["tas"][300:600], middle["tas"])
