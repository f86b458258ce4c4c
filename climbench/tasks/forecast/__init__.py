"""The protocol ``forecast``: fields at lead times from initial times, scored against what was observed.

A forecast store is matched with the truth (`matching`), cut into work along its chunks (`plan`), and each piece becomes
area-weighted sums for every initial time, lead time and region (`blocks`, `statistics`). Means over initial times,
roots and ratios come last (`metrics`, `profiles`), so that scores stream, and do not depend on chunks or workers.
"""

from __future__ import annotations
