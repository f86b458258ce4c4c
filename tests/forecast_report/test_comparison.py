from __future__ import annotations

import numpy as np
import pytest

from climbench.forecast_report.comparison import scorecards
from climbench.forecast_report.figures import scorecard_caption
from climbench.forecast_report.scorecard import Scorecard, draw_scorecards, full_colour
from tests.forecast_report.conftest import PRESSURE, TEMPERATURE


def test_the_scorecard_marks_what_is_certain(scored):
    (card,) = scorecards(scored)
    assert (card.model, card.against) == ("good", "climatology")
    assert list(card.rows) == [f"{TEMPERATURE}  crps_fair", f"{PRESSURE}  crps_fair"]
    assert card.hours == [12.0, 24.0, 36.0, 48.0]
    assert card.significant.all()
    assert card.reasons == []


def test_its_numbers_are_ratios_of_the_scores(scored):
    (card,) = scorecards(scored)
    values = {
        model: [
            r["value"]
            for r in part.rows
            if (r["variable"], r["metric"], r["region"]) == (TEMPERATURE, "crps_fair", "global")
        ]
        for model, part in scored.items()
    }
    expected = np.array(values["good"]) / np.array(values["climatology"]) - 1.0
    np.testing.assert_allclose(card.relative[0], expected, rtol=1e-10)


def test_a_model_against_itself_is_a_tie(scored):
    (card,) = scorecards({"good": scored["climatology"], "climatology": scored["climatology"]})
    np.testing.assert_allclose(card.relative, 0.0, atol=1e-12)
    assert not card.significant.any()
    assert "Without a dot it is a tie." in scorecard_caption([card])


def test_no_scorecard_without_the_reference(scored):
    assert scorecards({"good": scored["good"]}) == []


def test_few_initial_times_have_colours_and_no_dots_and_the_caption_says_why(scores_by):
    few = scores_by("good", "climatology", test={"period": ["2020-02-20", "2020-02-22"], "hours": [0, 12]})
    (card,) = scorecards(few)
    assert np.isfinite(card.relative).all()
    assert not card.significant.any()
    assert "6 inits are too few to tell" in scorecard_caption([card])


def test_scores_of_batches_are_compared_too(scores_by):
    """The roots of batches, as ChaosBench takes them: thirty initial times are one batch, too few to test."""
    (card,) = scorecards(scores_by("good", "climatology", profile="chaosbench", metrics=["rmse"]))
    assert list(card.rows) == [f"{TEMPERATURE}  rmse", f"{PRESSURE}  rmse"]
    assert (card.relative < -0.3).all()
    assert not card.significant.any()


@pytest.fixture
def card():
    relative = np.array([[-0.3, 0.02, np.nan], [-0.01, 0.2, 0.1]])
    significant = np.array([[True, False, False], [False, True, False]])
    return Scorecard("mine", "climatology", ["a  rmse", "b  rmse"], [24.0, 72.0, 120.0], relative, significant)


def test_colours_are_the_differences_and_better_is_blue(card):
    axes = draw_scorecards([card], origin="a task").axes[0]
    image = axes.images[0]
    np.testing.assert_array_equal(image.get_array().filled(np.nan), card.relative)
    better, worse = image.cmap(image.norm(-0.3)), image.cmap(image.norm(0.3))
    assert better[2] > better[0]  # more blue than red
    assert worse[0] > worse[2]
    low, high = image.get_clim()
    assert low == -high


def test_dots_stand_where_the_test_tells_the_two_apart(card):
    points = draw_scorecards([card]).axes[0].collections[0].get_offsets()
    np.testing.assert_array_equal(points, [[0, 0], [1, 1]])


def test_all_cards_of_a_figure_share_one_scale(card):
    other = Scorecard("other", "climatology", card.rows, card.hours, 0.01 * card.relative, card.significant)
    figure = draw_scorecards([card, other])
    assert figure.axes[0].images[0].get_clim() == figure.axes[1].images[0].get_clim()
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == [
        "mine against climatology",
        "other against climatology",
    ]


def test_the_scale_is_a_round_number_that_most_cells_do_not_exceed():
    assert full_colour([np.full((2, 5), 0.03)]) == 0.05
    assert full_colour([np.array([0.01] * 19 + [0.9])]) == 0.05  # one in twenty may
    assert full_colour([np.array([-0.3, np.nan])]) == 0.5
    assert full_colour([np.array([5.0])]) == 1.0
    assert full_colour([np.array([np.nan])]) == 0.05
