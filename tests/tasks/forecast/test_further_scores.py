"""SEEPS, events, ranks, and scores of whole maps, through the engine: by hand, by formula, and by other functions."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.metrics.fractions import fractions_skill_score
from climbench.metrics.spectra import effective_resolution, power_spectrum
from climbench.metrics.spectral_divergence import spectral_divergence
from climbench.metrics.structural_similarity import ms_ssim
from climbench.metrics.variogram_score import variogram_score_of_fields
from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"
RAIN = "total_precipitation_24hr"
MM = 1e-3


def aligned(forecast, truth, name=NAME):
    valid = (forecast["time"] + forecast["prediction_timedelta"]).rename(time="init_time")
    observed = truth[name].sel(time=valid.assign_coords(init_time=forecast["time"].values)).drop_vars("time")
    predicted = forecast[name].rename(time="init_time").astype("float64")
    return predicted, observed.astype("float64").transpose("init_time", "prediction_timedelta", ...)


def rain_stores(folder, forecast, truth, dry_share):
    """Rain in metres, the same everywhere and always, and a climatology whose light rain ends at 5 mm."""
    made.written(folder / "truth.zarr", made.made_truth(variables=(RAIN,)) * 0.0 + truth)
    made.written(folder / "forecast.zarr", made.made_forecast(variables=(RAIN,)) * 0.0 + forecast)
    climatology = made.made_climatology(variables=(RAIN,)) * 0.0
    climatology[f"{RAIN}_seeps_threshold"] = climatology[RAIN] + 5.0 * MM
    climatology[f"{RAIN}_seeps_dry_fraction"] = climatology[RAIN] + dry_share
    made.written(folder / "climatology.zarr", climatology)


@pytest.mark.parametrize(
    ("forecast", "truth", "penalty"),
    [
        (0.0, 0.0, 0.0),
        (1.0, 0.0, 0.5 / 0.4),  # light for dry: 1 / p1 / 2
        (0.0, 1.0, 0.5 / 0.6),  # dry for light: 1 / (1 - p1) / 2
        (0.0, 9.0, 2.0 / 0.6),  # dry for heavy: 4 / (1 - p1) / 2
        (1.0, 9.0, 1.5 / 0.6),  # light for heavy: 3 / (1 - p1) / 2
        (9.0, 0.0, 0.5 / 0.4 + 1.5 / 2.4),  # heavy for dry: (1 / p1 + 3 / (2 + p1)) / 2
        (9.0, 1.0, 1.5 / 2.4),
    ],
)
def test_seeps_by_its_matrix(tmp_path, scores_of, forecast, truth, penalty):
    rain_stores(tmp_path, forecast * MM, truth * MM, 0.4)
    table, _ = scores_of(tmp_path, targets=[RAIN], metrics=["seeps"])
    assert table[RAIN, "seeps", "global", 24] == pytest.approx(penalty, rel=1e-6)


def test_seeps_is_null_where_nothing_counts_and_says_what_it_lacks(tmp_path, scores_of):
    rain_stores(tmp_path, 1.0 * MM, 0.0, 0.95)
    table, _ = scores_of(tmp_path, targets=[RAIN], metrics=["seeps"])
    assert table[RAIN, "seeps", "global", 24] is None
    made.written(tmp_path / "bare.zarr", made.made_climatology(variables=(RAIN,)))
    _, found = scores_of(tmp_path, targets=[RAIN], metrics=["rmse", "seeps"], use_climatology="bare.zarr")
    assert any("has no 'total_precipitation_24hr_seeps_threshold'" in note for note in found.notes)


def test_brier_and_ranked_probability_scores(folder, scores_of):
    data = made.made_forecast(members=5, variables=(NAME,))
    made.written(folder / "ensemble.zarr", data)
    names = ["brier_above_280", "brier_debiased_above_280", "rps_above_275_280_285"]
    table, _ = scores_of(folder, "ensemble.zarr", targets=[NAME], metrics=names)
    predicted, observed = aligned(data, made.made_truth())
    rows = xr.DataArray(made.cell_weights(), dims="latitude", coords={"latitude": made.LATITUDE})
    mean_of = lambda f: f.weighted(rows).mean(["latitude", "longitude"]).mean("init_time").values  # noqa: E731

    def brier(limit):
        return ((predicted > limit).mean("number") - (observed > limit)) ** 2

    share = (predicted > 280).mean("number")
    wanted = {
        "brier_above_280": mean_of(brier(280)),
        "brier_debiased_above_280": mean_of(brier(280) - share * (1 - share) / 4),
        "rps_above_275_280_285": mean_of(brier(275) + brier(280) + brier(285)),
    }
    for name, values in wanted.items():
        np.testing.assert_allclose([table[NAME, name, "global", h] for h in made.HOURS], values, rtol=1e-6)


def test_calibration_and_ranks_of_members_drawn_as_the_truth_is(tmp_path, scores_of):
    """Truth and members of one distribution: ranks are equally likely; and what is kept adds up."""
    made.written(tmp_path / "truth.zarr", made.made_truth(seed=5, variables=(NAME,)))
    made.written(tmp_path / "ensemble.zarr", made.made_forecast(seed=6, members=9, variables=(NAME,)))
    names = ["rank_histogram_deviation", "calibration_error_above_280"]
    table, found = scores_of(tmp_path, "ensemble.zarr", targets=[NAME], metrics=names, use_climatology=None)
    ranks = found.statistics[f"{NAME}.rank_histogram"]
    assert ranks.dims == ("init_time", "lead_time", "region", f"{NAME}.rank")
    np.testing.assert_allclose(ranks.sum(f"{NAME}.rank"), 1.0, rtol=1e-12)
    assert abs(ranks.mean(("init_time", "lead_time")) - 0.1).max() < 0.02
    assert table[NAME, "rank_histogram_deviation", "global", 24] < 0.3
    counts = found.statistics[f"{NAME}.probabilities_above_280"].mean(("init_time", "lead_time", "region")).values
    weight, probability, occurred = np.split(counts, 3)
    assert weight.sum() == pytest.approx(1.0)
    assert probability.sum() == pytest.approx(occurred.sum(), abs=0.03)
    made.written(tmp_path / "biased.zarr", made.made_forecast(seed=6, members=9, variables=(NAME,)) + 5.0)
    worse, _ = scores_of(tmp_path, "biased.zarr", targets=[NAME], metrics=names, use_climatology=None)
    for name in names:
        assert worse[NAME, name, "global", 24] > 2.0 * table[NAME, name, "global", 24]


def test_ties_share_their_places(tmp_path, scores_of):
    made.written(tmp_path / "truth.zarr", made.made_truth(variables=(NAME,)) * 0.0)
    made.written(tmp_path / "ensemble.zarr", made.made_forecast(members=3, variables=(NAME,)) * 0.0)
    _, found = scores_of(
        tmp_path, "ensemble.zarr", targets=[NAME], metrics=["rank_histogram_deviation"], use_climatology=None
    )
    np.testing.assert_allclose(found.statistics[f"{NAME}.rank_histogram"], 0.25, rtol=1e-12)


GLOBAL = {"latitude": np.linspace(-87.1875, 87.1875, 32), "longitude": np.arange(64) * 5.625}


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """A global truth of many scales, and a forecast of it with the small ones damped."""
    folder = tmp_path_factory.mktemp("waves")
    rng = np.random.default_rng(7)
    times = made.made_truth(periods=8)["time"]
    noise = rng.standard_normal((8, 32, 64))
    smooth = np.fft.ifft(np.fft.fft(noise, axis=-1) / (1.0 + np.abs(np.fft.fftfreq(64, 1 / 64))), axis=-1).real
    truth = xr.Dataset({NAME: (("time", "latitude", "longitude"), 280 + smooth)}, {"time": times, **GLOBAL})
    leads = made.HOURS[:2].astype("timedelta64[h]").astype("timedelta64[ns]")
    forecast = xr.concat(
        [truth.isel(time=slice(1 + n, 6 + n)).drop_vars("time") for n in (0, 1)], "prediction_timedelta"
    )
    blurred = 280 + (forecast - 280).rolling(longitude=15, center=True, min_periods=1).mean()
    blurred = blurred.assign_coords(time=times.values[:5], prediction_timedelta=leads)
    made.written(folder / "truth.zarr", truth)
    made.written(folder / "forecast.zarr", blurred.transpose("time", "prediction_timedelta", ...))
    return folder, blurred, truth


def test_spectra_and_what_comes_of_them(waves, scores_of):
    folder, forecast, truth = waves
    names = ["effective_resolution", "spectral_divergence"]
    table, found = scores_of(folder, targets=[NAME], metrics=names, use_climatology=None, grids=["64x32"])
    predicted, observed = aligned(forecast, truth)
    ours, theirs = (power_spectrum(f).mean("init_time") for f in (predicted, observed))
    kept = found.statistics[f"{NAME}.power"].mean("init_time")
    np.testing.assert_allclose(kept, ours.transpose("prediction_timedelta", "degree"), rtol=1e-9)
    for n, hour in enumerate(made.HOURS[:2]):
        wavelength = float(effective_resolution(ours, theirs)[n]) / 1e3
        assert table[NAME, "effective_resolution", "global", hour] == pytest.approx(wavelength, rel=1e-9)
        divergence = float(spectral_divergence(ours, theirs)[n])
        assert table[NAME, "spectral_divergence", "global", hour] == pytest.approx(divergence, rel=1e-9)
    assert wavelength > 2 * np.pi * 6371.0 / 31  # the blurred forecast does not resolve all there is


def test_structural_similarity_and_fractions(waves, scores_of):
    folder, forecast, truth = waves
    names = ["ms_ssim", "fss_above_280_window_5"]
    table, _ = scores_of(folder, targets=[NAME], metrics=names, use_climatology=None, grids=["64x32"])
    predicted, observed = aligned(forecast, truth)
    low, high = (getattr(observed, end)(["latitude", "longitude"]) for end in ("min", "max"))
    likeness = ms_ssim(predicted, observed, low=low, high=high).mean("init_time")
    rows = np.diff(np.sin(np.deg2rad(np.linspace(-90, 90, 33))))
    weights = xr.DataArray(rows, dims="latitude", coords={"latitude": GLOBAL["latitude"]})
    share = fractions_skill_score(predicted, observed, 280.0, size=5, weights=weights, periodic=True)
    for n, hour in enumerate(made.HOURS[:2]):
        assert table[NAME, "ms_ssim", "global", hour] == pytest.approx(float(likeness[n]), rel=1e-6)
        assert table[NAME, "fss_above_280_window_5", "global", hour] == pytest.approx(float(share[n]), rel=1e-6)


def test_energy_score_by_hand_and_as_weatherbench_2_has_it(tmp_path, scores_of):
    """Uniform maps: members 0, 1 and 3, truth 2, so that norms are absolute values."""
    made.written(tmp_path / "truth.zarr", made.made_truth(variables=(NAME,)) * 0.0 + 2.0)
    forecast = made.made_forecast(members=3, variables=(NAME,)) * 0.0
    forecast[NAME] += xr.DataArray(np.float32([0.0, 1.0, 3.0]), dims="number")
    made.written(tmp_path / "ensemble.zarr", forecast)
    options = {"targets": [NAME], "metrics": ["energy_score"], "use_climatology": None}
    ours = scores_of(tmp_path, "ensemble.zarr", **options)[0]
    theirs = scores_of(tmp_path, "ensemble.zarr", profile="wb2", **options)[0]
    assert ours[NAME, "energy_score", "global", 12] == pytest.approx(4 / 3 - 0.5 * 2.0)  # mean of 1, 3 and 2
    assert theirs[NAME, "energy_score", "global", 12] == pytest.approx(4 / 3 - 0.5 * 1.5)  # mean of 1 and 2


def test_the_variogram_score_is_that_of_boxes(tmp_path, scores_of):
    """Boxes of 20 degrees hold one cell each of this grid: all pairs of cells, weighted by their areas' product."""
    data = made.made_forecast(members=4, variables=(NAME,), inits=2)
    made.written(tmp_path / "truth.zarr", made.made_truth(variables=(NAME,)))
    made.written(tmp_path / "ensemble.zarr", data)
    options = {"targets": [NAME], "metrics": ["variogram_score"], "use_climatology": None}
    table, _ = scores_of(tmp_path, "ensemble.zarr", **options)
    predicted, observed = aligned(data, made.made_truth())
    weights = np.repeat(made.cell_weights(), made.LONGITUDE.size)
    found = []
    for i in range(2):
        members = predicted.isel(init_time=i, prediction_timedelta=1).transpose("number", ...).values.reshape(4, -1)
        truth = observed.isel(init_time=i, prediction_timedelta=1).values.ravel()
        found.append(float(variogram_score_of_fields(members[None], truth[None, None], weights)[0]))
    assert table[NAME, "variogram_score", "global", 24] == pytest.approx(np.mean(found), rel=1e-9)


