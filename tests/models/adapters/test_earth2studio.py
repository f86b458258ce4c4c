"""Models of earth2studio: what a double of their protocol is shown, and what it says, value by value."""

from __future__ import annotations

import sys
from collections import OrderedDict
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest
import xarray as xr

from climbench.errors import MissingExtraError, ModelError
from climbench.models.adapters.earth2studio import Earth2Studio
from climbench.models.adapters.earth2studio_names import ALOFT, SURFACE, field_named
from climbench.models.adapters.fields import Field
from climbench.variables import LEXICON
from tests.models.adapters.moving_columns import LATITUDE, LONGITUDE, Mover, moving
from tests.models.forecast_states import leads, states

IDS = ["z500", "z850", "t2m"]


def forecast(model, data, positions=(1, 3), steps=(1, 3), **settings):
    made = Earth2Studio(model, **settings)
    made.fit({"train": data}, seed=0)
    given = states(data, positions, made.history)
    return made.predict(given, leads=leads(*steps, step="6h"), seed=1)


def test_each_name_stands_for_a_field_of_its_own_that_the_lexicon_knows():
    shorts = [*SURFACE, *(f"{letter}{level}" for letter in ALOFT for level in (50, 1000))]
    fields = [field_named(short) for short in shorts]
    assert len(set(fields)) == len(shorts)
    assert {field.name for field in fields} <= set(LEXICON)


def test_names_by_hand():
    assert field_named("z500") == Field("geopotential", 500.0)
    assert field_named("tp06") == Field("total_precipitation_6hr")
    assert field_named("z") == Field("geopotential_at_surface")
    assert field_named("tp") is None


@pytest.mark.parametrize("history", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_weather_that_moves_by_columns_is_forecast_to_the_value(history, batch_size):
    data = moving()
    model = Mover(IDS, history=history, diagnostic=["tp"])
    said = forecast(model, data, (1, 3, 4), (1, 3), batch_size=batch_size)
    assert len(model.starts) == -(-3 // batch_size)
    for number, position in enumerate((1, 3, 4)):
        for place, step in enumerate((1, 3)):
            expected = data.isel(time=position + step).drop_vars("time")
            found = said.isel(init_time=number, lead_time=place).drop_vars(["init_time", "lead_time"])
            xr.testing.assert_allclose(found, expected, rtol=1e-6)
    assert said["geopotential"].dims == ("init_time", "lead_time", "level", "latitude", "longitude")


def test_history_is_picked_by_time_from_data_of_a_finer_step():
    coarse = moving()
    fine = coarse.resample(time="3h").nearest()
    made = Earth2Studio(Mover(IDS, history=2))
    made.fit({"train": fine}, seed=0)
    assert made.history == 3
    said = made.predict(states(fine, [2], 3), leads=leads(1, step="6h"), seed=0)
    np.testing.assert_allclose(said["2m_temperature"][0, 0], coarse["2m_temperature"][2], rtol=1e-6)


def test_units_are_turned_to_the_lexicons_and_back():
    data = moving()
    kept = data.copy()
    kept["2m_temperature"] = (data["2m_temperature"] - 273.15).assign_attrs(units="degC")
    shown = []

    class Watching(Mover):
        def create_iterator(self, x, coords):
            shown.append(float(x[0, 0, 2].mean()))
            return super().create_iterator(x, coords)

    said = forecast(Watching(IDS), kept, (1,), (2,))
    assert shown[0] == pytest.approx(float(data["2m_temperature"][1].mean()), rel=1e-5)
    np.testing.assert_allclose(said["2m_temperature"][0, 0], kept["2m_temperature"][3], atol=1e-3)
    assert said["2m_temperature"].attrs["units"] == "degC"


def test_a_model_without_the_south_pole_and_with_longitudes_from_the_west():
    data = moving()
    west = np.roll((LONGITUDE + 180.0) % 360.0 - 180.0, 4)
    said = forecast(Mover(IDS, LATITUDE[:0:-1], west), data, (1,), (1,))
    field, expected = said["2m_temperature"][0, 0], data["2m_temperature"][2]
    np.testing.assert_allclose(field[1:], expected[1:], rtol=1e-6)
    np.testing.assert_allclose(field[0], expected[1], rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Mover([*IDS, "q700", "msl"]), "does not have: specific_humidity at 700 hPa, mean_sea_level_pressure"),
        (Mover(["z500", "t2m"]), "does not forecast geopotential at 850 hPa"),
        (Mover([*IDS, "refc"]), "does not know: refc"),
        (Mover(IDS, np.linspace(90, -90, 9)), "9 latitudes .* the task has 5 latitudes .*convert --grid"),
        (Mover(IDS, LATITUDE[3:0:-1][:2]), "the task has 5 latitudes"),
        (Mover(IDS, LATITUDE[::-1], LONGITUDE[:4]), "by 4 longitudes"),
    ],
)
def test_models_that_do_not_serve_are_refused_before_they_run(model, message):
    with pytest.raises(ModelError, match=message):
        Earth2Studio(model).fit({"train": moving()}, seed=0)
    assert model.starts == []


