"""How fast the command line answers, against a bare import of the libraries it is made with."""

from __future__ import annotations

import pytest

from tests.performance.conftest import CLIMBENCH, run, run_python

HEAVY = {"torch", "xarray", "dask"}
# Runs the installed command in this process, then says which of the heavy modules came with it.
IMPORTED = """
import runpy, sys
heavy, sys.argv = set(sys.argv[1].split(",")), sys.argv[2:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as stop:
    assert not stop.code, stop.code
print("imported:", *sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize("argument", ["--help", "list"])
def test_start(ratio, argument):
    libraries = "import typer, rich, pydantic, yaml"
    ratio(
        f"climbench {argument}",
        lambda: run(CLIMBENCH, argument),
        against=f"python -c '{libraries}'",
        peer=lambda: run_python(libraries),
        rounds=15,
    )


@pytest.mark.parametrize("argument", ["--help", "list"])
def test_nothing_heavy_is_imported(argument):
    printed = run_python(IMPORTED, ",".join(HEAVY), CLIMBENCH, argument)
    assert "climatebench" in printed or "--help" in printed
    assert printed.splitlines()[-1].split() == ["imported:"]
