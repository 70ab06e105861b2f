"""A pair as the rater sees it: all slices around the bone, and two masks that tell nothing else.

Both masks come in one box, with one value and without a file's name or format: what differs in
the window is the outline alone. The scan is copied out of its file around the bone, so that the
next pair is there at once, however slow the disk.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np

from ..errors import EmptyMaskError
from ..grid import place
from ..io.aim import check_is_grey
from ..io.files import read_mask, read_scan
from ..measurement.frames import frame_warnings
from ..morphology import bounding_box
from ..scan import Mask, Scan
from .rating import Showing

AROUND_MM = 10.0  # beside the bone: room for its neighbours
_AROUND_MASKS = 1  # voxels: an outline at the edge of its array would be open there
_FORMAT = "rating"  # of both masks, whatever their files were

Progress = Callable[[float, str], None]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class PairView:
    """What is shown of a pair.

    Attributes
    ----------
    scan : Scan
        All slices, around the bone only, in memory; without path and header.
    a, b : Mask
        0 and 1, on one grid: the box that holds both.
    middle : int
        Slice of the scan in the middle of those that both masks reach: where a rater begins, so
        that no mask's worst slice is what is seen first.
    differ_most : int
        The slice of those in which they differ most; the middle where they never do.
    doubts : str
        What may be wrong with the masks' places; it tells the sources, so not for the rater.
    """

    scan: Scan
    a: Mask
    b: Mask
    middle: int
    differ_most: int
    doubts: str


def open_pair(showing: Showing, progress: Progress) -> PairView:
    """Read what is shown of a pair.

    Parameters
    ----------
    showing : Showing
    progress : callable
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    VbmdError
        When a file cannot be read or a mask not be placed on its scan, or both masks are empty.
        One empty mask is shown as it is: its source found nothing, and the rater may say so.
    """
    progress(0.0, "opening the scan")
    scan = read_scan(showing.pair.scan)
    check_is_grey(scan)
    placed, doubts = [], []
    for part, path in enumerate(showing.paths, 1):
        progress(0.1 * part, "opening a mask")
        mask = read_mask(path)
        placed.append(_Placed(mask, scan))
        doubts += [*frame_warnings(scan, mask, mask.name), *placed[-1].clipping]
    boxes = [one.box for one in placed if one.box is not None]
    if not boxes:
        raise EmptyMaskError(f"{scan.name}: neither mask has a voxel on the scan")
    box = _around(_union(boxes), [_AROUND_MASKS] * 3, scan)
    a, b = (one.within(box) for one in placed)
    masks = (Mask(voxels, scan.grid.box(box), format=_FORMAT) for voxels in (a, b))
    shown = _cut(scan, box, lambda part, text: progress(0.3 + 0.7 * part, text))
    slices = (box[0].start + offset for offset in _slices(a, b))
    return PairView(shown, *masks, *slices, "; ".join(doubts))


class _Placed:
    """A mask on its scan's grid."""

    def __init__(self, mask: Mask, scan: Scan):
        placement = place(mask.grid, scan.grid)
        clipping = placement.describe_clipping()
        self.clipping = [f"{mask.name}: {clipping}"] if clipping else []
        inside = mask.voxels[placement.source_box]
        own = bounding_box(inside)
        self.box: Box | None = None
        if own is not None:
            self._voxels = inside[own]
            self.box = tuple(
                slice(part.start + start.start, part.stop + start.start)
                for part, start in zip(own, placement.target_box, strict=True)
            )

    def within(self, box: Box) -> np.ndarray:
        """0 and 1 in a box of the scan that holds all of the mask."""
        whole = np.zeros([side.stop - side.start for side in box], np.uint8)
        if self.box is not None:
            part = (
                slice(i.start - o.start, i.stop - o.start)
                for i, o in zip(self.box, box, strict=True)
            )
            whole[tuple(part)] = self._voxels != 0
        return whole


def _cut(scan: Scan, box: Box, progress: Progress) -> Scan:
    """All slices around a box, copied as stored; without what names file or person."""
    around = [0, *(ceil(AROUND_MM / spacing) for spacing in scan.grid.spacing_mm[1:])]
    _, rows, columns = _around(box, around, scan)
    count = scan.grid.shape[0]
    cut = (slice(0, count), rows, columns)
    grid = scan.grid.box(cut)
    voxels = np.empty(grid.shape, scan.voxels.dtype)
    for z in range(count):
        voxels[z] = scan.voxels[z, rows, columns]
        progress(z / count, f"reading the scan, slice {z + 1} of {count}")
    return Scan(voxels, scan.unit, grid, scan.calibration, format=_FORMAT)


def _slices(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """The middle one of the slices that both masks reach, and the one where they differ most.

    Where there is no such slice, of all that either reaches.
    """
    reached = a.any(axis=(1, 2)), b.any(axis=(1, 2))
    both = np.flatnonzero(reached[0] & reached[1])
    slices = both if both.size else np.flatnonzero(reached[0] | reached[1])
    middle = int(slices[slices.size // 2])
    differ = [np.count_nonzero(a[z] != b[z]) for z in slices]
    return middle, int(slices[np.argmax(differ)]) if any(differ) else middle


def _union(boxes: list[Box]) -> Box:
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )


def _around(box: Box, margins: list[int], scan: Scan) -> Box:
    """A box with a margin in voxels, within the scan."""
    return tuple(
        slice(max(0, side.start - margin), min(length, side.stop + margin))
        for side, margin, length in zip(box, margins, scan.grid.shape, strict=True)
    )
