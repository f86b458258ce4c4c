"""Files as people have them, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.budget import budget
from climbench.constants import GRAVITY
from climbench.errors import DataError
from tests.budget import made

MONTHS = made.months(2001, 2, "noleap")


def hybrid_cmip(times, pressure, bounds=True):
    """Return humidity on CMIP's hybrid levels, from the ground up, p = a p0 + b ps."""
    shape = (len(times), 2, *made.SHAPE)
    dims = ("time", "lev", "lat", "lon")
    data = made.dataset(
        times,
        {
            "hus": made.field(times, np.full(shape, 0.01), "1", dims),
            "ps": made.field(times, np.full(len(times), pressure), "Pa"),
            "a": ("lev", [0.075, 0.08]),
            "b": ("lev", [0.65, 0.15]),
            "p0": ((), 1e5, {"units": "Pa"}),
        },
        lev=("lev", [0.725, 0.23], {"standard_name": "atmosphere_hybrid_sigma_pressure_coordinate"}),
    )
    data["lev"].attrs["formula_terms"] = "p0: p0 a: a b: b ps: ps"
    if bounds:
        data["lev"].attrs["bounds"] = "lev_bnds"
        data["lev_bnds"] = (("lev", "bnds"), [[1.0, 0.45], [0.45, 0.002]])
        data["lev_bnds"].attrs["formula_terms"] = "p0: p0 a: a_bnds b: b_bnds ps: ps"
        data["a_bnds"] = (("lev", "bnds"), [[0.0, 0.15], [0.15, 0.002]])
        data["b_bnds"] = (("lev", "bnds"), [[1.0, 0.3], [0.3, 0.0]])
    return data


def test_hybrid_levels_of_cmip_are_layers_between_the_bounds_of_their_coefficients(tmp_path):
    found = budget([made.write(hybrid_cmip(MONTHS, 98000.0), tmp_path / "hus.nc")])
    named = made.by_name(found)
    assert named["dry_air"].value == pytest.approx(0.99 * (98000.0 - 200.0) / GRAVITY, rel=1e-12)
    assert any("bottom up" in note for note in found.notes)
    found = budget([made.write(hybrid_cmip(MONTHS, 98000.0, bounds=False), tmp_path / "bare.nc")])
    assert any("without the bounds of its coefficients" in note for note in found.notes)
    assert any("vertical coordinate" in word for word in found.missing["dry_air"])


def test_layers_from_the_bottom_up_and_coefficients_in_hectopascal(tmp_path):
    water = (0.001 * (15000.0 + 0.3e5 - 200.0) + 0.002 * (0.7e5 - 15000.0)) / GRAVITY
    hectopascal = {"ak": [2.0, 150.0, 0.0], "bk": made.INTERFACES["bk"]}
    times = made.hours(3)
    variants = {
        "plain": {},
        "up": {"reverse": True},
        "hecto": {"interfaces": hectopascal, "units": "hPa"},
    }
    for name, options in variants.items():
        data = made.layered(times, 1e5, humidity=0.001, **options)
        found = budget([made.write(data, tmp_path / f"{name}.nc")])
        assert made.by_name(found)["water"].value == pytest.approx(water, rel=1e-12), name
    data = made.layered(times, 1e5, humidity=0.001, interfaces=hectopascal, units=None)
    with pytest.raises(DataError, match=r"seem to be in hPa.*Multiply them by 100, or state their unit"):
        budget([made.write(data, tmp_path / "silent.nc")])
    data = hybrid_cmip(MONTHS, 98000.0)
    data["p0"] = ((), 1e3)  # in hPa, and nothing says so
    with pytest.raises(DataError, match="seem to be in hPa"):
        budget([made.write(data, tmp_path / "p0.nc")])


def test_surface_pressure_that_is_missing_is_named(tmp_path):
    data = made.layered(made.hours(3), 1e5).drop_vars("surface_pressure")
    data = data.assign(made.top(made.hours(3), 1.0).data_vars)
    found = budget([made.write(data, tmp_path / "no-pressure.nc")])
    assert found.missing["dry_air"] == ["surface pressure (surface_pressure, ps, PRESsfc)"]
    assert made.by_name(found)["toa_net"].value == pytest.approx(1.0)


