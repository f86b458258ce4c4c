"""Wrong predictions are refused, not scored, and everything that is wrong with them is named at once."""

from __future__ import annotations

import cftime
import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench import evaluate
from climbench.errors import PredictionError
from tests.answers import SETTINGS, YEARS, answer, changed, of_members
from tests.synthetic import LATITUDE


@pytest.fixture
def inspect(synthetic, tmp_path):
    """A function that returns what is said of predictions, or of the file they are in."""

    def look(answered, **settings):
        path = answered
        if isinstance(answered, xr.Dataset):
            path = tmp_path / "answer.nc"
            answered.to_netcdf(path)
        found = evaluate.validate("climatebench", path, data=synthetic, settings={**SETTINGS, **settings})
        assert (found.prediction is None) is bool(found.problems)
        return found

    return look


@pytest.fixture
def problems(inspect):
    """A function that returns the problems of predictions."""
    return lambda answered, **settings: inspect(answered, **settings).problems


def only(problems: list[str]) -> str:
    assert len(problems) == 1, problems
    return problems[0]


def test_good_predictions_have_no_problem(inspect):
    found = inspect(answer())
    assert (found.problems, found.notes) == ([], [])
    assert found.prediction is not None
    assert dict(found.prediction.sizes) == {"time": 21, "latitude": 6, "longitude": 8}


def test_a_missing_file_is_named(problems, tmp_path):
    assert f"There is no file or store {tmp_path / 'absent.nc'}" in only(problems(tmp_path / "absent.nc"))


def test_a_missing_variable_is_named_with_what_there_is(problems):
    assert (
        only(problems(answer().rename(pr="prr"))) == "variable 'pr' is missing. Did you mean 'prr'? There is: prr, tas."
    )


@pytest.mark.parametrize(
    ("years", "said"),
    [
        ([2080], "tas lacks the year 2080; it has 2081..2100."),
        ([2085, 2090], "tas lacks the years 2085, 2090; it has 2080..2100."),
        (range(2090, 2101), "tas lacks the years 2090, 2091, ... 2100 (11); it has 2080..2089."),
    ],
)
def test_missing_years_are_named(problems, years, said):
    assert said in problems(answer().drop_sel(time=list(years)))


@pytest.mark.parametrize(("shift", "sign"), [(1, r"+1"), (-5, "-5"), (-65, "-65")])
def test_shifted_years_are_recognised(problems, shift, sign):
    found = problems(answer().assign_coords(time=YEARS + shift))
    assert f"All years are shifted by {sign}" in found[0]
    assert found[1].startswith("pr lacks the year")


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2080-01-01", periods=21, freq="MS"),
        [cftime.DatetimeNoLeap(2080 + n // 12, n % 12 + 1, 15) for n in range(21)],
        YEARS + 0.5,
    ],
    ids=["months", "months without leap days", "half years"],
)
def test_times_that_are_not_years_are_refused(problems, times):
    assert problems(answer().assign_coords(time=times))


def test_years_that_come_twice_are_refused(problems):
    assert "time" in only(problems(xr.concat([answer(), answer()], "time")))


def test_swapped_labels_are_recognised(problems):
    assert "Are latitude and longitude swapped?" in only(problems(answer().rename(lat="lon", lon="lat")))


def test_swapped_labels_are_recognised_by_their_numbers(problems):
    """Longitudes within [-90, 90] pass for latitudes: the number of rows gives them away."""
    small = answer().assign_coords(lon=np.linspace(-70.0, 70.0, 8)).rename(lat="lon", lon="lat")
    assert "Are latitude and longitude swapped?" in problems(small)[0]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (answer().coarsen(lon=2).mean(), "6 x 4"),
        (answer().assign_coords(lat=LATITUDE + 3.0), "latitude -72..78"),
        (answer().isel(lat=slice(1, None)), "5 x 8"),
    ],
)
def test_another_grid_is_refused_with_both_named(problems, spoilt, said):
    found = problems(spoilt)
    assert len(found) == 2
    assert said in found[0]
    assert "against 6 x 8 (latitude -75..75, longitude 0..315)" in found[0]


@pytest.mark.parametrize("name", ["lat", "lon", "time"])
def test_a_dimension_without_coordinates_is_refused(problems, name):
    assert "without coordinate values" in only(problems(answer().drop_vars(name)))


def test_a_further_dimension_is_refused(problems):
    found = problems(answer().expand_dims(height=[2.0]))
    assert len(found) == 2
    assert "has dimensions (" in found[0]
    assert "wanted are ([member,] time, latitude, longitude)" in found[0]


def test_a_lacking_dimension_is_refused(problems):
    assert all("has dimensions (time, latitude)" in p for p in problems(answer().mean("lon")))


@pytest.mark.parametrize("cut", ["lat", "lon", "time"])
def test_empty_predictions_are_refused(problems, cut):
    assert only(problems(answer().isel({cut: slice(0)})))


@pytest.mark.parametrize(("members", "said"), [(2, "tas has 2 members"), (1, "tas has 1 member;")])
def test_too_few_members_are_refused(problems, members, said):
    found = problems(of_members(members), **{"scoring.min_prediction_members": 3})
    assert found[0].startswith(said)
    assert found[0].endswith("the task wants at least 3")


