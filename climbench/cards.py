"""Cards: what data, models and tasks the suite knows, read from YAML into typed, frozen objects.

Where the files stand and how they are read is in `climbench.card_files`; here they are checked.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from climbench.card_base import PROSE, Card, Section
from climbench.card_files import FOLDERS, Kind, card_paths, card_root, kind_by_keys, read_yaml, with_dates_as_text
from climbench.errors import CardError, did_you_mean
from climbench.task_cards import TASK_CARDS, ForecastCard, ProjectionCard, Reference, Scoring, TaskCard, TestPeriod

__all__ = [
    "Card",
    "DatasetCard",
    "Fluid",
    "ForecastCard",
    "ModelCard",
    "ProjectionCard",
    "Reference",
    "Scoring",
    "Section",
    "TaskCard",
    "TestPeriod",
]


Fluid = Literal["air", "shallow-water"]


class VariableEntry(Section):
    """A variable as a data set gives it, and what its files leave open.

    Attributes
    ----------
    units : str
        The unit it is given in.
    long_name : str
        Its name in words.
    stored_units : str or None
        The unit the files are in, whatever their attribute says.
    window : float or None
        Hours that stored amounts are accumulated over.
    anomaly : bool
        Whether values are differences from a reference, so that no absolute range holds for them.
    sane : tuple of float or None
        Lowest and highest value to expect, in place of the lexicon's.
    missing : bool
        Whether missing values are meant (the sea in a land data set).
    """

    units: str
    long_name: str = ""
    stored_units: str | None = None
    window: float | None = Field(default=None, gt=0)
    anomaly: bool = False
    sane: tuple[float, float] | None = None
    missing: bool = False


class Source(Section):
    """Where a data set can be downloaded: an archive record and its files, whose checksums the record itself states."""

    doi: str
    record: str
    files: tuple[str, ...]


class WorldEntry(Section):
    """The simulated world that stands in for a data set offline, or that makes it."""

    class_path: str
    init_args: dict[str, Any] = Field(default_factory=dict)
    members: int = Field(default=3, ge=1)
    seed: int = Field(default=0, ge=0)


class DatasetCard(Card):
    """A data set: where it comes from, how it is read, what it holds and what is wrong with it.

    Of its keys, ``fluid`` says what the states are of, and by that which budgets they have: air, or one layer of fluid
    under a free surface. It cannot be told from the variables, and is not guessed.
    """

    reader: str
    variables: dict[str, VariableEntry]
    inputs: dict[str, VariableEntry] = Field(default_factory=dict)
    experiments: tuple[str, ...] = ()
    grid: str = ""
    calendar: str = ""
    period: str = ""
    source: Source | None = None
    url: str = ""
    stores: dict[str, str] = Field(default_factory=dict)
    world: WorldEntry | None = None
    stand_in: str | None = None
    fluid: Fluid = "air"
    empty_chunks: Literal["error", "fill"] = "error"
    duplicate_times: Literal["error", "first", "last"] = "error"
    unordered_times: Literal["error", "sort"] = "error"
    licence: str
    attribution: str = ""
    defects: tuple[str, ...] = ()


UNCORRECTED = "-uncorrected"  # after a model's name: the same as it is fitted, without its correctors
CORRECTORS = ("positivity", "hydrostatic", "dry_air", "moisture", "energy")


class Correct(Section):
    """What a forecast is corrected by, step by step; a list of names alone stands for `what`.

    Attributes
    ----------
    what : tuple of str
        Some of `CORRECTORS`; they act in that order.
    form : {"credit", "ace"}
        CREDIT's ratios or ACE's offsets.
    training : bool
        Whether the steps of a network are corrected in training, too.
    levels : int or None
        How many of the lower levels dry air changes on pressure levels; half of them where null.
    strength : float
        Of the hydrostatic projection, 1 for the whole of it.
    """

    what: tuple[str, ...] = Field(min_length=1)
    form: Literal["credit", "ace"] = "credit"
    training: bool = False
    levels: int | None = Field(default=None, ge=1)
    strength: float = Field(default=1.0, ge=0.0, le=1.0)

    @field_validator("what")
    @classmethod
    def _known(cls, what: tuple[str, ...]) -> tuple[str, ...]:
        for name in what:
            if name not in CORRECTORS:
                raise ValueError(f"there is no corrector '{name}'. {did_you_mean(name, CORRECTORS)}")
        return what


class ModelCard(Card):
    """An emulator: the class that implements it, its arguments, and its presets; a forecast's may have correctors."""

    protocol: str
    class_path: str
    init_args: dict[str, Any] = Field(default_factory=dict)
    correct: Correct | None = None
    presets: dict[Literal["demo", "standard", "published"], dict[str, Any]] = Field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What its predictions are named by: its own name, and that of those that are not corrected."""
        return (self.name,) if self.correct is None else (self.name, self.name + UNCORRECTED)

    @field_validator("correct", mode="before")
    @classmethod
    def _names_alone(cls, correct: Any) -> Any:
        return {"what": correct} if isinstance(correct, (list, tuple)) else correct

    @model_validator(mode="after")
    def _only_forecasts(self) -> Self:
        if self.correct is not None and self.protocol != "forecast":
            raise ValueError(f"correct is for forecasts; the protocol is '{self.protocol}'")
        return self


CARD_TYPES: dict[Kind, type[Card]] = {"task": TaskCard, "model": ModelCard, "dataset": DatasetCard}
C = TypeVar("C", bound=Card)


def _fields_at(model: type[BaseModel], location: Sequence[Any]) -> list[str]:
    """Return the keys allowed at a place in a card, following the place through its nested sections."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            return []
        sections = [t for t in _types_in(field.annotation) if issubclass(t, BaseModel)]
        if not sections:
            return []
        model = sections[0]
    return list(model.model_fields)


