"""All verbs of the ``climbench`` command, put together."""

from __future__ import annotations

import typer

from climbench.cli import budget, compare, data, listing, members, reproduce, rollout, run, score, show

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
app.command("members")(members.members)
app.command("compare")(compare.compare)
app.command("rollout")(rollout.rollout)
app.command("budget")(budget.budget)
app.command("reproduce")(reproduce.reproduce)
app.command("list")(listing.list_)
app.command("show")(show.show)
app.add_typer(data.app, name="data")
