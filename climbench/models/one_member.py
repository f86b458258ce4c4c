"""One member against the mean of the others: how well the climate model predicts itself."""

from __future__ import annotations

import xarray as xr

from climbench.errors import ModelError


class OneMember:
    """The reference row in which each member of the target predicts the mean of the others.

    With S2 the variance across m members, its expected mean square is S2 (1 + 1 / (m - 1)): an emulator of the forced
    response, which carries no internal variability of its own, can do better.
    """

    def leave_one_out(self, target: xr.Dataset) -> xr.Dataset:
        """Return the members themselves.

        Parameters
        ----------
        target : Dataset of shape (member, time, latitude, longitude)
            The members of the test scenario.

        Returns
        -------
        Dataset
            The same.

        Raises
        ------
        ModelError
            If there are fewer than two members.
        """
        if target.sizes.get("member", 1) < 2:
            raise ModelError("'one-member' needs at least two members in the target; leave it out with --model.")
        return target
