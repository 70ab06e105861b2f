"""Mask operations in physical units.

Every operation takes a mask (bool, or integers where nonzero means inside; axes z, y, x), leaves it
unchanged and returns a new bool array of the same shape; an empty mask stays empty. Distances are
millimetres and `spacing_mm` is the voxel size (z, y, x), so a ball stays a ball where slices are
thicker than pixels are wide. `slicewise` treats every slice by itself, with a disc for the ball. A
distance below zero, a spacing that is not positive and an array without three axes raise
`ParameterError`. Work and memory follow the bounding box of the mask, and floating point never
holds more than a few slices: a scan of 1536 x 1536 x 240 voxels costs no float volume.

What lies beyond the array: a bone is cut by the first and last slice of the scan and goes on there,
so the end slices are taken to continue; at the sides there is nothing but air.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import ndimage

from .errors import ParameterError
from .mapped import release_pages

Spacing = Sequence[float]

_SLAB_SLICES = 16
_GAUSSIAN_REACH = 4.0  # standard deviations; less than 1e-4 of the weight lies beyond


def bounding_box(mask, margin: int | Sequence[int] = 0) -> tuple[slice, ...] | None:
    """Return the smallest box that holds the mask, or None where the mask is empty.

    `margin` voxels (one number, or one per axis) are added on every side, but the box never leaves
    the array. The mask is read one slice at a time, so a memory map is never loaded whole.
    """
    used = [np.zeros(length, bool) for length in _shape(mask)]
    for z, plane in enumerate(mask):
        rows = np.asarray(plane).any(axis=1)
        if rows.any():
            used[0][z] = True
            used[1] |= rows
            used[2] |= np.asarray(plane)[_span(rows)].any(axis=0)
    if not used[0].any():
        return None
    margins = np.broadcast_to(margin, 3)
    return tuple(_span(axis, extra) for axis, extra in zip(used, margins, strict=True))


def dilate(mask, radius_mm: float, spacing_mm: Spacing, slicewise: bool = False) -> np.ndarray:
    """Add every voxel whose centre lies within `radius_mm` of the centre of one in the mask."""
    reach = _reach(radius_mm, spacing_mm, slicewise)
    return _inside_box(mask, reach, lambda block: _dilate(block, radius_mm, spacing_mm, reach[0]))


def erode(mask, radius_mm: float, spacing_mm: Spacing, slicewise: bool = False) -> np.ndarray:
    """Remove every voxel whose centre lies within `radius_mm` of the centre of one outside.

    The ends of the scan are not an outside: a bone that is cut there keeps its end slices.
    """
    reach = _reach(radius_mm, spacing_mm, slicewise)
    return _inside_box(mask, 1, lambda block: _erode(block, radius_mm, spacing_mm, reach[0]))


def close(mask, radius_mm: float, spacing_mm: Spacing, slicewise: bool = False) -> np.ndarray:
    """Fill gaps and notches that a ball of `radius_mm` cannot enter; never remove a voxel."""
    return _in_turn((_dilate, _erode), mask, radius_mm, spacing_mm, slicewise)


def open_(mask, radius_mm: float, spacing_mm: Spacing, slicewise: bool = False) -> np.ndarray:
    """Remove spurs and bridges that a ball of `radius_mm` does not fit into; never add a voxel."""
    return _in_turn((_erode, _dilate), mask, radius_mm, spacing_mm, slicewise)


def fill_holes(mask, slicewise: bool = False) -> np.ndarray:
    """Fill every hollow from which no path, face to face, leads to the air at the sides.

    Slice by slice a hollow is whatever a closed outline surrounds. In 3D a hollow that is cut open
    by the first or last slice of the scan, as marrow is, is a hollow still; one that opens to a
    side, or to an empty slice beyond the mask's own end, is not.
    """
    neighbours = ndimage.generate_binary_structure(3, 1)
    if slicewise:
        neighbours[[0, 2]] = False

    def filled(block):
        hollows, _ = ndimage.label(~_pad(block, (0, 1, 1)), neighbours)
        air = hollows[:, :1, :1]  # a corner of the frame that _pad put around each slice
        return _crop(hollows != air, (0, 1, 1))

    return _inside_box(mask, 1, filled)


def keep_largest(mask) -> np.ndarray:
    """Keep the component (voxels joined by their faces) with the most voxels."""

    def largest(block):
        labels, count = ndimage.label(block)
        return labels == 1 + component_sizes(labels, count)[1:].argmax()

    return _inside_box(mask, 0, largest)


def keep_nearest(mask, seed_zyx: Sequence[float], spacing_mm: Spacing) -> np.ndarray:
    """Keep the component (voxels joined by their faces) that holds or lies nearest to the seed.

    `seed_zyx` is an index, which may lie outside the array.
    """
    nearest, _ = nearest_voxel(mask, seed_zyx, spacing_mm)
    if nearest is None:
        return np.zeros(_shape(mask), bool)
    corner = [side.start for side in bounding_box(mask)]

    def holding_nearest(block):
        labels, _ = ndimage.label(block)
        return labels == labels[tuple(np.subtract(nearest, corner))]

    return _inside_box(mask, 0, holding_nearest)


def smooth(mask, sigma_mm: float, spacing_mm: Spacing, slicewise: bool = False) -> np.ndarray:
    """Round the outline: a Gaussian of the mask with standard deviation `sigma_mm`, cut at half."""

    def smoothed(block):
        slabs = blurred_slabs(block, sigma_mm, spacing_mm, slicewise)
        return np.concatenate([slab > 0.5 for slab in slabs])

    _, margin = _gaussian(sigma_mm, spacing_mm, slicewise)
    return _inside_box(mask, margin, smoothed)


def nearest_voxel(mask, seed_zyx: Sequence[float], spacing_mm: Spacing):
    """Return the mask's voxel (index) nearest to the seed, or None, and its distance in mm."""
    _shape(mask)
    _reach(0, spacing_mm, False)
    found, shortest = None, np.inf
    for z, plane in enumerate(mask):
        rows, columns = np.nonzero(plane)
        if not rows.size:
            continue
        steps = zip((z, rows, columns), seed_zyx, spacing_mm, strict=True)
        squared = sum(np.square((index - seed) * mm) for index, seed, mm in steps)
        best = squared.argmin()
        if squared[best] < shortest:
            found, shortest = (z, int(rows[best]), int(columns[best])), squared[best]
    return found, float(np.sqrt(shortest))


