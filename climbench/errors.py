"""Errors a user can mend: each says what was wrong, what was found and what to do.

Anything deriving from `ClimbenchError` is shown by the command line as one message without a traceback and ends it
with exit code 2. Every other exception is an internal fault (exit code 1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ClimbenchError(Exception):
    """Wrong usage or wrong input: base of all errors that are the caller's to mend."""


class CardError(ClimbenchError):
    """A card is missing, malformed or names something that does not exist."""


class DataError(ClimbenchError):
    """Data on disk is missing, damaged, incomplete or not what its card says."""


class DownloadError(ClimbenchError):
    """A download could not be completed, or what arrived is not what the source announced."""


class ModelError(ClimbenchError):
    """An emulator cannot be loaded, or does not fit the task it was given."""


class PredictionError(ClimbenchError):
    """Predictions do not answer the task: grid, years, members, units or values are wrong."""


class RunError(ClimbenchError):
    """A run directory cannot be used: unwritable, full, busy, or the home of another run."""


class ClusterError(ClimbenchError):
    """A cluster to compute on cannot be reached, has no workers, or was asked for in a way that makes no sense."""


class MissingExtraError(ClimbenchError):
    """Something needs a package that the base install leaves out.

    Parameters
    ----------
    what : str
        The thing that was asked for.
    extra : str
        The name of the extra that brings it.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs packages that are not installed. Run: pip install 'climbench[{extra}]'")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the closest known name and lists them all.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        What there is.

    Returns
    -------
    str
        For example ``"Did you mean 'lps'? There is: lps, no-change."``.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}There is: {', '.join(names) if names else 'nothing'}."
