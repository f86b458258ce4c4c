"""The lexicon: one meaning for each name, units that are understood, and the short names of ECMWF."""

from __future__ import annotations

from collections import Counter

import pytest

from climbench.errors import DataError
from climbench.units import conversion, is_amount
from climbench.variables import LEXICON, known_name, of_model, without_model


def test_a_name_means_one_thing():
    counts = Counter([*LEXICON, *(alias for v in LEXICON.values() for alias in v.aliases)])
    assert [name for name, n in counts.items() if n > 1] == []


def test_units_are_understood():
    """Those of emissions name what is emitted, and are only ever compared."""
    for variable in LEXICON.values():
        if variable.kind == "forcing":
            continue
        base = {"fraction": "%", "temperature": "degF"}.get(variable.kind, f"{variable.units} ")
        assert conversion(variable.units, base, kind=variable.kind).factor > 0.0


def test_ranges_have_two_ends_and_room_between():
    for variable in LEXICON.values():
        assert variable.sane is None or variable.sane[0] < variable.sane[1]


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("tp", "total_precipitation"),
        ("ssrd", "surface_solar_radiation_downwards"),
        ("ttr", "top_net_thermal_radiation"),
        ("tisr", "toa_incident_solar_radiation"),
        ("skt", "skin_temperature"),
        ("sst", "sea_surface_temperature"),
        ("e", "evaporation"),
        ("cape", "convective_available_potential_energy"),
        ("swvl2", "volumetric_soil_water_layer_2"),
        ("avg_tprate", "mean_total_precipitation_rate"),
        ("PRESsfc", "PRESsfc"),
    ],
)
def test_short_names_of_ecmwf(short, name):
    assert known_name(short) == name


def test_what_accumulates_is_given_as_a_flux_or_as_an_amount():
    for name in ("ssrd", "ttr", "slhf"):
        variable = LEXICON[known_name(name)]
        assert conversion("J m**-2", variable.units, kind=variable.kind, window=1.0).factor == pytest.approx(1 / 3600)
    for name in ("tp", "cp", "sf"):
        variable = LEXICON[known_name(name)]
        assert variable.window == 1.0
        assert is_amount(variable.units, variable.kind)


@pytest.mark.parametrize(
    ("units", "kind", "amount"),
    [
        ("J m**-2", "energy", True),
        ("W m-2", "energy", False),
        ("m", "water", True),
        ("m of water equivalent", "water", True),
        ("mm", "water", True),
        ("kg m-2", "water", True),
        ("kg m-2 s-1", "water", False),
        ("mm/day", "water", False),
        ("m", "other", False),
        ("m", "geopotential", False),
    ],
)
def test_amounts_and_rates(units, kind, amount):
    assert is_amount(units, kind) is amount


def test_an_amount_in_no_unit_is_refused():
    with pytest.raises(DataError, match="The unit 'buckets' is not understood"):
        is_amount("buckets", "water")


def test_a_variable_of_one_of_several_models_bears_its_name():
    assert of_model("tas", "NorESM2-LM") == "tas.NorESM2-LM"
    assert [without_model(name) for name in ("tas.NorESM2-LM", "tas", "pr.CSIRO-Mk3.6.0")] == ["tas", "tas", "pr"]
    assert not [name for name in LEXICON if "." in name]  # else the two could not be told apart
