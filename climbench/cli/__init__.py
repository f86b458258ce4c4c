"""The ``climbench`` command: one thin file a verb. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import signal
import sys
import traceback

from climbench.cli import catalogue
from climbench.cli.console import fail
from climbench.errors import ClimbenchError


class Interrupted(BaseException):
    """Ctrl-C, under a name that the command-line library does not take for its own."""


def _dispatch(arguments: list[str]) -> None:
    """Run a verb; a plain list has nothing to parse, and the parser takes longer to load than the list to print."""
    match arguments:
        case ["list"]:
            catalogue.print_catalogue()
        case ["list", "tasks" | "models" | "datasets" as what]:
            catalogue.print_catalogue(catalogue.What(what))
        case _:
            from climbench.cli.verbs import app

            app(prog_name="climbench")  # else the library takes the name of what started Python


def main() -> None:
    """Run the command line: exit code 0 done, 2 wrong usage or input, 1 an internal fault, 130 interrupted."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise Interrupted

    signal.signal(signal.SIGINT, interrupt)
    try:
        _dispatch(sys.argv[1:])
    except ClimbenchError as error:
        fail(str(error))
        sys.exit(2)
    except Interrupted:
        fail("Interrupted. What was finished is kept: the same command goes on from there.")
        sys.exit(130)
    except Exception as error:
        traceback.print_exc()
        fail(f"This is a fault of climbench, not of your input: {type(error).__name__}. Please report it.")
        sys.exit(1)
