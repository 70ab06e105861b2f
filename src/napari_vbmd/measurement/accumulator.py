"""Running sums behind every number, built slice by slice and updated by the voxels that changed.

Whole measurements and live numbers while a mask is edited are the same code. Sums are taken over
the values as stored: exact for 16-bit integers, so that a million updates leave no drift.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..calibration import Linear
from ..errors import ParameterError

LABELS = 256
_BLOCK = 1 << 18  # voxels at a time: sums of 16-bit squares stay below 2**53, and memory small


class Sums(NamedTuple):
    """Number of voxels, sum and sum of squares of their stored values, and how many have none.

    The last are voxels whose value is not a finite number: they count, but are not in the sums.
    """

    count: int
    total: float
    squares: float
    unusable: int = 0

    def mean(self, transform: Linear) -> float | None:
        """Mean in the transform's unit; None without voxels or with unusable ones."""
        if self.count < 1 or self.unusable:
            return None
        return float(transform(self.total / self.count))

    def sd(self, transform: Linear) -> float | None:
        """Sample standard deviation (ddof 1) in the transform's unit; None below two voxels."""
        if self.count < 2 or self.unusable:
            return None
        # n * squares - total^2 in Python's integers where the sums are whole: no cancellation
        spread = self.count * self.squares - self.total * self.total
        variance = max(0.0, spread / (self.count * (self.count - 1)))
        return abs(transform.gain) * float(variance) ** 0.5


