"""The plots of an agreement: every number drawn is where it was computed to be."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from napari_vbmd.measurement.agreement import agree
from napari_vbmd.report.agreement_figures import (
    Look,
    Names,
    agreement_figure,
    draw_bland_altman,
)

NAMES = Names("Tt.vBMD", "mg HA/cm3", "automatic", "expert")


@pytest.fixture
def found():
    rng = np.random.default_rng(7)
    expert = rng.normal(279.3, 42.8, 30)
    return agree(expert - 14 + rng.normal(0, 3.5, 30), expert)


def points(axes):
    [line] = [one for one in axes.lines if one.get_marker() == "o"]
    return line.get_xydata()


def levels(axes):
    """Heights of the lines across a plot."""
    return {float(line.get_ydata()[0]) for line in axes.lines if line.get_marker() != "o"}


def bands(axes):
    return sorted((p.get_y(), p.get_y() + p.get_height()) for p in axes.patches)


def texts(figure):
    return " ".join(t.get_text() for axes in figure.axes for t in axes.texts)


def test_the_scatter_shows_ours_over_the_reference_and_both_lines(found):
    scatter, _ = agreement_figure(found, NAMES).axes
    np.testing.assert_array_equal(
        points(scatter), np.column_stack((found.pairs.reference, found.pairs.ours))
    )
    identity, fit = scatter.lines[:2]
    np.testing.assert_array_equal(identity.get_xdata(), identity.get_ydata())
    x, y = fit.get_xydata().T
    np.testing.assert_allclose(
        y, found.least_squares.slope.value * x + found.least_squares.intercept.value
    )
    assert scatter.get_xlim() == scatter.get_ylim(), "identity is the diagonal"


def test_bland_altman_shows_differences_over_means_with_bias_and_limits(found):
    _, plot = agreement_figure(found, NAMES).axes
    ours, reference = found.pairs.ours, found.pairs.reference
    np.testing.assert_allclose(
        points(plot), np.column_stack(((ours + reference) / 2, ours - reference))
    )
    limits = found.bland_altman
    drawn = [one.value for one in (limits.lower_limit, limits.bias, limits.upper_limit)]
    assert levels(plot) == {0.0, *drawn}
    assert [bound for band in bands(plot) for bound in band] == pytest.approx(
        [bound for one in (limits.lower_limit, limits.bias, limits.upper_limit)
         for bound in (one.low, one.high)]
    )  # fmt: skip


def test_axes_name_the_quantity_its_unit_and_whose_it_is(found):
    scatter, plot = agreement_figure(found, NAMES).axes
    assert scatter.get_xlabel() == "Tt.vBMD, expert [mg HA/cm³]"
    assert scatter.get_ylabel() == "Tt.vBMD, automatic [mg HA/cm³]"
    assert plot.get_xlabel() == "Mean of automatic and expert [mg HA/cm³]"
    assert plot.get_ylabel() == "Automatic − expert [mg HA/cm³]"
    assert agreement_figure(found, Names("x")).axes[0].get_xlabel() == "x, reference"


def test_numbers_stand_above_and_beside_the_plots(found):
    figure = agreement_figure(found, NAMES)
    scatter, plot = (axes.get_title(loc="left") for axes in figure.axes)
    assert scatter.startswith("n = 30, y = 0.989 x − 11.1\nr = 0.996 (0.992 to 0.998), ICC = 0.925")
    assert "bias = −14.0 (−15.2 to −12.8) mg HA/cm³" in plot
    assert "95 % confidence intervals" in plot
    assert "+1.96 SD −7.8" in texts(figure)
    assert "−1.96 SD −20.2" in texts(figure)


def test_zero_is_in_sight_unless_it_would_flatten_the_limits(found):
    low, high = agreement_figure(found, NAMES).axes[1].get_ylim()
    assert low < -20 < 0 < high
    reference = found.pairs.reference
    far = agree(reference - 60 + np.resize([0.5, -0.5, 0.2], 30), reference)
    low, high = agreement_figure(far, NAMES).axes[1].get_ylim()
    assert high < 0


@pytest.mark.parametrize(
    ("ours", "reference", "lines"),
    [([265.0], [279.0], 2), ([3, 3, 3, 3], [1, 2, 3, 4], 4), ([1, 2, 3], [1, 2, 3], 2)],
    ids=["one pair", "constant", "the same"],
)
def test_what_is_missing_is_not_drawn(ours, reference, lines):
    scatter, plot = agreement_figure(agree(ours, reference), NAMES).axes
    assert len(points(scatter)) == len(points(plot)) == len(ours)
    assert sum(line.get_marker() != "o" for line in plot.lines) == lines
    assert np.isfinite([*scatter.get_xlim(), *plot.get_ylim()]).all()


def test_without_pairs_the_plots_say_so():
    assert "no pairs" in texts(agreement_figure(agree([None], [1]), NAMES))


def test_another_look_colours_everything(found):
    axes = Figure().add_subplot()
    draw_bland_altman(axes, found, NAMES, Look(ink="#ffffff", ours="#56b4e9"))
    assert axes.xaxis.label.get_color() == "#ffffff"
    assert {t.get_color() for t in axes.texts} == {"#ffffff"}
    assert to_hex(axes.lines[-1].get_color()) == "#56b4e9"
