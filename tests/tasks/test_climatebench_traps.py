"""The known traps of ClimateBench, one test each, against its formulas written out in plain NumPy.

With Y_n the members of ssp245, Y their mean, M the prediction, T the years 2080..2100, w = cos(latitude):

    norm    = | < mean_T Y >_w |
    spatial = sqrt( < (mean_T Y - mean_T M)^2 >_w ) / norm
    global  = sqrt( mean_T ( <Y>_w - <M>_w )^2 ) / norm
    total   = spatial + 5 global

Watson-Parris et al. (2022), J. Adv. Model. Earth Syst. 14, doi:10.1029/2021MS002954, section 4.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import xskillscore

from climbench.errors import PredictionError
from climbench.evaluate import inspect
from tests.tasks.noisy_files import (
    DTR,
    LATITUDE,
    LONGITUDE,
    SPACE,
    UNIT,
    YEARS,
    by_formula,
    climate,
    emulator,
    opened,
    outputs,
    scored,
    weighted,
    write,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("traps") / "data")


@pytest.mark.parametrize("name", list(UNIT))
def test_scores_are_those_of_the_formulas(folder, name):
    task = opened(folder)
    target = task.target()
    prediction = emulator(target)
    found = scored(task, target, prediction)
    members = climate("ssp245")[name][:, 65:]  # not read from the files: 2080 is the 66th year
    spatial, globe, total, norm = by_formula(members, prediction[name].values)
    assert found[name, "nrmse_spatial"]["value"] == pytest.approx(spatial, rel=1e-9)
    assert found[name, "nrmse_global"]["value"] == pytest.approx(globe, rel=1e-9)
    assert found[name, "nrmse_total"]["value"] == pytest.approx(total, rel=1e-9)
    assert found[name, "rmse_spatial"]["value"] == pytest.approx(spatial * norm, rel=1e-9)


@pytest.mark.parametrize("name", list(UNIT))
def test_scores_agree_with_xskillscore(folder, name):
    task = opened(folder)
    target = task.target()
    prediction = emulator(target)
    found = scored(task, target, prediction)
    mean, ours = target[name].mean("member"), prediction[name]
    weights = np.cos(np.deg2rad(target["latitude"]))
    spread = weights.broadcast_like(mean.isel(time=0, drop=True))
    norm = abs(float(mean.weighted(weights).mean()))
    spatial = xskillscore.rmse(ours.mean("time"), mean.mean("time"), dim=list(SPACE), weights=spread)
    globe = xskillscore.rmse(ours.weighted(weights).mean(SPACE), mean.weighted(weights).mean(SPACE), dim="time")
    assert found[name, "nrmse_spatial"]["value"] == pytest.approx(float(spatial) / norm, rel=1e-9)
    assert found[name, "nrmse_global"]["value"] == pytest.approx(float(globe) / norm, rel=1e-9)


def test_trap_1_a_diurnal_range_close_to_zero_on_the_mean(tmp_path):
    """The norm is the absolute value of the target's mean, here -0.0112 K: an error of 0.08 K everywhere scores 7.1."""

    def spoil(experiment, fields):
        if experiment == "ssp245":
            fields[DTR] += -0.0112 - weighted(fields[DTR][:, 65:].mean(axis=(0, 1)))

    task = opened(write(tmp_path / "data", spoil))
    target = task.target()
    prediction = target.mean("member") + 0.08
    found = scored(task, target, prediction)
    assert found[DTR, "rmse_spatial"]["value"] == pytest.approx(0.08)
    assert found[DTR, "nrmse_spatial"]["value"] == pytest.approx(0.08 / 0.0112, rel=1e-6)
    assert found[DTR, "nrmse_total"]["value"] == pytest.approx(6 * 0.08 / 0.0112, rel=1e-6)
    of_the_prediction = abs(weighted(prediction[DTR].values.mean(axis=0)))
    assert of_the_prediction == pytest.approx(0.0688)  # it would make the error look like 1.2
    assert found[DTR, "nrmse_global"]["value"] == pytest.approx(0.08 / 0.0112, rel=1e-6)


