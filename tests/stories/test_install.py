"""Cards are found from a wheel, from a checkout and from an editable install; stale copies never are."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.stories.command import call

ROOT = Path(__file__).resolve().parents[2]
CARDS = ("datasets", "models", "benchmarks")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
ASK = "import climbench, climbench.cards as c; print(climbench.__file__); print(c.card_root())"
LIST = "import sys; from climbench.cli import main; sys.argv = ['climbench', 'list']; main()"


def without_paths(**more: str) -> dict[str, str]:
    """Return the environment with no search path but the one named."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | more


def copied(folder: Path) -> Path:
    """Copy what an install needs into a folder, and return it."""
    ignored = shutil.ignore_patterns("__pycache__", "_cards")
    for name in ("climbench", *CARDS):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without network from the tools that the tests need anyway."""
    folder = tmp_path_factory.mktemp("wheel")
    source = copied(tmp_path_factory.mktemp("source") / "climbench")
    done = call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("climbench-*.whl"))


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """A bare directory with the wheel's contents."""
    folder = tmp_path_factory.mktemp("bare")
    done = call(*PIP, "install", "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_holds_all_cards_and_nothing_of_the_tests(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in CARDS:
        for card in (ROOT / folder).rglob("*.yaml"):
            assert f"climbench/_cards/{card.relative_to(ROOT)}" in names
    for data in ("report.html.j2", "worlds/emissions.csv"):
        assert f"climbench/{data}" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"climbench"}


def test_the_installed_wheel_finds_its_own_cards(bare, tmp_path):
    env = without_paths(PYTHONPATH=str(bare))
    asked = call(sys.executable, "-c", ASK, cwd=tmp_path, env=env)
    assert asked.stdout.splitlines() == [str(bare / "climbench" / "__init__.py"), str(bare / "climbench" / "_cards")]
    listed = call(sys.executable, bare / "bin" / "climbench", "list", cwd=tmp_path, env=env)
    assert (listed.returncode, listed.stderr) == (0, "")
    checkout = without_paths(PYTHONPATH=str(ROOT))
    assert listed.stdout == call(sys.executable, "-c", LIST, cwd=tmp_path, env=checkout).stdout
    assert "climatebench" in listed.stdout


def test_the_installed_wheel_runs(bare, synthetic, tmp_path):
    env = without_paths(PYTHONPATH=str(bare))
    settings = ("--set", "targets=[tas]", "--set", "train=[ssp126]")
    arguments = ("run", "--task", "climatebench", "--model", "lps", "--data", synthetic, *settings)
    done = call(sys.executable, bare / "bin" / "climbench", *arguments, "--out", "run", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "run" / "report.html").is_file()


def test_a_checkout_finds_its_folders_from_anywhere(tmp_path):
    env = without_paths(PYTHONPATH=str(ROOT))
    asked = call(sys.executable, "-c", ASK, cwd=tmp_path, env=env)
    assert asked.stdout.splitlines() == [str(ROOT / "climbench" / "__init__.py"), str(ROOT)]


@pytest.fixture(scope="module")
def editable(tmp_path_factory):
    """A copy of the tree, installed as editable into an environment that has all dependencies."""
    folder = tmp_path_factory.mktemp("editable")
    copy = copied(folder / "copy")
    made = call(sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    assert made.returncode == 0, made.stderr
    python = folder / "env" / "bin" / "python"
    site = Path(call(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).stdout.strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--editable")
    done = call(*PIP, "--python", python, "install", *options, copy, cwd=folder, env=without_paths())
    assert done.returncode == 0, done.stdout + done.stderr
    return copy, python, site


def test_an_editable_install_sees_new_and_edited_cards_at_once(editable, tmp_path):
    copy, python, _ = editable
    command = python.with_name("climbench")
    asked = call(python, "-c", ASK, cwd=tmp_path, env=without_paths())
    assert asked.stdout.splitlines() == [str(copy / "climbench" / "__init__.py"), str(copy)]
    card = copy / "models" / "projection" / "lps.yaml"
    added = copy / "models" / "projection" / "my-scaling.yaml"
    text = card.read_text()
    added.write_text(text.replace("name: lps", "name: my-scaling").replace("title: ", "title: Mine, "))
    card.write_text(text.replace("title: ", "title: Edited, "))
    lines = call(command, "list", "models", cwd=tmp_path, env=without_paths()).stdout.splitlines()
    assert [line.split()[2] for line in lines if line.split()[0] in ("lps", "my-scaling")] == ["Edited,", "Mine,"]
    shown = call(command, "show", "my-scaling", cwd=tmp_path, env=without_paths())
    assert (shown.returncode, "Mine," in shown.stdout) == (0, True)


def test_stale_copies_of_the_cards_are_not_used(editable, tmp_path):
    """An editable install leaves one beside the installed packages, and an old build may leave one in the package."""
    copy, python, site = editable
    left = site / "climbench" / "_cards"
    assert left.is_dir()
    shutil.copytree(left, copy / "climbench" / "_cards")
    for cards in (left, copy / "climbench" / "_cards"):
        ghost = cards / "models" / "projection" / "ghost.yaml"
        ghost.write_text((cards / "models" / "projection" / "lps.yaml").read_text().replace("name: lps", "name: ghost"))
    listed = call(python.with_name("climbench"), "list", cwd=tmp_path, env=without_paths())
    assert listed.returncode == 0
    assert "lps" in listed.stdout
    assert "ghost" not in listed.stdout
