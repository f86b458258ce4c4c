"""Cards: what they allow, how they say what is wrong, and settings changed for one run."""

from __future__ import annotations

import pytest

from climbench import cards
from climbench.cards import find_dataset, find_model, find_task, list_cards, parse_setting, read_card, with_settings
from climbench.errors import CardError

MODEL = "name: mine\ntitle: Mine\nprotocol: projection\nclass_path: here.py:Mine\n"


@pytest.mark.parametrize("kind", ["task", "model", "dataset"])
def test_every_card_of_the_suite_is_valid_and_named_like_its_file(kind):
    found = list_cards(kind)
    assert found
    for card in found:
        assert card.path.stem == card.name


@pytest.mark.parametrize("kind", ["task", "model", "dataset"])
def test_generated_pages_are_up_to_date(kind):
    page = cards.card_root() / cards.FOLDERS[kind] / "README.md"
    assert page.read_text(encoding="utf-8") == cards.index_page(kind), "run `make cards`"


def test_every_model_of_a_task_and_every_data_set_it_names_exists():
    for task in list_cards("task"):
        find_dataset(task.dataset)
        for name in (*task.baselines, task.skill_against):
            find_model(name, task.protocol)


def test_cards_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        find_task("climatebench").version = "2"


def test_unknown_names_offer_the_closest():
    with pytest.raises(CardError, match="Did you mean 'climatebench'"):
        find_task("climatebensh")
    with pytest.raises(CardError, match=r"There is no model 'unnet' for the protocol 'projection'. .*lps"):
        find_model("unnet", "projection")


def test_an_unknown_key_names_file_key_and_closest_match(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(MODEL + "init_arg: {}\n")
    with pytest.raises(CardError, match=r"mine\.yaml.*\n.*unknown key 'init_arg'. Did you mean 'init_args'"):
        read_card(path)


def test_everything_wrong_with_a_card_is_said_at_once(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: Not Allowed\nclass_path: here.py:Mine\n")
    with pytest.raises(CardError) as error:
        read_card(path)
    for part in ("key 'name'", "'Not Allowed'", "key 'title' is missing", "key 'protocol' is missing"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "is not YAML"), ("- a", "holds list"), ("a: 1", "is no card"), ("!!python/object:os.system {}", "YAML")],
)
def test_files_that_are_no_cards(tmp_path, text, message):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(CardError, match=message):
        read_card(path)


def test_a_missing_card_file_is_named(tmp_path):
    with pytest.raises(CardError, match=r"nothing\.yaml cannot be read"):
        read_card(tmp_path / "nothing.yaml")


def test_include_adds_folders_and_loose_cards(tmp_path):
    (tmp_path / "models" / "projection").mkdir(parents=True)
    (tmp_path / "models" / "projection" / "mine.yaml").write_text(MODEL)
    (tmp_path / "loose.yaml").write_text(MODEL.replace("mine", "loose"))
    names = {c.name for c in list_cards("model", [tmp_path])}
    assert {"mine", "loose", "lps"} <= names


def test_two_cards_of_one_name_are_refused(tmp_path):
    (tmp_path / "lps.yaml").write_text(MODEL.replace("mine", "lps"))
    with pytest.raises(CardError, match="Two model cards are named 'lps'"):
        list_cards("model", [tmp_path])


def test_an_include_that_is_no_folder(tmp_path):
    with pytest.raises(CardError, match="which is no folder"):
        list_cards("model", [tmp_path / "nothing"])


def test_settings_change_a_copy_and_the_hash():
    card = find_task("climatebench")
    changed = with_settings(card, {"test.years": [2081, 2100], "targets": ["tas"]})
    assert changed.test.years == (2081, 2100)
    assert card.test.years == (2080, 2100)
    assert changed.hash() != card.hash()


def test_settings_equal_to_the_card_change_nothing():
    card = find_task("climatebench")
    assert with_settings(card, {"test.years": [2080, 2100]}).hash() == card.hash()


def test_prose_does_not_change_the_hash():
    card = find_task("climatebench")
    assert card.model_copy(update={"summary": "other words"}).hash() == card.hash()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"test.year": [1, 2]}, "Did you mean 'test.years'"),
        ({"targetz": ["tas"]}, "Did you mean 'targets'"),
        ({"name": "x"}, "has no setting 'name'"),
        ({"test.years": [2100, 2080]}, "the first year 2100 lies after the last 2080"),
        ({"test.years": "late"}, "found 'late'"),
        ({"targets": ["tas", "tas"]}, "named twice: tas"),
        ({"targets": []}, "at least 1 item"),
        ({"scoring.weights": "area"}, "cos_latitude"),
        ({"version.minor": 1}, "has no setting 'version.minor'"),
    ],
)
def test_wrong_settings(setting, message):
    with pytest.raises(CardError, match=message):
        with_settings(find_task("climatebench"), setting)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("targets=[tas,pr]", ("targets", ["tas", "pr"])),
        ("test.scenario=ssp370", ("test.scenario", "ssp370")),
        ("test.years=[2080,2099]", ("test.years", [2080, 2099])),
        ("test.period=[2020-01-01,2020-12-31]", ("test.period", ["2020-01-01", "2020-12-31"])),
        ("a=b=c", ("a", "b=c")),
    ],
)
def test_settings_are_yaml(text, expected):
    assert parse_setting(text) == expected


@pytest.mark.parametrize("text", ["targets", "=3", "targets=[tas"])
def test_malformed_settings(text):
    with pytest.raises(CardError, match="setting"):
        parse_setting(text)
