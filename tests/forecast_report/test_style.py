from climbench.forecast_report.style import COLOURS, REFERENCE, palette


def test_the_reference_is_grey_and_does_not_take_a_colour_of_the_others():
    assert palette(["a", "climatology", "b"], "climatology") == {
        "a": COLOURS[0],
        "climatology": REFERENCE,
        "b": COLOURS[1],
    }
    assert palette(["a"], "climatology") == {"a": COLOURS[0]}


def test_models_beyond_the_last_colour_begin_anew():
    models = [f"m{n}" for n in range(len(COLOURS) + 1)]
    found = palette(models, "climatology")
    assert found[models[0]] == found[models[-1]]
    assert len(set(found.values())) == len(COLOURS)
