"""The installed command, driven as a user drives it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

CLIMBENCH = str(Path(sys.executable).with_name("climbench"))
PATIENCE = 120.0


def call(
    *arguments, cwd: Path, env: Mapping[str, str] | None = None, patience: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and return how it ended and what it wrote."""
    texts = [str(argument) for argument in arguments]
    return subprocess.run(texts, cwd=cwd, env=env, capture_output=True, text=True, timeout=patience)


def climbench(*arguments, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command to its end."""
    return call(CLIMBENCH, *arguments, cwd=cwd)


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
