"""How fast a run that is done already is answered from its record, against importing what data are read with."""

from __future__ import annotations

import json

from tests.performance.conftest import CLIMBENCH, run, run_python


def test_nothing_changed(ratio, tmp_path):
    command = (CLIMBENCH, "run", "--task", "climatebench", "--out", str(tmp_path / "run"), "--json")
    first = run(*command)
    record = tmp_path / "run" / "provenance.json"
    written = record.stat().st_mtime_ns
    libraries = "import xarray, zarr, pandas"
    ratio(
        "climbench run with nothing changed",
        lambda: run(*command),
        against=f"python -c '{libraries}'",
        peer=lambda: run_python(libraries),
        rounds=5,
    )
    assert json.loads(run(*command)) == json.loads(first)
    assert record.stat().st_mtime_ns == written
