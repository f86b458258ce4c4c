"""Fingerprints of what went into a run, provenance, and the result as a table and as plain content."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from climbench import records
from climbench.errors import RunError
from climbench.records import (
    COLUMNS,
    Data,
    Predictions,
    Result,
    fingerprint,
    fingerprint_arrays,
    fingerprint_files,
    score_table,
)

ROW = {
    "model": "lps",
    "variable": "tas",
    "metric": "rmse_spatial",
    "region": "global",
    "lead_time": None,
    "value": 0.5,
    "floor": 0.1,
    "low": None,
    "high": None,
    "units": "K",
}


@pytest.fixture
def fresh_cache(monkeypatch, tmp_path):
    """A cache of this test's own: what is remembered is under test."""
    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def digested(monkeypatch, fresh_cache):
    """The names of the files that are read through for their digest, in order."""
    read = []
    plain = hashlib.file_digest

    def counting(file, name):
        read.append(Path(file.name).name)
        return plain(file, name)

    monkeypatch.setattr(records.hashlib, "file_digest", counting)
    return read


def written(path: Path, content: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def result(rows, run_dir=None):
    data = Data("mini-esm", "simulated", "abc", {"seed": 1})
    return Result("climatebench", data, False, rows, run_dir, ["a note"], Predictions(None, []))


def test_what_physics_could_not_be_had_is_said_with_what_is_missing():
    whole = replace(result([]), impossible={"mine": {"toa_net": ("rsdt", "rlut")}, "other": {}})
    assert whole.to_json()["physics"] == {"impossible": {"mine": {"toa_net": ["rsdt", "rlut"]}}}
    assert result([]).to_json()["physics"] == {"impossible": {}}


def test_a_fingerprint_is_the_hash_of_canonical_json():
    expected = hashlib.sha256(b'{"a": [1, 2.5], "b": null}').hexdigest()
    assert fingerprint({"b": None, "a": [1, 2.5]}) == expected
    assert fingerprint({"b": None, "a": [1, 2.6]}) != expected


def test_a_fingerprint_of_arrays_is_of_what_they_hold():
    values, other = np.arange(6, dtype="float64").reshape(2, 3), np.array(["2020-01-01"], "datetime64[s]")
    expected = hashlib.sha256(b'["t", "<f8", [2, 3]]\n' + bytes(values)).hexdigest()
    assert fingerprint_arrays({"t": values}) == fingerprint_arrays({"t": np.asfortranarray(values)}) == expected
    assert fingerprint_arrays({"t": values, "u": other}) == fingerprint_arrays({"u": other, "t": values})
    changed = values.copy()
    changed[1, 2] = np.nextafter(5.0, 6.0)
    for differing in (changed, values.reshape(3, 2), values.view("int64"), values[:1]):
        assert fingerprint_arrays({"t": differing}) != expected
    assert fingerprint_arrays({"u": values}) != expected
    assert fingerprint_arrays({"u": other}) != fingerprint_arrays({"u": other.astype("datetime64[ms]")})


def test_objects_have_no_bytes():
    with pytest.raises(TypeError, match="'region' holds Python objects"):
        fingerprint_arrays({"region": np.array(["global"], dtype=object)})


def test_files_are_known_by_their_contents_wherever_they_stand(fresh_cache, tmp_path):
    one = [written(tmp_path / "here" / "a.nc", "A"), written(tmp_path / "here" / "b.nc", "B")]
    other = [written(tmp_path / "there" / "deep" / "b.nc", "B"), written(tmp_path / "elsewhere" / "a.nc", "A")]
    assert fingerprint_files(one) == fingerprint_files(other)
    assert fingerprint_files(one) == fingerprint_files([*one, one[0]])


@pytest.mark.parametrize(("name", "content"), [("a.nc", "changed"), ("other.nc", "content")])
def test_a_fingerprint_changes_with_content_and_name(fresh_cache, tmp_path, name, content):
    before = fingerprint_files([written(tmp_path / "one" / "a.nc")])
    assert fingerprint_files([written(tmp_path / "two" / name, content)]) != before


def test_contents_that_change_places_change_the_fingerprint(fresh_cache, tmp_path):
    one = [written(tmp_path / "1" / "a.nc", "A"), written(tmp_path / "1" / "b.nc", "B")]
    swapped = [written(tmp_path / "2" / "a.nc", "B"), written(tmp_path / "2" / "b.nc", "A")]
    assert fingerprint_files(one) != fingerprint_files(swapped)


def test_a_store_is_known_by_all_its_files(fresh_cache, tmp_path):
    data = xr.Dataset({"tas": ("time", np.arange(3.0))})
    for place in ("one", "two"):
        data.to_zarr(tmp_path / place / "store.zarr", consolidated=False)
    before = fingerprint_files([tmp_path / "one" / "store.zarr"])
    assert fingerprint_files([tmp_path / "two" / "store.zarr"]) == before
    chunk = next(p for p in (tmp_path / "two" / "store.zarr" / "tas").rglob("*") if p.is_file() and p.suffix == "")
    chunk.write_bytes(chunk.read_bytes() + b" ")
    assert fingerprint_files([tmp_path / "two" / "store.zarr"]) != before


def test_unchanged_files_are_not_read_again(digested, tmp_path):
    path = written(tmp_path / "a.nc")
    first = fingerprint_files([path])
    assert fingerprint_files([path]) == first
    assert digested == ["a.nc"]


@pytest.mark.parametrize("change", ["content", "time"])
def test_changed_files_are_read_again(digested, tmp_path, change):
    path = written(tmp_path / "a.nc", "one")
    before = fingerprint_files([path])
    if change == "content":
        path.write_text("longer")
    os.utime(path, ns=(0, 1))
    assert (fingerprint_files([path]) == before) is (change == "time")
    assert digested == ["a.nc", "a.nc"]


@pytest.mark.parametrize("memory", ["{", "[]", "null", "5", '["ab", "cd"]'])
def test_a_damaged_memory_is_done_without(fresh_cache, tmp_path, memory):
    path = written(tmp_path / "a.nc")
    expected = fingerprint_files([path])
    written(fresh_cache / "fingerprints.json", memory)
    assert fingerprint_files([path]) == expected
    assert str(path) in (fresh_cache / "fingerprints.json").read_text()


def test_a_memory_that_cannot_be_kept_is_done_without(fresh_cache, tmp_path):
    fresh_cache.write_text("a file where the cache should be")
    path = written(tmp_path / "a.nc")
    assert fingerprint_files([path]) == fingerprint_files([path])


def test_other_code_has_another_fingerprint(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "__file__", str(written(tmp_path / "records.py", "one")))
    before = records.fingerprint_code()
    assert records.fingerprint_code() == before
    written(tmp_path / "metrics" / "errors.py", "square")
    after = records.fingerprint_code()
    assert after != before
    written(tmp_path / "metrics" / "errors.py", "square root")
    assert records.fingerprint_code() != after


def test_folders_can_be_named_in_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path / "c"))
    monkeypatch.setenv("CLIMBENCH_DATA", str(tmp_path / "d"))
    assert records.cache_home() == tmp_path / "c"
    assert records.data_home() == tmp_path / "d"
    monkeypatch.delenv("CLIMBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert records.cache_home().name == "climbench"


def test_provenance_names_versions_and_hardware():
    assert records.versions()["python"] == platform.python_version()
    assert records.versions()["numpy"] == np.__version__
    assert records.versions()["xarray"] == xr.__version__
    assert records.hardware()["machine"] == platform.machine()
    assert 1 <= records.hardware()["cores"] <= (os.cpu_count() or 1)


def test_the_table_has_the_contracts_columns_and_numbers():
    table = score_table([ROW])
    assert list(table.columns) == list(COLUMNS)
    assert [str(table[c].dtype) for c in ("lead_time", "value", "floor", "low", "high")] == ["float64"] * 5
    assert table["value"].tolist() == [0.5]
    assert table[["lead_time", "low", "high"]].isna().all(axis=None)


def test_a_table_without_rows_has_its_columns():
    assert list(score_table([]).columns) == list(COLUMNS)


def test_a_result_as_plain_content_is_json():
    content = json.loads(json.dumps(result([ROW], Path("runs/one")).to_json(), allow_nan=False))
    assert content["data"] == {"name": "mini-esm", "kind": "simulated", "fingerprint": "abc"}
    assert content["run_dir"] == "runs/one"
    assert content["scores"] == [ROW]
    assert result([]).to_json()["run_dir"] is None


def test_a_result_comes_back_from_its_folder(tmp_path):
    rows = [ROW, {**ROW, "metric": "nrmse_total", "value": float("nan"), "floor": None}]
    score_table(rows).to_parquet(tmp_path / "scores.parquet")
    data = {"name": "climatebench", "kind": "real", "fingerprint": "abc", "world": {}}
    record = {"fingerprint": "f", "task": "climatebench", "data": data, "modified": True, "notes": ["a note"]}
    (tmp_path / "provenance.json").write_text(json.dumps({**record, "predictions": ["lps"]}))
    found = records.read_result(tmp_path)
    assert found.rows == [ROW, {**ROW, "metric": "nrmse_total", "value": None, "floor": None}]
    assert found.data == Data("climatebench", "real", "abc")
    assert (found.task, found.modified, found.run_dir, found.notes) == ("climatebench", True, tmp_path, ["a note"])
    assert list(found.predictions) == ["lps"]


def test_a_folder_without_a_run_has_no_result(tmp_path):
    with pytest.raises(RunError, match="There is no run in"):
        records.read_result(tmp_path / "nothing")


def test_predictions_are_opened_by_name(tmp_path):
    data = xr.Dataset({"tas": ("time", np.arange(3.0))}, coords={"time": [2080, 2081, 2082]})
    data.to_zarr(tmp_path / "lps.zarr", consolidated=False)
    predictions = Predictions(tmp_path, ["lps"])
    assert len(predictions) == 1
    xr.testing.assert_identical(predictions["lps"].load(), data)
    with pytest.raises(KeyError, match="other"):
        predictions["other"]


def test_where_nothing_was_written_there_are_no_predictions():
    predictions = Predictions(None, [])
    assert dict(predictions) == {}
    assert "lps" not in predictions