def test_trap_2_the_last_year_belongs_to_the_window(tmp_path):
    """One in every year, 22 in 2100: the mean over 21 years is 2, over 20 it would be 1, over the last 20 2.05."""

    def spoil(experiment, fields):
        if experiment == "ssp245":
            fields["tas"][:] = np.where(YEARS["ssp245"] == 2100, 22.0, 1.0)[:, None, None]

    task = opened(write(tmp_path / "data", spoil))
    target = task.target()
    assert target["time"].values[[0, -1]].tolist() == [2080, 2100]
    assert target.sizes["time"] == 21
    two = target.mean("member").assign(tas=xr.full_like(target["tas"].mean("member"), 2.0))
    found = scored(task, target, two)
    assert found["tas", "rmse_spatial"]["value"] == pytest.approx(0.0, abs=1e-12)
    # By hand: annual errors of 1 twenty times and of 20 once, over the norm 2.
    assert found["tas", "nrmse_global"]["value"] == pytest.approx(np.sqrt((20 * 1.0 + 400.0) / 21.0) / 2.0)


def test_trap_3_inputs_and_outputs_spell_their_dimensions_differently(folder):
    train = opened(folder).training(("SO2",), ("tas",))["ssp585"]
    assert train["SO2"].dims == train["tas"].dims == ("time", *SPACE)
    north, south = train["SO2"].sel(latitude=90.0), train["SO2"].sel(latitude=-90.0)
    assert float(north.mean()) == pytest.approx(3e-12)
    assert float(south.mean()) == pytest.approx(1e-12)
    np.testing.assert_allclose(train["tas"].sel(latitude=90.0), climate("ssp585")["tas"].mean(axis=0)[:, -1])


def test_trap_4_precipitation_is_scored_in_millimetres_a_day(folder, tmp_path):
    task = opened(folder)
    target = task.target()
    np.testing.assert_allclose(target["pr"], climate("ssp245")["pr"][:, 65:], rtol=1e-9)
    found = scored(task, target, target.mean("member") + 1.0)
    for name in ("pr", "pr90"):
        assert found[name, "rmse_spatial"]["value"] == pytest.approx(1.0)
        assert found[name, "rmse_spatial"]["units"] == "mm/day"
    raw = target.mean("member")
    raw = raw.assign(pr=raw["pr"] / 86400.0, pr90=raw["pr90"] / 86400.0)
    raw.drop_attrs().to_netcdf(tmp_path / "unsaid.nc")
    problems = inspect(tmp_path / "unsaid.nc", task, target).problems
    assert [p.split()[0] for p in problems] == ["pr", "pr90"]
    assert all("the units are probably wrong" in p for p in problems)
    for name in ("pr", "pr90"):
        raw[name].attrs["units"] = "kg m-2 s-1"
    raw.to_netcdf(tmp_path / "said.nc")
    inspection = inspect(tmp_path / "said.nc", task, target)
    assert inspection.problems == []
    np.testing.assert_allclose(inspection.prediction["pr"], target["pr"].mean("member"), rtol=1e-9)


def test_trap_5_the_stray_quantile_coordinate_goes_nowhere(folder, tmp_path):
    task = opened(folder)
    target = task.target()
    assert set(target.coords) == {"member", "time", *SPACE}
    assert set(task.training(("CO2",), ("tas",))["ssp585"].coords) == {"time", *SPACE}
    target.mean("member").assign_coords(quantile=0.9).to_netcdf(tmp_path / "mine.nc")
    inspection = inspect(tmp_path / "mine.nc", task, target)
    assert inspection.problems == []
    assert "quantile" not in inspection.prediction.coords


