"""The expert's slice range as a network finds it: from a score for each slice to first and last."""

from dataclasses import dataclass, replace

import numpy as np

from .inference import LEVELS
from .preprocessing import NetworkGrid

RANGE_FIELD = 96  # network voxels of 0.246 mm across that are seen: 24 mm
_TIP_MM = 1.5  # how far the outline may lead beyond the range at the tip of the head
_PROBE_MM = 1.0  # beyond the range: the shaft goes on there, the head does not
_TAPERED = 0.25  # of the largest area: less than this beyond an end, and the bone ends there
_SURE = 0.5


@dataclass(frozen=True)
class FoundRange:
    """First and last slice of the scan that belong to the expert's range.

    Attributes
    ----------
    first, last : float
        Where the score crosses one half, in slices of the scan; a slice belongs to the range when
        its middle lies between them.
    sure : float
        Highest score of any slice, 0 to 1; where it is below one half, the ends are those of the
        coarse outline.
    """

    first: float
    last: float
    sure: float

    @property
    def is_sure(self) -> bool:
        """Whether any slice's score exceeds one half."""
        return self.sure > _SURE

    def slices(self) -> tuple[int, int]:
        """First and last slice of the scan that may hold bone, inclusive."""
        first = int(np.ceil(self.first))
        return first, max(first, int(np.floor(self.last)))

    def outside(self, grid: NetworkGrid) -> np.ndarray:
        """Which slices of a network's grid lie outside of the range; bool."""
        middle = grid.axes[0].to_scan() + grid.first_slice
        return (middle < self.first) | (middle > self.last)


def range_of(
    inside: np.ndarray, grid: NetworkGrid, slices: np.ndarray, otherwise: slice
) -> FoundRange:
    """The range from the scores of a network's slices.

    Parameters
    ----------
    inside : ndarray of float, shape (n,)
        Score of each slice to lie in the range, 0 to 1.
    grid : NetworkGrid
        On which the slices lie.
    slices : ndarray of int, shape (n,)
        Which of its slices they are.
    otherwise : slice
        Slices of the grid that count when no score exceeds one half.
    """
    sure = float(inside.max())
    if sure > _SURE:
        first, last = crossings(inside)
        first, last = first + slices[0], last + slices[0]
    else:
        first, last = otherwise.start - 0.5, otherwise.stop - 0.5
    axis = grid.axes[0]
    ends = (np.array([first, last]) + axis.offset + 0.5) * axis.ratio - 0.5 + grid.first_slice
    return FoundRange(float(ends[0]), float(ends[1]), sure)


def crossings(inside: np.ndarray) -> tuple[float, float]:
    """Where scores cross one half on both sides of the highest one, between slices.

    A run that reaches the end of the scan ends half a slice beyond the last one.
    """
    top = int(np.argmax(inside))
    low = high = top
    while low > 0 and inside[low - 1] > _SURE:
        low -= 1
    while high < len(inside) - 1 and inside[high + 1] > _SURE:
        high += 1
    first, last = low - 0.5, high + 0.5
    if low > 0:
        first = low - (inside[low] - _SURE) / (inside[low] - inside[low - 1])
    if high < len(inside) - 1:
        last = high + (inside[high] - _SURE) / (inside[high] - inside[high + 1])
    return float(first), float(last)


def with_tip(found: FoundRange, values: np.ndarray, grid: NetworkGrid) -> FoundRange:
    """The range, led on at the tip of the head: there the outline itself says where the bone ends.

    Parameters
    ----------
    found : FoundRange
    values : ndarray of uint8, shape (z, y, x)
        Probability of bone, 0 to 255, also beyond the range.
    grid : NetworkGrid
        Of `values`.
    """
    areas = np.count_nonzero(values > _SURE * LEVELS, axis=(1, 2))
    middle = grid.axes[0].to_scan() + grid.first_slice
    slice_mm = grid.scan.spacing_mm[0]
    within = (middle >= found.first) & (middle <= found.last)
    tapered = _TAPERED * areas[within].max(initial=0)
    low = _area_at(areas, middle, found.first - _PROBE_MM / slice_mm)
    high = _area_at(areas, middle, found.last + _PROBE_MM / slice_mm)
    if low is not None and low < tapered and (high is None or low < high):
        return replace(found, first=max(-0.5, found.first - _TIP_MM / slice_mm))
    if high is not None and high < tapered and (low is None or high < low):
        last = found.last + _TIP_MM / slice_mm
        return replace(found, last=min(grid.scan.shape[0] - 0.5, last))
    return found


def _area_at(areas: np.ndarray, middle: np.ndarray, place: float) -> int | None:
    """The area of the slice nearest to a place; None beyond the slices that there are."""
    if not middle[0] - 0.5 <= place <= middle[-1] + 0.5:
        return None
    return int(areas[np.argmin(np.abs(middle - place))])
