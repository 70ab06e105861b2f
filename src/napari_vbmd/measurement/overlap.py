"""How well two masks agree in space.

Definitions as in Taha and Hanbury 2015 (BMC Med Imaging 15:29); HD95 and ASSD over surface voxels
as MONAI computes them, against which the tests check.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import asdict, dataclass

import numpy as np
from scipy.ndimage import binary_erosion, find_objects
from scipy.spatial import cKDTree

from ..errors import EmptyMaskError
from ..grid import Grid, place
from ..morphology import bounding_box
from ..scan import Mask
from .accumulator import OverlapAccumulator
from .densitometry import Progress


@dataclass(frozen=True)
class Overlap:
    """Agreement of a mask with the expert's.

    Attributes
    ----------
    dice, iou, accuracy, sensitivity, specificity, precision : float
        Over the scan's whole grid, from 0 to 1; the specificity is None when the expert's mask
        fills the grid.
    hd95_mm : float or None
        The larger of the two 95th percentiles of surface distance [mm]; None while a mask is
        edited, for both distances.
    assd_mm : float or None
        Average symmetric surface distance [mm].
    dice_per_slice_mean, iou_per_slice_mean : float
        Means over the slices in which either mask has voxels.
    per_slice : list of dict
        ``slice``, ``dice``, ``iou`` of those slices.
    """

    dice: float
    iou: float
    accuracy: float
    sensitivity: float
    specificity: float | None
    precision: float
    hd95_mm: float | None
    assd_mm: float | None
    dice_per_slice_mean: float
    iou_per_slice_mean: float
    per_slice: list[dict]

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        return asdict(self)


def compare(
    mask: Mask,
    expert: Mask,
    grid: Grid,
    label: int | None = None,
    progress: Progress | None = None,
) -> Overlap:
    """Compare two masks, each placed on the scan's grid.

    Parameters
    ----------
    mask, expert : Mask
        Any value other than zero is inside; of ``mask`` only ``label`` when it is given.
    grid : Grid
        The scan's.
    label : int, optional
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    GridMismatchError
        When one cannot be placed.
    EmptyMaskError
        When one has no voxel on the scan.
    """
    ours, theirs = _PlacedMask(mask, grid, label), _PlacedMask(expert, grid)
    counts = accumulate(ours, theirs, grid, progress)
    for name, voxels in ((mask.name, counts.mask), (expert.name, counts.expert)):
        if not voxels.any():
            raise EmptyMaskError(f"{name}: no voxel lies on the scan; nothing to compare")
    hd95, assd = surface_distances(ours.surface_mm(), theirs.surface_mm())
    return summarise(counts, hd95, assd)


def compare_labels(
    mask: Mask,
    expert: Mask,
    grid: Grid,
    labels: Iterable[int],
    progress: Progress | None = None,
) -> dict[int, Overlap]:
    """Compare label by label, each within the boxes that hold it.

    Parameters
    ----------
    mask, expert, grid, progress
        As `compare`.
    labels : iterable of int
        Which both masks hold on the scan.
    """
    labels = list(labels)
    ours, theirs = (_PlacedMask(one, grid).by_label() for one in (mask, expert))
    found = {}
    for done, label in enumerate(labels):
        if progress:
            progress(done / len(labels), f"overlap, label {label}")
        counts = accumulate(ours[label], theirs[label], grid)
        distances = surface_distances(ours[label].surface_mm(), theirs[label].surface_mm())
        found[label] = summarise(counts, *distances)
    return found


def accumulate(
    ours: "_PlacedMask", theirs: "_PlacedMask", grid: Grid, progress: Progress | None = None
) -> OverlapAccumulator:
    """Voxel counts of both masks on the whole grid, slice by slice."""
    counts = OverlapAccumulator(grid.shape)
    slices = sorted({*ours.slices, *theirs.slices})
    window = _window(ours, theirs)
    for done, z in enumerate(slices, 1):
        counts.add_slice(z, ours.section(z, window), theirs.section(z, window))
        if progress:
            progress(done / len(slices), f"overlap, slice {done} of {len(slices)}")
    return counts


def summarise(counts: OverlapAccumulator, hd95_mm: float | None, assd_mm: float | None) -> Overlap:
    """Turn counts and surface distances into an overlap."""
    whole = counts.counts()
    per_slice = [
        {"slice": z, "dice": here.dice, "iou": here.iou}
        for z, here in enumerate(counts.per_slice())
        if here.mask or here.expert
    ]
    return Overlap(
        dice=whole.dice,
        iou=whole.iou,
        accuracy=whole.accuracy,
        sensitivity=whole.sensitivity,
        specificity=whole.specificity,
        precision=whole.precision,
        hd95_mm=hd95_mm,
        assd_mm=assd_mm,
        dice_per_slice_mean=float(np.mean([row["dice"] for row in per_slice])),
        iou_per_slice_mean=float(np.mean([row["iou"] for row in per_slice])),
        per_slice=per_slice,
    )


def surface_distances(ours_mm: np.ndarray, theirs_mm: np.ndarray) -> tuple[float, float]:
    """HD95 and ASSD [mm] of two sets of surface points [mm], shape (n, 3)."""
    to_theirs, _ = cKDTree(theirs_mm).query(ours_mm, workers=-1)
    to_ours, _ = cKDTree(ours_mm).query(theirs_mm, workers=-1)
    hd95 = max(np.percentile(to_theirs, 95), np.percentile(to_ours, 95))
    both = to_theirs.sum() + to_ours.sum()
    return float(hd95), float(both / (len(to_theirs) + len(to_ours)))


class _PlacedMask:
    """A mask seen from the scan's grid, one slice at a time and without a copy."""

    def __init__(self, mask: Mask, grid: Grid, label: int | None = None):
        placement = place(mask.grid, grid)
        self.voxels = mask.voxels[placement.source_box]
        self.label = label
        self.box = placement.target_box
        self.spacing_mm = grid.spacing_mm

    @property
    def slices(self) -> range:
        """Those of the scan that its box reaches."""
        return range(self.box[0].start, self.box[0].stop)

    def by_label(self) -> dict[int, "_PlacedMask"]:
        """Every label by itself, on its own box."""
        found = {}
        for label, box in enumerate(find_objects(self.voxels), 1):
            if box is not None:
                found[label] = one = copy(self)
                one.label, one.voxels = label, self.voxels[box]
                one.box = tuple(
                    slice(side.start + placed.start, side.stop + placed.start)
                    for side, placed in zip(box, self.box, strict=True)
                )
        return found

    def section(self, z: int, window: tuple[slice, slice]) -> np.ndarray | None:
        """The slice as bool within a window of the scan's slice; None when it is empty."""
        if z not in self.slices:
            return None
        plane = self._inside(self.voxels[z - self.slices.start])
        if not plane.any():
            return None
        rows, columns = window
        section = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
        y, x = self.box[1].start - rows.start, self.box[2].start - columns.start
        section[y : y + plane.shape[0], x : x + plane.shape[1]] = plane
        return section

    def surface_mm(self) -> np.ndarray:
        """Centres of the voxels that have a neighbour outside [mm], in the scan's frame."""
        box = bounding_box(self.voxels)
        inside = self._inside(self.voxels[box])
        surface = np.argwhere(inside & ~binary_erosion(inside))
        corner = [cut.start + placed.start for cut, placed in zip(box, self.box, strict=True)]
        return (surface + corner) * np.array(self.spacing_mm)

    def _inside(self, part: np.ndarray) -> np.ndarray:
        return part != 0 if self.label is None else part == self.label


def _window(a: _PlacedMask, b: _PlacedMask) -> tuple[slice, slice]:
    """The part of a slice that holds both masks' boxes."""
    return tuple(
        slice(min(a.box[i].start, b.box[i].start), max(a.box[i].stop, b.box[i].stop))
        for i in (1, 2)
    )
