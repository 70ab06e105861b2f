"""Agreement and density along z, with the slice in view marked; click or drag to go to a slice."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import Signal

from .layers import EXPERT, OURS

_LIGHT, _DARK = "#d0d0d0", "#303030"
_HEIGHT = 150  # pixels, for one plot; the second one above it is lower
_DICE_HEIGHT = 90
_LOW_DICE = 0.9  # the plot begins there, or lower
Points = Iterable[tuple[int, float | None]]


class ProfileCanvas(FigureCanvasQTAgg):
    """Small plots per slice: Tt.vBMD, and above it Dice where there is an expert to agree with.

    Signals
    -------
    slice_clicked(int)
        Another slice was clicked, or dragged to.
    """

    slice_clicked = Signal(int)

    def __init__(self):
        super().__init__(Figure(figsize=(2.8, 1.7), layout="constrained"))
        self.axes: Axes | None = None  # of the density
        self.dice_axes: Axes | None = None
        self._markers, self._marked, self._told = [], 0, None
        self._drawn = None  # all but the markers, as drawn
        self._have(density=True, dice=False)
        self.mpl_connect("button_press_event", self._on_press)
        self.mpl_connect("motion_notify_event", self._on_drag)
        self.mpl_connect("draw_event", self._on_draw)

    def plot(
        self, ours: list[dict], expert: list[dict] | None, dark: bool, dice: Points | None = None
    ) -> None:
        """Show slices.

        Parameters
        ----------
        ours, expert : list of dict
            Rows of `Measurement.per_slice`, in blue and in orange; no plot of densities without.
        dark : bool
            Whether the window is.
        dice : pairs of slice and Dice, optional
            None: no plot of agreement.
        """
        agreement = None if dice is None else list(dice)
        self._have(density=bool(ours or expert), dice=agreement is not None)
        ink = _LIGHT if dark else _DARK
        for rows, color, name in ((expert, EXPERT, "expert"), (ours, OURS, "mask")):
            if rows:
                points = [(row["slice"], row["tt_vbmd_mg_cm3"]) for row in rows]
                self.axes.plot(*_with_gaps(points), color=color, lw=1.5, label=name)
        if agreement:
            z, values = _with_gaps(agreement)
            self.dice_axes.plot(z, values, color=ink, lw=1.5)
            self.dice_axes.fill_between(z, values, 1, color=ink, alpha=0.25, lw=0)
            # slices that only one mask reaches fall out of sight, or all others were a flat line
            lowest = values[values > 0].min(initial=_LOW_DICE)
            self.dice_axes.set_ylim(lowest - 0.02, 1.01)
        for axes, name in ((self.dice_axes, "Dice"), (self.axes, "mg HA/cm³")):
            if axes is not None:
                self._dress(axes, name, ink)
        shown = self._shown()
        if shown:
            shown[-1].set_xlabel("slice", color=ink, fontsize=8)
        if self.axes is not None and expert:
            self.axes.legend(fontsize=7, frameon=False, labelcolor=ink)
        self._markers = [axes.axvline(0, color=ink, lw=1, ls=":", animated=True) for axes in shown]
        self.draw_idle()

    def mark(self, z: int) -> None:
        """Mark the slice in view; the plots are not drawn anew."""
        self._marked = z
        for marker in self._markers:
            low, high = marker.axes.get_xlim()
            marker.set_xdata([z, z])
            marker.set_visible(low <= z <= high)
        if self._drawn is not None:
            self.restore_region(self._drawn)
            self._draw_markers()
            self.update()  # blit would have the whole window painted before it returns

    def _have(self, density: bool, dice: bool) -> None:
        """Axes for what there is, empty."""
        self.figure.clear()
        self._drawn = None
        self.axes = self.dice_axes = None
        heights = [_DICE_HEIGHT] * dice + [_HEIGHT] * density
        if heights:
            rows = self.figure.subplots(
                len(heights), sharex=True, squeeze=False, height_ratios=heights
            )
            self.dice_axes = rows[0, 0] if dice else None
            self.axes = rows[-1, 0] if density else None
        self._markers = []
        self.setMinimumHeight(sum(heights) or _HEIGHT)
        said = ["agreement with the expert's mask"] * dice + ["mean density"] * density
        self.setToolTip(f"Of each slice: {' and '.join(said)}; click or drag to go there")

    def _shown(self) -> list[Axes]:
        return [axes for axes in (self.dice_axes, self.axes) if axes is not None]

    def _dress(self, axes: Axes, name: str, ink: str) -> None:
        self.figure.set_facecolor("none")
        self.setStyleSheet("background: transparent;")
        axes.set_facecolor("none")
        axes.set_ylabel(name, color=ink, fontsize=8)
        axes.tick_params(colors=ink, labelsize=7)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(ink)

    def _on_draw(self, event) -> None:
        """Keep the picture without the markers, so that these can move over it."""
        self._drawn = self.copy_from_bbox(self.figure.bbox)
        self._draw_markers()

    def _draw_markers(self) -> None:
        for marker in self._markers:
            marker.axes.draw_artist(marker)

    def _on_press(self, event) -> None:
        self._told = None
        self._tell(event)

    def _on_drag(self, event) -> None:
        if event.buttons:
            self._tell(event)

    def _tell(self, event) -> None:
        """Tell of the slice under the mouse, once while it stays the same."""
        if not self._markers or event.inaxes not in self._shown():
            return
        z = round(event.xdata)
        if z != self._told:
            self._told = z
            self.slice_clicked.emit(z)


def _with_gaps(points: list[tuple[int, float | None]]) -> tuple[np.ndarray, np.ndarray]:
    """Slices and values; slices without one in between are gaps in the line."""
    first, last = points[0][0], points[-1][0]
    z = np.arange(first, last + 1)
    values = np.full(z.shape, np.nan)
    for at, value in points:
        values[at - first] = np.nan if value is None else value
    return z, values
