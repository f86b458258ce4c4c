"""What cannot be negative, water above all, clipped at 0."""

from __future__ import annotations

from climbench.physics.arrays import Array, namespace


def non_negative(values: Array, *, straight: bool = False) -> Array:
    """Return values with 0 for those below.

    Parameters
    ----------
    values : array
        Any shape.
    straight : bool
        Whether gradients go through what is clipped as if it were not (ACE's option); they are 0 there otherwise. Of
        use with torch only.

    Returns
    -------
    array
        What is not negative is as it was, NaN as well.
    """
    xp = namespace(values)
    if straight and hasattr(values, "detach"):
        return values + non_negative(values).detach() - values.detach()
    return xp.where(values < 0.0, 0.0, values)
