"""The digital hand: a synthetic HR-pQCT scan of four metacarpal heads with a known answer.

Everything is made of formulas and random numbers in millimetres; no scan of a person went into it.
A scan of any grid shows the same hand: each voxel is what the scanner's own voxel (0.082 mm) would
hold at that place, so that every third voxel of a scan at 0.082 mm is the scan at 0.246 mm, but for
the grain of the noise. Trabecular texture is resolved at 0.082 mm; on a coarser grid it is sampled.

A right hand has its palm towards high x and its little finger towards high y; a left hand is its
mirror image along y. Where the fingertips are at high z the slices run the other way, and nothing
else changes.

The expert's mask is all that the second metacarpal's outer surface encloses, erosions included,
from the tip of its head to the slice where the outline of the shaft is a delta.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..calibration import Calibration
from ..grid import Grid
from .answer import Answer
from .slabs import HandScan, Size
from .view import CALIBRATION, End, Side, View

TRAINING_SPACING_MM, TRAINING_SHAPE = (0.246,) * 3, (80, 512, 512)


@dataclass(frozen=True)
class Rendering:
    """A hand on some voxels of a grid.

    Parameters
    ----------
    voxels : ndarray of int16, shape (z, y, x)
        Native units.
    label : ndarray of float32, shape (z, y, x)
        Share of each voxel that lies in the expert's mask of the second metacarpal, 0 to 1.
    grid : Grid
        Of `voxels`; its position tells where they lie in the whole grid asked for (for chosen
        slices, where the first of them lies).
    calibration : Calibration
    slices : tuple of int
        First and last slice of the whole grid whose middle is in the expert's range, inclusive;
        (0, -1) where there is none.
    seed : int
    side : {'left', 'right'}
    fingertips : {'low', 'high'}
        The end of z at which they are.
    """

    voxels: np.ndarray
    label: np.ndarray
    grid: Grid
    calibration: Calibration
    slices: tuple[int, int]
    seed: int
    side: Side
    fingertips: End


@dataclass(frozen=True)
class HandPhantom:
    """A scan of one hand, the expert's mask of its second metacarpal, and the answer.

    Parameters
    ----------
    voxels : ndarray of int16, shape (z, y, x)
        The scan in native units.
    mask : ndarray of uint8, shape (z, y, x)
        1 in every voxel that lies for the greater part in the expert's mask.
    grid : Grid
    calibration : Calibration
        All four constants.
    slices : tuple of int
        First and last slice of the mask, inclusive; the bone goes on.
    tt_vbmd_mg_cm3 : float
        Mean of the bone's density at the middles of the mask's voxels, before blur, motion and
        noise [mg HA/cm3].
    seed : int
    side : {'left', 'right'}
    fingertips : {'low', 'high'}
        The end of z at which they are.
    size : {'small', 'full'}
    answer : Answer
        All that is known of the mask, with what the scan gives in it.
    """

    voxels: np.ndarray
    mask: np.ndarray
    grid: Grid
    calibration: Calibration
    slices: tuple[int, int]
    tt_vbmd_mg_cm3: float
    seed: int
    side: Side
    fingertips: End
    size: Size
    answer: Answer


def hand_phantom(
    seed: int, side: Side = "left", size: Size = "small", fingertips: End | None = None
) -> HandPhantom:
    """A scan of a hand with a known answer.

    Parameters
    ----------
    seed : int
        0 to 99,999 for training and validation, 100,000 to 199,999 for tests. Two hands of one
        seed, side and size are equal voxel by voxel.
    side : {'left', 'right'}
    size : {'small', 'full'}
        ``full`` is 240 x 1536 x 1536 voxels of 0.082 mm: 1.1 GB and 0.6 GB for the mask.
        ``small`` is 80 x 362 x 170 voxels of 0.246 mm, 9.8 MB: every third voxel of a scan of the
        same hand laid straight, without most of the air. Struts are not resolved in it.
    fingertips : {'low', 'high'}, optional
        The end of z at which they are; by default even seeds have them at low z.

    Raises
    ------
    ParameterError
        When the seed is nobody's, or the side, size or end unknown.
    """
    scan = HandScan(seed, side, size, fingertips)
    voxels = np.empty(scan.grid.shape, np.int16)
    mask = np.empty(scan.grid.shape, np.uint8)
    for some, native, marked in scan.slabs():
        voxels[some], mask[some] = native, marked
    return HandPhantom(
        voxels,
        mask,
        scan.grid,
        scan.calibration,
        slices=scan.answer.slices,
        tt_vbmd_mg_cm3=scan.answer.tt_vbmd_mg_cm3,
        seed=seed,
        side=side,
        fingertips=scan.fingertips,
        size=size,
        answer=scan.answer,
    )


def render(
    seed: int,
    spacing_mm: tuple[float, float, float] = TRAINING_SPACING_MM,
    shape: tuple[int, int, int] = TRAINING_SHAPE,
    *,
    side: Side = "right",
    fingertips: End | None = None,
    slices: Sequence[int] | None = None,
    box: tuple[slice, slice] | None = None,
    noise: bool = True,
    freedom: float = 1.0,
    repeat: int = 0,
) -> Rendering:
    """A hand on a grid that lies about the middle of the scanner's field, or on a part of it.

    A part is equal, voxel by voxel, to the same part of the whole.

    Parameters
    ----------
    seed : int
        0 to 99,999 for training and validation, 100,000 to 199,999 for tests.
    spacing_mm : tuple of float
        Distance of the voxels along z, y, x [mm].
    shape : tuple of int
        Voxels of the whole grid along z, y, x. The hand is drawn over 32 mm along z.
    side : {'right', 'left'}
    fingertips : {'low', 'high'}, optional
        The end of z at which they are; by default even seeds have them at low z.
    slices : sequence of int, optional
        Only these slices; all by default.
    box : pair of slice, optional
        Only these rows and columns (y, x).
    noise : bool
        False leaves out noise, rings and streaks, not blur and motion.
    freedom : float
        How far the hand's pose may be off: 0 is straight and in the middle.
    repeat : int
        0 for the first scan; others show the same hand taken out and put back, with its own noise
        and motion, and the expert's range derived anew: to try how well a method repeats.

    Raises
    ------
    ParameterError
        When the seed is nobody's, or the side or end unknown.
    """
    view = View(seed, spacing_mm, shape, side, fingertips, freedom, slices, box, repeat)
    voxels = np.empty(view.grid.shape, np.int16)
    label = np.empty(view.grid.shape, np.float32)
    for some, native, share in view.slabs(noise):
        voxels[some], label[some] = native, share
    return Rendering(
        voxels, label, view.grid, CALIBRATION, view.slices(), seed, side, view.fingertips
    )
