"""What needs many runs: how scores depend on the number of members, runs compared, published numbers met."""

from __future__ import annotations
