"""The handshake of task and emulator: what cannot be fed is named, with the closest match, before anything is read."""

from __future__ import annotations

import pytest

from climbench.cards import list_cards
from climbench.errors import ModelError
from climbench.models import load_emulator
from climbench.models.base import Emulator, Reference, handshake
from climbench.models.forecaster import Forecaster

OFFERED = ("CO2", "CH4", "SO2", "BC")
TRAINABLE = ("tas", "diurnal_temperature_range", "pr", "pr90")


class Duck:
    """Has the two methods that are needed and nothing else."""

    def fit(self, train, validation=None, *, seed):
        """Learn nothing."""

    def predict(self, inputs, *, members=1, seed):
        return inputs


class Hungry(Duck):
    def __init__(self, inputs=None, training_variables=()):
        self.inputs = inputs
        self.training_variables = training_variables


def shake(emulator):
    return handshake(emulator, "mine", offered=OFFERED, trainable=TRAINABLE)


def test_an_emulator_that_names_no_inputs_gets_all():
    assert shake(Hungry(None)) == OFFERED
    assert shake(Duck()) == OFFERED


@pytest.mark.parametrize("inputs", [("CO2",), ("SO2", "CO2"), ()])
def test_an_emulator_gets_the_inputs_it_names_in_its_order(inputs):
    assert shake(Hungry(inputs, ("tas",))) == inputs


@pytest.mark.parametrize(
    ("emulator", "message"),
    [
        (Hungry(("CO",)), r"^'mine' needs the input 'CO', which the task does not offer\. Did you mean 'CO2'\?"),
        (
            Hungry(("CO2", "SO")),
            r"^'mine' needs the input 'SO', .* Did you mean 'SO2'\? There is: BC, CH4, CO2, SO2\.$",
        ),
        (Hungry(("solar_irradiance",)), r"'solar_irradiance', which the task does not offer\. There is: BC, CH4"),
        (Hungry(("CO2",), ("tass",)), r"^'mine' needs the training variable 'tass', .* Did you mean 'tas'\?"),
        (Hungry(None, ("tas", "huss")), r"needs the training variable 'huss', .* There is: .*pr, pr90, tas\.$"),
    ],
)
def test_what_the_task_does_not_offer_is_named(emulator, message):
    with pytest.raises(ModelError, match=message):
        shake(emulator)


def test_a_forcing_is_no_training_variable_and_a_climate_variable_no_input():
    with pytest.raises(ModelError, match="needs the input 'tas'"):
        shake(Hungry(("tas",)))
    with pytest.raises(ModelError, match="needs the training variable 'CO2'"):
        shake(Hungry((), ("CO2",)))


def lacking(*methods):
    return type("Incomplete", (), dict.fromkeys(methods, lambda self: None))()


@pytest.mark.parametrize("emulator", [object(), lacking("fit"), lacking("predict"), 3])
def test_what_is_no_emulator_is_refused(emulator):
    with pytest.raises(ModelError, match=r"^'mine' is no emulator: it must have the methods fit and predict"):
        shake(emulator)


def test_attributes_that_are_not_methods_do_not_count():
    emulator = Duck()
    emulator.fit = "done"
    with pytest.raises(ModelError, match="is no emulator"):
        shake(emulator)


@pytest.mark.parametrize("card", list_cards("model"), ids=lambda card: f"{card.protocol}-{card.name}")
def test_every_model_of_the_suite_keeps_the_contract(card):
    model = load_emulator(card)
    if card.protocol == "forecast":
        assert isinstance(model, Forecaster)
        assert model.history >= 1
        return
    if isinstance(model, Reference):
        assert not isinstance(model, Emulator)
        return
    assert isinstance(model, Emulator)
    assert set(shake(model)) <= set(OFFERED)
    assert model.history >= 0
