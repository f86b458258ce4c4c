"""Scores of consistency: water that cannot be, drizzle, tropical variance, and balances beside the truth's own."""

from __future__ import annotations

from climbench.physics.ageostrophic import ageostrophic_ratio
from climbench.physics.drizzle import drizzle_share
from climbench.physics.imbalance import relative
from climbench.tasks.forecast.metrics import Metric
from climbench.tasks.forecast.physics_score import TROPICAL, TRUTH, PhysicsScore, root_of


def share(of: str, words: str) -> PhysicsScore:
    """Return a score that is a mean of 1 and 0."""
    return PhysicsScore("mean", of, Metric((of,), lambda s, m: s[of], units="1", definition=words), globe=False)


def water(of: str, words: str) -> PhysicsScore:
    """Return a score that is a mean over the area of water that cannot be."""
    return PhysicsScore("mean", of, Metric((of,), lambda s, m: s[of], units="kg m-2", definition=words), globe=False)


def drizzle() -> dict[str, PhysicsScore]:
    """Return both shares of rain too light to be, which the truth has some of."""
    part, whole, words = "drizzle_amount", "rain_amount", "rain below 1 mm/day as a mean over the step"
    area = Metric(
        ("drizzle",),
        lambda s, m: s["drizzle"],
        units="1",
        best="none",
        definition=f"share of area and time with {words}",
    )
    amount = Metric(
        (part, whole),
        lambda s, m: drizzle_share(s[part], s[whole]),
        units="1",
        best="none",
        definition=f"share of all precipitation that falls as {words}",
    )
    return {
        "drizzle_area": PhysicsScore("mean", "drizzle", area, globe=False),
        "drizzle_share": PhysicsScore("mean", part, amount, (whole,), globe=False),
    }


def tropical_variance() -> Metric:
    """Return the variance in the tropics over that of the truth."""
    return Metric(
        (TROPICAL, f"{TRUTH}{TROPICAL}"),
        lambda s, m: s[TROPICAL] / s[f"{TRUTH}{TROPICAL}"],
        units="1",
        best="one",
        definition=(
            "mean from 20 degrees south to 20 north of the variance over initial times of precipitation, or what else "
            "the notes name, over that of the truth"
        ),
    )


def imbalance() -> dict[str, PhysicsScore]:
    """Return both balances, each by itself, and over the truth's own."""
    of, wind, departure = "hydrostatic_square", "wind_square", "ageostrophic_square"
    residual = Metric(
        (of,),
        root_of(of),
        units="m2 s-2",
        definition="root mean square of what geopotential and virtual temperature miss hydrostatic balance by",
    )
    warmth = "hydrostatic_kelvin_square"
    kelvin = Metric(
        (warmth,),
        root_of(warmth),
        units="K",
        definition="the same as error of the mean virtual temperature between levels",
    )
    ratio = Metric(
        (departure, wind),
        lambda s, m: ageostrophic_ratio(s[departure], s[wind]),
        units="1",
        best="none",
        definition=(
            "root mean square of the wind that is not geostrophic over that of the wind, from 30 to 60 degrees, at the "
            "level nearest to 500 hPa, no more than 100 hPa off it"
        ),
    )
    over_truth = "over that of the truth: 1 where the forecast is as far out of balance"
    return {
        "hydrostatic_residual": PhysicsScore("mean", of, residual, globe=False),
        "hydrostatic_residual_kelvin": PhysicsScore("mean", warmth, kelvin, globe=False),
        "hydrostatic_relative": PhysicsScore(
            "ratio",
            of,
            Metric(
                (of, f"{TRUTH}{of}"),
                lambda s, m: relative(s[of], s[f"{TRUTH}{of}"]),
                units="1",
                best="one",
                definition=f"hydrostatic_residual {over_truth}",
            ),
            globe=False,
        ),
        "ageostrophic_ratio": PhysicsScore("mean", departure, ratio, (wind,), globe=False),
        "ageostrophic_relative": PhysicsScore(
            "ratio",
            departure,
            Metric(
                (departure, wind, f"{TRUTH}{departure}", f"{TRUTH}{wind}"),
                lambda s, m: (
                    ageostrophic_ratio(s[departure], s[wind])
                    / ageostrophic_ratio(s[f"{TRUTH}{departure}"], s[f"{TRUTH}{wind}"])
                ),
                units="1",
                best="one",
                definition=f"ageostrophic_ratio {over_truth}",
            ),
            (wind,),
            globe=False,
        ),
    }
