"""Physical consistency of projections: ratios worked out from area means, and absolute amounts where they are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_dataset, find_task, with_settings
from climbench.data.readers.climatebench import ClimateBenchReader
from climbench.errors import DataError
from climbench.grids import latitude_weights
from climbench.land import land_fraction
from climbench.metrics.base import area_mean
from climbench.metrics.consistency import ratio_against_members
from climbench.regions import region_weights
from climbench.tasks.fixed_fields import control_climatology, fixed_files, land_of
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_metrics import CONSISTENCY
from climbench.tasks.projection_scores import ProjectionScorer
from climbench.worlds.mini_esm import MiniESM
from tests import synthetic
from tests.tasks.scored_fields import LATITUDE, LONGITUDE, fields, scorer, table

SETTINGS = {"scoring__regions": [], "scoring__metrics": list(CONSISTENCY)}
ALL = ("tas", "pr", "pr90")
RATIOS = {
    "hydrological_sensitivity": (("pr", "global"), ("tas", "global")),
    "land_sea_warming_ratio": (("tas", "global_land"), ("tas", "global_ocean")),
    "polar_amplification": (("tas", "arctic"), ("tas", "global")),
}


@pytest.fixture(scope="module")
def target():
    return fields(0, members=4, variables=ALL)


@pytest.fixture(scope="module")
def prediction():
    return fields(1, variables=ALL)


@pytest.fixture(scope="module")
def scores(target, prediction):
    return scorer(target, **SETTINGS).score("mine", prediction, None)


def mean_of(data, variable, region):
    area = latitude_weights(data["latitude"], "cos_latitude")
    weights = region_weights(area, data, region, land_fraction=land_fraction(data))
    return area_mean(data[variable], weights).mean("time")


@pytest.mark.parametrize("metric", RATIOS)
def test_ratios_are_those_of_means_over_years_and_areas(scores, target, prediction, metric):
    rows, (variable, _) = table(scores), RATIOS[metric][0]
    above, below = (float(mean_of(prediction, *part)) for part in RATIOS[metric])
    value, error = (rows[variable, name, "global"] for name in (metric, f"{metric}_error"))
    assert value["value"] == pytest.approx(above / below, rel=1e-9)
    assert (value["floor"], value["low"], value["high"]) == (None, None, None)
    theirs = [mean_of(target, *part) for part in RATIOS[metric]]
    assert error["value"] == pytest.approx(above / below - float(theirs[0].mean() / theirs[1].mean()), rel=1e-9)
    expected = ratio_against_members(above / below, *(t.values for t in theirs))
    assert error["floor"] == pytest.approx(expected.floor, rel=1e-9)
    assert (error["low"], error["high"]) == pytest.approx((expected.interval.low, expected.interval.high), rel=1e-9)
    units = {"hydrological_sensitivity": "mm/day/K"}.get(metric, "1")
    assert (value["units"], error["units"]) == (units, units)


def test_the_mean_over_members_is_what_has_a_ratio(target):
    ensemble = fields(1, members=6, variables=ALL)
    rows = [table(scorer(target, **SETTINGS).score("mine", e, None)) for e in (ensemble, ensemble.mean("member"))]
    for metric, ((variable, _), _) in RATIOS.items():
        one, other = (found[variable, metric, "global"]["value"] for found in rows)
        assert one == pytest.approx(other, rel=1e-9)


def test_members_that_lack_a_variable_do_not_count_in_its_ratio(target, prediction):
    gap = target.copy(deep=True)
    gap["pr"][{"member": 1}] = np.nan
    row = table(scorer(gap, **SETTINGS).score("mine", prediction, None))[
        "pr", "hydrological_sensitivity_error", "global"
    ]
    left = target.isel(member=[0, 2, 3])
    expected = table(scorer(left, **SETTINGS).score("mine", prediction, None))
    assert row["floor"] == pytest.approx(expected["pr", "hydrological_sensitivity_error", "global"]["floor"], rel=1e-9)


def test_a_ratio_needs_both_variables_and_says_so(target, prediction):
    scores = scorer(target[["pr"]], **SETTINGS).score("mine", prediction, None)
    rows = table(scores)
    for name in ("hydrological_sensitivity", "hydrological_sensitivity_error"):
        assert rows["pr", name, "global"]["value"] is None
    assert any("hydrological_sensitivity" in r and "needs tas among the targets" in r for r in scores.reasons)
    assert {variable for variable, _, _ in rows} == {"pr"}


def test_no_warming_is_no_denominator_and_says_so(prediction):
    still = fields(0, members=4, variables=ALL, level={"tas": 0.0})
    scores = scorer(still, **SETTINGS).score("mine", prediction, None)
    row = table(scores)["pr", "hydrological_sensitivity_error", "global"]
    assert (row["value"], row["low"]) == (None, None)
    assert any("hydrological_sensitivity_error" in r and "within its noise" in r for r in scores.reasons)


def test_without_a_control_absolute_amounts_are_impossible_and_the_reason_is_given(scores):
    rows = table(scores)
    for key in (
        ("pr", "below_zero"),
        ("pr90", "below_zero"),
        ("pr90", "pr90_below_pr"),
        ("pr90", "pr90_below_pr_error"),
    ):
        assert rows[*key, "global"]["value"] is None
    (reason,) = [r for r in scores.reasons if "control_climatology" in r]
    assert reason.startswith("below_zero of pr, below_zero of pr90, pr90_below_pr")
    assert ("tas", "below_zero", "global") not in rows


# Absolute amounts


def control(**amounts):
    """Return a control climatology in mm/day, the same everywhere."""
    coords = {"lat": LATITUDE, "lon": LONGITUDE}
    shape = (LATITUDE.size, LONGITUDE.size)
    made = {n: (("lat", "lon"), np.full(shape, value), {"units": "mm/day"}) for n, value in amounts.items()}
    return xr.Dataset(made, coords=coords)


@pytest.fixture
def folder(tmp_path):
    return synthetic.write(tmp_path / "data", ["ssp245"])


def task_on(folder, **settings):
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    card = with_settings(find_task("climatebench"), {"targets": list(ALL), **dotted})
    dataset = find_dataset("climatebench")
    return ProjectionTask(card, ClimateBenchReader(folder, dataset), dataset)


def changes(**values):
    """Return changes in mm/day of two years on the synthetic grid, the same everywhere but for the first column."""
    coords = {"time": [2080, 2081], "latitude": LATITUDE, "longitude": LONGITUDE}
    made = {}
    for name, (first, others) in values.items():
        field = np.full((2, LATITUDE.size, LONGITUDE.size), others)
        field[:, :, 0] = first
        made[name] = (tuple(coords), field)
    return xr.Dataset(made, coords=coords)


def scored_with(folder, prediction, members, **settings):
    return table(ProjectionScorer(task_on(folder, **SETTINGS, **settings), members).score("mine", prediction, None))


@pytest.fixture
def members():
    """Three members; pr90 falls below pr in the first column of the first of them alone."""
    one = changes(tas=(1.0, 1.0), pr=(0.0, 0.1), pr90=(-3.0, 0.1))
    other = changes(tas=(1.1, 1.0), pr=(0.0, 0.2), pr90=(0.0, 0.1))
    third = changes(tas=(1.1, 1.2), pr=(0.0, 0.1), pr90=(0.0, 0.3))
    return xr.concat([one, other, third], "member").assign_coords(member=[1, 2, 3])


def test_absolute_amounts_are_counted_by_area(folder, members):
    """Control 1 and 3: pr of -2 below zero in one column of eight; pr90 of 3 - 2.5 below pr of 1 there in one year."""
    control(pr=1.0, pr90=3.0).to_netcdf(folder / "control_climatology.nc")
    prediction = changes(tas=(1.0, 1.0), pr=(-2.0, 0.1), pr90=(0.0, 0.1))
    rows = scored_with(folder, prediction, members)
    assert rows["pr", "below_zero", "global"]["value"] == pytest.approx(1 / 8)
    assert rows["pr90", "below_zero", "global"]["value"] == 0.0
    prediction = changes(tas=(1.0, 1.0), pr=(0.0, 0.1), pr90=(0.0, 0.1))
    prediction["pr90"][1, :, 0] = -2.5
    rows = scored_with(folder, prediction, members)
    assert rows["pr90", "pr90_below_pr", "global"]["value"] == pytest.approx(1 / 16)
    error = rows["pr90", "pr90_below_pr_error", "global"]
    assert error["value"] == pytest.approx(1 / 16 - 1 / 24)  # the target's: an eighth in one member of three
    assert error["floor"] == pytest.approx(np.std([1 / 8, 0, 0], ddof=1) / 3**0.5)


def test_the_members_of_a_prediction_are_counted_not_their_mean(folder, members):
    control(pr=1.0, pr90=3.0).to_netcdf(folder / "control_climatology.nc")
    low, high = (changes(tas=(1.0, 1.0), pr=(p, 0.1), pr90=(0.0, 0.1)) for p in (-2.0, 3.0))
    ensemble = xr.concat([low, high], "member").assign_coords(member=[1, 2])
    rows = scored_with(folder, ensemble, members)
    assert rows["pr", "below_zero", "global"]["value"] == pytest.approx(1 / 16)


def test_the_card_may_name_the_file(folder, members, tmp_path):
    prediction = changes(tas=(1.0, 1.0), pr=(-2.0, 0.1), pr90=(0.0, 0.1))
    control(pr=1.0).to_netcdf(tmp_path / "elsewhere.nc")
    control(pr=5.0).to_netcdf(folder / "mine.nc")
    for name, expected in ((str(tmp_path / "elsewhere.nc"), 1 / 8), ("mine.nc", 0.0)):
        rows = scored_with(folder, prediction, members, control_climatology=name)
        assert rows["pr", "below_zero", "global"]["value"] == pytest.approx(expected)
        assert rows["pr90", "below_zero", "global"]["value"] is None
    with pytest.raises(DataError, match=r"There is no file absent\.nc, nor"):
        scored_with(folder, prediction, members, control_climatology="absent.nc")


def test_a_control_in_other_units_or_on_another_grid_is_brought_to_the_targets(folder, members):
    fine = xr.Dataset(coords={"lat": np.linspace(-82.5, 82.5, 12), "lon": np.arange(16) * 22.5})
    flux = (xr.zeros_like(fine["lat"] * fine["lon"]) + 1.0 / 86400.0).assign_attrs(units="kg m-2 s-1")
    fine.assign(pr=flux).to_netcdf(folder / "control_climatology.nc")
    task = task_on(folder)
    found = control_climatology(task, members)
    np.testing.assert_allclose(found["pr"], 1.0)
    assert found["pr"]["latitude"].equals(members["latitude"])


def test_a_control_that_does_not_fit_is_refused(folder, members):
    bad = control(pr=1.0)
    bad["pr"][0, 0] = np.nan
    bad.to_netcdf(folder / "control_climatology.nc")
    with pytest.raises(DataError, match="pr has missing values, or does not cover the grid"):
        control_climatology(task_on(folder), members)
    control(pr=1.0).expand_dims(time=[1, 2]).to_netcdf(folder / "yearly.nc")
    with pytest.raises(DataError, match="wanted are \\(latitude, longitude\\)"):
        control_climatology(task_on(folder, control_climatology="yearly.nc"), members)


def test_absolute_data_need_no_control(folder, members):
    task = task_on(folder, **SETTINGS)
    entries = {n: v.model_copy(update={"anomaly": n == "tas"}) for n, v in task.dataset.variables.items()}
    task.dataset = task.dataset.model_copy(update={"variables": entries})
    prediction = changes(tas=(1.0, 1.0), pr=(-2.0, 0.1), pr90=(-3.0, 0.1))
    rows = table(ProjectionScorer(task, members).score("mine", prediction, None))
    assert rows["pr", "below_zero", "global"]["value"] == pytest.approx(1 / 8)
    assert rows["pr90", "pr90_below_pr", "global"]["value"] == pytest.approx(1 / 8)


# Land


def test_land_of_the_data_goes_before_the_global_mask(folder, members):
    coords = {"lat": LATITUDE, "lon": LONGITUDE}
    half = xr.DataArray(np.full((6, 8), 50.0), coords=coords, dims=("lat", "lon"), attrs={"units": "%"})
    half.to_dataset(name="sftlf").to_netcdf(folder / "sftlf.nc")
    np.testing.assert_allclose(land_of(task_on(folder), members), 0.5)
    np.testing.assert_allclose(land_of(task_on(folder, land_fraction="sftlf.nc"), members), 0.5)
    half.to_dataset(name="mask").to_netcdf(folder / "other.nc")
    with pytest.raises(DataError, match="has no variable 'sftlf'"):
        land_of(task_on(folder, land_fraction="other.nc"), members)


def test_the_files_are_among_those_that_scoring_reads(folder):
    assert fixed_files(task_on(folder)) == []
    control(pr=1.0).to_netcdf(folder / "control_climatology.nc")
    control(pr=1.0).to_netcdf(folder / "sftlf.nc")
    names = [path.name for path in task_on(folder).target_files()]
    assert names == ["outputs_ssp245.nc", "sftlf.nc", "control_climatology.nc"]


def test_the_embedded_world_brings_both(tmp_path):
    """Its control is what its precipitation is an anomaly from: never below zero, and heavy rain above the mean."""
    world = MiniESM(experiments=["ssp245"])
    world.write(tmp_path, members=1)
    dataset = find_dataset("mini-esm")
    task = ProjectionTask(find_task("climatebench"), ClimateBenchReader(tmp_path, dataset), dataset)
    truth = world.forced_response("ssp245", (2080, 2100)).rename(lat="latitude", lon="longitude")
    found = control_climatology(task, truth)
    assert set(found) == {"pr", "pr90"}
    absolute = truth["pr"] * 86400.0 + found["pr"]
    assert float(absolute.min()) > 0.0
    assert float((truth["pr90"] * 86400.0 + found["pr90"] - absolute).min()) > 0.0
    land = land_of(task, truth)
    assert float(land.max()) > 0.9
    assert float(abs(land - land_fraction(truth)).max()) > 0.5  # its continents are its own
    assert task.reader.origin(task.target_files())["world"] == "mini-esm"