def component_sizes(labels: np.ndarray, count: int) -> np.ndarray:
    """Count the voxels of labels 0 to `count`, by slices: bincount copies what it counts."""
    return sum(np.bincount(plane.ravel(), minlength=count + 1) for plane in labels)


def blurred_slabs(volume, sigma_mm: float, spacing_mm: Spacing, slicewise=False) -> Iterator:
    """Yield the volume after a Gaussian, as float32, a few slices at a time from first to last.

    `volume` is array-like with axes z, y, x; of a memory map only the slices in turn are read.
    """
    sigma, (halo, _, _) = _gaussian(sigma_mm, spacing_mm, slicewise)
    for first in range(0, len(volume), _SLAB_SLICES):
        last = min(first + _SLAB_SLICES, len(volume))
        start = max(first - halo, 0)
        slab = np.array(volume[start : last + halo], np.float32)  # a copy, to be blurred in place
        release_pages(volume)
        ndimage.gaussian_filter(slab, sigma, output=slab, mode="nearest", truncate=_GAUSSIAN_REACH)
        yield slab[first - start : last - start]


def outer_surface(
    mask, spacing_mm: Spacing, pitch_mm: float = 0.25
) -> tuple[np.ndarray, np.ndarray]:
    """Return the surface of a mask as a mesh of triangles, to be looked at.

    The mask is averaged over cubes of about `pitch_mm` first, so that a mesh of a bone has some ten
    thousand triangles and no steps; nothing is measured on it. Ends cut by the scan are closed.

    Parameters
    ----------
    mask : array of bool or integers, shape (z, y, x)
    spacing_mm : sequence of float
        Voxel size (z, y, x) [mm].
    pitch_mm : float
        Of the mesh [mm]; never finer than the voxels.

    Returns
    -------
    vertices : ndarray of float32, shape (n, 3)
        z, y, x [mm] from the middle of voxel (0, 0, 0).
    faces : ndarray of int, shape (m, 3)
        Indices into `vertices`. Both are empty for an empty mask.
    """
    from skimage.measure import block_reduce, marching_cubes  # takes half a second to import

    _reach(pitch_mm, spacing_mm, False)
    box = bounding_box(mask)
    if box is None:
        return np.empty((0, 3), np.float32), np.empty((0, 3), int)
    steps = tuple(max(1, round(pitch_mm / mm)) for mm in spacing_mm)
    share = block_reduce(np.asarray(mask[box]) != 0, steps, np.mean).astype(np.float32)
    pitch = [step * mm for step, mm in zip(steps, spacing_mm, strict=True)]
    vertices, faces, _, _ = marching_cubes(np.pad(share, 1), 0.5, spacing=pitch)
    # the first cube's middle, less the cube of air that was put before it
    corner = [
        (side.start + (step - 1) / 2) * mm - cube
        for side, step, mm, cube in zip(box, steps, spacing_mm, pitch, strict=True)
    ]
    return (vertices + corner).astype(np.float32), faces


