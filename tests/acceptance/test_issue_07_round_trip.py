"""What issue 7 asks of the arithmetic: known residuals come back, and each corrector closes what it is for.

Gradients against finite differences are in tests/models/layers/test_conservation.py, CREDIT's and ACE's numbers by
hand in tests/physics (test_energy.py, test_water.py, corrections/test_by_hand.py). Every figure asserted is printed.
"""

from __future__ import annotations

import numpy as np
import pytest

from climbench.physics import area_mean, hybrid_layers
from climbench.physics.diagnosis import closures, diagnose
from tests.physics.constructed_atmosphere import A, B, constructed_atmosphere
from tests.physics.corrections.test_closing import AFTER, BEFORE, CASES, ENERGY, SECONDS, corrected, diagnosed, mean


@pytest.mark.parametrize("energy", ["energy_credit", "energy_ace"])
def test_known_residuals_of_a_constructed_atmosphere_are_recovered(energy):
    made = constructed_atmosphere(energy=energy)
    fields = diagnose(made.quantities, hybrid_layers(A, B))
    left = closures(fields, made.seconds).fields
    off = {
        "water, by cell": np.abs(left["water_column_residual"].values - made.water_residual).max()
        / np.abs(made.water_residual).max(),
        "energy": _off(area_mean(left[f"{energy}_residual"].values, made.areas), made.energy_residual),
        "dry air": _off(np.diff(area_mean(fields.fields["dry_air"].values, made.areas)), made.dry_air_change),
    }
    print(f"\n{energy}, relative errors of known residuals: { {name: f'{value:.1e}' for name, value in off.items()} }")
    assert max(off.values()) < 1e-12


def _off(found, known):
    return np.abs(found / known - 1.0).max()


@pytest.mark.parametrize(("column", "form"), CASES)
def test_after_each_corrector_its_residual_is_at_round_off(column, form):
    """Relative to what the budget is of: dry air, evaporation, and energy over the length of the step."""
    dry_air, energy = "dry_air" if form == "credit" else "dry_air_pressure", ENERGY[form]
    left = {}
    for name in ("dry_air", "moisture", "energy"):
        fields, residuals = diagnosed(column, BEFORE, corrected(column, form, (name,))[1])
        if name == "dry_air":
            left[name] = _off(mean(fields[dry_air])[1], mean(fields[dry_air])[0])
        elif name == "moisture":
            left[name] = np.abs(mean(residuals["water_residual"])).max() / np.abs(AFTER["evaporation"]).mean()
        else:
            scale = mean(fields[energy.removesuffix("_residual")]).max() / SECONDS
            left[name] = np.abs(mean(residuals[energy])).max() / scale
    print(f"\n{column}, {form}, relative residuals: { {name: f'{value:.1e}' for name, value in left.items()} }")
    assert max(left.values()) < 1e-10
