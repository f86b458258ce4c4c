"""The command as a whole: help, usage, names it does not know, and exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from climbench import harness

VERBS = {
    ("run",): ["--task", "--model", "--data", "--set", "--preset", "--include", "--seed", "--out", "--fresh", "--json"],
    ("score",): ["--task", "--data", "--set", "--include", "--out", "--fresh", "--json"],
    ("validate",): ["--task", "--data", "--set", "--include", "--out", "--fresh", "--json"],
    ("list",): ["--include", "--json"],
    ("show",): ["--include", "--json"],
    ("data",): ["pull", "make", "check"],
    ("data", "pull"): ["--out"],
    ("data", "make"): ["--members", "--seed", "--out"],
    ("data", "check"): ["--data"],
}


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_verb(climbench, flag):
    done = climbench(flag)
    assert done.code == 0
    assert all(f"  {verb[0]} " in done.out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_of_a_verb_names_its_options(climbench, verb):
    done = climbench(*verb, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: climbench")
    assert [option for option in VERBS[verb] if option not in done.out] == []


@pytest.mark.parametrize("arguments", [(), ("data",)])
def test_without_a_verb_help_is_shown_and_nothing_done(climbench, arguments):
    done = climbench(*arguments)
    assert done.code == 2
    assert "Commands:" in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("runn",), "Did you mean 'run'"),
        (("run",), "Missing option '--task'"),
        (("run", "--taks", "climatebench"), "--task"),
        (("run", "--task", "climatebench", "--preset", "slow"), "'published'"),
        (("run", "--task", "climatebench", "--seed", "one"), "--seed"),
        (("list", "modles"), "'models'"),
        (("score", "--task", "climatebench"), "predictions"),
        (("run", "--task", "climatebensh"), "Did you mean 'climatebench'"),
        (("run", "--task", "climatebench", "--data", "mini-ems"), "Did you mean 'mini-esm'"),
        (("run", "--task", "climatebench", "--set", "test.yers=[1,2]"), "Did you mean 'test.years'"),
        (("run", "--task", "climatebench", "--set", "test.years"), "KEY=VALUE"),
        (("run", "--task", "climatebench", "--set", "test.years=[2,1]"), "the first year 2 lies after the last 1"),
        (("run", "--task", "climatebench", "--include", "absent"), "--include names absent, which is no folder"),
        (("run", "--task", "absent.yaml"), "absent.yaml cannot be read"),
        (("validate", "absent.nc", "--task", "climatebensh"), "Did you mean 'climatebench'"),
        (("show", "lsp"), "Did you mean 'lps'"),
        (("data", "check", "climatebensh"), "Did you mean 'climatebench'"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_message(climbench, arguments, said):
    done = climbench(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert done.err.count("Error:") == 1
    assert "Traceback" not in done.err


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_an_unknown_model_offers_the_closest(climbench, synthetic, json):
    done = climbench("run", "--task", "climatebench", "--data", synthetic, "--model", "lpps", *json)
    assert done.code == 2
    assert "There is no model 'lpps' for the protocol 'projection'. Did you mean 'lps'?" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("fault", [RuntimeError("inside"), KeyError("inside"), MemoryError("inside")])
def test_a_fault_inside_ends_with_1_and_is_called_one(climbench, monkeypatch, fault):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(harness, "run", fail)
    done = climbench("run", "--task", "climatebench", "--json")
    assert (done.code, done.out) == (1, "")
    assert f"This is a fault of climbench, not of your input: {type(fault).__name__}" in done.err
    assert "Traceback" in done.err


def test_ctrl_c_ends_with_130_and_says_that_work_is_kept(climbench, monkeypatch):
    monkeypatch.setattr(harness, "run", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    done = climbench("run", "--task", "climatebench")
    assert done.code == 130
    assert "What was finished is kept: the same command goes on from there." in done.err
    assert "Traceback" not in done.err


def test_messages_are_shown_as_they_are(climbench):
    """Square brackets are markup to the console: a path or a setting with some must not lose them."""
    done = climbench("show", "[bold]lps[/]")
    assert "Nothing is named '[bold]lps[/]'." in done.err


@pytest.mark.parametrize("arguments", [["list", "models", "--json"], ["run", "--help"], ["show", "lps"]])
def test_light_verbs_import_nothing_heavy(arguments):
    code = "import sys\nfrom climbench.cli import main\nsys.argv[0] = 'climbench'\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "heavy = {'torch', 'xarray', 'dask', 'zarr', 'pandas', 'matplotlib'} & set(sys.modules)\n"
    code += "assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
