"""ROC, and precision over recall, of one or several methods."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..measurement.curves import Curves
from .figure_files import figure_bytes

# Okabe and Ito, in an order that starts with ours
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_CORNER = 0.1  # of the whole: what a good method makes visible lies in the corner
_CORNER_OF_FALSE = 0.02  # most of a scan is far from the bone, so false positives are a small share
_ROOM = 0.002
_KINDS = ("png", "svg")


def curve_figure(methods: Mapping[str, Curves]) -> Figure:
    """Both curves side by side; only their corner of interest where all methods reach it.

    Parameters
    ----------
    methods : mapping of str to Curves
        Each with bone and something else in it.
    """
    figure = Figure(figsize=(7.3, 3.5), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for (name, counted), color in zip(methods.items(), _cycle(len(methods)), strict=True):
        label = f"{name}: AUC {counted.auc:.4f}", f"{name}: AP {counted.average_precision:.4f}"
        _draw(left, *counted.roc(), color, label[0])
        _draw(right, *counted.precision_recall()[::-1], color, label[1])
    whole = _name_axes(left, right, *methods.values())
    for axes, title in ((left, "ROC"), (right, "Precision and recall")):
        axes.set_title(title if whole else f"{title}, a corner of it", fontsize=9)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="lower right" if axes is left else "lower left")
        axes.tick_params(labelsize=7)
        axes.xaxis.label.set_size(8)
        axes.yaxis.label.set_size(8)
    return figure


def curve_files(name: str, counted: Curves) -> dict[str, bytes]:
    """The figure of one method as files, by their names; none where a curve has nothing to show."""
    if counted.auc is None:
        return {}
    return {f"curves.{kind}": figure_bytes(curve_figure({name: counted}), kind) for kind in _KINDS}


def draw_small(left: Axes, right: Axes, counted: Curves, color: str) -> None:
    """Both curves on small axes, with their areas as titles."""
    _draw(left, *counted.roc(), color)
    _draw(right, *counted.precision_recall()[::-1], color)
    _name_axes(left, right, counted)
    for axis in (left.xaxis, left.yaxis, right.xaxis, right.yaxis):
        axis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        axis.set_major_formatter("{x:.2f}")
    left.set_ylabel("Sensitivity")
    right.set_xlabel("Sensitivity (recall)")
    left.set_title(f"ROC: AUC {counted.auc:.4f}", fontsize=7.5, pad=3)
    right.set_title(f"Average precision {counted.average_precision:.4f}", fontsize=7.5, pad=3)


def _name_axes(left: Axes, right: Axes, *shown: Curves) -> bool:
    """Labels and limits of both; whether the whole is shown, and not a corner."""
    whole = not all(map(_reaches_corner, shown))
    start, false = (0.0, 1.0) if whole else (1 - _CORNER, _CORNER_OF_FALSE)
    left.set(xlabel="False positive rate", ylabel="True positive rate (sensitivity)")
    right.set(xlabel="Recall (sensitivity)", ylabel="Precision")
    left.set(xlim=(-0.01 * false, false), ylim=(start, 1 + _ROOM))
    right.set(xlim=(start, 1 + _ROOM), ylim=(start, 1 + _ROOM))
    return whole


def _reaches_corner(counted: Curves) -> bool:
    """Whether a threshold lies well within both corners."""
    false, true = counted.roc()
    precision, recall = counted.precision_recall()
    start = 1 - _CORNER / 2
    in_roc = (false < _CORNER_OF_FALSE / 2) & (true > start)
    return bool(in_roc.any() and ((np.nan_to_num(precision) > start) & (recall > start)).any())


def _draw(axes: Axes, x, y, color: str, label: str | None = None) -> None:
    axes.plot(x, y, color=color, lw=1.4, label=label)


def _cycle(count: int) -> list[str]:
    return [_COLORS[k % len(_COLORS)] for k in range(count)]
