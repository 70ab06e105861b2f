"""A mask that follows the threshold: from the kept probability, without a new run of the network.

Worked out away from the window. A mask that was edited since is left alone: no stroke is lost.
"""

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from ..errors import ParameterError
from ..grid import Grid, place
from ..scan import Mask
from ..segmentation.probability import Probability
from .job import Job
from .mask_watch import Snapshot

_EDITED = "was edited by hand, so the threshold no longer moves it; segment again for a new layer"


class LiveThreshold(QObject):
    """Keeps one labels layer at the threshold that was asked for last.

    Signals
    -------
    moved(float, int)
        The threshold that the layer now shows, and its voxels.
    refused(str)
        Why the layer stays as it is.
    """

    moved = Signal(float, int)
    refused = Signal(str)

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._layer: Labels | None = None
        self._probability: Probability | None = None
        self._shown: Snapshot | None = None
        self._grid: Grid | None = None
        self._wanted: float | None = None
        self._edited = False
        self._job: Job | None = None

    def follow(self, layer: Labels, probability: Probability, mask: Mask, grid: Grid) -> None:
        """Move this layer from now on.

        Parameters
        ----------
        layer : Labels
            On `grid`.
        probability : Probability
            That the mask came from.
        mask : Mask
            What the layer holds, on its box.
        grid : Grid
            Of the scan.
        """
        self.leave()
        self._layer, self._probability, self._grid = layer, probability, grid
        self._shown, self._edited = _on(grid, mask), False
        layer.events.paint.connect(self._notice)

    @property
    def voxel_volume_mm3(self) -> float:
        """Of the scan [mm3]."""
        return self._grid.voxel_volume_mm3

    def leave(self) -> None:
        """Move nothing any more."""
        if self._layer is not None:
            self._layer.events.paint.disconnect(self._notice)
        self._layer = self._wanted = None

    def move(self, threshold: float) -> None:
        """Show the mask at this threshold soon; while one is worked out only the last counts."""
        if self._layer is None:
            return
        self._wanted = threshold
        if self._job is None:
            self._begin()

    def _notice(self, event=None) -> None:
        self._edited = True

    def _begin(self) -> None:
        threshold, self._wanted = self._wanted, None
        layer, probability, shown, grid = self._layer, self._probability, self._shown, self._grid
        edited = self._edited

        def work(progress) -> tuple[Labels, float, Snapshot]:
            if edited or not shown.same_as(layer.data):
                raise ParameterError(f"“{layer.name}” {_EDITED}")
            return layer, threshold, _on(grid, probability.mask(threshold))

        job = self._job = Job(work, "Moving the outline", self)
        job.succeeded.connect(self._show)
        job.failed.connect(self.refused)
        job.ended.connect(self._end)
        job.start()

    def _show(self, result: tuple[Labels, float, Snapshot]) -> None:
        layer, threshold, new = result
        if layer is not self._layer:
            return
        labels, old = layer.data, self._shown
        if self._edited or not np.array_equal(labels[old.box], old.mask.voxels):
            self.refused.emit(f"“{layer.name}” {_EDITED}")
            return
        labels[old.box] = 0
        labels[new.box] = new.mask.voxels
        self._shown = new
        about = layer.metadata["vbmd"]["about"]
        about["parameters"] = {**about["parameters"], "threshold": threshold}
        about["threshold"] = threshold
        layer.refresh()
        self.moved.emit(threshold, int(np.count_nonzero(new.mask.voxels)))

    def _end(self) -> None:
        self._job.deleteLater()
        self._job = None
        if self._wanted is not None and self._layer is not None:
            self._begin()


def _on(grid: Grid, mask: Mask) -> Snapshot:
    """A mask on its box as what a layer on a whole grid holds."""
    return Snapshot(mask, place(mask.grid, grid).target_box, grid.shape)
