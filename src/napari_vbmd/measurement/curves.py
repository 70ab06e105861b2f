"""What a probability is worth at every threshold: ROC, precision and recall, and their areas.

Every voxel of the scan counts once, by the level (0 to 255) that its probability is stored at, so a
whole scan of half a billion voxels becomes two histograms and no voxel has to be sorted.

Definitions: area under the ROC curve by the trapezoidal rule, which counts ties as one half (Hanley
and McNeil 1982, Radiology 143:29); average precision as the sum of precision times the step in
recall, without interpolation (as scikit-learn, against which the tests check).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..grid import place
from ..scan import Mask, Scan
from .densitometry import Progress

LEVELS = 255


@dataclass(frozen=True)
class Curves:
    """Counts of voxels by level.

    Attributes
    ----------
    bone, other : ndarray of int64, shape (256,)
        Voxels of the expert's mask and all others, by the level of their probability.
    """

    bone: np.ndarray
    other: np.ndarray

    def __add__(self, more: "Curves") -> "Curves":
        """All voxels of both."""
        return Curves(self.bone + more.bone, self.other + more.other)

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve, 0 to 1; None where there is only bone, or none."""
        positives, negatives = self.bone.sum(), self.other.sum()
        if not positives or not negatives:
            return None
        below = np.cumsum(self.other) - self.other
        wins = (self.bone * (below + self.other / 2.0)).sum(dtype=float)
        return float(wins / (float(positives) * float(negatives)))

    @property
    def average_precision(self) -> float | None:
        """Area under the curve of precision over recall; None where there is no bone."""
        precision, recall = self.precision_recall()
        if precision is None:
            return None
        # an undefined precision stands where nothing is found yet, and there recall takes no step
        return float((np.nan_to_num(precision) * np.diff(recall, prepend=0.0)).sum())

    def roc(self) -> tuple[np.ndarray, np.ndarray]:
        """False and true positive rate from the highest threshold to the lowest, 0 to 1.

        The first point is (0, 0), where nothing is called bone.
        """
        rates = [np.cumsum(part[::-1]) / max(1, part.sum()) for part in (self.other, self.bone)]
        return tuple(np.concatenate([[0.0], rate]) for rate in rates)

    def precision_recall(self) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
        """Precision and recall of "level k or more is bone", for k from 255 to 0.

        Precision is NaN where nothing is called bone; both are None where there is no bone.
        """
        if not self.bone.sum():
            return None, None
        true, false = np.cumsum(self.bone[::-1]), np.cumsum(self.other[::-1])
        with np.errstate(invalid="ignore"):
            return true / (true + false), true / self.bone.sum()

    def best_threshold(self) -> float | None:
        """The probability whose precision and recall lie nearest to (1, 1).

        To be taken on a validation set, never on the test set. Between 0 and 1; a voxel is bone
        when it exceeds it. None where there is no bone.
        """
        precision, recall = self.precision_recall()
        if precision is None:
            return None
        distance = np.hypot(1 - np.nan_to_num(precision), 1 - recall)
        level = LEVELS - int(np.argmin(distance))
        return float(np.clip((level - 0.5) / LEVELS, 0.5 / LEVELS, 1 - 0.5 / LEVELS))


def curves(
    slices: Iterable[tuple[int, np.ndarray, tuple[slice, slice]]],
    expert: np.ndarray,
    progress: Progress | None = None,
) -> Curves:
    """Count the voxels of a scan.

    Parameters
    ----------
    slices : iterable of (slice, levels, box)
        The probability where it is not 0: the slice's number, its levels (0 to 255) and where they
        lie in the slice (y, x). Everywhere else the level is 0.
    expert : ndarray, shape (z, y, x)
        The expert's mask on the scan's whole grid; other than zero is bone.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.
    """
    bone, other = np.zeros(LEVELS + 1, np.int64), np.zeros(LEVELS + 1, np.int64)
    seen = seen_bone = 0
    for z, levels, box in slices:
        inside = np.asarray(expert[z])[box] != 0
        levels = np.rint(levels).astype(np.uint8)
        bone += np.bincount(levels[inside], minlength=LEVELS + 1)
        other += np.bincount(levels[~inside], minlength=LEVELS + 1)
        seen += levels.size
        seen_bone += int(np.count_nonzero(inside))
        if progress:
            progress((z + 1) / len(expert), f"AUC, slice {z}")
    all_bone = sum(int(np.count_nonzero(plane)) for plane in expert)
    bone[0] += all_bone - seen_bone
    other[0] += int(np.prod(expert.shape)) - all_bone - (seen - seen_bone)
    return Curves(bone, other)


class OnScan:
    """A mask as slices of a scan's whole grid, one at a time: it never fills a volume."""

    def __init__(self, mask: Mask, scan: Scan):
        placement = place(mask.grid, scan.grid)
        self._voxels = mask.voxels[placement.source_box]
        self._slices, *self._box = placement.target_box
        self.shape = scan.grid.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, z: int) -> np.ndarray:
        plane = np.zeros(self.shape[1:], bool)
        if self._slices.start <= z < self._slices.stop:
            plane[tuple(self._box)] = self._voxels[z - self._slices.start] != 0
        return plane

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[z] for z in range(self.shape[0]))
