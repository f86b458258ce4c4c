"""Where data comes from: a folder, a name, what was pulled, or a world that stands in for it and says so."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
import xarray as xr
import yaml

from climbench import records
from climbench.cards import find_dataset, find_task
from climbench.errors import DataError
from climbench.records import WORLD_ATTRIBUTE
from climbench.tasks.sources import check_dataset, find_source, make_world, open_source
from tests import synthetic
from tests.tasks.on_folder import rewrite

EXPERIMENTS = ("ssp126", "ssp245")


class TinyWorld:
    """Writes two scenarios in ClimateBench's layout, each file with its mark."""

    name: ClassVar[str] = "tiny"
    version: ClassVar[str] = "2"
    made: ClassVar[list[tuple[int, int]]] = []

    def __init__(self, kind=""):
        self.kind = kind

    def write(self, directory, *, members, seed, progress=None):
        TinyWorld.made.append((members, seed))
        synthetic.write(directory, EXPERIMENTS, members=members, seed=seed)
        for done, file in enumerate(sorted(directory.iterdir())):
            mark(file, seed)
            progress(done + 1, 4)


class BrokenWorld(TinyWorld):
    name: ClassVar[str] = "broken"

    def write(self, directory, *, members, seed, progress=None):
        synthetic.write(directory, ("ssp126",), members=members)
        raise RuntimeError("out of numbers")


def mark(file, seed):
    world = json.dumps({"world": "tiny", "version": "2", "seed": seed, "members": 2})
    rewrite(file, lambda data: data.assign_attrs({WORLD_ATTRIBUTE: world}))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path / "cache"))
    TinyWorld.made.clear()


@pytest.fixture
def include(tmp_path):
    """Cards of a data set nobody has, of the tiny world that stands in for it, and of one that has no stand-in."""
    real = find_dataset("climatebench").model_dump(mode="json")
    world = {"class_path": f"{__name__}.TinyWorld", "members": 2, "seed": 5}
    cards = {
        "far-away": {"stand_in": "tiny-world"},
        "tiny-world": {"title": "a tiny world", "world": world, "source": None, "stand_in": None},
        "broken-world": {"world": {**world, "class_path": f"{__name__}.BrokenWorld"}, "source": None, "stand_in": None},
        "lone": {"stand_in": None},
    }
    folder = tmp_path / "cards"
    folder.mkdir()
    for name, changes in cards.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**real, "name": name, **changes}))
    return [folder]


@pytest.fixture
def task():
    return find_task("climatebench").model_copy(update={"dataset": "far-away"})


def test_a_folder_that_is_named(tmp_path, task, include):
    folder = synthetic.write(tmp_path / "mine", EXPERIMENTS)
    source = find_source(task, folder, include)
    assert source.why == f"Data: {folder}, in the layout of far-away."
    assert source.card.name == "far-away"
    described = source.data(source.reader.paths(["ssp126"], ["ssp126"]))
    assert (described.name, described.kind, dict(described.world)) == ("far-away", "real", {})
    assert TinyWorld.made == []


def test_a_folder_in_disguise_of_real_data_is_known_as_simulated(tmp_path, task, include):
    folder = make_world(find_dataset("tiny-world", include), out=tmp_path / "copy")
    source = find_source(task, folder, include)
    described = source.data(source.reader.paths(["ssp126"], ["ssp126"]))
    assert (described.name, described.kind) == ("tiny", "simulated")
    assert described.world["seed"] == 5


def test_a_data_set_that_is_named(task, include):
    source = find_source(task, "tiny-world", include)
    assert source.why == "SIMULATED DATA: a tiny world."
    assert source.card.name == "tiny-world"


def test_a_world_stands_in_for_data_that_is_not_here_and_says_so(task, include):
    steps = []
    source = find_source(task, None, include, lambda *step: steps.append(step))
    assert source.why == (
        "SIMULATED DATA: tiny-world stands in for far-away, which is not on this machine "
        "(climbench data pull far-away brings it; --data names a folder)."
    )
    described = source.data(source.reader.paths(["ssp126"], ["ssp245"]))
    assert (described.name, described.kind) == ("tiny", "simulated")
    assert steps == [("making tiny (simulated, 2 members)", done, 4) for done in (1, 2, 3, 4)]


