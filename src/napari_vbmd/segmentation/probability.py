"""From a network's answer back to a mask on the scan's grid.

The probability is kept, so that another threshold needs no new run. All work is done in the box of
the bone, slice by slice: interpolate, compare with the threshold, keep the largest piece.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .. import morphology
from ..errors import NoBoneError, ParameterError
from ..scan import Mask
from .inference import LEVELS
from .postprocessing import close_holes, keep_largest
from .preprocessing import NetworkGrid
from .sampling import resampled_slices


@dataclass(frozen=True)
class Probability:
    """The probability of bone on the grid that the network saw.

    Parameters
    ----------
    values : ndarray of uint8, shape (z, y, x)
        0 to 255 for 0 to 1.
    grid : NetworkGrid
        Where that lies on the scan, and whether it is mirrored.
    """

    values: np.ndarray
    grid: NetworkGrid

    def __post_init__(self):
        if self.values.shape != self.grid.shape:
            raise ParameterError(f"values {self.values.shape} and grid {self.grid.shape} differ")

    def mask(self, threshold: float = 0.5, closing_mm: float | None = None) -> Mask:
        """The largest piece above a threshold, on its box of the scan's grid.

        Parameters
        ----------
        threshold : float
            Between 0 and 1; compared after trilinear interpolation to the scan's voxels.
        closing_mm : float, optional
            Radius for `postprocessing.close_holes`; None leaves holes be.

        Raises
        ------
        NoBoneError
            When no probability exceeds the threshold.
        """
        box = self.box(threshold)
        voxels, start = self._thresholded(box, LEVELS * threshold)
        voxels = keep_largest(voxels)
        if closing_mm is not None:
            voxels = close_holes(voxels, self.grid.scan.spacing_mm, closing_mm)
        tight = morphology.bounding_box(voxels)
        corner = [a + b.start for a, b in zip(start, tight, strict=True)]
        whole = tuple(slice(c, c + b.stop - b.start) for c, b in zip(corner, tight, strict=True))
        return Mask(voxels[tight], self.grid.scan.box(whole), format="network")

    def box(self, threshold: float = 0.5) -> tuple[slice, slice, slice]:
        """The box of the largest piece above a threshold, on the network's grid.

        Raises
        ------
        NoBoneError
            When no probability exceeds the threshold.
        """
        check_threshold(threshold)
        box = morphology.bounding_box(morphology.keep_largest(self._inside(threshold)))
        if box is None:
            surest = int(self.values.max()) / LEVELS
            raise NoBoneError(
                f"no bone found: the network is nowhere surer than {surest:.0%}, the threshold is "
                f"{threshold:.0%}; check side, slices and calibration, or lower the threshold"
            )
        return box

    def on_scan(self) -> Iterator[tuple[int, np.ndarray, tuple[slice, slice]]]:
        """The probability on the scan's own voxels, slice by slice, where it is not 0.

        Yields
        ------
        slice : int
            Its number in the scan.
        levels : ndarray of float32, shape (y, x)
            0 to 255.
        box : tuple of slice
            Where they lie in the slice, along y and x.
        """
        used = morphology.bounding_box(self.values)
        if used is None:
            return
        ranges, places = self._reached(used)
        z, y, x = ranges
        levels = resampled_slices(self.values, places)
        for k, plane in zip(range(z.start, z.stop), levels, strict=True):
            yield k + self.grid.first_slice, plane, (y, x)

    def _inside(self, threshold: float) -> np.ndarray:
        """Where the network is sure enough, on the scan only."""
        inside = self.values > LEVELS * threshold
        deep, high, wide = (axis.padding() for axis in self.grid.axes)
        inside[deep] = False
        inside[:, high] = False
        inside[:, :, wide] = False
        return inside

    def _thresholded(self, box, level) -> tuple[np.ndarray, tuple[int, int, int]]:
        """The mask in the part of the scan that a box on the network's grid reaches."""
        ranges, places = self._reached(box)
        voxels = np.empty([len(place) for place in places], np.uint8)
        for plane, probability in zip(voxels, resampled_slices(self.values, places), strict=True):
            plane[:] = probability > level
        z, y, x = (r.start for r in ranges)
        return voxels, (z + self.grid.first_slice, y, x)

    def _reached(self, box) -> tuple[list[slice], list[np.ndarray]]:
        """Voxels of the scan that a box reaches, and where they lie on the network's grid."""
        ranges = [
            axis.scan_range(side.start, side.stop - 1)
            for axis, side in zip(self.grid.axes, box, strict=True)
        ]
        places = [
            axis.from_scan(np.arange(r.start, r.stop))
            for axis, r in zip(self.grid.axes, ranges, strict=True)
        ]
        return ranges, places


def check_threshold(threshold: float) -> None:
    """Refuse a threshold that is none."""
    if not 0 < threshold < 1:
        raise ParameterError(f"threshold {threshold}: give one between 0 and 1, such as 0.5")
