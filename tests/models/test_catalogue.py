"""From what a user names to an emulator: a card's name, a card file, a class in a file, an installed plug-in."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

import pytest

from climbench.cards import find_model, find_task, list_cards
from climbench.errors import CardError, ModelError
from climbench.models import find_any_model, load_emulator, load_model
from climbench.models.no_change import NoChange
from climbench.models.pattern_scaling import LinearPatternScaling

MINE = """
class SlowMapper:
    def __init__(self, width=4, depth=1):
        self.width, self.depth = width, depth

    def fit(self, train, validation=None, *, seed):
        pass

    def predict(self, inputs, *, members=1, seed):
        return inputs
"""
CARD = """
name: slow
title: Slow mapper
protocol: projection
class_path: mine.py:SlowMapper
init_args: {width: 8}
presets:
  demo: {width: 2}
  published: {depth: 3}
"""


@pytest.fixture
def task():
    return find_task("climatebench")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "slow.yaml").write_text(CARD)
    return tmp_path


@pytest.fixture
def plugins(monkeypatch):
    """Let installed packages offer models: call it with names and places."""

    def offer(**places):
        points = [EntryPoint(name.replace("_", "-"), place, "climbench.models") for name, place in places.items()]

        def entry_points(*, group):
            return [point for point in points if point.group == group]

        monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)

    return offer


def test_a_model_by_its_name():
    assert type(load_model("lps", "climatebench")) is LinearPatternScaling


def test_a_model_for_a_task_given_as_a_card(task):
    assert type(load_model("no-change", task)) is NoChange


def test_a_card_passes_as_it_is(task):
    card = find_model("lps", "projection")
    assert find_any_model(card, task) is card


@pytest.mark.parametrize("preset", ["demo", "standard", "published"])
@pytest.mark.parametrize("card", list_cards("model"), ids=lambda card: card.name)
def test_every_model_of_the_suite_can_be_made(card, preset):
    assert type(load_emulator(card, preset)).__name__ == card.class_path.rpartition(".")[2]


@pytest.mark.parametrize(("preset", "made"), [("standard", (8, 1)), ("demo", (2, 1)), ("published", (8, 3))])
def test_a_card_file_finds_its_class_beside_it_and_presets_override_its_arguments(folder, preset, made):
    model = load_model(str(folder / "slow.yaml"), "climatebench", preset=preset)
    assert (model.width, model.depth) == made


def test_cards_of_included_folders_are_found_by_name(folder, task):
    assert load_emulator(find_any_model("slow", task, [folder])).width == 8


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (CARD.replace("projection", "forecast"), "no model card for the protocol 'projection' of 'climatebench'"),
        ("name: d\ntitle: D\nreader: climatebench\nvariables: {}\nlicence: none\n", "is no model card"),
        (CARD.replace("init_args", "init_arg"), "Did you mean 'init_args'"),
    ],
)
def test_card_files_that_do_not_serve(folder, task, card, message):
    (folder / "slow.yaml").write_text(card)
    with pytest.raises(CardError, match=message):
        find_any_model(str(folder / "slow.yaml"), task)


def test_a_card_file_that_is_not_there(tmp_path, task):
    with pytest.raises(CardError, match=r"gone\.yaml cannot be read"):
        find_any_model(str(tmp_path / "gone.yaml"), task)


def test_a_class_in_a_file(folder, task, monkeypatch):
    monkeypatch.chdir(folder)
    card = find_any_model("./mine.py:SlowMapper", task)
    assert card.name == "slow-mapper"
    assert card.protocol == task.protocol
    assert card.class_path == f"{folder / 'mine.py'}:SlowMapper"
    monkeypatch.chdir(folder.parent)
    assert load_emulator(card).width == 4


@pytest.mark.parametrize(("name", "slug"), [("UNet", "unet"), ("Conv2Net", "conv2-net"), ("_my_model", "my-model")])
def test_a_class_in_a_file_is_named_like_a_card(task, name, slug):
    assert find_any_model(f"mine.py:{name}", task).name == slug


@pytest.mark.parametrize("name", ["", "a b", "Slow.Mapper", "1"])
def test_a_file_without_a_class_is_refused(task, name):
    with pytest.raises(CardError, match=r"names no class\. A model in a file is named as FILE\.py:CLASS"):
        find_any_model(f"mine.py:{name}", task)


def test_a_misspelt_class_offers_the_closest(folder, task):
    card = find_any_model(f"{folder / 'mine.py'}:SlowMaper", task)
    with pytest.raises(ModelError, match=r"'SlowMaper' is not in it\. Did you mean 'SlowMapper'"):
        load_emulator(card)


def test_a_plugin_by_its_name(plugins, task):
    plugins(still_air="climbench.models.no_change:NoChange")
    assert type(load_emulator(find_any_model("still-air", task))) is NoChange


def test_a_plugin_is_imported_only_when_it_is_made(plugins, task):
    plugins(absent="no_such_package.models:Thing")
    card = find_any_model("absent", task)
    with pytest.raises(ModelError, match="cannot be imported: No module named 'no_such_package'"):
        load_emulator(card)


def test_a_plugin_does_not_take_the_place_of_a_card(plugins, task):
    plugins(lps="climbench.models.no_change:NoChange")
    with pytest.raises(CardError, match=r"'lps' is a card and also a model that an installed package offers"):
        find_any_model("lps", task)


def test_a_plugin_whose_name_no_card_could_have(plugins, task):
    plugins(Still_Air="climbench.models.no_change:NoChange")
    with pytest.raises(CardError, match=r"The model Still-Air is not a valid model card:\n.*found 'Still-Air'"):
        find_any_model("Still-Air", task)


def test_entry_points_of_other_groups_are_not_ours(monkeypatch, task):
    other = EntryPoint("still-air", "climbench.models.no_change:NoChange", "console_scripts")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: [p for p in [other] if p.group == group])
    with pytest.raises(CardError, match="There is no model 'still-air'"):
        find_any_model("still-air", task)


def test_an_unknown_model_offers_the_closest_card_or_plugin(plugins, task):
    with pytest.raises(CardError, match=r"There is no model 'lsp' for the protocol 'projection'\. Did you mean 'lps'"):
        find_any_model("lsp", task)
    plugins(still_air="climbench.models.no_change:NoChange")
    with pytest.raises(CardError, match=r"Did you mean 'still-air'\? There is: .*lps, .*still-air"):
        find_any_model("still-ar", task)


@pytest.mark.parametrize("arguments", ["{widht: 8}", "{width: 8, height: 2}"])
def test_wrong_arguments_are_named(folder, arguments):
    (folder / "slow.yaml").write_text(CARD.replace("{width: 8}", arguments))
    wrong = arguments.strip("{}").split(", ")[-1].split(":")[0]
    with pytest.raises(ModelError, match=rf"'slow' cannot be made with the arguments .*{wrong}.*'{wrong}'\.$"):
        load_model(str(folder / "slow.yaml"), "climatebench")


def test_an_unknown_task_is_named():
    with pytest.raises(CardError, match=r"There is no task 'climatebensh'\. Did you mean 'climatebench'"):
        load_model("lps", "climatebensh")
