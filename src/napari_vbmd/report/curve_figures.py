"""ROC, and precision over recall, of one or several methods."""

from collections.abc import Mapping

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..measurement.curves import Curves

# Okabe and Ito, in an order that starts with ours
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_CORNER = 0.1  # of the whole: what a good method makes visible lies in the corner


def curve_figure(methods: Mapping[str, Curves]) -> Figure:
    """Both curves side by side, only their corner of interest.

    Parameters
    ----------
    methods : mapping of str to Curves
        Each with bone and something else in it.
    """
    figure = Figure(figsize=(7.3, 3.5), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for (name, counted), color in zip(methods.items(), _cycle(len(methods)), strict=True):
        false, true = counted.roc()
        left.plot(false, true, color=color, lw=1.4, label=f"{name}: AUC {counted.auc:.4f}")
        precision, recall = counted.precision_recall()
        area = counted.average_precision
        right.plot(recall, precision, color=color, lw=1.4, label=f"{name}: AP {area:.4f}")
    left.set(xlabel="False positive rate", ylabel="True positive rate (sensitivity)")
    right.set(xlabel="Recall (sensitivity)", ylabel="Precision")
    left.set(xlim=(-0.0002, 0.02), ylim=(1 - _CORNER, 1.002))
    right.set(xlim=(1 - _CORNER, 1.002), ylim=(1 - _CORNER, 1.002))
    for axes, title in ((left, "ROC"), (right, "Precision and recall")):
        axes.set_title(f"{title}, a corner of it", fontsize=9)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="lower right" if axes is left else "lower left")
        axes.tick_params(labelsize=7)
        axes.xaxis.label.set_size(8)
        axes.yaxis.label.set_size(8)
    return figure


def _cycle(count: int) -> list[str]:
    return [_COLORS[k % len(_COLORS)] for k in range(count)]
