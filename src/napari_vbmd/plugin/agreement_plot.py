"""Scatter and Bland-Altman plot of a study; a click on a point tells which pair it is."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import Qt, Signal

from ..measurement.agreement import Agreement
from ..report.agreement_figures import Look, Names, draw_bland_altman, draw_scatter
from .layers import AGREEMENT, EXPERT, OURS

_LIGHT, _DARK = "#d0d0d0", "#303030"
_REACH = 8.0  # pixels between a click and the point that is meant
_HEIGHT = 470
_TOOLTIP = "Each point is a patient; click to open the scan with its masks"


class AgreementCanvas(FigureCanvasQTAgg):
    """Both plots below each other.

    Signals
    -------
    pair_clicked(int)
        The index of a pair of the agreement.
    """

    pair_clicked = Signal(int)

    def __init__(self):
        super().__init__(Figure(figsize=(2.8, 4.7), layout="constrained"))
        self.setMinimumHeight(_HEIGHT)
        self.setToolTip(_TOOLTIP)
        self.scatter, self.differences = self.figure.subplots(2, 1, height_ratios=(1.25, 1))
        self.figure.set_facecolor("none")
        self.setStyleSheet("background: transparent;")
        self._points: tuple[np.ndarray, ...] = ()
        self._titles: Sequence[str] = ()
        self._rings: list = []
        self.mpl_connect("button_press_event", self._on_click)
        self.mpl_connect("motion_notify_event", self._on_move)

    def plot(
        self, agreement: Agreement, names: Names, titles: Sequence[str], dark: bool = True
    ) -> None:
        """Show an agreement.

        Parameters
        ----------
        agreement : Agreement
        names : Names
        titles : sequence of str
            What to call each pair under the cursor.
        dark : bool
            Whether the window is.
        """
        look = Look(_LIGHT if dark else _DARK, OURS, EXPERT, AGREEMENT, 7.5, named=False)
        for axes, draw in ((self.scatter, draw_scatter), (self.differences, draw_bland_altman)):
            axes.clear()
            axes.set_facecolor("none")
            draw(axes, agreement, names, look)
        ours, reference = agreement.pairs.ours, agreement.pairs.reference
        of_scatter, of_differences = (reference, ours), ((ours + reference) / 2, ours - reference)
        self._points = np.column_stack(of_scatter), np.column_stack(of_differences)
        self._titles = titles
        self._rings = [
            axes.plot([], [], "o", ms=9, mfc="none", mec=look.ink, mew=1.4, zorder=5)[0]
            for axes in (self.scatter, self.differences)
        ]
        self.draw_idle()

    def clear(self) -> None:
        """Show nothing."""
        for axes in (self.scatter, self.differences):
            axes.clear()
        self._points, self._titles, self._rings = (), (), []
        self.draw_idle()

    def mark(self, pair: int | None) -> None:
        """Ring one pair in both plots, or none."""
        for ring, points in zip(self._rings, self._points, strict=True):
            ring.set_data(*([], []) if pair is None else points[pair][:, None])
        self.draw_idle()

    def _on_click(self, event) -> None:
        pair = self._nearest(event)
        if pair is not None:
            self.pair_clicked.emit(pair)

    def _on_move(self, event) -> None:
        pair = self._nearest(event)
        self.setToolTip(_TOOLTIP if pair is None else self._titles[pair])
        self.setCursor(Qt.ArrowCursor if pair is None else Qt.PointingHandCursor)

    def _nearest(self, event) -> int | None:
        """The pair within reach of the cursor, if there is one."""
        plots = dict(zip((self.scatter, self.differences), self._points, strict=False))
        points = plots.get(event.inaxes)
        if points is None or not len(points):
            return None
        away = np.hypot(*(event.inaxes.transData.transform(points) - (event.x, event.y)).T)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= _REACH * self.device_pixel_ratio else None
