"""Mask operations in physical units.

Every function takes a mask (bool, or integers where nonzero means inside; axes z, y, x), leaves it
unchanged and returns a new bool array of the same shape. Distances are millimetres, so a ball stays
a ball where slices are thicker than pixels are wide.

Only the bounding box of the mask is ever worked on, and wherever floating point is needed it holds
a few slices at a time: a whole hand of 1536 x 1536 x 240 voxels costs no float volume.

What lies beyond the array: at the first and last slice a bone is cut by the scan and goes on, so
there its end slice is taken to continue; at the sides there is nothing but air.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import ndimage

Box = tuple[slice, ...]

_SLAB_SLICES = 16
_GAUSSIAN_REACH = 4.0  # standard deviations; beyond them less than 1e-4 of the weight is left


def bounding_box(mask, margin: int | Sequence[int] = 0) -> Box | None:
    """Return the smallest box that holds the mask, or None where the mask is empty.

    Parameters
    ----------
    mask : array-like, shape (z, y, x)
        Read one slice at a time, so a memory map is never loaded whole.
    margin : int or three ints
        Voxels to add on every side, per axis; the box never leaves the array.

    Returns
    -------
    tuple of three slices, or None
    """
    slices, rows, columns = (np.zeros(n, bool) for n in _shape(mask))
    for z, plane in enumerate(mask):
        rows_here = np.asarray(plane).any(axis=1)
        if rows_here.any():
            slices[z] = True
            rows |= rows_here
            columns |= np.asarray(plane)[_span(rows_here)].any(axis=0)
    if not slices.any():
        return None
    margins = np.broadcast_to(margin, 3).tolist()
    return tuple(_span(used, extra) for used, extra in zip((slices, rows, columns), margins))


def dilate(mask, radius_mm: float, spacing_mm: Sequence[float], slicewise: bool = False):
    """Add every voxel whose centre lies within `radius_mm` of the mask.

    Parameters
    ----------
    mask : array, shape (z, y, x)
    radius_mm : float
        Radius of the ball, at least 0.
    spacing_mm : three floats
        Voxel size (z, y, x).
    slicewise : bool
        Use a disc in every slice instead of a ball.

    Returns
    -------
    bool array, shape (z, y, x)

    Raises
    ------
    ParameterError
        If the radius is negative, a spacing is not positive or the mask is not a volume.
    """
    reach = _reach(radius_mm, spacing_mm, slicewise)
    return _inside_box(mask, reach, lambda block: _dilate(block, radius_mm, spacing_mm, slicewise))


def erode(mask, radius_mm: float, spacing_mm: Sequence[float], slicewise: bool = False):
    """Remove every voxel whose centre lies within `radius_mm` of the outside.

    The first and last slice of the scan are not an outside: a bone cut by the scan keeps its ends.
    Parameters, returns and raises as in `dilate`.
    """
    _reach(radius_mm, spacing_mm, slicewise)
    return _inside_box(mask, 1, lambda block: _erode(block, radius_mm, spacing_mm, slicewise))


def close(mask, radius_mm: float, spacing_mm: Sequence[float], slicewise: bool = False):
    """Fill gaps and notches narrower than a ball of `radius_mm`; never removes a voxel.

    Parameters, returns and raises as in `dilate`.
    """
    reach = _reach(radius_mm, spacing_mm, slicewise)

    def closed(block):
        grown = _dilate(_pad(block, reach), radius_mm, spacing_mm, slicewise)
        return _crop(_erode(grown, radius_mm, spacing_mm, slicewise), reach)

    return _inside_box(mask, 1, closed)


def open_(mask, radius_mm: float, spacing_mm: Sequence[float], slicewise: bool = False):
    """Remove spurs and bridges thinner than a ball of `radius_mm`; never adds a voxel.

    Parameters, returns and raises as in `dilate`.
    """
    reach = _reach(radius_mm, spacing_mm, slicewise)

    def opened(block):
        core = _erode(_pad(block, reach), radius_mm, spacing_mm, slicewise)
        return _crop(_dilate(core, radius_mm, spacing_mm, slicewise), reach)

    return _inside_box(mask, 1, opened)


def fill_holes(mask, slicewise: bool = False):
    """Fill every hollow that does not reach the air at the sides.

    Parameters
    ----------
    mask : array, shape (z, y, x)
    slicewise : bool
        Look at every slice by itself: a hollow is then whatever a closed outline surrounds. In 3D a
        hollow that the first or last slice of the scan cuts open is a hollow still, as marrow is;
        one that opens anywhere else, to a side or to an empty slice, is not.

    Returns
    -------
    bool array, shape (z, y, x)

    Raises
    ------
    ParameterError
        If the mask is not a volume.
    """
    return _inside_box(mask, 1, lambda block: _fill(block, slicewise))


def keep_largest(mask):
    """Keep the component (voxels joined by their faces) with the most voxels.

    Parameters
    ----------
    mask : array, shape (z, y, x)

    Returns
    -------
    bool array, shape (z, y, x); empty where the mask is

    Raises
    ------
    ParameterError
        If the mask is not a volume.
    """

    def largest(block):
        labels, count = ndimage.label(block)
        # Slice by slice: a count over a whole volume would copy it to eight bytes a voxel.
        sizes = sum(np.bincount(plane.ravel(), minlength=count + 1) for plane in labels)
        return labels == 1 + sizes[1:].argmax()

    return _inside_box(mask, 0, largest)


def keep_nearest(mask, seed_zyx: Sequence[float], spacing_mm: Sequence[float]):
    """Keep the component (voxels joined by their faces) that holds or lies nearest to the seed.

    Parameters
    ----------
    mask : array, shape (z, y, x)
    seed_zyx : three numbers
        Voxel index in the array; it may lie outside the mask.
    spacing_mm : three floats
        Voxel size (z, y, x).

    Returns
    -------
    bool array, shape (z, y, x); empty where the mask is

    Raises
    ------
    ParameterError
        If a spacing is not positive or the mask is not a volume.
    """
    _reach(0, spacing_mm, False)
    box = bounding_box(mask)
    if box is None:
        return np.zeros(_shape(mask), bool)
    seed = np.subtract(seed_zyx, [side.start for side in box])

    def nearest(block):
        labels, _ = ndimage.label(block)
        return labels == labels[nearest_voxel(block, seed, spacing_mm)[0]]

    return _inside_box(mask, 0, nearest)


def nearest_voxel(mask, seed_zyx: Sequence[float], spacing_mm: Sequence[float]):
    """Return the index of the mask's voxel nearest to the seed, and its distance in mm.

    Parameters as in `keep_nearest`. An empty mask gives None at an infinite distance.
    """
    found, shortest = None, np.inf
    for z, plane in enumerate(mask):
        rows, columns = np.nonzero(plane)
        if not rows.size:
            continue
        offsets = [(axis - s) * mm for axis, s, mm in zip((z, rows, columns), seed_zyx, spacing_mm)]
        squared = sum(np.square(offset) for offset in offsets)
        best = squared.argmin()
        if squared[best] < shortest:
            found, shortest = (z, int(rows[best]), int(columns[best])), squared[best]
    return found, float(np.sqrt(shortest))


def smooth(mask, sigma_mm: float, spacing_mm: Sequence[float], slicewise: bool = False):
    """Round the outline: a Gaussian of the mask, cut at one half.

    Parameters
    ----------
    mask : array, shape (z, y, x)
    sigma_mm : float
        Standard deviation of the Gaussian, at least 0.
    spacing_mm : three floats
        Voxel size (z, y, x).
    slicewise : bool
        Smooth every slice by itself.

    Returns
    -------
    bool array, shape (z, y, x)

    Raises
    ------
    ParameterError
        If sigma is negative, a spacing is not positive or the mask is not a volume.
    """
    sigma = _sigma_voxels(sigma_mm, spacing_mm, slicewise)
    margin = _gaussian_reach(sigma)

    def smoothed(block):
        return np.concatenate([slab >= 0.5 for slab in blurred_slabs(block, sigma)])

    return _inside_box(mask, margin, smoothed)


def blurred_slabs(volume, sigma_voxels: Sequence[float]) -> Iterator[np.ndarray]:
    """Yield the volume after a Gaussian, as float32, a few slices at a time from first to last.

    Parameters
    ----------
    volume : array-like, shape (z, y, x)
        May be memory-mapped: only the slices that are needed are read.
    sigma_voxels : three floats
        Standard deviations (z, y, x) in voxels.
    """
    count = len(volume)
    halo = _gaussian_reach(sigma_voxels)[0]
    for first in range(0, count, _SLAB_SLICES):
        last = min(first + _SLAB_SLICES, count)
        start = max(first - halo, 0)
        slab = np.asarray(volume[start : last + halo], np.float32)
        ndimage.gaussian_filter(
            slab, sigma_voxels, output=slab, mode="nearest", truncate=_GAUSSIAN_REACH
        )
        yield slab[first - start : last - start]


def _inside_box(mask, margin, operation: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply an operation on bool blocks to the mask's bounding box; empty stays empty."""
    result = np.zeros(_shape(mask), bool)
    box = bounding_box(mask, margin)
    if box is not None:
        result[box] = operation(np.asarray(mask[box]) != 0)
    return result


def _dilate(block, radius_mm, spacing_mm, slicewise) -> np.ndarray:
    """Dilate with a ball, from the plane distances of the slices around each slice.

    This is the three-dimensional distance transform cut at the radius, without holding it: a voxel
    is reached when squared distance in some slice plus squared distance to that slice is small.
    """
    reach = _reach(radius_mm, spacing_mm, slicewise)[0]
    limit = (radius_mm * (1 + 1e-6)) ** 2  # a centre exactly on the ball is inside it
    result = np.zeros_like(block)
    planes = deque(maxlen=2 * reach + 1)
    for ahead in range(len(block) + reach):
        inside = ahead < len(block) and block[ahead].any()
        planes.append(_squared_plane_distance(block[ahead], spacing_mm) if inside else None)
        for z, squared in enumerate(planes, ahead - len(planes) + 1):
            pass
    return result