def test_the_suites_own_stand_in_says_so(monkeypatch, world_cache):
    monkeypatch.setenv("CLIMBENCH_CACHE", str(world_cache))
    source = find_source(find_task("climatebench"), None)
    assert source.why.startswith("SIMULATED DATA: mini-esm stands in for climatebench")
    assert source.data(source.reader.paths(["ssp245"], ["ssp245"])).kind == "simulated"


def test_pulled_data_is_preferred_to_the_stand_in(monkeypatch, tmp_path, task, include):
    monkeypatch.setenv("CLIMBENCH_DATA", str(tmp_path / "pulled"))
    folder = tmp_path / "pulled" / "far-away"
    synthetic.write(folder / "train_val", ("ssp126",))
    source = find_source(task, None, include)
    assert source.why == f"Data: ClimateBench v1.0 (NorESM2-LM), in {folder}."
    assert TinyWorld.made == []


def test_an_empty_download_folder_is_no_data(monkeypatch, tmp_path, task, include):
    monkeypatch.setenv("CLIMBENCH_DATA", str(tmp_path / "pulled"))
    (tmp_path / "pulled" / "far-away" / "train_val").mkdir(parents=True)
    assert find_source(task, None, include).why.startswith("SIMULATED DATA")


@pytest.mark.parametrize("name", ["lone", None])
def test_without_data_and_stand_in_the_way_to_get_it_is_named(task, include, name):
    task = task.model_copy(update={"dataset": "lone"})
    with pytest.raises(DataError, match=r"data of 'lone' is not on this machine .*Run: climbench data pull lone, or"):
        find_source(task, name, include)


def test_a_name_that_is_neither_folder_nor_data_set_offers_the_closest(task, include):
    with pytest.raises(DataError) as error:
        find_source(task, "tiny-wrold", include)
    message = str(error.value)
    assert message.startswith("--data names tiny-wrold, which is no folder, nor a data set. Did you mean 'tiny-world'?")
    assert "climatebench" in message


@pytest.mark.parametrize(("make", "message"), [("touch", "There is no data folder"), ("mkdir", "holds no file named")])
def test_a_path_without_data(tmp_path, task, include, make, message):
    getattr(tmp_path / "nothing", make)()
    with pytest.raises(DataError, match=message):
        find_source(task, tmp_path / "nothing", include)


# Worlds


def test_a_world_is_made_once_for_each_seed_and_size(include):
    card = find_dataset("tiny-world", include)
    folder = make_world(card)
    assert make_world(card) == folder
    assert TinyWorld.made == [(2, 5)]
    assert folder.parent == records.cache_home() / "worlds"
    others = {make_world(card, seed=0), make_world(card, members=4)}
    assert folder not in others
    assert TinyWorld.made == [(2, 5), (2, 0), (4, 5)]
    assert sorted(p.name for p in folder.parent.iterdir()) == sorted(p.name for p in {folder, *others})
    assert xr.load_dataset(make_world(card, members=4) / "outputs_ssp126.nc").sizes["member"] == 4


def test_worlds_made_with_other_arguments_do_not_share_a_folder(include):
    card = find_dataset("tiny-world", include)
    other = card.model_copy(update={"world": card.world.model_copy(update={"init_args": {"kind": "other"}})})
    assert make_world(card) != make_world(other)
    assert make_world(other).name.startswith("tiny-v2-members2-seed5-")


def test_a_world_that_fails_leaves_nothing_that_looks_whole(include):
    card = find_dataset("broken-world", include)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="out of numbers"):
            make_world(card)
    assert not [p for p in (records.cache_home() / "worlds").iterdir() if p.is_dir() and p.suffix != ".partial"]


def test_what_a_killed_process_left_is_not_taken_for_a_world(include):
    card = find_dataset("tiny-world", include)
    folder = records.cache_home() / "worlds" / "tiny-v2-members2-seed5"
    synthetic.write(folder.with_name(folder.name + ".partial"), ("ssp370",))
    assert make_world(card) == folder
    assert sorted(f.name for f in folder.iterdir()) == sorted(
        f"{p}puts_{e}.nc" for p in ("in", "out") for e in EXPERIMENTS
    )


