"""Where the cortex ends and trabecular bone begins: the split of one bone into two compartments.

By two thresholds after Buie et al. 2007 (Bone 41:505), of which the first, the periosteal one, is
the mask that is given. The second finds the marrow space:

1. what is below the endosteal threshold, after a light Gaussian, is a candidate; a rim of the
   smallest cortex that the scanner shows never is,
2. pieces that are small beside the largest are pores of the cortex and go,
3. a closing slice by slice takes the trabeculae in, and all that is surrounded,
4. a Gaussian, cut at half, smooths the surface.

The marrow space is the trabecular compartment; the rest of the bone is the cortical one. The steps
are those of 10 voxels (closing) and 3 voxels (Gaussian) of 0.082 mm, here in mm. Buie et al. leave
the thresholds to the user; ours is the one above which cortical bone is segmented in Whittier et
al. 2020 (Osteoporos Int 31:1607). The result is not the scanner software's split. What of this
could be checked stands in docs/measurements.md.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ..errors import ParameterError
from ..morphology import blurred_slabs, close, component_sizes, erode, fill_holes, smooth
from ..scan import Scan

Box = tuple[slice, slice, slice]
_SMALL_PIECE = 0.1  # of the largest piece's voxels
_CUT = 0.5  # of the largest slice's area
_REACH = 4  # standard deviations of the Gaussian


@dataclass(frozen=True)
class Thresholds:
    """What the compartments rest on.

    Parameters
    ----------
    cortical_mg_cm3 : float
        Of cortical bone, and of the endosteal surface [mg HA/cm3]: 450, Whittier et al. 2020.
    trabecular_mg_cm3 : float
        Of trabecular bone [mg HA/cm3]: 320, Whittier et al. 2020.
    denoise_mm : float
        SD of the Gaussian before either: 0.8 voxels of 0.0607 mm, Whittier et al. 2020.
    closing_mm : float
        Radius of the disc that takes trabeculae in: 10 voxels of 0.082 mm, Buie et al. 2007.
    smoothing_mm : float
        SD of the Gaussian that smooths the surface: 3 voxels of 0.082 mm; not checked against the
        paper.
    rim_mm : float
        Least thickness of the cortical compartment: two voxels of 0.0607 mm, within which the
        outermost voxels are part tissue.

    Raises
    ------
    ParameterError
        When a number is not finite, a threshold not above zero, or a distance below zero.
    """

    cortical_mg_cm3: float = 450.0
    trabecular_mg_cm3: float = 320.0
    denoise_mm: float = 0.049
    closing_mm: float = 0.82
    smoothing_mm: float = 0.25
    rim_mm: float = 0.12

    def __post_init__(self):
        for name, value in asdict(self).items():
            least = "above zero" if name.endswith("mg_cm3") else "zero or more"
            right = value > 0 if name.endswith("mg_cm3") else value >= 0
            if not (np.isfinite(value) and right):
                raise ParameterError(f"{name} is {value}: it must be finite and {least}")


class Tissue(NamedTuple):
    """Voxels of a box that are denser than each of the two thresholds; bool, shape (z, y, x)."""

    above_cortical: np.ndarray
    above_trabecular: np.ndarray


def segment_tissue(scan: Scan, box: Box, inside: np.ndarray, thresholds: Thresholds) -> Tissue:
    """Threshold a box of a scan after a light Gaussian, a few slices at a time.

    Parameters
    ----------
    scan : Scan
        With a calibration; only the box and a few voxels around it are read.
    box : tuple of slice
        Of the scan.
    inside : ndarray of bool
        The bone, on the box.
    thresholds : Thresholds

    Raises
    ------
    ParameterError
        When a voxel in or beside the bone is not a finite number.
    """
    spacing, sigma = scan.grid.spacing_mm, thresholds.denoise_mm
    halo = [int(np.ceil(_REACH * sigma / mm)) for mm in spacing]
    wide = tuple(
        slice(max(0, side.start - more), min(length, side.stop + more))
        for side, more, length in zip(box, halo, scan.grid.shape, strict=True)
    )
    inner = tuple(
        slice(side.start - outer.start, side.stop - outer.start)
        for side, outer in zip(box, wide, strict=True)
    )
    to_stored = scan.density_transform().inverse()
    limits = [to_stored(t) for t in (thresholds.cortical_mg_cm3, thresholds.trabecular_mg_cm3)]
    found = Tissue(*(np.zeros(inside.shape, bool) for _ in limits))
    z, unusable = wide[0].start, 0
    for slab in blurred_slabs(scan.voxels[wide], sigma, spacing):
        for plane in slab[(slice(None), *inner[1:])]:
            at, z = z - box[0].start, z + 1
            if 0 <= at < len(inside):
                unusable += np.count_nonzero(~np.isfinite(plane) & inside[at])
                for part, limit in zip(found, limits, strict=True):
                    part[at] = plane >= limit
    if unusable:
        raise ParameterError(
            f"{scan.name}: {unusable} voxels of the bone are, or lie beside, voxels that are not "
            "finite numbers: no compartments; leave them out of the mask"
        )
    return found


def trabecular_compartment(
    inside: np.ndarray,
    dense: np.ndarray,
    spacing_mm,
    thresholds: Thresholds,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """The marrow space of a bone with the trabeculae in it.

    Parameters
    ----------
    inside : ndarray of bool, shape (z, y, x)
        What the periosteal surface encloses.
    dense : ndarray of bool, same shape
        Above the endosteal threshold.
    spacing_mm : sequence of float
        Voxel size (z, y, x) [mm].
    thresholds : Thresholds
        For the distances.
    progress : callable, optional
        Called with a fraction; may raise to cancel.

    Returns
    -------
    ndarray of bool, same shape
        Empty where there is no marrow space.
    """
    # a slice of air where the bone ends, so that the rim runs over its end too
    air = [0 if cut else 1 for cut in cut_ends(inside)]
    within = erode(np.pad(inside, (air, (0, 0), (0, 0))), thresholds.rim_mm, spacing_mm)
    within = within[air[0] : air[0] + len(inside)]
    progress(0.2)
    marrow = _large_pieces(within & ~dense)
    progress(0.3)
    marrow = close(marrow, thresholds.closing_mm, spacing_mm, slicewise=True) & within
    progress(0.6)
    marrow = fill_holes(marrow, slicewise=True) & within
    progress(0.8)
    return smooth(marrow, thresholds.smoothing_mm, spacing_mm) & within


def cut_ends(inside: np.ndarray) -> tuple[bool, bool]:
    """Whether a bone goes on beyond its first and beyond its last slice.

    Taken to be so of an end with more than half the area of the largest slice: a bone tapers where
    it ends, and the slice at its tip is small.
    """
    areas = np.count_nonzero(inside, axis=(1, 2))
    return tuple(bool(areas[end] > _CUT * areas.max()) for end in (0, -1))


def _large_pieces(mask: np.ndarray) -> np.ndarray:
    """Without the pieces that are small beside the largest; a mask may hold several bones."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = component_sizes(labels, count)
    sizes[0] = 0
    return (sizes >= _SMALL_PIECE * sizes.max())[labels]
