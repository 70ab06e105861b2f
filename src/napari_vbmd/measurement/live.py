"""Numbers of a mask that follow its edits: from the voxels that changed, by the sums of `measure`.

A copy of the mask is kept in the box that holds all of it. Whoever knows that a slice may have
changed asks for it to be looked at; what differs from the copy goes into the sums.
"""

from collections.abc import Iterable

import numpy as np

from ..errors import EmptyMaskError
from ..grid import Grid, Placement, place
from ..morphology import bounding_box
from ..scan import Mask, Scan
from . import overlap
from .accumulator import DensityAccumulator, OverlapAccumulator
from .comparison import Comparison, difference_on_common_slices
from .densitometry import accumulate, summarise

_CORNER = (slice(0, 1), slice(0, 1), slice(0, 1))  # the box of an empty mask


class LiveMeasurement:
    """A mask on a scan whose numbers are kept up to date.

    Parameters
    ----------
    scan : Scan
    labels : ndarray of whole numbers from 0 to 255, shape (z, y, x)
        The array that is edited; kept, never written to.
    grid : Grid
        Of `labels`.
    expert : Mask, optional
        To compare with.
    begun : tuple of (box, ndarray), optional
        What `labels` held, all in this box of it, when that was measured; by default what it holds
        now.

    Raises
    ------
    MissingCalibrationError, GridMismatchError
        As `densitometry.measure`.
    """

    def __init__(
        self,
        scan: Scan,
        labels: np.ndarray,
        grid: Grid,
        expert: Mask | None = None,
        begun: tuple[tuple[slice, slice, slice], np.ndarray] | None = None,
    ):
        self._transform = scan.density_transform()
        self._scan, self._labels = scan, labels
        self._place: Placement = place(grid, scan.grid)
        self._box, held = begun or (bounding_box(labels) or _CORNER, None)
        self._copy = np.array(labels[self._box] if held is None else held, np.uint8)
        self._sums = DensityAccumulator(scan.grid.shape[0], scan.voxels.dtype)
        self._expert = self._overlap = None
        if expert is not None:
            self._expert = _Expert(expert, scan)
            self._overlap = OverlapAccumulator(scan.grid.shape)
            for z in self._expert.slices:
                self._overlap.expert[z] = self._expert.count(z)
        self._begin()

    @property
    def slices(self) -> int:
        """Of the mask's array."""
        return len(self._labels)

    @property
    def sums(self) -> DensityAccumulator:
        """Of every label, as they are now; whoever wants to keep them takes a copy."""
        return self._sums

    def follows(self, labels: np.ndarray) -> bool:
        """Take up an array that stands in the place of the old one; False where it cannot."""
        if labels.shape != self._labels.shape:
            return False
        self._labels = labels
        return True

    def look(self, slices: Iterable[int]) -> bool:
        """Bring the numbers up to date with these slices of the array; True when any changed."""
        changed = [self._look_at(z) for z in slices]  # all of them, not up to the first
        return any(changed)

    def result(self) -> Comparison | None:
        """The numbers now, without surface distances; None while the mask is empty."""
        try:
            measurement = summarise(self._scan, self._sums, self._transform)
        except EmptyMaskError:
            return None
        if self._expert is None:
            return Comparison(measurement)
        theirs = self._expert
        return Comparison(
            measurement,
            theirs.measurement,
            overlap.summarise(self._overlap, None, None),
            measurement.tt_vbmd_mg_cm3 - theirs.measurement.tt_vbmd_mg_cm3,
            difference_on_common_slices(self._sums, theirs.sums, self._transform),
        )

    def _begin(self) -> None:
        """Count what is there: an edit of an empty mask. The copy, since painting may go on."""
        start_z, start_y, start_x = (side.start for side in self._box)
        for z, plane in enumerate(self._copy, start_z):
            y, x = np.nonzero(plane)
            after = plane[y, x]
            self._change(z, y + start_y, x + start_x, np.zeros_like(after), after)

    def _look_at(self, z: int) -> bool:
        plane = self._labels[z]
        rows, columns = self._box[1:]
        known = self._box[0].start <= z < self._box[0].stop
        inside = plane[rows, columns]
        held = np.count_nonzero(plane)
        if not known and not held:
            return False
        if not known or held != np.count_nonzero(inside):
            self._grow(z, plane)
            rows, columns = self._box[1:]
            inside = plane[rows, columns]
        old = self._copy[z - self._box[0].start]
        if np.array_equal(inside, old):
            return False
        y, x = np.nonzero(inside != old)
        before, after = old[y, x], inside[y, x].astype(np.uint8)
        self._change(z, y + rows.start, x + columns.start, before, after)
        old[y, x] = after
        return True

    def _grow(self, z: int, plane: np.ndarray) -> None:
        """Widen the copy so that it holds all of a slice."""
        filled = bounding_box(plane[None]) or _CORNER
        wanted = (slice(z, z + 1), *filled[1:])
        old = self._box
        self._box = tuple(
            slice(min(a.start, b.start), max(a.stop, b.stop))
            for a, b in zip(old, wanted, strict=True)
        )
        copy = np.zeros([side.stop - side.start for side in self._box], np.uint8)
        at = tuple(
            slice(a.start - b.start, a.stop - b.start) for a, b in zip(old, self._box, strict=True)
        )
        copy[at] = self._copy
        self._copy = copy

    def _change(self, z: int, y, x, before, after) -> None:
        """Follow voxels of one slice of the array, where they lie on the scan."""
        source, target = self._place.source_box, self._place.target_box
        if not source[0].start <= z < source[0].stop:
            return
        on_scan = (source[1].start <= y) & (y < source[1].stop)
        on_scan &= (source[2].start <= x) & (x < source[2].stop)
        y = y[on_scan] - source[1].start + target[1].start
        x = x[on_scan] - source[2].start + target[2].start
        z = z - source[0].start + target[0].start
        before, after = before[on_scan], after[on_scan]
        self._sums.change(z, np.asarray(self._scan.voxels[z])[y, x], before, after)
        if self._overlap:
            self._overlap.change(z, before, after, self._expert.at(z, y, x))


class _Expert:
    """The expert's mask: its numbers, and its labels at single voxels of the scan's grid."""

    def __init__(self, mask: Mask, scan: Scan):
        placement = place(mask.grid, scan.grid)
        self.sums = accumulate(scan, mask, placement)
        self.measurement = summarise(scan, self.sums, scan.density_transform(), name=mask.name)
        self._voxels = mask.voxels[placement.source_box]
        self._box = placement.target_box
        self.slices = range(self._box[0].start, self._box[0].stop)

    def count(self, z: int) -> int:
        return int(np.count_nonzero(self._voxels[z - self.slices.start]))

    def at(self, z: int, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The expert's labels of these voxels of a slice; 0 beyond the mask's box."""
        found = np.zeros(y.shape, np.uint8)
        if z not in self.slices:
            return found
        rows, columns = self._box[1:]
        inside = (rows.start <= y) & (y < rows.stop)
        inside &= (columns.start <= x) & (x < columns.stop)
        plane = self._voxels[z - self.slices.start]
        found[inside] = plane[y[inside] - rows.start, x[inside] - columns.start]
        return found