def test_chunks_make_no_difference_to_maps_and_counts(folder, scores_of):
    data = made.made_forecast(members=4, variables=(NAME,))
    names = ["energy_score", "rank_histogram_deviation", "brier_above_280", "fss_above_280_window_3"]
    found = []
    for size in (1, 3, -1):
        chunks = {"time": size, "prediction_timedelta": size, "number": size}
        made.written(folder / f"cut{size}.zarr", data, {d: n if n > 0 else data.sizes[d] for d, n in chunks.items()})
        found.append(scores_of(folder, f"cut{size}.zarr", targets=[NAME], metrics=names)[0])
    for other in found[1:]:
        for key, value in found[0].items():
            assert value == pytest.approx(other[key], rel=1e-12), key


def test_masked_cells_count_in_no_bin(folder, scores_of):
    data = made.made_forecast(members=3, variables=(NAME,))
    data[NAME][2, 1, 0, 3, 3] = np.nan
    made.written(folder / "holes.zarr", data)
    options = {"targets": [NAME], "metrics": ["rank_histogram_deviation", "energy_score"], "nan": "mask"}
    _, found = scores_of(folder, "holes.zarr", **options)
    np.testing.assert_allclose(found.statistics[f"{NAME}.rank_histogram"].sum(f"{NAME}.rank"), 1.0, rtol=1e-12)
    energy = found.statistics[f"{NAME}.energy_score"]
    assert np.isnan(energy[2, 1]).all()
    assert int(np.isnan(energy).sum()) == 1


def test_spectra_need_the_whole_globe(tmp_path, scores_of):
    window = {"latitude": slice(1, 4)}
    made.written(tmp_path / "truth.zarr", made.made_truth().isel(window))
    made.written(tmp_path / "forecast.zarr", made.made_forecast().isel(window))
    _, found = scores_of(tmp_path, metrics=["rmse", "effective_resolution"], use_climatology=None)
    assert any("needs a grid all round the globe" in note for note in found.notes)


def test_metrics_beside_the_usual_are_scored_with_them(folder, scores_of):
    """Named metrics replace the usual ones, and then say all that is scored."""
    found = {metric for _, metric, _, _ in scores_of(folder, more_metrics=["spectral_divergence"])[0]}
    assert {"rmse", "bias", "acc", "spectral_divergence"} <= found
    found = {metric for _, metric, _, _ in scores_of(folder, metrics=["mae"], more_metrics=["rmse"])[0]}
    assert found == {"mae"}
