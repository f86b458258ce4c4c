"""Reliability diagrams and the parts of the Brier score: hand-worked counts, another library, parts that add up."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import xskillscore

from climbench.errors import DataError
from climbench.metrics.base import weighted_sum
from climbench.metrics.exceedance import brier_score, exceedance_probability
from climbench.metrics.reliability import brier_parts, calibration_error, ensemble_edges, reliability
from tests.metrics.ensemble_examples import draw, line, target

DIM = ("time", "latitude", "longitude")
WEIGHTS = xr.DataArray([1.0, 3.0, 2.0, 0.5], coords={"latitude": np.arange(4)}, dims="latitude")
LIMIT = 280.3


def forecasts():
    return exceedance_probability(draw(), LIMIT), target() > LIMIT


def test_by_hand():
    """Probabilities 0.1, 0.3 in the lower half, 0.5, 1 in the upper one; weights 1, 3, 2, 2."""
    probability, occurred = line(0.1, 0.3, 0.5, 1.0, dim="x"), line(0, 1, 1, 0, dim="x")
    counts = reliability(probability, occurred, line(1, 3, 2, 2, dim="x"), ("x",), edges=(0.0, 0.5, 1.0))
    np.testing.assert_allclose(counts.weight, [4.0, 4.0])
    np.testing.assert_allclose(counts.probability, [1.0, 3.0])
    np.testing.assert_allclose(counts.occurrences, [3.0, 2.0])
    np.testing.assert_allclose(counts.mean_probability(), [0.25, 0.75])
    np.testing.assert_allclose(counts.frequency(), [0.75, 0.5])
    np.testing.assert_allclose(counts.weight["bin"], [0.25, 0.75])
    assert float(calibration_error(counts)) == pytest.approx((0.5 + 0.25) / 2)


def test_another_library_agrees():
    probability, occurred = forecasts()
    counts = reliability(probability, occurred, xr.DataArray(1.0), DIM, edges=np.linspace(0, 1, 7))
    theirs = xskillscore.reliability(occurred, probability, probability_bin_edges=np.linspace(0, 1, 7))
    np.testing.assert_array_equal(counts.weight, theirs["samples"])
    np.testing.assert_allclose(counts.frequency(), theirs)


def test_a_share_on_an_edge_lies_in_the_bin_above_whatever_its_rounding():
    """Tenths from a division and from equal steps differ in the last place: 0.3 and 0.30000000000000004."""
    probability = xr.DataArray(np.arange(11) / 10, dims="x")
    for values in (probability, probability.astype("float32")):
        counts = reliability(values, xr.ones_like(probability), xr.DataArray(1.0), ("x",))
        np.testing.assert_array_equal(counts.weight, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2])


def test_calibrated_probabilities_have_no_calibration_error_and_certain_ones_do():
    rng = np.random.default_rng(1)
    probability = xr.DataArray(rng.random(200_000), dims="x")
    occurred = xr.DataArray(rng.random(200_000), dims="x") < probability
    counts = reliability(probability, occurred, xr.DataArray(1.0), ("x",))
    assert float(calibration_error(counts)) == pytest.approx(0.0, abs=0.005)
    certain = reliability((probability > 0.5).astype(float), occurred, xr.DataArray(1.0), ("x",))
    assert float(calibration_error(certain)) == pytest.approx(0.25, abs=0.005)


def test_where_nothing_counts_there_is_no_calibration_error():
    probability, occurred = xr.ones_like(target()) * 0.3, target() > LIMIT
    land = xr.DataArray([[1.0] * 4, [0.0] * 4], dims=("region", "latitude"), coords={"latitude": WEIGHTS["latitude"]})
    found = calibration_error(reliability(probability, occurred, land, DIM))
    assert found.dims == ("region",)
    assert float(found[0]) == pytest.approx(abs(0.3 - float(occurred.mean())))
    assert np.isnan(float(found[1]))


def test_counts_of_parts_add_up_and_chunks_make_no_difference():
    probability, occurred = forecasts()
    whole = reliability(probability, occurred, WEIGHTS, DIM)
    first, second = (
        reliability(probability.isel(time=p), occurred.isel(time=p), WEIGHTS, DIM) for p in (slice(3), slice(3, 7))
    )
    turned = probability.transpose("longitude", "latitude", "time").chunk(time=2, longitude=4)
    lazy = reliability(turned, occurred.chunk(time=3), WEIGHTS, DIM)
    assert lazy.weight.chunks is not None
    for other in (first + second, lazy):
        for name in ("weight", "probability", "occurrences"):
            xr.testing.assert_allclose(getattr(other, name).compute(), getattr(whole, name), rtol=1e-12)


def test_regions_and_other_dimensions_are_kept():
    probability, occurred = forecasts()
    masks = xr.DataArray([[1.0, 1, 0, 0], [0, 0, 1, 1]], coords={"latitude": np.arange(4)}, dims=("region", "latitude"))
    counts = reliability(probability, occurred, WEIGHTS * masks, ("latitude", "longitude"))
    assert set(counts.weight.dims) == {"time", "region", "bin"}
    for region in range(2):
        part = {"latitude": slice(2 * region, 2 * region + 2), "time": 4}
        alone = reliability(
            *(f.isel(part) for f in (probability, occurred)), WEIGHTS.isel(latitude=part["latitude"]), DIM[1:]
        )
        for name in ("weight", "probability", "occurrences"):
            found = getattr(counts, name).isel(time=4, region=region)
            np.testing.assert_allclose(found, getattr(alone, name), rtol=1e-12)


def test_the_parts_by_hand():
    """Two members: 0, 1/2, 1 are forecast 2, 2 and 1 times, with one event each: frequencies 1/2, 1/2, 1, in all 3/5.

    Reliability (2/5)(1/4), resolution (4/5)(1/100) + (1/5)(4/25), uncertainty (3/5)(2/5).
    """
    probability, occurred = line(0, 0, 0.5, 0.5, 1, dim="x"), line(0, 1, 0, 1, 1, dim="x")
    counts = reliability(probability, occurred, xr.DataArray(1.0), ("x",), edges=ensemble_edges(2))
    parts = brier_parts(counts, members=2)
    assert float(parts.reliability) == pytest.approx(0.1)
    assert float(parts.resolution) == pytest.approx(0.04)
    assert float(parts.uncertainty) == pytest.approx(0.24)
    assert float(parts.score()) == pytest.approx(float(((probability - occurred) ** 2).mean()))


def test_the_parts_add_up_to_the_brier_score():
    members, value = draw(), target()
    probability = exceedance_probability(members, LIMIT)
    counts = reliability(probability, value > LIMIT, WEIGHTS, DIM, edges=ensemble_edges(5))
    expected = weighted_sum(brier_score(members, value, LIMIT), WEIGHTS, DIM).mean()
    assert float(brier_parts(counts, members=5).score()) == pytest.approx(float(expected), rel=1e-12)


def test_an_empty_bin_has_no_part():
    counts = reliability(line(0, 0.5, dim="x"), line(0, 1, dim="x"), xr.DataArray(1.0), ("x",), edges=ensemble_edges(2))
    assert np.isnan(counts.frequency()).values.tolist() == [False, False, True]
    assert float(brier_parts(counts, members=2).score()) == pytest.approx(0.125)


def test_a_missing_value_is_noticed():
    probability, occurred = forecasts()
    counts = reliability(probability.where(probability["time"] != 2), occurred, WEIGHTS, DIM[1:])
    assert counts.weight.isnull().all("bin").values.tolist() == [False, False, True, False, False, False, False]
    assert np.isnan(
        float(calibration_error(reliability(probability, occurred.where(occurred["time"] != 2), WEIGHTS, DIM)))
    )


def test_wrong_use_is_refused():
    probability, occurred = forecasts()
    with pytest.raises(DataError, match=r"ascend from 0 to 1; found \[0\.0, 0\.5\]"):
        reliability(probability, occurred, WEIGHTS, DIM, edges=(0.0, 0.5))
    counts = reliability(probability, occurred, WEIGHTS, DIM)
    with pytest.raises(DataError, match=r"need 6 bins.* found 10. Take the edges of ensemble_edges\(5\)"):
        brier_parts(counts, members=5)
    with pytest.raises(DataError, match="not shares of 9 members: in a bin there are several"):
        brier_parts(counts, members=9)
