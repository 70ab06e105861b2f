"""A mask that is corrected beside an expert's: where they differ, and the densities of both."""

from collections.abc import Callable, Iterable

import numpy as np

from ..errors import VbmdError
from ..grid import Grid
from ..scan import Mask, Scan
from .comparison import Comparison
from .disagreement import Disagreement
from .live import LiveMeasurement

Progress = Callable[[float, str], None]


class Review:
    """Both, kept up to date with the edits of one array.

    Parameters
    ----------
    scan : Scan
        Without a calibration there are no densities.
    labels : ndarray of whole numbers from 0 to 255, shape (z, y, x)
        The array that is edited; kept, never written to.
    grid : Grid
        Of `labels`.
    expert : Mask
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    GridMismatchError, EmptyMaskError
        As `Disagreement`.
    """

    def __init__(
        self,
        scan: Scan,
        labels: np.ndarray,
        grid: Grid,
        expert: Mask,
        progress: Progress | None = None,
    ):
        progress = progress or (lambda fraction, message: None)
        self.differences = Disagreement(
            labels, grid, expert, scan.grid, lambda f, message: progress(f / 2, message)
        )
        progress(0.5, "densities")
        self._numbers = LiveMeasurement(scan, labels, grid, expert) if scan.is_calibrated else None

    @property
    def slices(self) -> int:
        """Of the mask's array."""
        return self.differences.slices

    def follows(self, labels: np.ndarray) -> bool:
        """Take up an array that stands in the place of the old one; False where it cannot."""
        same = self.differences.follows(labels)
        return same and (self._numbers is None or self._numbers.follows(labels))

    def look(self, slices: Iterable[int]) -> bool:
        """Bring both up to date with these slices of the array; True when any changed."""
        slices = list(slices)
        if self._numbers is not None:
            self._numbers.look(slices)
        return self.differences.look(slices)

    def comparison(self) -> Comparison | None:
        """The numbers now; None without a calibration and while the mask is empty."""
        try:
            return self._numbers.result() if self._numbers is not None else None
        except VbmdError:  # voxels without a finite density: the masks still differ somewhere
            return None