def test_trap_6_three_members_leave_noise_in_the_target(folder):
    """A perfect emulator does not score zero; noise of 0.5 K a year leaves 0.5 / sqrt(21 * 3) K in the mean maps."""
    task = opened(folder)
    target = task.target()
    members = climate("ssp245")["tas"][:, 65:]
    found = scored(task, target, target.mean("member") + 1.0)["tas", "rmse_spatial"]
    spread = weighted(members.mean(axis=1).var(axis=0, ddof=1)) / 3.0
    assert found["floor"] == pytest.approx(np.sqrt(spread), rel=1e-9)
    assert found["floor"] == pytest.approx(0.5 / np.sqrt(63.0), rel=0.1)
    forced = 0.02 * (np.arange(2080, 2101) - 2015)[:, None, None] * (1.0 + np.sin(np.deg2rad(LATITUDE))[:, None] ** 2)
    truth = target.mean("member").copy()
    truth["tas"][:] = np.broadcast_to(forced, (21, 12, 16))
    perfect = scored(task, target, truth)["tas", "rmse_spatial"]
    assert perfect["value"] == pytest.approx(perfect["floor"], rel=0.15)


def wrong_scores(members, prediction):
    """Return what has been taken for the spatial error; the first three hold annual noise."""
    mean = members.mean(axis=0)
    squares = (mean - prediction) ** 2
    maps = (members.mean(axis=1) - prediction.mean(axis=0)) ** 2
    return {
        "area mean of each cell's error over time": weighted(np.sqrt(squares.mean(axis=0))),
        "mean over years of annual errors": np.sqrt(weighted(squares)).mean(),
        "root over years and cells together": np.sqrt(weighted(squares).mean()),
        "squares before the mean over members": np.sqrt(weighted(maps.mean(axis=0))),
        "mean over members of their errors": np.sqrt(weighted(maps)).mean(),
        "equal weight for every cell": np.sqrt(((mean.mean(axis=0) - prediction.mean(axis=0)) ** 2).mean()),
    }


@pytest.mark.parametrize("name", ["tas", "pr"])
def test_trap_7_errors_taken_in_another_order_are_other_numbers(folder, name):
    """A public re-implementation takes the error of each cell over time, then the area mean: it scores annual noise."""
    task = opened(folder)
    target = task.target()
    prediction = emulator(target)
    ours = scored(task, target, prediction)[name, "rmse_spatial"]["value"]
    members = climate("ssp245")[name][:, 65:]
    spatial, _, _, norm = by_formula(members, prediction[name].values)
    assert ours == pytest.approx(spatial * norm, rel=1e-9)
    for what, wrong in wrong_scores(members, prediction[name].values).items():
        assert abs(wrong - ours) > 0.01 * ours, what


def test_trap_7_annual_noise_that_averages_out_is_no_spatial_error(tmp_path):
    """By hand: the target alternates by +-3 K from year to year, the prediction is its mean over the 21 years."""

    def spoil(experiment, fields):
        if experiment == "ssp245":
            fields["tas"][:] = (10.0 + 3.0 * np.sign(np.sin(np.pi * (YEARS["ssp245"] - 2079.5))))[:, None, None]

    task = opened(write(tmp_path / "data", spoil))
    target = task.target()
    prediction = target.mean("member") * 0 + target.mean(("member", "time"))
    assert scored(task, target, prediction)["tas", "rmse_spatial"]["value"] == pytest.approx(0.0, abs=1e-9)
    members = target["tas"].values
    wrong = wrong_scores(members, prediction["tas"].values)
    for what in list(wrong)[:3]:
        assert wrong[what] == pytest.approx(3.0, rel=0.01), what


