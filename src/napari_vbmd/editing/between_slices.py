"""Filling the slices between painted ones: shape-based interpolation.

Source: Raya and Udupa 1990 (IEEE Trans Med Imaging 9:32): the signed distance to the outline is
interpolated, and the outline lies where it is zero. The shapes are moved onto each other first, so
that an oblique bone does not vanish between slices that hardly overlap.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.ndimage import distance_transform_edt, shift

from ..errors import ParameterError
from ..morphology import bounding_box

Progress = Callable[[float, str], None]


def painted_slices(mask: np.ndarray) -> np.ndarray:
    """Slices of a mask, shape (z, y, x), that hold anything; ascending."""
    return np.flatnonzero(mask.any(axis=(1, 2)))


def fill_between(
    mask: np.ndarray,
    spacing_mm: tuple[float, float, float],
    progress: Progress | None = None,
) -> np.ndarray:
    """Fill the empty slices between painted ones; a slice that holds paint stays as it is.

    Parameters
    ----------
    mask : ndarray, shape (z, y, x)
        One label; any value other than zero is painted.
    spacing_mm : tuple of float
        Along z, y, x.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    ndarray of uint8
        1 in painted and filled voxels.

    Raises
    ------
    ParameterError
        When fewer than two slices are painted, or none is empty between them.
    """
    painted = painted_slices(mask)
    gaps = [(a, b) for a, b in pairwise(painted.tolist()) if b > a + 1]
    if len(painted) < 2:
        raise ParameterError("paint the bone in two slices or more; those between are filled")
    if not gaps:
        raise ParameterError("no slice is empty between the painted ones: nothing to fill")
    filled = (mask != 0).astype(np.uint8)
    _, rows, columns = bounding_box(filled)
    section = (rows, columns)  # no outline between two lies outside the box that holds both
    for done, (first, last) in enumerate(gaps):
        if progress:
            progress(done / len(gaps), f"slices {first + 1} to {last - 1}")
        ends = (filled[first][section] != 0, filled[last][section] != 0)
        between = _between(*ends, last - first - 1, spacing_mm[1:])
        filled[first + 1 : last, rows, columns] = between
    return filled


def _between(low: np.ndarray, high: np.ndarray, count: int, spacing_mm) -> np.ndarray:
    """As many outlines between two; each moved to where the bone's middle would be."""
    middles = [np.array([index.mean() for index in np.nonzero(end)]) for end in (low, high)]
    margin = int(np.ceil(np.abs(middles[1] - middles[0]).max())) + 2
    depths = [_depth(np.pad(end, margin), spacing_mm) for end in (low, high)]
    way = middles[1] - middles[0]
    inner = (slice(margin, -margin),) * 2
    found = np.empty((count, *low.shape), bool)
    for k in range(count):
        share = (k + 1) / (count + 1)
        from_low = shift(depths[0], share * way, order=1, mode="nearest")
        from_high = shift(depths[1], (share - 1) * way, order=1, mode="nearest")
        found[k] = ((1 - share) * from_low + share * from_high)[inner] > 0
    return found


def _depth(inside: np.ndarray, spacing_mm) -> np.ndarray:
    """Depth below the outline [mm], negative outside; zero half-way between voxels."""
    half = min(spacing_mm) / 2
    within = distance_transform_edt(inside, spacing_mm) - half
    without = distance_transform_edt(~inside, spacing_mm) - half
    return np.where(inside, within, -without)
