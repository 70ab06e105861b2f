"""The outline of the bone under a click, in one slice: `contour`, but fast enough to wait for.

The bones are told apart with what the scan shows on either side of the slice, coarsely; threshold,
closing, filling and smoothing are those of `contour`, in the plane of the slice. A gap of the shell
is bridged in the plane, too, without the slices beside it: hence a larger closing radius.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .. import morphology
from ..errors import NoBoneError, ParameterError
from ..scan import Mask, Scan
from .bones import find_bone
from .contour import ContourParameters, dense_voxels, within_outline

_BEYOND_MM = 4.0  # looked at on either side of the slice, to tell bones apart
_ACROSS_MM = 20.0  # looked at about the click; the bones of the hand are up to 25 mm wide
_NEAR_MM = 1.0  # how far beside the bone a click still means it
_CLOSING_MM = 2.5  # radius of the disc; 1.5 leaves notches where the shell is weak
_CRUMB = 0.02  # of the largest dense piece; less is noise or calcified tissue, not shell
_NONE_HERE = "no bone under the click: click inside the bone, or lower the edge density"


def outline_at(
    scan: Scan,
    seed_zyx: Sequence[int],
    threshold_mg_cm3: float = ContourParameters.threshold_mg_cm3,
) -> Mask:
    """Outline the bone that a point of a slice lies in, or within 1 mm of, in this slice.

    Parameters
    ----------
    scan : Scan
        Calibrated; only the neighbourhood of the point is read.
    seed_zyx : three ints
        A voxel (index in the scan) that a person showed.
    threshold_mg_cm3 : float
        Density of the bone's edge, as for `contour` [mg HA/cm3].

    Returns
    -------
    Mask
        1 within the periosteal outline; one slice high, on its box of the scan's grid.

    Raises
    ------
    NoBoneError
        When there is no bone at the point.
    ParameterError
        When the point lies outside the scan, or what exceeds the threshold is wider than a bone.
    MissingCalibrationError
        When the scan's values cannot be turned into densities.
    """
    parameters = ContourParameters(threshold_mg_cm3, closing_mm=_CLOSING_MM, slicewise=True)
    gain, offset = scan.density_transform()
    if not gain > 0:
        raise ParameterError(f"{scan.name}: density falls as the stored values rise; see its slope")
    window = _window(scan, seed_zyx)
    part = scan.voxels[window]
    z, y, x = (s - side.start for s, side in zip(seed_zyx, window, strict=True))
    try:
        box, territory = find_bone(
            part,
            gain,
            offset,
            scan.grid.spacing_mm,
            threshold_mg_cm3,
            np.array((z, y, x)),
            parameters.separate,
            _silent,
            only=z,
        )
    except NoBoneError as error:  # it speaks of seeds and slice ranges; a person clicked
        raise NoBoneError(_NONE_HERE) from error
    dense = _dense_in_slice(part, z, box, gain, offset, scan.grid.spacing_mm, parameters)
    dense = _without_crumbs(dense & territory)
    bone = within_outline(dense, territory, scan.grid.spacing_mm, parameters, _silent)
    found = morphology.bounding_box(bone)
    at = (0, y - box[1].start, x - box[2].start)
    if found is None or morphology.nearest_voxel(bone, at, scan.grid.spacing_mm)[1] > _NEAR_MM:
        raise NoBoneError(_NONE_HERE)
    where = [slice(b.start + f.start, b.start + f.stop) for b, f in zip(box, found, strict=True)]
    _check_whole(where, window, part.shape, scan.grid.shape)
    return Mask(bone[found].astype(np.uint8), scan.grid.box(_moved(where, window)))


def _window(scan: Scan, seed_zyx) -> tuple[slice, slice, slice]:
    """The part of the scan to look at."""
    if not all(0 <= s < n for s, n in zip(seed_zyx, scan.grid.shape, strict=True)):
        raise ParameterError("the click lies outside of the scan")
    reach = (_BEYOND_MM, _ACROSS_MM, _ACROSS_MM)
    steps = [int(np.ceil(r / mm)) for r, mm in zip(reach, scan.grid.spacing_mm, strict=True)]
    return tuple(
        slice(max(0, int(s) - step), min(n, int(s) + step + 1))
        for s, step, n in zip(seed_zyx, steps, scan.grid.shape, strict=True)
    )


def _dense_in_slice(part, z, box, gain, offset, spacing_mm, parameters) -> np.ndarray:
    """Which voxels of one slice exceed the threshold, after the Gaussian in 3D."""
    halo = int(np.ceil(4 * parameters.denoise_mm / spacing_mm[0]))
    first = max(0, z - halo)
    block = part[first : z + halo + 1, box[1], box[2]]
    dense = dense_voxels(block, gain, offset, spacing_mm, parameters, _silent)
    return dense[z - first : z - first + 1]


def _without_crumbs(dense: np.ndarray) -> np.ndarray:
    """Leave pieces of the shell and of trabeculae, which a slice cuts apart; take crumbs away."""
    labels, count = ndimage.label(dense)
    sizes = morphology.component_sizes(labels, count)
    sizes[0] = 0
    return (sizes >= max(1, _CRUMB * sizes.max()))[labels] & dense


def _check_whole(where, window, part_shape, scan_shape) -> None:
    """Refuse what goes on beyond the part that was looked at."""
    for axis in (1, 2):
        cut_low = where[axis].start == 0 and window[axis].start > 0
        cut_high = where[axis].stop == part_shape[axis] and window[axis].stop < scan_shape[axis]
        if cut_low or cut_high:
            raise ParameterError("what is dense here is wider than a bone: raise the edge density")


def _moved(where, window) -> tuple[slice, ...]:
    """A box of the part, as a box of the scan."""
    return tuple(
        slice(w.start + part.start, w.stop + part.start)
        for w, part in zip(where, window, strict=True)
    )


def _silent(*_) -> None:
    """No progress: it is done before a person could read it."""
