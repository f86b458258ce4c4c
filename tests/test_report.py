"""The report: one file that loads nothing, shows every score, and says what the scores are worth."""

from __future__ import annotations

import base64
import dataclasses
import re
from html.parser import HTMLParser

import cartopy
import pytest
import xarray as xr

import climbench
from climbench import report
from climbench.cards import find_dataset, find_task
from climbench.coastlines import MISSING, coastlines
from climbench.records import Data
from tests import synthetic as synthetic_files

VOID = {"meta", "img", "br", "link", "input", "hr"}
METRICS = ("nrmse_spatial", "nrmse_global", "nrmse_total", "rmse_spatial", "rmse_global", "rmse_spatial_debiased")
HOSTILE = "<script>alert('x')</script>"
PICTURE = b"\x89PNG\r\n\x1a\n and the rest"


class Page(HTMLParser):
    """What a browser makes of a page: its tags, what they load, its text, and the rows of its tables."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.open, self.tables, self.style = [], [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.loads += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action", "poster")]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        elif {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    @property
    def scores(self):
        """The score table: for each variable, the cells of each model."""
        found, variable = {}, ""
        for row in self.tables[0][1:]:
            cells = [re.sub(r"\s+", " ", cell).strip() for cell in row]
            if len(cells) == 1:
                variable = cells[0]
            else:
                found[variable, cells[0]] = cells[1:]
        return found


def rows_of(model="lps", variable="tas", units="K", **changed):
    """Give one row a metric, each value another number."""
    for n, metric in enumerate(METRICS, start=1):
        unit = "1" if metric.startswith("n") else units
        values = {"value": n + 0.1, "floor": n + 0.2, "low": n + 0.3, "high": n + 0.4, **changed}
        yield {"model": model, "variable": variable, "metric": metric, "region": "global", "units": unit, **values}
    yield {
        "model": model,
        "variable": variable,
        "metric": "skill_vs_lps",
        "region": "global",
        "units": "1",
        "value": changed.get("value", 0.5),
    }


@pytest.fixture
def content():
    record = {
        "modified": False,
        "costs": {"lps": {"parameters": 1234, "fit_seconds": 1.5, "predict_seconds": None, "peak_memory_mb": 250.4}},
        "versions": {"numpy": "2.0"},
        "hardware": {"cores": 2},
        "task_hash": "abc123",
        "command": "climbench run",
        "seed": 7,
    }
    card = find_dataset("mini-esm")
    data = Data("mini-esm", "simulated", "f00d", {"world": "mini-esm"})
    return report.ReportContent(find_task("climatebench"), card, data, record, [*rows_of()], ["a reason"])


def rendered(content, **changed):
    return Page(report.render(dataclasses.replace(content, **changed)))


def text_of(content, **changed):
    return report.render(dataclasses.replace(content, **changed))


def test_nothing_is_loaded_from_anywhere(content):
    page = rendered(content, chart=PICTURE, figures={"lps": [("a map", PICTURE)]})
    assert len(page.loads) == 2
    assert all(load.startswith("data:image/png;base64,") for load in page.loads)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert [tag for tag, attrs in page.tags if any(name.startswith("on") for name in attrs)] == []


def test_pictures_are_inside_with_their_captions(content):
    page = rendered(content, figures={"lps": [("a map", PICTURE)]})
    ((_, image),) = [(tag, attrs) for tag, attrs in page.tags if tag == "img"]
    assert image["alt"] == "a map"
    assert base64.b64decode(image["src"].partition(",")[2]) == PICTURE


def test_every_row_of_the_table_is_shown(content):
    rows = [
        *rows_of("lps"),
        *rows_of("other", value=200.0, floor=0.25, low=None, high=None),
        *rows_of("lps", "pr", "mm/day", value=0.123456),
    ]
    page = rendered(content, rows=rows)
    assert page.scores == {
        ("tas [K]", "lps"): [
            "1.100",
            "2.100",
            "3.100",
            "–",
            "4.100",
            "4.200",
            "4.300 to 4.400",
            "6.100",
            "5.100",
            "5.200",
            "+0.50",
        ],
        ("tas [K]", "other"): ["200", "200", "200", "–", "200", "0.250", "–", "200", "200", "0.250", "+200.00"],
        ("pr [mm/day]", "lps"): ["0.123"] * 3
        + ["–", "0.123", "4.200", "4.300 to 4.400", "0.123", "0.123", "5.200", "+0.12"],
    }
    heads = page.tables[0][0]
    assert len(heads) == 12
    assert heads[-1] == "skillvs lps"


def test_further_tables_are_shown_with_their_headings_and_captions(content):
    land = {"metric": "rmse_spatial", "region": "global_land", "value": 0.7, "floor": 0.2}
    rows = [*rows_of(), {**next(iter(rows_of())), **land, "units": "K"}]
    page, text = rendered(content, rows=rows), text_of(content, rows=rows)
    assert page.tables[1] == [["", "global", "globalland"], ["tas [K]"], ["lps", "4.1 (4.2)", "0.7 (0.2)"]]
    assert "<h2>Regions</h2>" in text
    assert "Spatial RMSE in each region" in text
    assert page.scores == rendered(content).scores  # the score table is the globe's


def test_the_error_over_internal_variability_stands_beside_the_normalised_ones(content):
    (first, *_) = rows_of()
    page = rendered(content, rows=[*rows_of(), {**first, "metric": "rmse_over_internal_std", "value": 0.77}])
    place = page.tables[0][0].index("NRMSEtotal")
    assert page.tables[0][0][place + 1] == "RMSE overinternal std"
    assert page.tables[0][2][place + 1] == "0.770"


def test_warnings_stand_below_the_scores_and_not_among_the_notes(content):
    text = text_of(content, notes=["WARNING: tas: beware", "a note"])
    assert text.count("WARNING: tas: beware") == 1
    assert text.index("</table>") < text.index("WARNING: tas: beware") < text.index("<h2>What to know</h2>")
    assert text.index("<h2>What to know</h2>") < text.index("a note")


def test_a_diurnal_range_that_hardly_changes_is_reported_honestly(tmp_path):
    """Its mean change is a thousandth of what it is elsewhere in the tests, its noise and pattern are as they were."""
    folder, name = synthetic_files.write(tmp_path / "data"), "diurnal_temperature_range"
    for path in folder.glob("outputs_*.nc"):
        data = xr.load_dataset(path)
        response = data[name].mean(("member", "lat", "lon"))
        data[name] = data[name] - 0.999 * response
        data.to_netcdf(path)
    settings = {"targets": ["tas", name]}
    result = climbench.run("climatebench", ["lps"], data=folder, set=settings, out=tmp_path / "run")
    (warning,) = [note for note in result.notes if note.startswith("WARNING")]
    assert f"WARNING: {name}: the NRMSEs are divided by a target mean of" in warning
    text = (result.run_dir / "report.html").read_text(encoding="utf-8")
    assert f"<strong>{warning}</strong>" in text
    page = Page(text)
    places = [page.tables[0][0].index(head) - 1 for head in ("NRMSEtotal", "RMSE overinternal std")]
    total, over = (float(page.scores[f"{name} [K]", "lps"][place]) for place in places)
    scores = result.scores.query("model == 'lps' and region == 'global'").set_index(["variable", "metric"])["value"]
    assert total == pytest.approx(scores[name, "nrmse_total"], abs=0.5)
    assert over == pytest.approx(scores[name, "rmse_over_internal_std"], abs=5e-4)
    assert total > 5.0
    assert over < 1.5


def test_null_values_are_dashes(content):
    nothing = dict.fromkeys(("value", "floor", "low", "high"))
    assert rendered(content, rows=[*rows_of(**nothing)]).scores == {("tas [K]", "lps"): ["–"] * 11}


def test_an_error_that_cannot_be_told_from_the_floor_says_so(content):
    rows = [*rows_of("near", low=0.0), *rows_of("far", low=0.001)]
    assert {model for _, model in rendered(content, rows=rows).scores} == {"near at the floor", "far"}


@pytest.mark.parametrize(("kind", "said"), [("simulated", True), ("real", False)])
def test_simulated_data_is_said_in_the_title_and_at_the_top(content, kind, said):
    text = text_of(content, data=dataclasses.replace(content.data, kind=kind))
    assert ("<strong>Simulated data.</strong>" in text) is said
    assert (re.search(r"<title>.*\(simulated\)</title>", text) is not None) is said
    assert f"mini-esm ({kind})" in text


@pytest.mark.parametrize("modified", [True, False])
def test_modified_settings_are_said(content, modified):
    text = text_of(content, record={**content.record, "modified": modified})
    assert ("<strong>Modified settings.</strong>" in text) is modified


def test_hostile_text_stays_text(content):
    page = rendered(
        content,
        rows=[*rows_of(HOSTILE, HOSTILE, HOSTILE)],
        notes=[HOSTILE],
        reasons=[HOSTILE],
        figures={HOSTILE: [(f'"><{HOSTILE}', PICTURE)]},
        record={
            **content.record,
            "costs": {HOSTILE: content.record["costs"]["lps"]},
            "command": HOSTILE,
            "versions": {HOSTILE: HOSTILE},
        },
        data=Data(HOSTILE, "real", HOSTILE),
    )
    assert "script" not in {tag for tag, _ in page.tags}
    assert (f"{HOSTILE} [{HOSTILE}]", HOSTILE) in page.scores


def test_notes_reasons_costs_and_provenance_are_shown(content):
    text = text_of(content, notes=["a note"])
    for part in ("a note", "a reason", "abc123", "f00d", "numpy 2.0", "climbench run", "<dd>7</dd>"):
        assert part in text
    assert rendered(content).tables[1][1] == ["lps", "1,234", "1.500", "–", "250"]
    for definition in content.task.definitions:
        assert f"<code>{definition}</code>" in text


@pytest.fixture
def no_coastlines(monkeypatch, tmp_path):
    monkeypatch.setitem(cartopy.config, "data_dir", tmp_path / "none")
    coastlines.cache_clear()
    yield
    coastlines.cache_clear()


def test_a_run_writes_its_figures_and_says_that_coastlines_are_missing(synthetic, tmp_path, no_coastlines):
    settings = {"targets": ["tas"]}
    result = climbench.run("climatebench", ["lps", "one-member"], data=synthetic, set=settings, out=tmp_path / "run")
    text = (result.run_dir / "report.html").read_text(encoding="utf-8")
    assert MISSING.replace("'", "&#39;") in text
    figures = result.run_dir / "figures"
    assert {file.name for file in figures.iterdir()} == {"lps-tas.png", "scores.png"}
    inside = {base64.b64decode(load.partition(",")[2]) for load in Page(text).loads}
    assert inside == {file.read_bytes() for file in figures.iterdir()}
    assert {model.removesuffix(" at the floor") for _, model in Page(text).scores} == {"lps", "one-member"}
    assert "Modified settings" in text
    assert "Simulated data" not in text
