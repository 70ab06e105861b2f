"""Agreement as two plots, as in Figure 3 of Folle et al. 2021: scatter, and Bland-Altman.

The plots are drawn on axes, so that the window shows the same ones as the page.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..measurement.agreement import Agreement
from ..measurement.agreement_tables import decimals_of, interval, number
from ..measurement.bland_altman import BlandAltman
from ..measurement.estimate import Estimate
from .style import AGREEMENT_GREY, INK, OURS_IN_PRINT, REFERENCE_IN_PRINT, plain_axes

_SIZE_IN = (7.3, 3.15)  # two columns of a journal
_DPI = 300
_SIGNS = {"mg HA/cm3": "mg HA/cm³", "mm2": "mm²", "mm3": "mm³"}
_LEAST_SHARE = 0.25  # of the plot's height between the limits of agreement
_WIDER = 1.25
_ROOM = 0.08  # of the range, around the points


class Names(NamedTuple):
    """What the axes say: the quantity, its unit ("" when unknown), and whose the columns are."""

    quantity: str
    unit: str = ""
    ours: str = "ours"
    reference: str = "reference"

    @property
    def sign(self) -> str:
        """The unit as printed."""
        return _SIGNS.get(self.unit, self.unit)


class Look(NamedTuple):
    """Ink of text and lines, colours of points and lines, and whether levels have names."""

    ink: str = INK
    ours: str = OURS_IN_PRINT
    reference: str = REFERENCE_IN_PRINT
    grey: str = AGREEMENT_GREY
    font: float = 7.5  # points
    named: bool = True


def agreement_figure(agreement: Agreement, names: Names) -> Figure:
    """Both plots beside each other, with the numbers that belong to them.

    Parameters
    ----------
    agreement : Agreement
        Of any number of pairs: what is missing is not drawn, and the plot says why.
    names : Names
    """
    figure = Figure(figsize=_SIZE_IN, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    scatter, differences = figure.subplots(1, 2, width_ratios=(1, _WIDER))
    draw_scatter(scatter, agreement, names)
    draw_bland_altman(differences, agreement, names)
    differences.set_box_aspect(1 / _WIDER)  # as high as the scatter plot
    if agreement.n:
        scatter.legend(loc="lower right", fontsize=6.5, frameon=False, handlelength=2.2)
    for axes, lines in ((scatter, _regression), (differences, _limits)):
        axes.set_title("\n".join(lines(agreement, names)), loc="left", fontsize=7, color=INK)
    return figure


def draw_scatter(axes: Axes, agreement: Agreement, names: Names, look: Look | None = None) -> None:
    """Ours over the reference, the line of identity (dashed) and the least squares line."""
    look = look or Look()
    unit = f" [{names.sign}]" if names.sign else ""
    plain_axes(
        axes,
        f"{names.quantity}, {names.reference}{unit}",
        f"{names.quantity}, {names.ours}{unit}",
        look.ink,
        look.font,
    )
    x, y = agreement.pairs.reference, agreement.pairs.ours
    axes.set_box_aspect(1)
    if not len(x):
        _say(axes, agreement.pearson.r.missing, look)
        return
    low, high = _padded(min(x.min(), y.min()), max(x.max(), y.max()))
    axes.set(xlim=(low, high), ylim=(low, high))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    ends = np.array([low, high])
    axes.plot(ends, ends, color=look.grey, lw=0.9, ls=(0, (4, 3)), zorder=1, label="identity")
    fit = agreement.least_squares
    if fit.slope.value is not None:
        ends = np.array([x.min(), x.max()])
        axes.plot(
            ends,
            fit.slope.value * ends + fit.intercept.value,
            color=look.reference,
            lw=1.3,
            zorder=3,
            label="least squares",
        )
    _points(axes, x, y, look)


def draw_bland_altman(
    axes: Axes, agreement: Agreement, names: Names, look: Look | None = None
) -> None:
    """Differences over means, with bias, limits of agreement and their intervals as bands."""
    look = look or Look()
    unit = f" [{names.sign}]" if names.sign else ""
    plain_axes(
        axes,
        f"Mean of {names.ours} and {names.reference}{unit}",
        f"{names.ours[:1].upper()}{names.ours[1:]} − {names.reference}{unit}",
        look.ink,
        look.font,
    )
    ours, reference = agreement.pairs.ours, agreement.pairs.reference
    found = agreement.bland_altman
    if not len(ours):
        _say(axes, found.bias.missing, look)
        return
    means, differences = (ours + reference) / 2, ours - reference
    axes.set(xlim=_padded(means.min(), means.max()), ylim=_heights(found, differences))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.axhline(0, color=look.grey, lw=0.7, zorder=1)
    decimals = decimals_of(names.unit, agreement.ours_sd.value)
    for name, one, style, align in (
        ("+1.96 SD", found.upper_limit, (0, (5, 3)), "bottom"),
        ("bias", found.bias, "-", "center"),
        ("−1.96 SD", found.lower_limit, (0, (5, 3)), "top"),
    ):
        if one.value is not None and (one.low is not None or one is found.bias):
            _level(axes, name, one, style, align, decimals, look)
    _points(axes, means, differences, look)


def _level(axes, name, one: Estimate, style, align: str, decimals: int, look: Look) -> None:
    """A line across the plot with its interval as a band, and its value to the right."""
    colour = look.reference
    axes.axhline(one.value, color=colour, lw=1.1, ls=style, zorder=2)
    if one.low is not None:
        axes.axhspan(one.low, one.high, color=colour, alpha=0.16, lw=0, zorder=0)
    shown = number(one.value, decimals, "+")
    axes.annotate(
        f"{name} {shown}" if look.named else shown,
        (1, one.value),
        (3, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        color=look.ink,
        fontsize=look.font - 0.5,
        va=align,
        annotation_clip=False,
    )


def _regression(agreement: Agreement, names: Names) -> list[str]:
    """The numbers of the scatter plot, in two lines."""
    fit = agreement.least_squares
    line = f"n = {agreement.n}"
    if fit.slope.value is not None:
        decimals = decimals_of(names.unit, agreement.ours_sd.value)
        sign = "−" if fit.intercept.value < 0 else "+"
        intercept = number(abs(fit.intercept.value), decimals)
        line += f", y = {number(fit.slope.value, 3)} x {sign} {intercept}"
    known = [("r", agreement.pearson.r), ("ICC", agreement.icc)]
    return [
        line,
        ", ".join(_with_interval(name, one, 3) for name, one in known if one.value is not None),
    ]


def _limits(agreement: Agreement, names: Names) -> list[str]:
    """The numbers of the Bland-Altman plot, in two lines."""
    found = agreement.bland_altman
    decimals = decimals_of(names.unit, agreement.ours_sd.value)
    if found.bias.value is None:
        return ["", ""]
    unit = f" {names.sign}" if names.sign else ""
    bands = "" if found.bias.low is None else "In brackets and as bands: 95 % confidence intervals"
    first = f"{_with_interval('bias', found.bias, decimals, '+')}{unit}"
    if found.sd.value is not None:
        first += f", SD of differences = {number(found.sd.value, decimals)}"
    return [first, bands]


def _with_interval(name: str, one: Estimate, decimals: int, sign: str = "") -> str:
    within = f" ({interval(one, decimals, sign)})" if one.low is not None else ""
    return f"{name} = {number(one.value, decimals, sign)}{within}"


def _points(axes: Axes, x: np.ndarray, y: np.ndarray, look: Look) -> None:
    axes.plot(
        x, y, "o", ms=4, color=look.ours, mec=axes.get_facecolor(), mew=0.4, alpha=0.85, zorder=4
    )


def _heights(found: BlandAltman, differences: np.ndarray) -> tuple[float, float]:
    """The range of the differences: with zero, unless limits of agreement became too flat."""
    shown = [differences.min(), differences.max(), found.bias.value]
    for one in (found.lower_limit, found.upper_limit):
        shown += [bound for bound in (one.low, one.high) if bound is not None]
    low, high = min(shown), max(shown)
    with_zero = min(low, 0.0), max(high, 0.0)
    if high - low >= _LEAST_SHARE * (with_zero[1] - with_zero[0]):
        low, high = with_zero
    return _padded(low, high)


def _padded(low: float, high: float) -> tuple[float, float]:
    room = _ROOM * (high - low) or 0.05 * abs(low) or 1.0
    return low - room, high + room


def _say(axes: Axes, text: str, look: Look) -> None:
    axes.set(xticks=[], yticks=[])
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", color=look.ink, fontsize=look.font
    )