class DensityAccumulator:
    """Sums per slice and label of one mask on one scan.

    Parameters
    ----------
    slices : int
        Slices of the scan.
    dtype : numpy dtype
        Of the scan's stored values.
    """

    def __init__(self, slices: int, dtype: np.dtype):
        dtype = np.dtype(dtype)
        self._exact = dtype.kind in "iub" and dtype.itemsize <= 2
        kind = np.int64 if self._exact else np.float64
        self.count = np.zeros((slices, LABELS), np.int64)
        self.total = np.zeros((slices, LABELS), kind)
        self.squares = np.zeros((slices, LABELS), kind)
        self.unusable = np.zeros((slices, LABELS), np.int64)

    def add_slice(self, z: int, values: np.ndarray, labels: np.ndarray) -> None:
        """Add one slice.

        Parameters
        ----------
        z : int
            Index of the slice in the scan.
        values : array, shape (y, x)
            Stored values.
        labels : array of uint8 or bool, same shape
        """
        inside = np.flatnonzero(labels)
        if inside.size:
            self._add(z, labels.ravel()[inside], values.ravel()[inside], +1)

    def change(self, z: int, values: np.ndarray, old: np.ndarray, new: np.ndarray) -> None:
        """Follow an edit of one slice: voxels of these stored values went from old to new labels.

        Parameters
        ----------
        z : int
        values, old, new : arrays of one shape
        """
        self._add(z, old.ravel(), values.ravel(), -1)
        self._add(z, new.ravel(), values.ravel(), +1)

    def sums(self, label: int | None = None, z: int | np.ndarray | None = None) -> Sums:
        """Sums over one label (None: all but zero) and one, some or all slices (None)."""
        rows = slice(None) if z is None else np.atleast_1d(z)
        columns = slice(1, None) if label is None else slice(label, label + 1)
        # .item() gives Python's integers: their products do not overflow
        parts = (self.count, self.total, self.squares, self.unusable)
        return Sums(*(part[rows, columns].sum().item() for part in parts))

    def per_slice(self, label: int | None = None) -> list[Sums]:
        """Sums over one label (None: all but zero) in each slice."""
        columns = slice(1, None) if label is None else slice(label, label + 1)
        # as `sums` of each, but many times faster; tolist() gives Python's integers, too
        parts = [
            part[:, columns].sum(1).tolist()
            for part in (self.count, self.total, self.squares, self.unusable)
        ]
        return [Sums(*one) for one in zip(*parts, strict=True)]

    def counts_per_slice(self, label: int | None = None) -> np.ndarray:
        """Voxels of a label (None: all but zero) in each slice."""
        return self.count[:, 1:].sum(1) if label is None else self.count[:, label].copy()

    def labels(self) -> list[int]:
        """Labels other than zero that occur."""
        return [int(v) for v in np.flatnonzero(self.count.sum(0)) if v]

    def _add(self, z: int, labels: np.ndarray, values: np.ndarray, sign: int) -> None:
        labels = _as_labels(labels)
        for start in range(0, labels.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            self._add_block(z, labels[block], values[block].astype(np.float64), sign)

    def _add_block(self, z: int, labels: np.ndarray, values: np.ndarray, sign: int) -> None:
        self.count[z] += sign * np.bincount(labels, minlength=LABELS)
        if not self._exact:
            # kept apart: a NaN that entered a sum would stay there after its voxel has left
            usable = np.isfinite(values)
            self.unusable[z] += sign * np.bincount(labels[~usable], minlength=LABELS)
            labels, values = labels[usable], values[usable]
        total = np.bincount(labels, values, LABELS)
        squares = np.bincount(labels, values * values, LABELS)
        self.total[z] += sign * total.astype(self.total.dtype)
        self.squares[z] += sign * squares.astype(self.squares.dtype)


def _as_labels(labels: np.ndarray) -> np.ndarray:
    """Labels as uint8; what is no label from 0 to 255 is refused rather than wrapped round."""
    result = labels.astype(np.uint8, copy=False)
    if result is not labels and not np.array_equal(result, labels):
        raise ParameterError(f"a mask holds whole labels from 0 to {LABELS - 1}, nothing else")
    return result


@dataclass(frozen=True)
class Counts:
    """Voxels in a mask, in the expert's mask, in both, and in the whole region compared."""

    mask: int
    expert: int
    both: int
    region: int

    @property
    def dice(self) -> float | None:
        """2 |X and Y| / (|X| + |Y|); None when both are empty."""
        return 2 * self.both / (self.mask + self.expert) if self.mask + self.expert else None

    @property
    def iou(self) -> float | None:
        """|X and Y| / |X or Y|; None when both are empty."""
        union = self.mask + self.expert - self.both
        return self.both / union if union else None

    @property
    def accuracy(self) -> float:
        """Share of all voxels on which both agree."""
        return (self.region - self.mask - self.expert + 2 * self.both) / self.region

    @property
    def sensitivity(self) -> float | None:
        """Share of the expert's voxels that the mask holds."""
        return self.both / self.expert if self.expert else None

    @property
    def specificity(self) -> float | None:
        """Share of the voxels outside the expert's mask that lie outside the mask too."""
        outside = self.region - self.expert
        return (outside - self.mask + self.both) / outside if outside else None

    @property
    def precision(self) -> float | None:
        """Share of the mask's voxels that the expert's mask holds."""
        return self.both / self.mask if self.mask else None


class OverlapAccumulator:
    """Voxel counts per slice behind Dice, IoU and their kin.

    Parameters
    ----------
    shape : tuple of int
        Of the scan's whole grid (z, y, x), over which overlap is defined.
    """

    def __init__(self, shape: tuple[int, int, int]):
        self.slice_size = shape[1] * shape[2]
        self.mask = np.zeros(shape[0], np.int64)
        self.expert = np.zeros(shape[0], np.int64)
        self.both = np.zeros(shape[0], np.int64)

    def add_slice(self, z: int, mask: np.ndarray | None, expert: np.ndarray | None) -> None:
        """Add one slice; None stands for an empty one."""
        if mask is not None:
            self.mask[z] += np.count_nonzero(mask)
        if expert is not None:
            self.expert[z] += np.count_nonzero(expert)
        if mask is not None and expert is not None:
            self.both[z] += np.count_nonzero((mask != 0) & (expert != 0))

    def change(self, z: int, old: np.ndarray, new: np.ndarray, expert: np.ndarray) -> None:
        """Follow an edit of one slice: voxels went from old to new where the expert has these."""
        step = (new != 0).astype(np.int8) - (old != 0).astype(np.int8)
        self.mask[z] += int(step.sum(dtype=np.int64))
        self.both[z] += int(step[expert != 0].sum(dtype=np.int64))

    def counts(self, z: int | None = None) -> Counts:
        """Counts of one slice, or of the whole grid."""
        if z is not None:
            return Counts(
                int(self.mask[z]), int(self.expert[z]), int(self.both[z]), self.slice_size
            )
        region = self.slice_size * len(self.mask)
        return Counts(int(self.mask.sum()), int(self.expert.sum()), int(self.both.sum()), region)

    def per_slice(self) -> list[Counts]:
        """Counts of every slice."""
        return [self.counts(z) for z in range(len(self.mask))]
