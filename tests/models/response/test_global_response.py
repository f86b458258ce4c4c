"""The global response: parameters are found again in climates made with them, whatever the reference of anomalies."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.response.emission_history import emissions, global_series
from climbench.models.response.energy_balance import warming
from climbench.models.response.forcing import forcing
from climbench.models.response.global_response import GlobalResponse, fast_rain
from tests.models.emission_scenarios import MAPS, inputs


def climate(name, feedback, strength=1.0, offset=0.0, rain=None):
    """A uniform climate that follows the physics exactly, with anomalies from an arbitrary reference."""
    data = inputs(name)
    made = forcing(emissions(global_series(data)))
    warm = warming(made.greenhouse + strength * made.aerosol, feedback)
    tas = made.now(warm, data) - offset
    data = data.assign(tas=(MAPS, np.multiply.outer(tas, np.ones((4, 4)))))
    if rain is not None:
        absorbed = 0.8 * made.carbon_dioxide + 0.5 * made.absorbed_by_methane
        pr = rain[0] + rain[1] * made.now(warm, data) - made.now(absorbed, data) / 28.94
        data = data.assign(pr=(MAPS, np.multiply.outer(pr, np.ones((4, 4)))))
    return data


@pytest.mark.parametrize("feedback", [0.7, 1.18, 1.9])
@pytest.mark.parametrize("offset", [0.0, 1.3])
def test_the_feedback_is_found_again(feedback, offset):
    response = GlobalResponse()
    response.fit({name: climate(name, feedback, offset=offset) for name in ("ssp126", "ssp585")})
    assert response.feedback == pytest.approx(feedback, abs=1e-3)
    assert response.rain is None


@pytest.mark.parametrize("strength", [0.5, 1.5])
def test_the_strength_of_aerosols_matters(strength):
    train = {"ssp585": climate("ssp585", 1.0, strength)}
    right, wrong = GlobalResponse(strength), GlobalResponse(1.0)
    right.fit(train), wrong.fit(train)
    assert right.feedback == pytest.approx(1.0, abs=1e-3)
    assert abs(wrong.feedback - 1.0) > 0.01


def test_the_line_of_precipitation_is_found_again():
    response = GlobalResponse()
    train = {"ssp585": climate("ssp585", 1.0, rain=(-0.05, 0.08))}
    response.fit(train)
    assert response.rain == pytest.approx((-0.05, 0.08), abs=1e-4)
    np.testing.assert_allclose(
        response.respond(train["ssp585"])["rain"], train["ssp585"]["pr"].mean(["latitude", "longitude"]), atol=1e-4
    )


def test_the_fast_fall_of_rain_by_hand():
    """A forcing of 28.94 W m-2 by carbon dioxide takes 0.8 mm/day, one by methane itself 0.5 mm/day."""
    made = forcing(emissions(global_series(inputs("ssp585"))))
    carbon_dioxide, methane = fast_rain(made)
    np.testing.assert_allclose(carbon_dioxide, -0.8 * made.carbon_dioxide / 28.94)
    np.testing.assert_allclose(methane, -0.5 * made.absorbed_by_methane / 28.94)


def test_years_out_of_order_or_few_get_the_values_of_their_year():
    response = GlobalResponse(feedback=1.0)
    whole = response.respond(inputs("ssp126"))
    some = inputs("ssp126").sel(time=slice(2015, 2060))
    xr.testing.assert_allclose(response.respond(some), whole.sel(time=slice(2015, 2060)))


def test_the_cooling_of_aerosols_is_part_of_the_whole():
    response = GlobalResponse(feedback=1.0).respond(inputs("ssp126"))
    assert (response["aerosol"] < 0.0).all()
    assert float(response["aerosol"][-1]) > float(response["aerosol"][0]), "it fades as emissions fall"
    strong = GlobalResponse(1.5, feedback=1.0).respond(inputs("ssp126"))
    np.testing.assert_allclose(strong["aerosol"], 1.5 * response["aerosol"])
    np.testing.assert_allclose(strong["temperature"] - response["temperature"], 0.5 * response["aerosol"], rtol=1e-9)


def test_historical_inputs_go_before_the_scenarios():
    train = {"historical": climate("historical", 1.0), "ssp126": climate("ssp126", 1.0)}
    response = GlobalResponse()
    response.fit(train)
    joined = xr.concat([inputs("historical"), inputs("ssp126")], "time")
    whole = response.respond(joined).sel(time=slice(2015, None))
    xr.testing.assert_allclose(response.respond(inputs("ssp126")), whole)


def test_it_must_be_fitted_first():
    with pytest.raises(ModelError, match="was not fitted"):
        GlobalResponse().respond(inputs("ssp126"))