def accumulated(times, hours):
    """Return net fluxes at the top of 5 W m-2 and rain of 2 mm/day, as ERA5's amounts of some hours."""
    seconds = hours * 3600.0
    n = len(times)
    return made.dataset(
        times,
        {
            "tsr": made.field(times, np.full(n, 240.0 * seconds), "J m-2"),
            "ttr": made.field(times, np.full(n, -235.0 * seconds), "J m-2"),
            "tp": made.field(times, np.full(n, 0.002 * hours / 24.0), "m"),
        },
    )


def test_amounts_of_unknown_hours_are_refused_until_the_hours_are_said(tmp_path):
    path = made.write(accumulated(made.hours(5), 1.0), tmp_path / "amounts.nc")
    with pytest.raises(DataError, match=r"accumulated over hours that the files do not state.*--window 1"):
        budget([path])
    named = made.by_name(budget([path], window=1.0))
    assert named["toa_net"].value == pytest.approx(5.0, rel=1e-12)
    assert named["precipitation"].value == pytest.approx(2.0, rel=1e-12)
    hourly = made.write(accumulated(made.hours(5, step=1), 1.0), tmp_path / "hourly.nc")
    assert made.by_name(budget([hourly]))["toa_net"].value == pytest.approx(5.0, rel=1e-12)
    with pytest.raises(DataError, match="--window takes hours above 0"):
        budget([hourly], window=0.0)


def test_a_name_that_tells_its_hours_keeps_them(tmp_path):
    data = accumulated(made.hours(5), 1.0).drop_vars("tp")
    data["total_precipitation_6hr"] = made.field(data.time, np.full(5, 0.0005), "m")
    named = made.by_name(budget([made.write(data, tmp_path / "six.nc")], window=1.0))
    assert named["precipitation"].value == pytest.approx(2.0, rel=1e-12)


def test_variables_and_times_split_over_files_folders_and_stores_are_one(tmp_path):
    data = made.top(MONTHS, np.arange(24.0))
    whole = budget([made.write(data, tmp_path / "whole.nc")])
    folder = tmp_path / "split"
    folder.mkdir()
    for name in ("rsdt", "rsut"):
        for i in (0, 1):
            made.write(data[[name]].isel(time=slice(12 * i, 12 * i + 12)), folder / f"{name}_{i}.nc")
    data[["rlut"]].to_zarr(folder / "rlut", zarr_format=2)  # a store is known by what is in it
    split = budget([folder])
    assert made.by_name(split)["toa_net"] == made.by_name(whole)["toa_net"]
    assert len(split.files) == 5
    data[["rlut"]].to_zarr(tmp_path / "rlut.zarr", zarr_format=2)
    by_url = budget([*folder.glob("*.nc"), (tmp_path / "rlut.zarr").as_uri()])
    assert made.by_name(by_url)["toa_net"] == made.by_name(whole)["toa_net"]


def test_what_the_door_did_to_many_files_is_said_once(tmp_path):
    data = made.top(MONTHS).isel(lat=slice(None, None, -1))
    for name in made.TOP:
        made.write(data[[name]], tmp_path / f"{name}.nc")
    notes = [note for note in budget([tmp_path]).notes if "latitude" in note]
    assert notes == ["3 files: latitude was not ascending and was put in order, values with it"]


def test_layers_in_the_names_of_variables_as_ace_writes_them(tmp_path):
    times = made.hours(3)
    data = made.dataset(times, {"PRESsfc": made.field(times, [1e5, 1e5, 1e5], "Pa")})
    for k in range(2):
        data[f"specific_total_water_{k}"] = made.field(times, np.full(3, 0.001 * (k + 1)), "kg/kg")
    for k in range(3):
        data[f"ak_{k}"], data[f"bk_{k}"] = made.INTERFACES["ak"][k], made.INTERFACES["bk"][k]
    data = data.rename(lat="grid_yt", lon="grid_xt")
    for i in range(3):
        made.write(data.isel(time=[i]), tmp_path / f"{i}.nc")
    water = (0.001 * (15000.0 + 0.3e5 - 200.0) + 0.002 * (0.7e5 - 15000.0)) / GRAVITY
    assert made.by_name(budget([tmp_path]))["water"].value == pytest.approx(water, rel=1e-6)


def test_a_forecast_from_one_start_is_a_series(tmp_path):
    data = made.moist(made.hours(5), leak=1e-6)
    hours = ((data.time - data.time[0]) / np.timedelta64(1, "h")).values.astype("int64")
    forecast = data.assign_coords(time=hours).rename(time="prediction_timedelta")
    forecast["prediction_timedelta"].attrs["units"] = "hours"
    forecast = forecast.expand_dims(time=[data.time.values[0]])
    named = made.by_name(budget([made.write(forecast, tmp_path / "forecast.nc")]))
    assert named["water_residual"].value == pytest.approx(0.0864, rel=1e-8)