def _inside_box(mask, margin, operation: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply an operation on bool blocks to the mask's bounding box."""
    result = np.zeros(_shape(mask), bool)
    box = bounding_box(mask, margin)
    if box is not None:
        result[box] = operation(np.asarray(mask[box]) != 0)
    return result


def _in_turn(steps, mask, radius_mm, spacing_mm, slicewise) -> np.ndarray:
    """Apply block operations with enough room around the mask that none feels the box."""
    reach = _reach(radius_mm, spacing_mm, slicewise)

    def operation(block):
        block = _pad(block, reach)
        for step in steps:
            block = step(block, radius_mm, spacing_mm, reach[0])
        return _crop(block, reach)

    return _inside_box(mask, 1, operation)


def _dilate(block, radius_mm, spacing_mm, reach_slices) -> np.ndarray:
    """Dilate slice by slice: a voxel is reached where (distance in plane)2 + (rise)2 <= radius2.

    This is the 3D distance transform cut at the radius, without ever holding it.
    """
    limit = (radius_mm * (1 + 1e-6)) ** 2  # a centre exactly on the ball counts
    result = np.zeros_like(block)
    for z, plane in enumerate(block):
        if not plane.any():
            continue
        squared = ndimage.distance_transform_edt(~plane, spacing_mm[1:]).astype(np.float32) ** 2
        for rise in range(reach_slices + 1):
            reached = squared <= np.float32(limit - (rise * spacing_mm[0]) ** 2)
            for target in {z - rise, z + rise}.intersection(range(len(block))):
                result[target] |= reached
    return result


def _erode(block, radius_mm, spacing_mm, reach_slices) -> np.ndarray:
    """Dilate the outside, which begins just beyond the sides of the block but not at its ends."""
    outside = ~_pad(block, (0, 1, 1))
    return ~_crop(_dilate(outside, radius_mm, spacing_mm, reach_slices), (0, 1, 1))


def _pad(block, widths) -> np.ndarray:
    """Let the end slices go on along z, and put air around the sides."""
    deep, high, wide = widths
    block = np.pad(block, ((0, 0), (high, high), (wide, wide)))
    return np.pad(block, ((deep, deep), (0, 0), (0, 0)), mode="edge")


def _crop(block, widths) -> np.ndarray:
    sides = zip(widths, block.shape, strict=True)
    return block[tuple(slice(width, length - width) for width, length in sides)]


def _reach(distance_mm, spacing_mm, slicewise) -> tuple[int, int, int]:
    """Return how many voxels (z, y, x) a distance spans, having checked that it makes sense."""
    if not distance_mm >= 0 or not np.isfinite(distance_mm):
        raise ParameterError(f"a distance of {distance_mm} mm makes no sense: give 0 or more")
    if len(spacing_mm) != 3 or not all(mm > 0 for mm in spacing_mm):
        raise ParameterError(f"spacing {spacing_mm} is not three positive sizes in mm (z, y, x)")
    z, y, x = (int(distance_mm * (1 + 1e-6) / mm) for mm in spacing_mm)
    return (0 if slicewise else z, y, x)


def _gaussian(sigma_mm, spacing_mm, slicewise) -> tuple[list[float], list[int]]:
    """Return a Gaussian's standard deviations (z, y, x) in voxels, and how far it reaches."""
    _reach(sigma_mm, spacing_mm, slicewise)
    z, y, x = (sigma_mm / mm for mm in spacing_mm)
    sigma = [0.0 if slicewise else z, y, x]
    return sigma, [int(np.ceil(_GAUSSIAN_REACH * voxels)) for voxels in sigma]


def _shape(mask) -> tuple[int, int, int]:
    if np.ndim(mask) != 3:
        raise ParameterError(f"the mask has {np.ndim(mask)} axes, not 3: give it as (z, y, x)")
    return mask.shape


def _span(used, margin: int = 0) -> slice:
    """Return the slice from the first to the last true value, widened and clipped."""
    first, last = np.flatnonzero(used)[[0, -1]].tolist()
    return slice(max(first - int(margin), 0), min(last + 1 + int(margin), len(used)))
