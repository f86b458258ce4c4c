"""Intervals of scores: how often they hold the true score, and where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.tasks.forecast.intervals import score_interval, with_intervals
from climbench.tasks.forecast.metrics import METRICS
from climbench.tasks.forecast.profiles import PROFILES

SERIES = 1500


def inits(count):
    return np.datetime64("2020-01-01", "s") + np.arange(count) * np.timedelta64(12, "h")


def red_noise(count, memory, rng):
    """Stationary AR(1) series of mean 0 and variance 1, of shape (count, SERIES)."""
    values = [rng.standard_normal(SERIES)]
    for _ in range(count - 1):
        values.append(memory * values[-1] + np.sqrt(1.0 - memory**2) * rng.standard_normal(SERIES))
    return np.stack(values)


@pytest.mark.parametrize("memory", [0.0, 0.7])
def test_nineteen_of_twenty_intervals_hold_the_true_score(memory):
    """Of the mean, which is 0, and of the root of the mean square, which is 1."""
    noise = red_noise(240, memory, np.random.default_rng(0))
    for name, statistics, true in (("bias", {"error": noise}, 0.0), ("rmse", {"squared_error": noise**2}, 1.0)):
        low, high = score_interval(METRICS[name], statistics, 1, inits(240))
        held = np.mean((low <= true) & (true <= high))
        assert 0.925 <= held <= 0.97, (name, held)


def test_independent_initial_times_give_students_interval():
    """With 1500 series the mean width is that of Student's t within a few per cent."""
    noise = red_noise(100, 0.0, np.random.default_rng(1))
    low, high = score_interval(METRICS["bias"], {"error": noise}, 1, inits(100))
    usual = 2.0 * 1.984217 * noise.std(axis=0, ddof=1) / 10.0  # t of 99 degrees of freedom at 97.5 %
    assert np.median((high - low) / usual) == pytest.approx(1.0, abs=0.05)


def test_there_is_none_where_initial_times_are_too_few_or_the_score_does_not_vary():
    noise = red_noise(19, 0.0, np.random.default_rng(2))
    assert np.isnan(score_interval(METRICS["bias"], {"error": noise}, 1, inits(19))).all()
    still = np.ones((60, 2))
    assert np.isnan(score_interval(METRICS["bias"], {"error": still}, 1, inits(60))).all()


def test_a_score_of_batches_counts_batches():
    """ChaosBench's rmse of 32 x 25 initial times: 25 roots, and their mean lies in the interval."""
    squares = np.random.default_rng(3).chisquare(4, (800, 3))
    metric = PROFILES["chaosbench"].metric("rmse")
    low, high = score_interval(metric, {"squared_error": squares}, 1, inits(800))
    value = metric.of({"squared_error": squares}, 1)
    assert ((low < value) & (value < high)).all()
    assert np.isnan(score_interval(metric, {"squared_error": squares[:320]}, 1, inits(320))).all()  # ten batches


@pytest.fixture
def long(folder, scores_of):
    from tests.tasks.forecast import made_stores as made

    made.written(folder / "forecast.zarr", made.made_forecast(inits=30, members=3))
    made.written(folder / "truth.zarr", made.made_truth(periods=40))
    test = {"period": ["2020-02-20", "2020-03-10"], "hours": [0, 12]}
    metrics = ["rmse", "crps_fair", "rank_histogram_deviation", "effective_resolution"]
    return scores_of(folder, test=test, metrics=metrics, regions=["global", "tropics"])[1]


def test_rows_get_the_interval_of_their_own_score(long):
    rows = with_intervals(long.rows, long.statistics, PROFILES["standard"], long.members)
    assert [(r["variable"], r["metric"], r["region"], r["lead_time"]) for r in rows] == [
        (r["variable"], r["metric"], r["region"], r["lead_time"]) for r in long.rows
    ]
    for row in rows:
        if row["metric"] == "effective_resolution":  # moves by whole degrees
            assert row["low"] is None
            assert row["high"] is None
        else:
            assert row["low"] < row["value"] < row["high"]
    assert {row["low"] for row in long.rows} == {None}  # what was given stays as it was


def test_the_interval_is_of_that_variable_region_and_lead(long):
    rows = with_intervals(long.rows, long.statistics, PROFILES["standard"], long.members)
    values = long.statistics["2m_temperature.squared_error"].sel(region="tropics", lead_time=36.0).values
    low, high = score_interval(METRICS["rmse"], {"squared_error": values}, 3, long.statistics["init_time"].values)
    (row,) = (
        r
        for r in rows
        if (r["variable"], r["metric"], r["region"], r["lead_time"]) == ("2m_temperature", "rmse", "tropics", 36.0)
    )
    assert (row["low"], row["high"]) == (pytest.approx(float(low)), pytest.approx(float(high)))
