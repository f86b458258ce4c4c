"""Card files: where they stand and what is written in them, before `climbench.cards` checks it.

Cards stand in three folders, ``datasets/``, ``models/<protocol>/`` and ``benchmarks/``: those of the checkout when its
``pyproject.toml`` stands beside this package, otherwise the copies inside the wheel. Folders named by the caller
(``--include``) are read after them. Nothing here imports pydantic, so that names and titles can be listed at once.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from climbench.errors import CardError

Kind = Literal["task", "model", "dataset"]
FOLDERS: dict[Kind, str] = {"task": "benchmarks", "model": "models", "dataset": "datasets"}
SIGNS: dict[str, Kind] = {"class_path": "model", "reader": "dataset", "targets": "task"}


class Headline(NamedTuple):
    """What a list shows of a card; the protocol is empty where the kind of card has none."""

    name: str
    title: str
    protocol: str


def card_root() -> Path:
    """Return the folder that holds the three folders of cards: the checkout's, or the wheel's own copy."""
    package = Path(__file__).resolve().parent
    checkout = package.parent
    return checkout if (checkout / "pyproject.toml").is_file() else package / "_cards"


def card_paths(kind: Kind, include: Sequence[Path] = ()) -> list[Path]:
    """Return the files of all cards of a kind.

    Parameters
    ----------
    kind : {"task", "model", "dataset"}
        The kind of card.
    include : sequence of Path
        Further folders with cards: either the same three folders, or loose card files, told apart by their keys.

    Returns
    -------
    list of Path

    Raises
    ------
    CardError
        If a folder does not exist or a loose file is no card.
    """
    files = sorted((card_root() / FOLDERS[kind]).glob("*/*.yaml" if kind == "model" else "*.yaml"))
    for folder in include:
        if not folder.is_dir():
            raise CardError(f"--include names {folder}, which is no folder.")
        files += sorted((folder / FOLDERS[kind]).rglob("*.yaml"))
        files += [f for f in sorted(folder.glob("*.yaml")) if kind_by_keys(read_yaml(f), f) == kind]
    return files


def read_yaml(path: Path) -> dict[str, Any]:
    """Return what is written in a card file.

    Parameters
    ----------
    path : Path
        A YAML file.

    Returns
    -------
    dict

    Raises
    ------
    CardError
        If the file cannot be read, is not YAML, or holds no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"The card {path} cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise CardError(f"The card {path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise CardError(f"The card {path} holds {type(content).__name__}, not a mapping of keys to values.")
    return dict(with_dates_as_text(content))


def with_dates_as_text(value: Any) -> Any:
    """Return what YAML holds with its dates, which it knows unless they are quoted, as the text they were."""
    if isinstance(value, dict):
        return {key: with_dates_as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_dates_as_text(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def kind_by_keys(content: Mapping[str, Any], path: Path) -> Kind:
    """Return the kind of card that a file's keys tell; raise `CardError` where they tell none."""
    for key, kind in SIGNS.items():
        if key in content:
            return kind
    raise CardError(f"{path} is no card: it has none of the keys {', '.join(SIGNS)} that tell a card's kind.")


def headlines(kind: Kind) -> list[Headline]:
    """Return name, title and protocol of the suite's own cards of a kind, by name.

    The cards are not checked, which takes most of the time; the suite's own are valid.

    Parameters
    ----------
    kind : {"task", "model", "dataset"}
        The kind of card.

    Returns
    -------
    list of Headline

    Raises
    ------
    CardError
        If a file cannot be read.
    """
    contents = (read_yaml(path) for path in card_paths(kind))
    found = (Headline(*(str(content.get(key, "")) for key in Headline._fields)) for content in contents)
    return sorted(found, key=lambda head: head.name)  # of one name, by protocol, as the files stand
