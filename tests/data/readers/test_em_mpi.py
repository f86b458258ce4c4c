"""Em-MPI's folders as its authors' code writes them: absolute values, labels that lag behind, members spelt oddly."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.cards import find_dataset
from climbench.data.readers.em_mpi import EmMpiReader
from climbench.errors import DataError
from tests.data.readers.cmip_files import monthly
from tests.data.readers.em_mpi_files import ALL, CELSIUS, YEARS, annual, folder


def summaries(data, variable):
    """Return mean and standard deviations over members, without labels, as the authors' code gives them."""
    mean = data.mean("member").assign_attrs(data.attrs)
    mean[variable].attrs = data[variable].attrs
    weighted = data[variable].weighted(np.cos(np.deg2rad(data["latitude"]))).mean(("latitude", "longitude"))
    return mean.assign(
        {
            f"{variable}_std": data[variable].std("member").drop_attrs(),
            f"{variable}_global_std": weighted.std("member").drop_attrs(),
        }
    )


@pytest.fixture
def em_mpi(tmp_path):
    for experiment, years in YEARS.items():
        period = f"{years[0]}-{years[-1]}"
        for variable, frequency, values, units in (
            ("tas", "mon", CELSIUS, "K"),  # the label lags behind
            ("pr", "mon", np.array([1.0, 5.0, 2.0]), "kg m-2 s-1"),  # this one too
            ("psl", "mon", np.array([1e5, 1.01e5, 1.005e5]), "Pa"),
            ("dtr", "day", np.array([3.0, 8.0, 6.0]), "°C"),
        ):
            data = annual(variable, experiment, values, units)
            place = folder(tmp_path, "interim", ALL, experiment, variable, frequency, period)
            data.to_netcdf(place / "ensemble.nc")
            summaries(data, variable).to_netcdf(place / "ensemble_summaries_yr.nc")
    for year in (1850, 1851, 1852):
        place = folder(tmp_path, "raw", "r1i1p1f1", "piControl", "pr", "mon", str(year))
        monthly("pr", year, 1, calendar="proleptic_gregorian").to_netcdf(place / f"CMIP6_MPI-ESM1-2-LR_{year}.nc")
    return tmp_path


def test_parts_are_ensembles_summaries_and_raw_output(em_mpi):
    assert EmMpiReader(em_mpi).parts() == [
        *(f"{kind}.{ALL}.{experiment}.250_km.{frequency}"
          for kind in ("ensemble",) for experiment in YEARS for frequency in ("day", "mon")),
        "raw.r1i1p1f1.piControl.250_km.mon",
        *(f"summaries.{ALL}.{experiment}.250_km.{frequency}" for experiment in YEARS for frequency in ("day", "mon")),
    ]  # fmt: skip


def test_all_members_with_their_own_spelling_and_years(em_mpi):
    data = EmMpiReader(em_mpi).open(f"ensemble.{ALL}.ssp245.250_km.mon", ["tas", "pr"])
    assert list(data) == ["tas", "pr"]
    assert data["tas"].dims == ("member", "time", "latitude", "longitude")
    assert data["member"].values.tolist() == ["r1i1f1p1", "r2i1f1p1", "r3i1f1p1"]
    np.testing.assert_array_equal(data["time"], [2015, 2016, 2017])


def test_values_are_taken_for_what_they_are_whatever_their_label(em_mpi):
    """Degrees Celsius are labelled K, mm/day kg m-2 s-1: the values of a plain mean map show it."""
    data = EmMpiReader(em_mpi).open(f"ensemble.{ALL}.ssp245.250_km.mon")
    first = data.isel(member=0, time=0, longitude=0)
    np.testing.assert_allclose(first["tas"], CELSIUS + 273.15)
    np.testing.assert_allclose(first["pr"], [1.0, 5.0, 2.0])
    np.testing.assert_allclose(first["psl"], [1000.0, 1010.0, 1005.0])
    assert {name: a.attrs["units"] for name, a in data.items()} == {"tas": "K", "pr": "mm/day", "psl": "hPa"}
    assert any("tas says 'K'; 'degC' as its card declares" in note for note in data.attrs["climbench_changes"])


