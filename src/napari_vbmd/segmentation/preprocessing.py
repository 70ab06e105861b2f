"""From a scan to what a network sees, without a float copy of the scan.

In turn: a slice range, sampling at the network's spacing, mirroring of left hands along y, the
network's unit, a crop to the hand, air around it, normalisation. `NetworkGrid` keeps what leads
back; `probability` does that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import ParameterError
from ..grid import Grid
from ..scan import Scan
from .field import cut, field_of, tissue_box
from .sampling import Axis, resampled

_WHOLE = 0.005  # a ratio within 0.5 % of a whole number is that number


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of a training set, in the unit that the network sees."""

    mean: float
    sd: float

    def __post_init__(self):
        if not (np.isfinite(self.mean) and np.isfinite(self.sd) and self.sd > 0):
            raise ParameterError(f"normalisation by mean {self.mean} and SD {self.sd}: no numbers")


@dataclass(frozen=True)
class Preset:
    """The size, spacing and unit in which a network sees a scan.

    Parameters
    ----------
    name : str
    unit : {"mu", "native"}
    spacing_mm : tuple of float or None
        Along z, y, x; None with a size.
    size : tuple of int or None
        Voxels along z, y, x into which any scan is squeezed; None with a spacing.
    threshold : float
        That goes with it.
    crop_to_hand : bool
        Leave out the air around the hand.
    """

    name: str
    unit: Literal["mu", "native"]
    spacing_mm: tuple[float, float, float] | None
    size: tuple[int, int, int] | None
    threshold: float
    crop_to_hand: bool


# 0.246 mm is three voxels of 82 um: the published step on a scan of 1536 x 1536 x 240 voxels.
IMPROVED = Preset("improved", "mu", (0.246,) * 3, None, 0.5, True)
PAPER = Preset("paper", "native", None, (80, 512, 512), 0.8, False)
# The fine stage looks at a bone that was found before, at the scanner's own resolution.
FINE = Preset("fine", "mu", (0.082,) * 3, None, 0.5, False)
PRESETS = {preset.name: preset for preset in (IMPROVED, PAPER, FINE)}


@dataclass(frozen=True)
class NetworkGrid:
    """What a network sees of a scan, and where that lies.

    Parameters
    ----------
    scan : Grid
        The whole scan.
    first_slice : int
        Of the slice range; the z axis begins there.
    axes : three Axis
        Along z, y, x.
    """

    scan: Grid
    first_slice: int
    axes: tuple[Axis, Axis, Axis]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels that the network sees, along z, y, x."""
        return tuple(axis.count for axis in self.axes)

    def window(self, box: tuple[slice, slice, slice]) -> "NetworkGrid":
        """A part of this grid, or more than all of it; the slices have a start and a stop."""
        axes = (
            axis.window(s.start, s.stop - s.start) for axis, s in zip(self.axes, box, strict=True)
        )
        return NetworkGrid(self.scan, self.first_slice, tuple(axes))


def covering_grid(
    scan: Grid, slices: tuple[int, int] | None, preset: Preset, mirrored: bool
) -> NetworkGrid:
    """The network's grid over the whole of a scan's slice range, before any crop.

    Parameters
    ----------
    scan : Grid
    slices : tuple of int or None
        First and last, inclusive.
    preset : Preset
    mirrored : bool
        Whether it is a left hand.
    """
    first, last = slices or (0, scan.shape[0] - 1)
    counts = (last - first + 1, *scan.shape[1:])
    if preset.spacing_mm is None:
        ratios = [n / size for n, size in zip(counts, preset.size, strict=True)]
    else:
        ratios = [
            _snapped(wide / narrow)
            for wide, narrow in zip(preset.spacing_mm, scan.spacing_mm, strict=True)
        ]
    flips = (False, mirrored, False)
    axes = (Axis.covering(*each) for each in zip(counts, ratios, flips, strict=True))
    return NetworkGrid(scan, first, tuple(axes))


def prepare(
    scan: Scan,
    slices: tuple[int, int] | None,
    preset: Preset,
    normalisation: Normalisation | None,
    *,
    mirrored: bool = False,
    dims: int = 2,
    divisor: int = 32,
    progress: Callable[[float], None] | None = None,
) -> tuple[np.ndarray, NetworkGrid]:
    """What a network sees of a scan.

    Parameters
    ----------
    scan : Scan
        Its voxels are read slice by slice.
    slices : tuple of int or None
        First and last, inclusive.
    preset : Preset
    normalisation : Normalisation or None
        None leaves the values in the preset's unit.
    mirrored : bool
        Whether to mirror along y: a left hand.
    dims, divisor : int
        Of the network: 3 pads z as well.
    progress : callable, optional
        Called with the fraction done; may raise to cancel.

    Returns
    -------
    volume : ndarray of float32, shape (z, y, x)
    grid : NetworkGrid

    Raises
    ------
    MissingCalibrationError
        When the scan cannot be brought to the preset's unit.
    NoBoneError
        When there is nothing but air.
    """
    gain, offset = scan.transform(preset.unit)
    grid = covering_grid(scan.grid, slices, preset, mirrored)
    count = grid.axes[0].scan
    voxels = scan.voxels[grid.first_slice : grid.first_slice + count]
    volume = resampled(voxels, [axis.to_scan() for axis in grid.axes], progress)
    volume *= np.float32(gain)
    volume += np.float32(offset)
    hand = tissue_box(volume) if preset.crop_to_hand else None
    box = field_of(volume.shape, hand, dims, divisor)
    volume, grid = cut(volume, box), grid.window(box)
    if normalisation:
        volume -= np.float32(normalisation.mean)
        volume /= np.float32(normalisation.sd)
    return volume, grid


def _snapped(ratio: float) -> float:
    whole = round(ratio)
    return float(whole) if whole and abs(ratio / whole - 1) < _WHOLE else ratio
