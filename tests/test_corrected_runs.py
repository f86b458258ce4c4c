"""Runs of models whose cards have correctors: budgets close step by step, and before and after stand side by side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

import climbench
from climbench.cards import CORRECTORS, UNCORRECTED, read_card
from climbench.errors import CardError, ModelError
from climbench.experiments.long_rollout import long_rollout
from climbench.physics.areas import area_mean
from climbench.physics.corrections.making import CORRECTIONS
from climbench.physics.diagnosis import closures, diagnose
from climbench.physics.opening import open_quantities
from tests.physics.corrections.atmospheres import AREAS
from tests.tasks.forecast.moist_store import LEVEL, TARGETS, moist_truth, written_truth

SIX_HOURS = 21600.0
SFNO = {"width": 4, "layers": 1, "epochs": 1, "batch_size": 8, "threads": 1, "accelerator": "cpu"}
BUDGETS = ["positivity", "dry_air", "moisture", "energy"]


def card(folder, name="steady", correct=tuple(BUDGETS), class_path="climbench.models.persistence.Persistence", **args):
    content = {"name": name, "title": name, "protocol": "forecast", "class_path": class_path, "init_args": args}
    given = list(correct) if isinstance(correct, tuple) else correct
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({**content, "correct": given}))
    return str(folder / f"{name}.yaml")


def budgets(store, truth):
    """Return by initial time and lead what is left of dry air, water (kg m-2 s-1) and energy (W m-2)."""
    said = xr.open_zarr(store, consolidated=False)[TARGETS].load().rename(time="init_time", prediction_timedelta="time")
    start = truth[TARGETS].sel(time=said["init_time"].values).rename(time="init_time")
    start = start.expand_dims(time=[np.timedelta64(0, "ns")]).transpose("init_time", "time", ...)
    series = xr.concat([start, said], "time").assign({n: truth[n] for n in ("ak", "bk", "geopotential_at_surface")})
    opened = open_quantities(series)
    fields = diagnose(opened.quantities, opened.column)
    left = closures(fields, SIX_HOURS).fields
    dry, water, energy = (
        area_mean(field.transpose("init_time", "time", "latitude", "longitude").values, AREAS)
        for field in (fields.fields["dry_air"], left["water_residual"], left["energy_credit_residual"])
    )
    return np.abs(dry[:, 1:] / dry[:, :1] - 1.0).max(), np.abs(water).max(), np.abs(energy).max()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of persistence and of a small network, with correctors; nothing is drawn."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("corrected")
    place, settings = written_truth(folder)
    network = card(folder, "net", class_path="climbench.models.forecasting.sfno.SFNO", **SFNO)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("climbench.forecast_report.page.figures", lambda *_: ())
        done = climbench.run("weatherbench", [card(folder), network], data=place, set=settings, out=folder / "run")
    return folder, place, settings, done


@pytest.mark.parametrize("name", ["steady", "net"])
def test_each_step_closes_its_budgets_to_the_round_off_of_what_is_written(runs, name):
    """A network's steps are corrected one by one, as the forecast's leads are the steps of the data."""
    folder = runs[0] / "run" / "predictions"
    dry, water, energy = budgets(folder / f"{name}.zarr", moist_truth())
    assert dry < 1e-7
    assert water < 1e-8  # float32 has a water path of 30 kg m-2 to some 1e-7, and so a tendency to 1e-9
    assert energy < 0.05  # and an energy of 3e9 J m-2 to 30 J m-2 at worst, 0.01 W m-2
    raw = budgets(folder / f"{name}{UNCORRECTED}.zarr", moist_truth())
    assert raw[1] > 1e-6
    assert raw[2] > 1.0
    assert name == "steady" or raw[0] > 1e-6


def test_before_and_after_are_scored_and_recorded(runs):
    folder, _, _, done = runs
    names = ["steady", f"steady{UNCORRECTED}", "net", f"net{UNCORRECTED}"]
    assert list(dict.fromkeys(row["model"] for row in done.rows)) == names
    assert sorted(json.loads((folder / "run" / "provenance.json").read_text())["predictions"]) == sorted(names)
    assert all(name in (folder / "run" / "report.html").read_text() for name in names)
    rmse = {(row["model"], row["variable"], row["lead_time"]): row["value"] for row in done.rows}
    wet = ("mean_total_precipitation_rate", 6.0)
    assert rmse["net", *wet] != rmse[f"net{UNCORRECTED}", *wet]
    wind = (f"u_component_of_wind_{LEVEL[0]:g}", 6.0)
    assert rmse["steady", *wind] == rmse[f"steady{UNCORRECTED}", *wind]


@pytest.mark.parametrize("name", ["steady", "net"])
def test_a_long_roll_out_is_made_with_and_without_correctors(runs, tmp_path, name, monkeypatch):
    monkeypatch.setattr("climbench.experiments.long_rollout_record.figures", lambda *_: ())
    folder, place, *_ = runs
    options = {"steps": 3, "starts": 2, "data": place, "include": [folder]}
    both = long_rollout(folder / "run", name, out=tmp_path / "both", **options)
    assert list(both.record["blown"]) == ["corrected", "uncorrected"]
    dry, water, energy = budgets(tmp_path / "both" / "corrected" / "states.zarr", moist_truth())
    assert (dry < 1e-8, water < 1e-8, energy < 0.05) == (True, True, True)
    assert budgets(tmp_path / "both" / "uncorrected" / "states.zarr", moist_truth())[2] > 1.0
    raw = long_rollout(folder / "run", name + UNCORRECTED, out=tmp_path / "raw", **options)
    assert (raw.record["model"], list(raw.record["blown"])) == (name + UNCORRECTED, ["unaided"])
    alone, beside = (
        xr.open_zarr(tmp_path / place / "states.zarr", consolidated=False)
        for place in ("raw/unaided", "both/uncorrected")
    )
    xr.testing.assert_equal(alone.load(), beside.load())


def test_a_run_that_was_stopped_fits_nothing_again(tmp_path, monkeypatch):
    place, settings = written_truth(tmp_path)
    asked = {"data": place, "set": settings, "out": tmp_path / "run"}

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("climbench.evaluate.forecasts.score_forecast", stop)
        with pytest.raises(KeyboardInterrupt):
            climbench.run("weatherbench", [card(tmp_path)], **asked)
    monkeypatch.setattr("climbench.models.persistence.Persistence.fit", stop)
    monkeypatch.setattr("climbench.forecast_report.page.figures", lambda *_: ())
    done = climbench.run("weatherbench", [card(tmp_path)], **asked)
    assert {row["model"] for row in done.rows} == {"steady", f"steady{UNCORRECTED}"}


@pytest.mark.parametrize(
    ("correct", "left_out", "said"),
    [
        (("moisture",), "mean_total_precipitation_rate", "corrector moisture cannot act here. Missing: precipitation"),
        (("energy",), "mean_top_net_long_wave_radiation_flux", "outgoing thermal radiation at the top"),
        (("hydrostatic",), "", r"geopotential \(.*pressure levels"),
        ({"what": ["dry_air"], "training": True}, "", "no network that steps"),
    ],
)
def test_what_cannot_be_corrected_is_said_before_anything_is_fitted(tmp_path, correct, left_out, said):
    place, settings = written_truth(tmp_path)
    settings |= {"targets": [name for name in TARGETS if name != left_out]}
    with pytest.raises(ModelError, match=said):
        climbench.run("weatherbench", [card(tmp_path, correct=correct)], data=place, set=settings, out=tmp_path / "run")


def test_leads_that_leave_steps_out_are_refused_before_anything_is_fitted(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("climbench.models.persistence.Persistence.fit", stop)
    place, settings = written_truth(tmp_path)
    settings |= {"leads": {"first": 12, "last": 24, "step": 12}}
    with pytest.raises(ModelError, match=r"'steady': .*12 h apart.*--set leads.first=6 --set leads.step=6"):
        climbench.run("weatherbench", [card(tmp_path)], data=place, set=settings, out=tmp_path / "run")


def test_cards_name_correctors_in_a_list_or_with_how(tmp_path):
    assert tuple(CORRECTIONS) == CORRECTORS
    plain = read_card(Path(card(tmp_path, correct=("energy", "dry_air"))))
    assert (plain.correct.what, plain.correct.form, plain.correct.training) == (("energy", "dry_air"), "credit", False)
    assert plain.names == ("steady", "steady-uncorrected")
    more = read_card(Path(card(tmp_path, correct={"what": ["moisture"], "form": "ace", "training": True})))
    assert (more.correct.form, more.correct.training) == ("ace", True)
    assert more.settings() != plain.settings()


@pytest.mark.parametrize(
    ("correct", "said"),
    [
        (("moistures",), "no corrector 'moistures'. Did you mean 'moisture'"),
        ({"what": ["energy"], "forms": "ace"}, "unknown key 'correct.forms'. Did you mean 'form'"),
        ({"what": ["energy"], "form": "cam"}, "'credit' or 'ace'"),
        ((), "correct.what"),
    ],
)
def test_a_card_that_asks_for_what_there_is_not_is_refused(tmp_path, correct, said):
    with pytest.raises(CardError, match=said):
        read_card(Path(card(tmp_path, correct=correct)))


def test_two_names_that_would_be_one_are_refused(tmp_path):
    place, settings = written_truth(tmp_path)
    models = [card(tmp_path), card(tmp_path, f"steady{UNCORRECTED}")]
    with pytest.raises(CardError, match="Two models are named 'steady-uncorrected'"):
        climbench.run("weatherbench", models, data=place, set=settings, out=tmp_path / "run")