def test_a_file_in_a_third_unit_is_found_out_by_its_values(em_mpi):
    path = next(em_mpi.rglob("historical/tas/**/ensemble.nc"))
    annual("tas", "historical", CELSIUS + 273.15, "K").to_netcdf(path)
    with pytest.raises(DataError, match=r"tas runs from 506\.3 to 571\.3 K, outside 170 to 350"):
        EmMpiReader(em_mpi).open(f"ensemble.{ALL}.historical.250_km.mon", ["tas"])


def test_summaries_hold_the_mean_and_two_deviations(em_mpi):
    reader = EmMpiReader(em_mpi).select(kind="summaries", experiment_id="historical", frequency="mon")
    data = reader.select(variable_id="tas").open()
    assert list(data) == ["tas", "tas_std", "tas_global_std"]
    assert (data["tas"].dims, data["tas_global_std"].dims) == (("time", "latitude", "longitude"), ("time",))
    np.testing.assert_allclose(data["tas"].isel(time=0, longitude=0), CELSIUS + 0.1 + 273.15)
    # Members lie 0, 0.1 and 0.2 above the values: their standard deviation divides by three, and is a difference.
    for name in ("tas_std", "tas_global_std"):
        np.testing.assert_allclose(data[name], 0.1 * np.sqrt(2 / 3))
        assert data[name].attrs["units"] == "K"
    assert list(reader.open(variables=["pr_std"])) == ["pr_std"]
    with pytest.raises(DataError, match=r"has no variable 'tas_sdt'\. Did you mean 'tas_std'\?"):
        reader.open(variables=["tas_sdt"])


def test_the_diurnal_range_has_one_name_in_the_suite(em_mpi):
    reader = EmMpiReader(em_mpi)
    for asked in ("dtr", "diurnal_temperature_range"):
        data = reader.open(f"summaries.{ALL}.ssp245.250_km.day", [asked])
        assert list(data) == ["diurnal_temperature_range"]
        np.testing.assert_allclose(data["diurnal_temperature_range"].isel(time=0, longitude=0), [3.1, 8.1, 6.1])


def test_members_that_are_not_named_are_numbered_in_order_with_a_note(em_mpi):
    path = next(em_mpi.rglob("historical/tas/**/ensemble.nc"))
    annual("tas", "historical", CELSIUS, "K").drop_vars("member").to_netcdf(path)
    data = EmMpiReader(em_mpi).open(f"ensemble.{ALL}.historical.250_km.mon")
    assert data["member"].values.tolist() == ["r1i1f1p1", "r2i1f1p1", "r3i1f1p1"]
    assert any("members are not named" in note for note in data.attrs["climbench_changes"])


def test_the_raw_control_run_goes_by_its_own_labels(em_mpi):
    data = EmMpiReader(em_mpi).open("raw.r1i1p1f1.piControl.250_km.mon")
    assert data.sizes["time"] == 36
    np.testing.assert_allclose(data["pr"], monthly("pr", 1850, 3)["pr"] * 86400.0, rtol=1e-6)
    assert data["pr"].attrs["units"] == "mm/day"


def test_other_members_of_an_ensemble_are_another_part(em_mpi):
    place = folder(em_mpi, "interim", "r1-r30i1p1f1", "ssp245", "tas", "mon", "2015-2017")
    annual("tas", "ssp245", CELSIUS, "degC").to_netcdf(place / "ensemble.nc")
    reader = EmMpiReader(em_mpi).select(kind="ensemble", experiment_id="ssp245", frequency="mon")
    assert [part.split(".")[1] for part in reader.parts()] == ["r1-r30i1p1f1", ALL]


def test_which_places_are_recognised(em_mpi, tmp_path):
    assert EmMpiReader.recognises(em_mpi)
    assert EmMpiReader.recognises(em_mpi / "interim" / "CMIP6" / "MPI-ESM1-2-LR")
    assert not EmMpiReader.recognises(next(em_mpi.rglob("*.nc")))
    assert not EmMpiReader.recognises(tmp_path / "nothing")
    assert not EmMpiReader.recognises("https://server/interim/CMIP6")


def test_the_card_names_every_variable_of_the_layout():
    card = find_dataset("em-mpi")
    assert card.reader == EmMpiReader.layout
    stored = {name: entry.stored_units for name, entry in card.variables.items() if entry.stored_units}
    assert stored == {"tas": "degC", "pr": "mm/day", "pr90": "mm/day"}
