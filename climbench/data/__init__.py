"""From files and stores to canonical xarray: readers by layout, one door, and downloads."""

from __future__ import annotations

from climbench.registry import Registry

READERS = Registry("reader", {"climatebench": "climbench.data.readers.climatebench:ClimateBenchReader"})