def test_what_several_files_repeat_is_taken_once_and_must_agree(tmp_path):
    data = hybrid_cmip(MONTHS, 98000.0)
    made.write(data, tmp_path / "hus.nc")
    other = data.rename(hus="ta")
    other["ta"] = other["ta"].copy(data=np.full(other["ta"].shape, 250.0)).assign_attrs(units="K")
    made.write(other, tmp_path / "ta.nc")
    assert "dry_air" in made.by_name(budget([tmp_path]))
    other["ps"] = other["ps"] + 100.0
    other["ps"].attrs["units"] = "Pa"
    made.write(other, tmp_path / "ta.nc")
    with pytest.raises(DataError, match=r"'ps' is in hus.nc and in ta.nc, with other values"):
        budget([tmp_path])


def test_files_that_do_not_fit_together_are_named(tmp_path):
    data = made.top(MONTHS)
    made.write(data[["rsdt", "rsut"]], tmp_path / "a.nc")
    shifted = data[["rlut"]].assign_coords(lat=[-50.0, 0.0, 50.0])
    with pytest.raises(DataError, match=r"differ in 'latitude'"):
        budget([tmp_path / "a.nc", made.write(shifted, tmp_path / "b.nc")])
    overlapping = data[["rsdt"]].isel(time=slice(6, None))
    with pytest.raises(DataError, match=r"a.nc and c.nc overlap"):
        budget([tmp_path / "a.nc", made.write(overlapping, tmp_path / "c.nc")])
    facets = {"source_id": "X", "variant_label": "r1i1p1f1"}
    one = made.write(data[["rsdt"]].assign_attrs(experiment_id="piControl", **facets), tmp_path / "d.nc")
    two = made.write(data[["rlut"]].assign_attrs(experiment_id="historical", **facets), tmp_path / "e.nc")
    with pytest.raises(DataError, match=r"several runs: X piControl r1i1p1f1 \(d.nc\), X historical"):
        budget([one, two])


def test_places_without_files_and_files_without_budgets(tmp_path):
    (tmp_path / "damaged.nc").write_bytes(b"not a netCDF file")
    (tmp_path / "empty").mkdir()
    other = made.dataset(MONTHS, {"tas": made.field(MONTHS, np.full(24, 288.0), "K")})
    wrong = {
        tmp_path / "nowhere.nc": "There is no file or store",
        tmp_path / "damaged.nc": "cannot be opened",
        tmp_path / "empty": "There are no netCDF files or zarr stores in",
        made.write(other, tmp_path / "tas.nc"): r"nothing in tas.nc that a budget could be made of; found .*tas",
    }
    for path, message in wrong.items():
        with pytest.raises(DataError, match=message):
            budget([path])
    with pytest.raises(DataError, match="No files were named"):
        budget([])


def test_missing_values_are_refused_with_their_count(tmp_path):
    data = made.top(MONTHS, 1.0)
    data["rsut"][3, 1, 2] = np.nan
    data["rsut"][4, 1, 2] = np.nan
    data["pr"] = made.field(MONTHS, np.full(24, 3e-5), "kg m-2 s-1")
    found = budget([made.write(data, tmp_path / "holes.nc")])
    assert found.missing["toa_net"][0].startswith("2 of 288 values of 'rsut', which are missing (NaN)")
    assert set(made.by_name(found)) == {"precipitation"}


def test_values_that_are_not_in_their_unit_are_refused(tmp_path):
    data = made.top(MONTHS)
    data["rlut"][:, 0, 0] = 1e20
    with pytest.raises(DataError, match=r"'rlut' runs from 240 to 1e\+20 W m-2.*fill value is not declared"):
        budget([made.write(data, tmp_path / "fill.nc")])


def test_members_and_curved_grids_are_refused_in_words(tmp_path):
    data = made.top(MONTHS)
    members = data.expand_dims(member=[1, 2])
    with pytest.raises(DataError, match=r"more than one run, along member \(2\)"):
        budget([made.write(members, tmp_path / "members.nc")])
    curved = data.rename(lat="y", lon="x").drop_vars(["x", "y"])
    with pytest.raises(DataError, match="Budgets need latitude and longitude as dimensions"):
        budget([made.write(curved, tmp_path / "curved.nc")])
