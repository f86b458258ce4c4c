"""The ``climbench`` command: one thin file a verb. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import signal
import sys
import traceback

import typer

from climbench.cli import data, listing, run, score, show
from climbench.cli.console import fail
from climbench.errors import ClimbenchError

app = typer.Typer(
    name="climbench",
    help="Score climate and weather emulators, and see what the score is worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("score")(score.score)
app.command("validate")(score.validate)
app.command("list")(listing.list_)
app.command("show")(show.show)
app.add_typer(data.app, name="data")


class Interrupted(BaseException):
    """Ctrl-C, under a name that the command-line library does not take for its own."""


def main() -> None:
    """Run the command line: exit code 0 done, 2 wrong usage or input, 1 an internal fault, 130 interrupted."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise Interrupted

    signal.signal(signal.SIGINT, interrupt)
    try:
        app()
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
