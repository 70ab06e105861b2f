"""Noticing that a mask is no longer what was measured.

napari tells of a stroke, at times before it is in the array; undo, redo and a script's edits only
redraw the layer, as every step through the slices does. So the layer's array is compared with a
copy of the mask's box, whenever things have become quiet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from ..morphology import bounding_box
from ..scan import Mask

_QUIET_MS = 200
_EVENTS = ("paint", "data", "set_data")


@dataclass(frozen=True)
class Snapshot:
    """A mask as it was, on the box that holds all of it."""

    mask: Mask
    box: tuple[slice, slice, slice]
    shape: tuple[int, int, int]

    def same_as(self, labels: np.ndarray) -> bool:
        """Whether an array holds just this."""
        if labels.shape != self.shape:
            return False
        inside = self.mask.voxels
        # as many voxels in all as in the box: none has come beside it
        return np.array_equal(labels[self.box], inside) and np.count_nonzero(
            labels
        ) == np.count_nonzero(inside)


def snapshot(mask: Mask) -> Snapshot:
    """Copy what a mask holds; of an empty one, a single voxel."""
    box = bounding_box(mask.voxels) or (slice(0, 1),) * 3
    taken = replace(mask, voxels=mask.voxels[box].copy(), grid=mask.grid.box(box))
    return Snapshot(taken, box, mask.voxels.shape)


class MaskWatch(QObject):
    """Compares labels layers with what they were.

    Signals
    -------
    compared(bool)
        Whether all of them are as they were, after anything that may have changed one.
    """

    compared = Signal(bool)

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._followed: list[tuple[Labels, Snapshot]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_QUIET_MS)
        self._timer.timeout.connect(self.compare)

    def follow(self, layers: Sequence[tuple[Labels, Snapshot]]) -> None:
        """Follow these layers, and no longer those before; compares at once."""
        for layer, _ in self._followed:
            for name in _EVENTS:
                getattr(layer.events, name).disconnect(self._notice)
        self._followed = list(layers)
        for layer, _ in self._followed:
            for name in _EVENTS:
                getattr(layer.events, name).connect(self._notice)
        self.compare()

    def same(self, layer: Labels | None) -> bool:
        """Whether one layer is as it was; one that is not followed counts as such."""
        return all(taken.same_as(one.data) for one, taken in self._followed if one is layer)

    def compare(self) -> None:
        """Look now, and tell."""
        self._timer.stop()
        if self._followed:
            self.compared.emit(all(taken.same_as(layer.data) for layer, taken in self._followed))

    def _notice(self, event=None) -> None:
        self._timer.start()