def _types_in(annotation: Any) -> list[type]:
    inner = typing.get_args(annotation)
    if inner:
        return [t for part in inner for t in _types_in(part)]
    return [annotation] if isinstance(annotation, type) else []


def _explain(error: ValidationError, card_type: type[Card]) -> str:
    lines = []
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            allowed = [f for f in _fields_at(card_type, item["loc"][:-1]) if f != "path"]
            lines.append(f"unknown key '{place}'. {did_you_mean(str(item['loc'][-1]), allowed)}")
        elif item["type"] == "missing":
            lines.append(f"key '{place}' is missing.")
        elif item["type"] == "tuple_type":
            lines.append(f"key '{place}' is a list, such as [{item['input']}]; found {item['input']!r}.")
        else:
            lines.append(f"key '{place}': {item['msg']}; found {item['input']!r}.")
    return "\n  ".join(lines)


def validate(kind: Kind, content: Mapping[str, Any], where: str, path: Path | None = None) -> Card:
    """Return a card made from a mapping of keys.

    Parameters
    ----------
    kind : {"task", "model", "dataset"}
        The kind of card.
    content : mapping
        The card's keys and values.
    where : str
        What to call the card in messages.
    path : Path, optional
        The file it came from.

    Returns
    -------
    TaskCard, ModelCard or DatasetCard

    Raises
    ------
    CardError
        Naming file, key, what was found, what is allowed and the closest match.
    """
    card_type = _card_type(kind, content, where)
    try:
        return card_type.model_validate({**content, "path": path})
    except ValidationError as error:
        raise CardError(f"{where} is not a valid {kind} card:\n  {_explain(error, card_type)}") from None


def _card_type(kind: Kind, content: Mapping[str, Any], where: str) -> type[Card]:
    """Return the type of a card; a task's depends on its protocol."""
    protocol = content.get("protocol")
    if kind != "task" or protocol is None:
        return CARD_TYPES[kind]
    if protocol not in TASK_CARDS:
        raise CardError(
            f"{where} is not a valid task card:\n  there is no protocol '{protocol}'. "
            f"{did_you_mean(str(protocol), TASK_CARDS)}"
        )
    return TASK_CARDS[str(protocol)]


def read_card(path: Path, kind: Kind | None = None) -> Card:
    """Read one card file.

    Parameters
    ----------
    path : Path
        A YAML file.
    kind : {"task", "model", "dataset"}, optional
        The kind of card; without it the kind is told by the keys.

    Returns
    -------
    TaskCard, ModelCard or DatasetCard

    Raises
    ------
    CardError
        If the file cannot be read, is not YAML, or is no valid card.
    """
    content = read_yaml(path)
    return validate(kind or kind_by_keys(content, path), content, str(path), path)


@cache
def _cards(kind: Kind, include: tuple[Path, ...]) -> tuple[Card, ...]:
    found: dict[tuple[str, str], Card] = {}
    for path in card_paths(kind, include):
        card = read_card(path, kind)
        key = (getattr(card, "protocol", ""), card.name) if kind == "model" else ("", card.name)
        if key in found:
            raise CardError(f"Two {kind} cards are named '{card.name}': {found[key].path} and {path}. Rename one.")
        found[key] = card
    return tuple(sorted(found.values(), key=lambda card: card.name))


def list_cards(kind: Kind, include: Sequence[Path] = ()) -> list[Card]:
    """Return all cards of a kind, by name.

    Parameters
    ----------
    kind : {"task", "model", "dataset"}
        The kind of card.
    include : sequence of Path
        Further folders with cards: either the same three folders, or loose card files.

    Returns
    -------
    list of TaskCard, ModelCard or DatasetCard

    Raises
    ------
    CardError
        If a card is not valid or two share a name.
    """
    return list(_cards(kind, tuple(Path(folder) for folder in include)))