def test_trap_8_the_first_historical_member_lacks_some_of_the_diurnal_range(tmp_path):
    gone = slice(10, 40)  # 1860 to 1889

    def spoil(experiment, fields):
        if experiment == "historical":
            fields[DTR][0, gone] = np.nan

    task = opened(write(tmp_path / "data", spoil))
    train = task.training(("CO2",), ("tas", DTR))["historical"]
    fields = climate("historical")
    np.testing.assert_allclose(train[DTR][gone], fields[DTR][1:, gone].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(train[DTR][:10], fields[DTR][:, :10].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(train["tas"], fields["tas"].mean(axis=0), rtol=1e-12)
    assert train.sizes["time"] == 165, "no year is left out"
    assert task.notes == [f"historical: {DTR}: member 1 has gaps; the mean is over the members that are there"]


def coarse(field):
    """Return the area-weighted means over blocks of two by two cells."""
    weights = np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(16)
    blocks = (field * weights).reshape(*field.shape[:-2], 6, 2, 8, 2).sum(axis=(-3, -1))
    return blocks / weights.reshape(6, 2, 8, 2).sum(axis=(1, 3))


def test_trap_9_a_score_belongs_to_its_grid(folder, tmp_path):
    """Averaged onto a coarser grid the same prediction scores less, so the two numbers must not be compared."""
    task = opened(folder)
    target = task.target()
    prediction = emulator(target)
    fine = scored(task, target, prediction)["tas", "nrmse_spatial"]["value"]
    rows, columns = LATITUDE.reshape(6, 2).mean(axis=1), LONGITUDE.reshape(8, 2).mean(axis=1)
    small = tmp_path / "coarse"
    small.mkdir()
    fields = {name: coarse(values) for name, values in climate("ssp245").items()}
    outputs("ssp245", fields, rows, columns).to_netcdf(small / "outputs_ssp245.nc")
    coords = {"time": target["time"], "latitude": rows, "longitude": columns}
    averaged = xr.Dataset({n: (("time", *SPACE), coarse(prediction[n].values)) for n in prediction}, coords=coords)
    coarse_task = opened(small)
    less = scored(coarse_task, coarse_task.target(), averaged)["tas", "nrmse_spatial"]["value"]
    assert less < 0.8 * fine
    averaged.to_netcdf(tmp_path / "coarse.nc")
    problems = inspect(tmp_path / "coarse.nc", task, target).problems
    assert len(problems) == 4
    assert all("lies on another grid than the target: 6 x 8" in p and "against 12 x 16" in p for p in problems)
    with pytest.raises(PredictionError, match="'mine' predicts tas on another latitude than the target: 6 values"):
        task.check_prediction(averaged, target, "mine")


def test_trap_of_the_baseline_predictions_stamped_one_year_late(folder, tmp_path):
    """The published network labels a window that ends in one year with the next: 2080..2100 come as 2081..2101."""
    task = opened(folder)
    target = task.target()
    right = target.mean("member")
    late = right.assign_coords(time=right["time"] + 1)
    with pytest.raises(
        PredictionError, match=r"another time than the target: 21 values 2081\.\.2101 against 21 values"
    ):
        task.check_prediction(late, target, "mine")
    late.to_netcdf(tmp_path / "late.nc")
    problems = inspect(tmp_path / "late.nc", task, target).problems
    assert len(problems) == 4
    for problem in problems:
        assert "lacks the year 2080; it has 2081..2101" in problem
        assert "All years are shifted by +1: is the label one window off?" in problem


def test_a_shift_hidden_in_a_longer_series_costs_what_a_year_of_change_is_worth(folder):
    """No label tells of it where more years are given; by hand, 0.02 K a year over the map 1 + sin(latitude)^2."""
    task = opened(folder)
    target = task.target()
    shape = 1.0 + np.sin(np.deg2rad(LATITUDE))[:, None] ** 2 * np.ones(16)
    target["tas"][:] = 0.02 * (np.arange(2080, 2101) - 2015)[None, :, None, None] * shape
    late = target.mean("member")
    late["tas"][:] = 0.02 * (np.arange(2079, 2100) - 2015)[:, None, None] * shape
    found = scored(task, target, late)
    assert found["tas", "rmse_spatial"]["value"] == pytest.approx(0.02 * np.sqrt(weighted(shape**2)))
    assert found["tas", "rmse_global"]["value"] == pytest.approx(0.02 * weighted(shape))
