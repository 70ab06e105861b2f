"""The curves of a training: loss above, validation Dice below."""

from collections.abc import Sequence

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure

from ..study.metrics import draw_curves

_LIGHT, _DARK = "#d0d0d0", "#303030"


class CurvesCanvas(FigureCanvasQTAgg):
    """A small plot of a training's table."""

    def __init__(self):
        super().__init__(Figure(figsize=(2.8, 3.2)))
        self.setMinimumHeight(270)
        self.setToolTip("Mean loss of training and validation, and the validation's Dice")
        self.figure.set_facecolor("none")
        self.setStyleSheet("background: transparent;")
        # a layout that fits itself would take longer to draw than the window may stand still
        margins = {"left": 0.19, "right": 0.98, "top": 0.97, "bottom": 0.14, "hspace": 0.14}
        self.axes = self.figure.subplots(2, 1, sharex=True, gridspec_kw=margins)

    def plot(self, rows: Sequence[dict[str, float]], dark: bool) -> None:
        """Show the rows of metrics.csv."""
        for each in self.axes:
            each.clear()
            each.set_facecolor("none")
        draw_curves(self.axes, rows, _LIGHT if dark else _DARK)
        self.axes[0].set_xlabel("")
        self.draw_idle()
