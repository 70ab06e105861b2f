"""A labels layer whose numbers follow every edit.

napari tells of strokes and fills, at times before they are in the array; undo, redo and edits by
code only redraw the layer, as every step through the slices does; writing into the array tells
nobody. So at every sign of life the slice in view is compared with what was counted, and with it
the slices that were ever edited; when things are quiet, all of them.
"""

from collections.abc import Iterable

from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from ..measurement.live import LiveMeasurement
from .slice_range import slice_in_view

_QUIET_MS = 150
_SWEEP = 64  # slices at a time, so that no sweep holds the window up
_EVENTS = ("paint", "set_data", "labels_update", "data")


class LiveMask(QObject):
    """Keeps a `LiveMeasurement` up to date with a layer.

    Signals
    -------
    changed()
        The numbers are other ones now.
    settled()
        All slices have been looked at since the last sign of life.
    lost()
        The layer's array has another shape: its numbers can no longer be followed.
    """

    changed = Signal()
    settled = Signal()
    lost = Signal()

    def __init__(self, viewer, parent: QObject):
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Labels | None = None
        self._live: LiveMeasurement | None = None
        self._edited: set[int] = set()
        self._in_view: int | None = None
        self._to_sweep = range(0)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._sweep)

    @property
    def live(self) -> LiveMeasurement | None:
        """The numbers that are kept, if any."""
        return self._live

    def follow(self, layer: Labels, live: LiveMeasurement) -> None:
        """Follow this layer, of whose array the numbers are, and no other."""
        self.leave()
        self._layer, self._live = layer, live
        self._edited, self._in_view = set(), self._view()
        for name in _EVENTS:
            getattr(layer.events, name).connect(self._notice)
        self._begin_sweep()  # it may have been painted on while the numbers were made

    def leave(self) -> None:
        """Follow nothing."""
        self._timer.stop()
        if self._layer is not None:
            for name in _EVENTS:
                getattr(self._layer.events, name).disconnect(self._notice)
        self._layer = self._live = None

    def _notice(self, event) -> None:
        if not self._same_array():
            return
        if event.type == "data":  # another array in the place of the old one
            self._look(range(self._live.slices))
            self._begin_sweep()
            return
        view, scrolled = self._view(), False
        if event.type == "paint":
            self._edited.update(_slices_of(event.value, self._live.slices))
        else:
            scrolled = view != self._in_view
        self._in_view = view
        here = [view] if view is not None and 0 <= view < self._live.slices else []
        self._look(here if scrolled else sorted({*here, *self._edited}))
        self._begin_sweep()

    def _same_array(self) -> bool:
        """Whether the layer's array can be followed; a new one of the same shape is taken up."""
        if self._live.follows(self._layer.data):
            return True
        self.leave()
        self.lost.emit()
        return False

    def _look(self, slices: Iterable[int]) -> None:
        if self._live.look(slices):
            self.changed.emit()

    def _begin_sweep(self) -> None:
        self._to_sweep = range(self._live.slices)
        self._timer.start(_QUIET_MS)

    def _sweep(self) -> None:
        if not self._same_array():
            return
        now, self._to_sweep = self._to_sweep[:_SWEEP], self._to_sweep[_SWEEP:]
        self._look(now)
        if self._to_sweep:
            self._timer.start(0)
        else:
            self.settled.emit()

    def _view(self) -> int | None:
        """The slice in view; None where no single one is."""
        dims = self._viewer.dims
        if dims.ndisplay != 2 or dims.ndim - 3 in dims.displayed:
            return None
        return slice_in_view(self._viewer, self._layer)


def _slices_of(item, count: int) -> range:
    """Slices that an item of napari's history reaches; all of them where it cannot be told."""
    try:
        ends = [_ends(atom) for atom in item]
        return range(min(a for a, _ in ends), max(b for _, b in ends) + 1)
    except (AttributeError, IndexError, TypeError, ValueError):
        return range(count)


def _ends(atom) -> tuple[int, int]:
    """First and last slice of one change: a box of the array, or indices into it."""
    first = (atom.slice_key if hasattr(atom, "slice_key") else atom[0])[-3]
    if isinstance(first, slice):
        return first.start, first.stop - 1
    return int(first.min()), int(first.max())
