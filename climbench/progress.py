"""What long work reports while it goes on; the front end decides what is drawn of it."""

from __future__ import annotations


class Progress:
    """What a run reports while it works; the default shows nothing.

    A front end overrides these methods; the run calls them from one thread.
    """

    def announce(self, line: str) -> None:
        """Take a line that must be seen before the work begins."""

    def stage(self, text: str) -> None:
        """Take the name of the stage that begins now."""

    def step(self, what: str, done: int, total: int) -> None:
        """Take how far a long piece of work has come."""
