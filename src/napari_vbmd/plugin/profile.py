"""Density along z, with the slice in view marked; a click goes to a slice."""

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import Signal

from .layers import EXPERT, OURS

_LIGHT, _DARK = "#d0d0d0", "#303030"


class ProfileCanvas(FigureCanvasQTAgg):
    """A small plot of Tt.vBMD per slice.

    Signals
    -------
    slice_clicked(int)
    """

    slice_clicked = Signal(int)

    def __init__(self):
        super().__init__(Figure(figsize=(2.8, 1.7), layout="constrained"))
        self.setMinimumHeight(150)
        self.setToolTip("Mean density of each slice; click to go there")
        self.axes = self.figure.add_subplot()
        self._marker = None
        self.mpl_connect("button_press_event", self._on_click)

    def plot(self, ours: list[dict], expert: list[dict] | None, dark: bool) -> None:
        """Show the rows of `Measurement.per_slice`, ours in blue and the expert's in orange."""
        ink = _LIGHT if dark else _DARK
        self.axes.clear()
        self.figure.set_facecolor("none")
        self.setStyleSheet("background: transparent;")
        self.axes.set_facecolor("none")
        for rows, color, name in ((expert, EXPERT, "expert"), (ours, OURS, "mask")):
            if rows:
                z, density = _with_gaps(rows)
                self.axes.plot(z, density, color=color, lw=1.5, label=name)
        self.axes.set_xlabel("slice", color=ink, fontsize=8)
        self.axes.set_ylabel("mg HA/cm³", color=ink, fontsize=8)
        self.axes.tick_params(colors=ink, labelsize=7)
        for side, spine in self.axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(ink)
        if expert:
            self.axes.legend(fontsize=7, frameon=False, labelcolor=ink)
        self._marker = self.axes.axvline(0, color=ink, lw=1, ls=":", visible=False)
        self.draw_idle()

    def mark(self, z: int) -> None:
        """Mark the slice in view."""
        if self._marker is None:
            return
        low, high = self.axes.get_xlim()
        self._marker.set_xdata([z, z])
        self._marker.set_visible(low <= z <= high)
        self.draw_idle()

    def _on_click(self, event) -> None:
        if event.inaxes is self.axes and self._marker is not None:
            self.slice_clicked.emit(round(event.xdata))


def _with_gaps(rows: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """Slices and densities; slices without mask in between are gaps in the line."""
    first, last = rows[0]["slice"], rows[-1]["slice"]
    z = np.arange(first, last + 1)
    density = np.full(z.shape, np.nan)
    for row in rows:
        density[row["slice"] - first] = row["tt_vbmd_mg_cm3"]
    return z, density