def test_a_world_is_not_written_over_a_folder(include, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(DataError, match=r"there exists already\. Name another folder with --out"):
        make_world(find_dataset("tiny-world", include), out=tmp_path / "there")
    assert TinyWorld.made == []


def test_nothing_makes_real_data(include):
    with pytest.raises(DataError, match=r"'lone' is no simulated data set: nothing makes it"):
        make_world(find_dataset("lone", include))


@pytest.mark.parametrize("other", ["real", 6])
def test_files_of_different_origin_are_refused(include, tmp_path, other):
    """Real files beside simulated ones, or two worlds in one folder."""
    folder = synthetic.write(tmp_path / "mixed", EXPERIMENTS)
    for file in folder.glob("*ssp126.nc"):
        mark(file, 5)
    if other != "real":
        for file in folder.glob("*ssp245.nc"):
            mark(file, other)
    source = open_source(find_dataset("tiny-world", include), folder)
    with pytest.raises(
        DataError, match=r"mixed mixes files of different origin \(inputs_ssp126\.nc: .*Keep them in sep"
    ):
        source.data(source.reader.paths(["ssp126"], ["ssp245"]))
    assert source.data(source.reader.paths(["ssp126"], ["ssp126"])).kind == "simulated"


# Checking a data set


def check(folder):
    return check_dataset(find_dataset("climatebench"), folder)


def test_a_sound_data_set_has_a_line_for_each_file_and_no_problem(tmp_path):
    folder = synthetic.write(tmp_path / "data", EXPERIMENTS)
    report = check(folder)
    assert report.problems == []
    lines = {line.split(":")[0]: line for line in report.lines}
    assert lines["inputs_ssp126.nc"] == (
        "inputs_ssp126.nc: 86 years 2015..2100; 6 x 8 (latitude -75..75, longitude 0..315); "
        "CO2 [GtCO2], CH4 [GtCH4/year], SO2 [kg m-2 s-1], BC [kg m-2 s-1]"
    )
    assert lines["outputs_ssp245.nc"].startswith("outputs_ssp245.nc: 86 years 2015..2100; 3 members; 6 x 8")
    assert "historical" in lines["no outputs of"]
    assert "ssp126" not in lines["no outputs of"]


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def zero_rain(file):
    rewrite(file, lambda data: data.assign(pr=0.0 * data["pr"]))


def no_rain(file):
    rewrite(file, lambda data: data.drop_vars("pr"))


def empty_rain(file):
    rewrite(file, lambda data: data.assign(pr=data["pr"].where(False)))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (cut, "it may be cut short or damaged"),
        (zero_rain, "outputs_ssp126.nc: pr is zero throughout"),
        (empty_rain, "outputs_ssp126.nc: pr is NaN throughout"),
        (no_rain, "outputs_ssp126.nc has no variable 'pr'. Did you mean 'pr90'?"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_once(tmp_path, spoil, problem):
    folder = synthetic.write(tmp_path / "data", EXPERIMENTS)
    spoil(folder / "outputs_ssp126.nc")
    report = check(folder)
    assert len(report.problems) == 1
    assert problem in report.problems[0]
    assert any(line.startswith("outputs_ssp245.nc: 86 years") for line in report.lines)


def test_gaps_are_counted_and_are_no_problem_by_themselves(tmp_path):
    folder = synthetic.write(tmp_path / "data", EXPERIMENTS)
    rewrite(folder / "outputs_ssp126.nc", lambda data: data.where((data["time"] > 2015) | (data["member"] > 1)))
    report = check(folder)
    assert report.problems == []
    assert "outputs_ssp126.nc: tas lacks 48 of 12384 values" in report.notes  # a year of one member, 3 x 86 x 48


def test_experiments_are_looked_for_in_every_model_of_several(tmp_path):
    for model in ("A-ESM", "B-ESM"):
        synthetic.write(tmp_path / model, ["ssp126", "ssp245"])
    report = check_dataset(find_dataset("mini-esm-models"), tmp_path)
    assert "no outputs of: historical, ssp370, ssp585" in report.lines
