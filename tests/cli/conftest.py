"""The command in this process: the same entry point as the installed command, without the time to start Python."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from climbench.cli import main


@dataclass
class Done:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output; anything beside it is an error."""
        return json.loads(self.out, parse_constant=pytest.fail)


@pytest.fixture
def climbench(monkeypatch, capsys):
    """A function that runs the command with arguments."""
    handler = signal.getsignal(signal.SIGINT)

    def run(*arguments) -> Done:
        monkeypatch.setattr(sys, "argv", ["climbench", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        return Done(code, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGINT, handler)
