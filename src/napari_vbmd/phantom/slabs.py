"""A hand's scan with its mask, slab by slab: the volume need never be in memory."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from ..errors import ParameterError
from .answer import Answer, Tally
from .scanner import NATIVE_MM
from .view import CALIBRATION, End, Side, View

Size = Literal["small", "full"]

# spacing, shape, and how far the pose may be off: the small one is a straight hand and little air
SIZES = {
    "full": ((NATIVE_MM,) * 3, (240, 1536, 1536), 1.0),
    "small": ((0.246,) * 3, (80, 362, 170), 0.1),
}


class HandScan:
    """A scan of one hand, ready to be drawn; see `napari_vbmd.phantom.hand.hand_phantom`.

    Parameters
    ----------
    seed : int
    side : {'left', 'right'}
    size : {'small', 'full'}
    fingertips : {'low', 'high'}, optional
        The end of z at which they are; by default even seeds have them at low z.

    Raises
    ------
    ParameterError
        When the seed is nobody's, or the side, size or end unknown.
    """

    def __init__(
        self, seed: int, side: Side = "left", size: Size = "small", fingertips: End | None = None
    ):
        if size not in SIZES:
            raise ParameterError(f"phantom: size {size!r}: use small or full")
        spacing_mm, shape, freedom = SIZES[size]
        self._view = View(seed, spacing_mm, shape, side, fingertips, freedom)
        self.grid, self.calibration = self._view.grid, CALIBRATION
        self.fingertips = self._view.fingertips
        self.seed, self.side, self.size = seed, side, size
        self.answer: Answer | None = None

    def slabs(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Some slices at a time: which, native units (int16), mask (uint8).

        After the last one `answer` holds the known answer.
        """
        tally = Tally()
        for some, native, label in self._view.slabs():
            voxels, mask = native.astype(np.int16), (label >= 0.5).astype(np.uint8)
            tally.add(some.start, voxels, mask, self._view.true_density(some, mask))
            yield some, voxels, mask
        self.answer = tally.answer(
            self.grid,
            self.calibration,
            seed=self.seed,
            side=self.side,
            fingertips=self.fingertips,
            size=self.size,
        )