def test_a_step_that_does_not_meet_the_models_history():
    with pytest.raises(ModelError, match=r"states at -6, 0 h, and the task has one every 12 h"):
        Earth2Studio(Mover(IDS, history=2)).fit({"train": moving().isel(time=slice(None, None, 2))}, seed=0)


def test_a_lead_time_between_steps():
    data = moving()
    made = Earth2Studio(Mover(IDS))
    made.fit({"train": data}, seed=0)
    with pytest.raises(ModelError, match="does not reach the lead time 9 h: one step gives 6 h"):
        made.predict(states(data, [1]), leads=leads(3, step="3h"), seed=0)


def test_states_without_a_unit():
    data = moving()
    del data["2m_temperature"].attrs["units"]
    with pytest.raises(ModelError, match="'2m_temperature' states no unit"):
        Earth2Studio(Mover(IDS)).fit({"train": data}, seed=0)


@pytest.fixture
def package(monkeypatch):
    """Put a package in place of earth2studio's, with one model."""
    module = ModuleType("earth2studio.models.px")
    module.Mover = Mover
    for name in ("earth2studio", "earth2studio.models"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "earth2studio.models.px", module)
    return module


@pytest.mark.parametrize("name", ["Mover", "earth2studio.models.px.Mover"])
def test_a_named_model_comes_back_from_its_folder(package, tmp_path, name):
    data = moving()
    made = Earth2Studio(name, arguments={"variables": IDS, "history": 2})
    made.fit({"train": data}, seed=0)
    made.save(tmp_path)
    again = Earth2Studio.load(tmp_path)
    given, ahead = states(data, [2], again.history), leads(1, 2, step="6h")
    xr.testing.assert_identical(made.predict(given, leads=ahead, seed=0), again.predict(given, leads=ahead, seed=0))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Mvoer", "Did you mean 'Mover'"),
        ("os.system", "'os.system' is not within earth2studio"),
        (None, "No model is named"),
    ],
)
def test_names_of_no_model(package, name, message):
    with pytest.raises(ModelError, match=message):
        Earth2Studio(name).fit({"train": moving()}, seed=0)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "earth2studio", None)
    for name in [n for n in sys.modules if n.startswith("earth2studio.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"climbench\[earth2studio\]"):
        Earth2Studio("Persistence").fit({"train": moving()}, seed=0)


@pytest.mark.filterwarnings("default")  # those of its dependencies are theirs
@pytest.mark.skipif(find_spec("earth2studio") is None, reason="earth2studio is not installed")
def test_the_packages_own_persistence():
    px, lexicon = import_module("earth2studio.models.px"), import_module("earth2studio.lexicon")
    data = moving()
    domain = OrderedDict(lat=LATITUDE[::-1], lon=LONGITUDE)
    model = px.Persistence(IDS, domain, history=2, dt=np.timedelta64(6, "h"))
    said = forecast(model, data, (1, 3), (1, 4), batch_size=2)
    for place in range(2):
        np.testing.assert_array_equal(said["geopotential"][0, place], data["geopotential"][1])
        np.testing.assert_array_equal(said["2m_temperature"][1, place], data["2m_temperature"][3])
    for short, name in lexicon.WB2Lexicon.VOCAB.items():
        own, level = name.split("::")
        assert field_named(short) == Field(own, float(level) if level else None)
