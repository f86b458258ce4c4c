"""How networks are trained: windows of years, scaling, Lightning's trainer, losses, and files of fitted networks."""

from __future__ import annotations
