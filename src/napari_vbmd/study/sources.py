"""One case of a cohort as voxels and truth: read from its files, or drawn when it is a phantom."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EmptyMaskError, FileFormatError, GridMismatchError, ParameterError
from ..grid import place
from ..io.files import read_mask, read_scan
from ..morphology import bounding_box
from ..phantom.hand import render
from ..phantom.view import CALIBRATION, View
from ..scan import SIDES, Scan
from ..segmentation.preprocessing import NetworkGrid
from ..segmentation.sampling import area_averaged
from .manifest import Case
from .phantoms import is_phantom, phantom_repeat, phantom_seed

Slices = tuple[int, int]
PHANTOM_MM = (0.246,) * 3
_FIELD_MM = (19.68, 125.952, 125.952)  # z, y, x: 240 x 1536 x 1536 voxels of 0.082 mm


@dataclass(frozen=True)
class Example:
    """A scan and the truth about one bone of it.

    Parameters
    ----------
    scan : Scan
    share : ndarray, shape (z, y, x)
        On a box of the scan: a mask (uint8), or the share of each voxel in the bone (float32).
    start : tuple of int
        The box's first voxel on the scan.
    side : {"left", "right"}
        Of the hand.
    slices : tuple of int
        First and last slice of the scan that the expert marked, inclusive.
    """

    scan: Scan
    share: np.ndarray
    start: tuple[int, int, int]
    side: str
    slices: Slices

    def mask(self) -> np.ndarray:
        """The box's voxels that lie for the greater part in the bone, bool."""
        return self.share >= 0.5 if self.share.dtype.kind == "f" else self.share != 0

    def soft_labels(self, grid: NetworkGrid) -> np.ndarray:
        """Share of each of a network's voxels that lies in the bone; uint8, 255 is all."""
        first = (self.start[0] - grid.first_slice, *self.start[1:])
        return np.rint(255 * area_averaged(self.share, grid.axes, first)).astype(np.uint8)


def truth_of(case: Case) -> Path | None:
    """The mask that a case is judged and trained by: the expert's, else the one there is."""
    return case.expert or case.mask


def open_example(
    case: Case,
    spacing_mm: tuple[float, float, float] = PHANTOM_MM,
    calibration: Mapping[str, Any] | None = None,
    label: int | None = None,
    only_marked: bool = False,
) -> Example:
    """Open a case with its truth.

    Parameters
    ----------
    case : Case
    spacing_mm : tuple of float
        Voxels at which a phantom is drawn; files are what they are.
    calibration : mapping, optional
        Keywords of `Scan.calibrated`, for files.
    label : int, optional
        Of the mask; needed where a mask holds several.
    only_marked : bool
        Of a phantom, draw the slices that the expert marked and no others.

    Raises
    ------
    VbmdError
        Whatever is wrong with the files; the message names the one.
    """
    if is_phantom(case):
        return _drawn(case, spacing_mm, only_marked)
    scan = read_scan(case.scan).calibrated(**(calibration or {}))
    side = case.side or scan.side
    if side not in SIDES:
        raise ParameterError(
            f"{case.scan}: left or right hand is not known ({scan.side_reason}); give the side in "
            "the manifest"
        )
    box, start = _marked(scan, _needed(case), label)
    if case.slices:
        box, start = _within(box, start, case.slices, _needed(case))
    marked = np.flatnonzero(box.any(axis=(1, 2))) + start[0]
    slices = case.slices or (int(marked[0]), int(marked[-1]))
    return Example(scan, box, start, side, _on_scan(slices, scan, case))


def _needed(case: Case) -> Path:
    path = truth_of(case)
    if path is None:
        raise ParameterError(f"{case.scan}: no mask; name the expert's in the manifest")
    return path


def _marked(scan: Scan, path: Path, label: int | None):
    """The bone's box of a mask, and where on the scan that begins."""
    mask = read_mask(path)
    try:
        placement = place(mask.grid, scan.grid)
    except GridMismatchError as error:
        raise GridMismatchError(f"{path}, on {scan.name}: {error}") from error
    box, corner = _tight(mask.voxels[placement.source_box])
    present = sum(np.bincount(plane.ravel(), minlength=256) for plane in box)
    several = np.flatnonzero(present[1:]) + 1 if len(box) else []
    if label is None and len(several) > 1:
        raise ParameterError(
            f"{path}: labels {', '.join(map(str, several))}; say with --label which is the bone"
        )
    if label:
        box, inner = _tight(box == label)
        corner = tuple(c + i for c, i in zip(corner, inner, strict=True))
    if not box.size:
        what = f"no voxel of label {label}" if label else "no voxel is marked"
        raise EmptyMaskError(f"{path}: {what} on the scan; an empty mask teaches nothing")
    start = tuple(c + t.start for c, t in zip(corner, placement.target_box, strict=True))
    return (box != 0).view(np.uint8), start


def _tight(labels: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The part that holds anything, and where it begins; empty where nothing does."""
    box = bounding_box(labels) if labels.size else None
    if box is None:
        return np.zeros((0, 0, 0), np.uint8), (0, 0, 0)
    return labels[box], tuple(side.start for side in box)


def _within(box: np.ndarray, start, slices: Slices, path: Path):
    """The part of a box that lies in the slice range."""
    first, stop = max(slices[0], start[0]), min(slices[1] + 1, start[0] + len(box))
    if first >= stop:
        raise EmptyMaskError(
            f"{path}: nothing is marked in the slices {slices[0]} to {slices[1]} of the manifest"
        )
    return box[first - start[0] : stop - start[0]], (first, *start[1:])


def _on_scan(slices: Slices, scan: Scan, case: Case) -> Slices:
    count = scan.grid.shape[0]
    if slices[1] >= count:
        raise FileFormatError(
            f"{case.scan}: slices {slices[0]} to {slices[1]} of the manifest, and the scan has 0 "
            f"to {count - 1}"
        )
    return slices


def _drawn(case: Case, spacing_mm, only_marked: bool) -> Example:
    """A digital hand in the field of a scan."""
    seed, side, repeat = phantom_seed(case), case.side or "right", phantom_repeat(case)
    shape = tuple(round(field / mm) for field, mm in zip(_FIELD_MM, spacing_mm, strict=True))
    some = None
    if only_marked:
        first, last = View(seed, spacing_mm, shape, side, None, 1.0, repeat=repeat).slices()
        some = range(first, last + 1)
    hand = render(seed, spacing_mm, shape, side=side, slices=some, repeat=repeat)
    box = bounding_box(hand.label > 0)
    if box is None:
        raise EmptyMaskError(f"{case.key}: no bone lies in the field; leave this hand out")
    scan = Scan(hand.voxels, "native", hand.grid, CALIBRATION, side=side)
    start = tuple(part.start for part in box)
    slices = (0, len(hand.voxels) - 1) if only_marked else hand.slices
    return Example(scan, hand.label[box], start, side, slices)
