"""The known answer of a digital hand: what a right measurement of it finds."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..calibration import Calibration
from ..grid import Grid
from .view import End, Side


@dataclass(frozen=True)
class Answer:
    """What is known of a hand's second metacarpal.

    Parameters
    ----------
    seed : int
    side : {'left', 'right'}
    fingertips : {'low', 'high'}
        The end of z at which they are.
    size : {'small', 'full'}
    voxels : int
        In the expert's mask.
    slices : tuple of int
        First and last slice of the mask, inclusive.
    tt_vbmd_mg_cm3 : float
        Mean of the bone's density at the middles of the mask's voxels, before blur, motion and
        noise [mg HA/cm3].
    scanned_tt_vbmd_mg_cm3 : float
        Mean density that the scan gives in the mask [mg HA/cm3].
    mean_slice_area_mm2 : float
        Mean area of the mask over its slices [mm2].
    """

    seed: int
    side: Side
    fingertips: End
    size: str
    voxels: int
    slices: tuple[int, int]
    tt_vbmd_mg_cm3: float
    scanned_tt_vbmd_mg_cm3: float
    mean_slice_area_mm2: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON; named as `napari-vbmd measure --json` names it, rounded to 0.001."""
        first, last = self.slices
        return {
            "seed": self.seed,
            "side": self.side,
            "fingertips": self.fingertips,
            "size": self.size,
            "tt_vbmd_mg_cm3": round(self.tt_vbmd_mg_cm3, 3),
            "scanned_tt_vbmd_mg_cm3": round(self.scanned_tt_vbmd_mg_cm3, 3),
            "voxels": self.voxels,
            "mean_slice_area_mm2": round(self.mean_slice_area_mm2, 3),
            "slices": {"first": first, "last": last, "count": last - first + 1},
        }


class Tally:
    """The sums behind an answer, slab by slab."""

    def __init__(self) -> None:
        self.voxels = 0
        self.native = 0
        self.true = 0.0
        self.marked: list[int] = []

    def add(self, first_slice: int, voxels, mask, true_mg_cm3) -> None:
        """Add a slab: native units, the mask, and the true densities in the mask's voxels."""
        inside = mask > 0
        self.voxels += int(np.count_nonzero(inside))
        self.native += int(voxels[inside].sum(dtype=np.int64))
        self.true += float(true_mg_cm3.sum(dtype=float))
        self.marked += (first_slice + np.flatnonzero(inside.any(axis=(1, 2)))).tolist()

    def answer(self, grid: Grid, calibration: Calibration, **hand: Any) -> Answer:
        """The answer, once every slab was added; `hand` are the fields that say which hand."""
        to_density = calibration.linear("native", "density")
        return Answer(
            **hand,
            voxels=self.voxels,
            slices=(self.marked[0], self.marked[-1]),
            tt_vbmd_mg_cm3=self.true / self.voxels,
            scanned_tt_vbmd_mg_cm3=float(to_density(self.native / self.voxels)),
            mean_slice_area_mm2=self.voxels * grid.pixel_area_mm2 / len(self.marked),
        )
