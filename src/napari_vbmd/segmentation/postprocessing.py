"""What is done to a mask after a network or a person made it: pure functions on arrays.

`flip_y` undoes itself; `restore_slices` undoes `drop_slices`. Closing and keeping the largest
piece lose nothing of a mask that has no holes and one piece.
"""

from collections.abc import Callable

import numpy as np
from skimage.segmentation import inverse_gaussian_gradient, morphological_geodesic_active_contour

from .. import morphology
from ..errors import ParameterError

Progress = Callable[[float, str], None]

CLOSING_MM = 0.5  # six voxels of 82 um: what closes open channels in the design's measurements
GEODESIC_MARGIN = 8  # voxels around the bone, so that the contour starts outside it
_GEODESIC_STEPS = 4  # iterations between looks at whether it still moves; fewer than the margin
_GEODESIC_SIGMA = 2.0  # voxels; of the Gaussian that turns the mask's edge into a slope
_GEODESIC_THRESHOLD = 0.8  # where the slope stops it; fixed: "auto" depends on the air in the box


def flip_y(mask: np.ndarray) -> np.ndarray:
    """Mirror along y, as left hands are before and after the network; its own inverse.

    Parameters
    ----------
    mask : array, shape (z, y, x)

    Returns
    -------
    ndarray
        A view; the y axis is that of the array itself.
    """
    return mask[:, ::-1, :]


def keep_largest(mask: np.ndarray) -> np.ndarray:
    """The largest piece (voxels joined by their faces) of a mask of one label."""
    return _with_label(mask, morphology.keep_largest)


def close_holes(
    mask: np.ndarray, spacing_mm: tuple[float, float, float], radius_mm: float = CLOSING_MM
) -> np.ndarray:
    """Close gaps up to twice the radius and fill what is then enclosed, slice by slice.

    Parameters
    ----------
    mask : array, shape (z, y, x)
        One label.
    spacing_mm : tuple of float
        Along z, y, x.
    radius_mm : float
        Of the closing ball [mm]; 0 fills enclosed holes only.

    Returns
    -------
    ndarray of uint8
        Holds the mask given, and only adds to it.
    """
    if radius_mm < 0:
        raise ParameterError(f"closing radius {radius_mm:g} mm: it must not be negative")

    def operation(inside: np.ndarray) -> np.ndarray:
        closed = morphology.close(inside, radius_mm, spacing_mm) if radius_mm else inside
        return morphology.fill_holes(closed, slicewise=True)

    return _with_label(mask, operation)


def close_holes_geodesic(
    mask: np.ndarray, iterations: int = 400, progress: Progress | None = None
) -> np.ndarray:
    """Close holes by shrinking a contour onto the bone: the published step, on the bone's box.

    A morphological geodesic active contour (Marquez-Neila et al. 2014) starts at the box around
    the bone and shrinks until it rests on the mask's edge. Folle et al. 2021 run 35 iterations
    from a box that does not follow the bone; here it runs until nothing moves. Hollows with a
    closed outline are filled first, so that only the outer edge draws the contour, and the bone is
    taken to go on beyond its first and last slice, so that the contour closes in from the sides.

    Parameters
    ----------
    mask : array, shape (z, y, x)
        One label.
    iterations : int
        At most; each moves the contour by about a voxel.
    progress : callable, optional
        Called with a fraction and a message between steps; may raise to cancel.

    Returns
    -------
    ndarray of uint8
        Holds the mask given, and only adds to it.
    """

    def operation(inside: np.ndarray) -> np.ndarray:
        box = morphology.bounding_box(inside)
        result = inside.copy()
        if box is not None:
            result[box] |= _shrink_onto(inside[box], iterations, progress)
        return result

    return _with_label(mask, operation)


def _shrink_onto(bone: np.ndarray, iterations: int, progress: Progress | None) -> np.ndarray:
    """The geodesic contour of a bone that fills its box."""
    margin = GEODESIC_MARGIN
    filled = morphology.fill_holes(bone, slicewise=True)
    padded = _continue_ends(np.pad(filled, margin))
    edges = inverse_gaussian_gradient(padded.astype(np.float32), sigma=_GEODESIC_SIGMA)
    contour = np.ones(padded.shape, np.int8)
    for done in range(0, iterations, _GEODESIC_STEPS):
        before = contour
        contour = morphological_geodesic_active_contour(
            edges, _GEODESIC_STEPS, before, threshold=_GEODESIC_THRESHOLD, balloon=-1
        )
        # else the contour would crawl in through the ends, where the bone has no edge
        contour = _continue_ends(contour)
        if np.array_equal(contour, before):
            break
        if progress:
            progress(min(1.0, (done + _GEODESIC_STEPS) / iterations), "geodesic contour")
    return contour[(slice(margin, -margin),) * 3] != 0


def _continue_ends(padded: np.ndarray) -> np.ndarray:
    """Let the first and last slice within the margin go on through it, in place."""
    padded[:GEODESIC_MARGIN] = padded[GEODESIC_MARGIN]
    padded[-GEODESIC_MARGIN:] = padded[-GEODESIC_MARGIN - 1]
    return padded


def drop_slices(mask: np.ndarray, first: int, last: int) -> np.ndarray:
    """The slices from first to last, inclusive, as a view."""
    if not 0 <= first <= last < mask.shape[0]:
        raise ParameterError(f"slices {first}:{last} leave the mask's 0 to {mask.shape[0] - 1}")
    return mask[first : last + 1]


def restore_slices(mask: np.ndarray, first: int, count: int) -> np.ndarray:
    """Put a mask of some slices back into a stack of ``count``; the others are empty.

    Undoes `drop_slices` where the dropped slices were empty.
    """
    if not 0 <= first <= first + mask.shape[0] <= count:
        raise ParameterError(
            f"{mask.shape[0]} slices from {first} on do not fit into {count} slices"
        )
    whole = np.zeros((count, *mask.shape[1:]), mask.dtype)
    whole[first : first + mask.shape[0]] = mask
    return whole


def _with_label(mask: np.ndarray, operation: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Run an operation for bool on a mask of one label, and give the result that label."""
    label = int(mask.max()) if mask.size else 0
    inside = mask != 0
    if label > 1 and np.any(inside & (mask != label)):
        raise ParameterError("the mask holds several labels; choose one of them first")
    return operation(inside).astype(np.uint8) * np.uint8(max(label, 1))
