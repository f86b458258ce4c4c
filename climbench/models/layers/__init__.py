"""Parts that networks share, one idea a file: padding on the sphere, patches, attention, recurrence, positions."""

from __future__ import annotations