def test_enough_members_are_taken(problems):
    assert problems(of_members(3), **{"scoring.min_prediction_members": 3}) == []
    assert only(problems(answer()[["tas"]], targets=["tas"], **{"scoring.min_prediction_members": 2}))


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ("K", "The unit 'K' cannot be turned into 'mm/day'"),
        ("hPa", "The unit 'hPa' cannot be turned into 'mm/day'"),
        ("parsnips", "The unit 'parsnips' is not understood"),
        ("", "The unit '' "),
    ],
)
def test_units_that_cannot_be_converted_are_refused(problems, units, said):
    assert said in only(problems(answer().assign(pr=answer()["pr"].assign_attrs(units=units))))


@pytest.mark.parametrize("factor", [86400.0, 1.0 / 86400.0])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_factor_of_86400_is_spotted(problems, factor, labelled):
    flux = (answer()["pr"] * factor).assign_attrs({"units": "mm/day"} if labelled else {})
    assert "the units are probably wrong" in only(
        problems(answer().assign(pr=flux.drop_attrs() if not labelled else flux))
    )


@pytest.mark.parametrize(
    ("fill", "said"),
    [(0.0, "tas is zero throughout"), (np.nan, "tas has no finite value at all"), (np.inf, "tas has no finite value")],
)
def test_empty_fields_are_refused(problems, fill, said):
    assert said in only(problems(changed(tas=xr.full_like(answer()["tas"], fill))))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted(problems, bad):
    spoilt = changed(tas=answer()["tas"].where(answer()["time"] != 2090, bad))
    assert only(problems(spoilt)) == f"tas has 48 values that are not finite (of {21 * 48})"


def test_only_what_is_scored_is_looked_at(problems):
    longer = xr.concat([answer() * np.nan, answer()], "time", combine_attrs="override")
    assert problems(longer.assign_coords(time=np.concatenate([YEARS - 21, YEARS]))) == []


def test_missing_values_may_be_masked_but_not_infinite_ones(problems):
    gap = answer()["time"] != 2090
    assert problems(changed(tas=answer()["tas"].where(gap)), nan="mask") == []
    assert "48 values that are not finite" in only(
        problems(changed(tas=answer()["tas"].where(gap, np.inf)), nan="mask")
    )
    assert "no finite value" in only(problems(changed(tas=answer()["tas"] * np.nan), nan="mask"))


def test_words_are_refused(problems):
    assert "not numbers" in only(problems(answer().assign(tas=answer()["tas"].astype(str))))


def written(path, form, coordinates_first: bool):
    """Write predictions with netCDF4, coordinates before or behind the values."""
    data = answer()
    with netCDF4.Dataset(path, "w", format=form) as file:
        for name, size in data.sizes.items():
            file.createDimension(name, size)
        coordinates, variables = ["time", "lat", "lon"], ["tas", "pr"]
        for name in coordinates + variables if coordinates_first else variables + coordinates:
            file.createVariable(name, "f8", data[name].dims)
            file[name].setncatts(data[name].attrs)
        for name in variables + coordinates:
            file[name][:] = data[name].values


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("coordinates_first", [True, False])
@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
def test_a_truncated_file_is_refused(problems, tmp_path, form, coordinates_first, share):
    """Of a classic file the netCDF library would read zeros where the end is missing."""
    path = tmp_path / "cut.nc"
    written(path, form, coordinates_first)
    assert problems(path) == []
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "cut.nc" in only(problems(path))


def test_damaged_values_are_refused(problems, tmp_path):
    path = tmp_path / "answer.nc"
    answer().to_netcdf(path, encoding={name: {"zlib": True, "fletcher32": True} for name in ("tas", "pr")})
    content = path.read_bytes()
    for place in range(len(content) - 2000, len(content) - 1000, 100):
        content = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
    path.write_bytes(content)
    assert any("cannot be read; the file may be cut short" in p for p in problems(path))


@pytest.mark.parametrize("name", ["words.nc", "empty.nc", "folder", "folder.zarr"])
def test_what_is_no_file_of_predictions_is_refused(problems, tmp_path, name):
    (tmp_path / "words.nc").write_text("hello")
    (tmp_path / "empty.nc").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.zarr").mkdir()
    assert name in only(problems(tmp_path / name))


def test_everything_that_is_wrong_is_named_at_once(synthetic, tmp_path, problems):
    spoilt = xr.Dataset({"pr": (answer()["pr"] * np.nan).assign_attrs(units="hPa")})
    found = problems(spoilt, targets=["tas", "pr", "pr90"])
    assert [p.split(".")[0] for p in found] == [
        "variable 'tas' is missing",
        "pr has no finite value at all",
        "pr: The unit 'hPa' cannot be turned into 'mm/day': they measure different things",
        "variable 'pr90' is missing",
    ]
    with pytest.raises(PredictionError) as error:
        evaluate.score(
            evaluate.open_task("climatebench", synthetic, {"targets": ["tas", "pr", "pr90"]}), tmp_path / "answer.nc"
        )
    assert all(problem in str(error.value) for problem in found)


def test_years_and_grid_and_members_are_named_together(problems):
    spoilt = answer().isel(lat=slice(5), time=slice(5, None))
    found = problems(spoilt, **{"scoring.min_prediction_members": 2})
    assert [len([p for p in found if p.startswith(name)]) for name in ("tas ", "pr ")] == [3, 3]
