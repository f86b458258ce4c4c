"""Roles and their sources: every name is in the lexicon, and signs are those of the communities."""

from __future__ import annotations

import pytest

from climbench.physics.quantities import QUANTITIES, source_of, wanted_names
from climbench.units import conversion
from climbench.variables import LEXICON

ALL = [(quantity, source) for quantity in QUANTITIES.values() for source in quantity.sources]


def test_the_lexicon_has_every_source_in_a_unit_that_converts():
    """In the lexicon's own unit, with the hours that it states."""
    for quantity, source in ALL:
        known = LEXICON[source.variable]
        goal = source.units or quantity.units
        assert conversion(known.units, goal, kind=known.kind, window=known.window).factor > 0.0


# CF's standard names say the direction: CMIP's and ACE's fluxes go the way their names say, ERA5's all downward.
UP, DOWN = 1.0, -1.0
SIGNS = {
    "evaporation": {
        "evspsbl": UP,
        "mean_evaporation_rate": DOWN,
        "evaporation": DOWN,
        "LHTFLsfc": UP,
        "hfls": UP,
        "mean_surface_latent_heat_flux": DOWN,
        "surface_latent_heat_flux": DOWN,
    },
    "latent_up": {"hfls": UP, "LHTFLsfc": UP, "mean_surface_latent_heat_flux": DOWN, "surface_latent_heat_flux": DOWN},
    "sensible_up": {
        "hfss": UP,
        "SHTFLsfc": UP,
        "mean_surface_sensible_heat_flux": DOWN,
        "surface_sensible_heat_flux": DOWN,
    },
    "top_thermal_up": {
        "rlut": UP,
        "ULWRFtoa": UP,
        "mean_top_net_long_wave_radiation_flux": DOWN,
        "top_net_thermal_radiation": DOWN,
    },
    "surface_thermal_up": {"rlus": UP, "ULWRFsfc": UP},
    "surface_solar_up": {"rsus": UP, "USWRFsfc": UP},
    "top_solar_up": {"rsut": UP, "USWRFtoa": UP},
}


@pytest.mark.parametrize("name", SIGNS)
def test_signs_of_what_goes_up(name):
    found = {s.variable: 1.0 if s.factor > 0 else -1.0 for s in QUANTITIES[name].sources}
    assert found == SIGNS[name]


def test_signs_agree_with_standard_names():
    for quantity, source in ALL:
        standard = LEXICON[source.variable].standard_name or ""
        if quantity.name.endswith(("_up", "evaporation")) and "upward" in standard:
            assert source.factor > 0.0, source
        if quantity.name.endswith(("_up", "evaporation")) and "downward" in standard:
            assert source.factor < 0.0, source
        if quantity.name.endswith(("_net", "_down")):
            assert source.factor == 1.0, source


def test_amounts_of_the_hours_of_a_step_go_before_others():
    there = ("total_precipitation_6hr", "total_precipitation_24hr")
    assert source_of("precipitation", there).variable == "total_precipitation_6hr"
    assert source_of("precipitation", there, step=24.0).variable == "total_precipitation_24hr"
    assert source_of("precipitation", (*there, "pr"), step=24.0).variable == "pr"
    assert source_of("precipitation", ("tas",)) is None


def test_words_name_all_sources():
    assert wanted_names("surface_pressure") == "surface pressure (surface_pressure, ps, PRESsfc)"
