"""What all cards have in common: a name, a title, settings and their hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PROSE = {
    *("title", "summary", "citation", "url", "stores", "licence", "attribution", "definitions", "references", "defects")
}


class Card(BaseModel):
    """What every card says: a unique name, a title, and where the card was found."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    summary: str = ""
    citation: str = ""
    path: Path | None = Field(default=None, exclude=True)

    def settings(self) -> dict[str, Any]:
        """Return everything on the card that can change a number: all keys but the prose."""
        return {k: v for k, v in self.model_dump(mode="json").items() if k not in PROSE}

    def hash(self) -> str:
        """Return the SHA-256 of the card's settings in canonical JSON."""
        return hashlib.sha256(json.dumps(self.settings(), sort_keys=True).encode()).hexdigest()


class Section(BaseModel):
    """A named group of keys on a card."""

    model_config = ConfigDict(frozen=True, extra="forbid")