def _find(kind: Kind, card_type: type[C], name: str, include: Sequence[Path], protocol: str | None = None) -> C:
    cards = [c for c in list_cards(kind, include) if isinstance(c, card_type)]
    if protocol is not None:
        cards = [c for c in cards if getattr(c, "protocol", None) == protocol]
    for card in cards:
        if card.name == name:
            return card
    scope = f" for the protocol '{protocol}'" if protocol else ""
    raise CardError(f"There is no {kind} '{name}'{scope}. {did_you_mean(name, [c.name for c in cards])}")


def find_task(name: str, include: Sequence[Path] = ()) -> TaskCard:
    """Return the task card of a name; raise `CardError` with the closest match where there is none."""
    return _find("task", TaskCard, name, include)


def find_dataset(name: str, include: Sequence[Path] = ()) -> DatasetCard:
    """Return the dataset card of a name; raise `CardError` with the closest match where there is none."""
    return _find("dataset", DatasetCard, name, include)


def find_model(name: str, protocol: str, include: Sequence[Path] = ()) -> ModelCard:
    """Return the model card of a name within a protocol; raise `CardError` with the closest match if there is none."""
    return _find("model", ModelCard, name, include, protocol)


def with_settings(card: C, settings: Mapping[str, Any]) -> C:
    """Return a card with some of its keys changed.

    Parameters
    ----------
    card : TaskCard or another card
        The card to change; it stays as it is.
    settings : mapping of str to object
        Dotted keys and their new values, for example ``{"test.years": [2080, 2099]}``.

    Returns
    -------
    card of the same type

    Raises
    ------
    CardError
        If a key does not exist on the card or the value does not fit it.
    """
    content = card.model_dump(mode="json")
    for key, value in settings.items():
        parts = key.split(".")
        place = content
        for depth, part in enumerate(parts):
            if not isinstance(place, dict) or part not in place or part in ("name", "protocol"):
                allowed = [k for k in place if k not in PROSE | {"name", "protocol"}] if isinstance(place, dict) else []
                prefix = ".".join([*parts[:depth], ""]) if depth else ""
                raise CardError(
                    f"'{card.name}' has no setting '{key}'. {did_you_mean(part, [prefix + k for k in allowed])}"
                )
            if depth == len(parts) - 1:
                place[part] = value
            place = place[part]
    kind = next(k for k, type_ in CARD_TYPES.items() if isinstance(card, type_))
    changed = validate(kind, content, f"'{card.name}' with the changed settings {dict(settings)}", card.path)
    return typing.cast("C", changed)


def parse_setting(text: str) -> tuple[str, Any]:
    """Return key and value of a ``KEY=VALUE`` setting, whose value is YAML.

    Parameters
    ----------
    text : str
        For example ``"test.years=[2080,2099]"``.

    Returns
    -------
    tuple of str and object

    Raises
    ------
    CardError
        If there is no ``=`` or the value is not YAML.
    """
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise CardError(f"The setting '{text}' is not of the form KEY=VALUE, for example test.scenario=ssp370.")
    try:
        return key.strip(), with_dates_as_text(yaml.safe_load(value))
    except yaml.YAMLError as error:
        raise CardError(f"The value of the setting '{text}' is not YAML: {error}") from None


def index_page(kind: Kind) -> str:
    """Return the README of one folder of cards: a table that links each card to its code or source.

    Parameters
    ----------
    kind : {"task", "model", "dataset"}
        Which folder.

    Returns
    -------
    str
        Markdown.
    """
    heads: dict[Kind, tuple[str, str]] = {
        "task": ("Tasks", "what is fed, what is predicted and what is scored"),
        "model": ("Models", "the emulators on offer, by protocol"),
        "dataset": ("Data sets", "what data the suite knows"),
    }
    title, meaning = heads[kind]
    columns = {"task": "dataset", "model": "class_path", "dataset": "reader"}[kind]
    lines = [
        f"# {title}: {meaning}",
        "",
        "Generated from the cards by `make cards`; edit the cards, not this page.",
        "",
    ]
    lines += [f"| card | title | {columns.replace('_', ' ')} |", "|---|---|---|"]
    for card in list_cards(kind):
        folder = f"{card.protocol}/" if isinstance(card, ModelCard) else ""
        file = f"{folder}{card.name}.yaml"
        lines.append(f"| [{card.name}]({file}) | {card.title} | `{getattr(card, columns)}` |")
    return "\n".join(lines) + "\n"


def write_index_pages() -> None:
    """Write the README of each folder of cards in the checkout."""
    for kind, folder in FOLDERS.items():
        (card_root() / folder / "README.md").write_text(index_page(kind), encoding="utf-8")


if __name__ == "__main__":
    write_index_pages()
