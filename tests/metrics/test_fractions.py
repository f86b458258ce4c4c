"""The fractions skill score by hand, against `scores`, and against sums over neighbourhoods one by one."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scores.spatial import fss_2d

from climbench.errors import DataError
from climbench.grids import latitude_weights
from climbench.metrics.fractions import fraction_statistics, fractions_skill_score, neighbourhood_fractions
from tests.example_grids import SPACE, random_maps, regular

ON = regular(12)


def forecasts(seed, n=4, on=ON):
    return random_maps(on, n=n, seed=seed).rename(time="init_time")


def ensemble(seed, members=5):
    return xr.concat([forecasts(seed + m) for m in range(members)], dim="member")


def by_scores(prediction, target, threshold, size):
    """Of windows within the map, over all inits."""
    return fss_2d(
        prediction,
        target,
        event_threshold=threshold,
        window_size=(size, size),
        spatial_dims=SPACE,
        reduce_dims=["init_time", *SPACE],
        threshold_operator=np.greater,
    )


def padded(field, rows=0, columns=0):
    """Return maps with rows without event around them, and columns that go on round the globe."""
    wide = np.pad(field.values, ((0, 0), (0, 0), (columns, columns)), mode="wrap")
    high = np.pad(wide, ((0, 0), (rows, rows), (0, 0)), constant_values=-99.0)
    return xr.DataArray(high, dims=field.dims)


def one_by_one(share, size):
    """Round the globe, without the rows at the edge."""
    rows, columns = share.shape
    reach = size // 2
    result = np.empty((rows - 2 * reach, columns))
    for i in range(reach, rows - reach):
        for j in range(columns):
            inside = [
                share[i + a, (j + b) % columns] for a in range(-reach, reach + 1) for b in range(-reach, reach + 1)
            ]
            result[i - reach, j] = sum(inside) / size**2
    return result


def test_by_hand():
    """Three rows of six columns with one event each, two columns apart, and squares of 3: the middle row alone counts.

    Fractions are 1/9 in columns 1 to 3 and 3 to 5: they differ in four columns, and have six squares of 1/9 in all.
    """
    maps = np.zeros((2, 1, 3, 6))
    maps[0, 0, 1, 2] = maps[1, 0, 1, 4] = 1.0
    coords = {"init_time": [0], "latitude": [-60.0, 0.0, 60.0], "longitude": np.arange(6) * 60.0}
    ours, theirs = (xr.DataArray(m, coords=coords, dims=("init_time", *SPACE)) for m in maps)
    assert float(fractions_skill_score(ours, theirs, 0.5, size=3)) == pytest.approx(1.0 - 4.0 / 6.0)
    assert float(fractions_skill_score(ours, theirs, 0.5, size=1)) == pytest.approx(0.0)
    assert float(fractions_skill_score(ours, ours, 0.5, size=3)) == pytest.approx(1.0)
    # With two steps more, four columns from 2 across the seam to 0, the fractions overlap in one column as well.
    assert float(fractions_skill_score(ours, ours.roll(longitude=4), 0.5, size=3)) == pytest.approx(1.0 - 4.0 / 6.0)


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("threshold", [-0.5, 0.8])
def test_within_the_map_it_is_that_of_scores(size, threshold):
    ours, theirs = forecasts(0), forecasts(9)
    found = fractions_skill_score(ours, theirs, threshold, size=size, periodic=False)
    assert float(found) == pytest.approx(float(by_scores(ours, theirs, threshold, size)), abs=1e-6)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_round_the_globe_it_is_that_of_scores_with_repeated_columns(size):
    ours, theirs = forecasts(0), forecasts(9)
    expected = by_scores(*(padded(f, columns=size // 2) for f in (ours, theirs)), 0.8, size)
    assert float(fractions_skill_score(ours, theirs, 0.8, size=size)) == pytest.approx(float(expected), abs=1e-6)
    turned = fractions_skill_score(ours.roll(longitude=5), theirs.roll(longitude=5), 0.8, size=size)
    assert float(turned) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("size", [3, 7])
def test_without_events_beyond_it_is_that_of_scores_with_empty_rows(size):
    ours, theirs = forecasts(0), forecasts(9)
    expected = by_scores(*(padded(f, size // 2, size // 2) for f in (ours, theirs)), 0.8, size)
    found = fractions_skill_score(ours, theirs, 0.8, size=size, edge_rows="zeros")
    assert float(found) == pytest.approx(float(expected), abs=1e-6)


def test_fractions_are_those_counted_one_by_one():
    share = (forecasts(0, n=1).values[0] > 0.3).astype("float32")
    for size in (1, 3, 5):
        found = neighbourhood_fractions(share, size, periodic=True, edge_rows="leave_out")
        np.testing.assert_allclose(found, one_by_one(share, size), atol=1e-13)


def test_statistics_of_a_map():
    """Two rows of weights 3 and 1, and squares of 1: differences are 1/4 and 0, squares in all 5/4 and 2."""
    ours, theirs = np.array([[0.5, 0.5], [1.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    difference, reference = fraction_statistics(ours, theirs, 1, weights=np.array([3.0, 1.0]))
    assert difference == pytest.approx(0.75 * 0.25)
    assert reference == pytest.approx(0.75 * 1.25 + 0.25 * 2.0)


def test_of_an_ensemble_the_fractions_are_averaged():
    members, target = ensemble(0), forecasts(9)
    found = fractions_skill_score(members, target, 0.5, size=3)
    difference = reference = 0.0
    for init in range(target.sizes["init_time"]):
        share = (members.isel(init_time=init).transpose("member", *SPACE).values > 0.5).mean(0)
        ours, theirs = one_by_one(share, 3), one_by_one(target[init].values > 0.5, 3)
        difference += ((ours - theirs) ** 2).sum()
        reference += (ours**2 + theirs**2).sum()
    assert float(found) == pytest.approx(1.0 - difference / reference, rel=1e-10)
    alone = fractions_skill_score(members.isel(member=[2]), target, 0.5, size=3)
    xr.testing.assert_allclose(alone, fractions_skill_score(members.isel(member=2), target, 0.5, size=3))


def test_sums_over_inits_come_before_the_ratio():
    """An init without any event has no score of its own, and adds nothing to that of all."""
    ours, theirs = forecasts(0), forecasts(9)
    dry = [f.copy(data=np.full(f.shape, -9.0)) for f in (ours, theirs)]
    assert np.isnan(fractions_skill_score(*dry, 0.5, size=3))
    both = [xr.concat([f, d], dim="init_time") for f, d in zip((ours, theirs), dry, strict=True)]
    expected = fractions_skill_score(ours, theirs, 0.5, size=3)
    xr.testing.assert_allclose(fractions_skill_score(*both, 0.5, size=3), expected, rtol=1e-12)


def test_rows_without_weight_do_not_count():
    """Squares of 1 see their own row only."""
    ours, theirs = forecasts(0), forecasts(9)
    weights = xr.where(ON["latitude"] > 0, 2.5, 0.0)
    north = [f.sel(latitude=slice(0, None)) for f in (ours, theirs)]
    expected = fractions_skill_score(*north, 0.5, size=1)
    xr.testing.assert_allclose(fractions_skill_score(ours, theirs, 0.5, size=1, weights=weights), expected)
    cut = fractions_skill_score(*(f.isel(latitude=[0, 1, 2, -3, -2, -1]) for f in (ours, theirs)), 0.5, size=1)
    assert float(cut) != pytest.approx(float(expected))


def test_weights_are_those_of_the_mean_over_cells():
    """By fractions counted one by one, with the exact areas of the rows that are left."""
    ours, theirs = forecasts(0, n=1), forecasts(9, n=1)
    weights = latitude_weights(ON["latitude"])
    p, t = (one_by_one(f.values[0] > 0.5, 3) for f in (ours, theirs))
    area = weights.values[1:-1, None]
    expected = 1.0 - (area * (p - t) ** 2).sum() / (area * (p**2 + t**2)).sum()
    assert float(fractions_skill_score(ours, theirs, 0.5, size=3, weights=weights)) == pytest.approx(
        expected, rel=1e-10
    )
    assert float(fractions_skill_score(ours, theirs, 0.5, size=3)) != pytest.approx(expected, rel=1e-4)


def test_an_event_is_a_value_above_the_threshold():
    """Of the forecast all cells are at the threshold, of the target all above: there is no event forecast."""
    at = xr.ones_like(forecasts(0))
    assert float(fractions_skill_score(at, at + 0.1, 1.0, size=3)) == 0.0
    assert float(fractions_skill_score(at, at + 0.1, 0.9, size=3)) == 1.0


def test_thresholds_of_several_kinds():
    ours, theirs = forecasts(0), forecasts(9)
    several = xr.DataArray([0.0, 0.8], dims="threshold", coords={"threshold": [0.0, 0.8]})
    found = fractions_skill_score(ours, theirs, several, size=3)
    for value in (0.0, 0.8):
        xr.testing.assert_allclose(
            found.sel(threshold=value, drop=True), fractions_skill_score(ours, theirs, value, size=3)
        )
    at_each_cell = xr.zeros_like(ours[0], dtype=float).drop_vars("init_time") + 0.8
    xr.testing.assert_allclose(
        fractions_skill_score(ours, theirs, at_each_cell, size=3), fractions_skill_score(ours, theirs, 0.8, size=3)
    )


def test_a_region_does_not_wrap():
    part = [f.isel(longitude=slice(15)) for f in (forecasts(0), forecasts(9))]
    found = fractions_skill_score(*part, 0.5, size=3)
    assert float(found) == pytest.approx(float(by_scores(*part, 0.5, 3)), abs=1e-6)


def test_order_of_dimensions_chunks_and_precision_make_no_difference():
    members, target = ensemble(0), forecasts(9)
    whole = fractions_skill_score(members, target, 0.5, size=5)
    turned = fractions_skill_score(members.transpose(*SPACE, "init_time", "member"), target, 0.5, size=5)
    xr.testing.assert_allclose(turned, whole, rtol=1e-12)
    lazy = fractions_skill_score(
        members.chunk(init_time=1, latitude=5, member=2), target.chunk(init_time=3), 0.5, size=5
    )
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-12)
    small = fractions_skill_score(members.astype("float32"), target.astype("float32"), np.float32(0.5), size=5)
    xr.testing.assert_allclose(small, whole, rtol=1e-6)


def test_nan_is_passed_on():
    ours, theirs = forecasts(0), forecasts(9)
    assert np.isnan(fractions_skill_score(ours.where(ours < 2.0), theirs, 0.5, size=3))


def test_wrong_neighbourhoods_weights_and_inits_are_refused():
    field = forecasts(0)
    for size in (0, 2, 13):
        with pytest.raises(DataError, match=rf"not longer than the map of 12 x 24; found {size}\."):
            fractions_skill_score(field, field, 0.5, size=size)
    with pytest.raises(DataError, match="along latitude only; found latitude, longitude"):
        fractions_skill_score(field, field, 0.5, size=3, weights=field.isel(init_time=0, drop=True))
    with pytest.raises(DataError, match="averaged over 'init_time'"):
        fractions_skill_score(field[0], field[0], 0.5, size=3)
