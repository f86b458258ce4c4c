"""Correctors as modules: the same numbers as by NumPy, and the gradients of finite differences."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from climbench.models.layers.conservation import (
    Balance,
    Conservation,
    DryAir,
    Energy,
    HydrostaticProjection,
    Moisture,
    NonNegative,
)
from climbench.physics.corrections.making import Given, make_corrections
from tests.physics.corrections.atmospheres import AREAS, COLUMNS, HYBRID, LEVELS, NAMES, SECONDS, state

BEFORE, AFTER = state(0, (1,)), state(1, (1,))
HEIGHTS = {"geopotential": np.array([9e4, 5e4, 1e3])[:, None, None] + 9.0 * state(3, (1,))["temperature"]}
BALANCE = Balance(np.array([3e4, 5e4, 1e5]), np.full(3, 500.0), np.full(3, 5.0), np.full((2, 1, 1), 20.0))
KINDS = {"dry air": DryAir, "moisture": Moisture, "energy": Energy}
CASES = [(k, form, HYBRID) for k in KINDS for form in ("credit", "ace")] + [(k, "credit", LEVELS) for k in KINDS]


def tensors(values):
    return {name: torch.tensor(array) for name, array in values.items()}


@pytest.mark.parametrize(("column", "form"), [("hybrid", "credit"), ("hybrid", "ace"), ("levels", "credit")])
def test_torch_has_the_numbers_of_numpy(column, form):
    chain = make_corrections(NAMES, Given(set(AFTER), COLUMNS[column], form))
    expected = chain(BEFORE, AFTER, chain.targets(BEFORE, AREAS), AREAS, SECONDS)
    module, after = Conservation(chain, AREAS, SECONDS), tensors(AFTER)
    found = module(tensors(BEFORE), after)
    for name, values in found.items():
        assert (values is after[name]) == (name not in module.changes)
        np.testing.assert_allclose(values.numpy(), expected[name], rtol=1e-10, atol=1e-18)


def check(module, moved, before, after):
    """Hold the gradients of what changes, in units of its size, against finite differences in some quantities."""
    sizes = {name: after[name].abs().mean() for name in {*moved, *module.changes}}

    def changed(*given):
        now = after | {name: values * sizes[name] for name, values in zip(moved, given, strict=True)}
        return tuple(module(before, now)[name] / sizes[name] for name in module.changes)

    given = [(after[name] / sizes[name]).requires_grad_() for name in moved]
    assert torch.autograd.gradcheck(changed, given, eps=1e-5, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize(("kind", "form", "column"), CASES)
def test_gradients(kind, form, column):
    """On part of the globe's cells, as there is a column of the Jacobian for each number that moves."""
    few = partial(map, lambda pair: (pair[0], pair[1][..., :2, :2].contiguous()))
    before, after = (dict(few(tensors(values).items())) for values in (BEFORE, AFTER))
    module = KINDS[kind](AREAS[:2, :2], SECONDS, roles=set(AFTER), column=column, form=form)
    moved = ["humidity", "surface_pressure", *module.changes, *(["evaporation"] if kind == "moisture" else [])]
    check(module, list(dict.fromkeys(moved + (["latent_up", "eastward"] if kind == "energy" else []))), before, after)


def test_the_gradient_of_the_projection():
    given = {"roles": set(AFTER | HEIGHTS), "column": LEVELS, "balance": BALANCE, "strength": 0.7}
    module = HydrostaticProjection(AREAS, SECONDS, **given)
    after = {name: v[..., :2, :2].contiguous() for name, v in tensors(AFTER | HEIGHTS).items()}
    check(module, ["geopotential", "temperature", "humidity"], after, after)


@pytest.mark.parametrize("straight", [False, True])
def test_gradients_go_through_a_clip_only_where_they_are_asked_to(straight):
    module = NonNegative(AREAS, SECONDS, roles={"humidity"}, straight=straight)
    humidity = torch.tensor([-2e-3, 0.0, 1e-3], requires_grad=True)
    after = module({}, {"humidity": humidity})["humidity"]
    after.sum().backward()
    assert after.tolist() == pytest.approx([0.0, 0.0, 1e-3])
    assert humidity.grad.tolist() == [float(straight), 1.0, 1.0]


def test_float32_states_are_corrected_by_sums_in_float64():
    """A roll-out of corrected float32 states does not wander off: what is lost is no more than their round-off."""
    module = DryAir(AREAS, SECONDS, roles=set(AFTER), column=HYBRID)
    first = {name: values.float() for name, values in tensors(BEFORE).items()}
    targets, now = module.targets(first), first
    assert targets["dry_air"].dtype == torch.float64
    for _ in range(20):
        after = {**now, "surface_pressure": now["surface_pressure"] + 50.0}
        now = module(now, after, targets)
        assert now["surface_pressure"].dtype == torch.float32
    drift = module.targets({name: values.double() for name, values in now.items()})["dry_air"] / targets["dry_air"] - 1
    assert float(drift.abs().max()) < 4e-8
