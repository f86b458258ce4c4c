"""Names to things, lazily: nothing is imported before it is asked for."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from climbench.errors import CardError, MissingExtraError, ModelError, did_you_mean

MODEL_ENTRY_POINTS = "climbench.models"


class Registry:
    """A catalogue of names and where the named objects stand (``"module:object"``).

    Parameters
    ----------
    what : str
        What the names stand for, used in messages.
    places : mapping of str to str
        The catalogue.
    """

    def __init__(self, what: str, places: Mapping[str, str]) -> None:
        self.what = what
        self.places = dict(places)

    def load(self, name: str) -> Any:
        """Import and return the named object.

        Parameters
        ----------
        name : str
            One of the catalogue's names.

        Returns
        -------
        object

        Raises
        ------
        CardError
            If there is no such name; the closest match is offered.
        """
        if name not in self.places:
            raise CardError(f"There is no {self.what} '{name}'. {did_you_mean(name, self.places)}")
        return load_object(self.places[name])


def model_plugins() -> dict[str, str]:
    """Return the models that installed packages offer, by name, as places to import them from."""
    from importlib import metadata

    return {point.name: point.value for point in metadata.entry_points(group=MODEL_ENTRY_POINTS)}


def load_object(place: str, *, beside: Path | None = None) -> Any:
    """Import an object.

    Parameters
    ----------
    place : str
        ``"package.module.Object"``, ``"package.module:Object"``, or ``"path/file.py:Object"``.
    beside : Path, optional
        The folder that a relative path to a file starts from; the working folder without it.

    Returns
    -------
    object

    Raises
    ------
    ModelError
        If the file or module cannot be imported, or has no such object.
    """
    if place.count(":") and place.rpartition(":")[0].endswith(".py"):
        file, _, name = place.rpartition(":")
        module: Any = _load_file((beside or Path()) / file)
    else:
        path, sign, name = place.rpartition(":")
        if not sign:
            path, _, name = place.rpartition(".")
        module = _import(path, place)
    if not hasattr(module, name):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise ModelError(f"'{place}' cannot be loaded: '{name}' is not in it. {did_you_mean(name, public)}")
    return getattr(module, name)


def _import(path: str, place: str) -> Any:
    try:
        return importlib.import_module(path)
    except ImportError as error:
        if getattr(error, "name", None) in {"torch", "pytorch_lightning", "torch_harmonics"}:
            raise MissingExtraError(f"'{place}'", "models") from None
        raise ModelError(f"'{place}' cannot be imported: {error}.") from None
    except ValueError as error:
        raise ModelError(f"'{place}' names no object: {error}. Write package.module:Object.") from None


def _load_file(path: Path) -> Any:
    path = path.resolve()
    if not path.is_file():
        raise ModelError(f"There is no file {path}. A model in a file is named as FILE.py:CLASS.")
    name = f"climbench_file_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ModelError(f"The file {path} fails when it is imported: {type(error).__name__}: {error}") from error
    return module
