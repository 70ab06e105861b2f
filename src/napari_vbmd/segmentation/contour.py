"""The method `contour`: the periosteal outline of one bone, by classical means and no network.

The bone is found on a coarse, blurred view of the scan, where trabecular bone is a solid and noise
is gone, and cut from the bones that it touches. Its outline is then made at full resolution, in
its box only: threshold, close the gaps of the shell, fill the marrow, take off spurs, smooth.

The steps are the usual ones of the field (threshold after a light Gaussian, close, fill; Buie et
al. 2007, Bone 41:505; Burghardt et al. 2010, Bone 47:519); how bones are told apart is our own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .. import morphology
from ..errors import NoBoneError, ParameterError
from .bones import find_bone

Progress = Callable[[float, str], object]

_BEYOND_MM = 2.0  # looked at on either side of a slice range: as far as the closing ball reaches


@dataclass(frozen=True)
class ContourParameters:
    """How to outline a bone. The defaults were chosen for HR-pQCT of finger joints.

    Parameters
    ----------
    threshold_mg_cm3 : float
        Density of the edge, mg HA/cm3, after `denoise_mm`. Default 220: half-way between the soft
        tissue beside the bone (about 50) and the subchondral plate as the scanner blurs it (about
        400). A higher one loses the thin shell of the metacarpal head.
    seed_zyx : tuple of three ints, or None
        A voxel (index in the whole scan) in or within 5 mm of the bone that is wanted. Default
        None: the largest bone.
    denoise_mm : float
        Standard deviation of the Gaussian before the threshold. Default 0.1: 1.2 to 1.6 voxels,
        which halves the noise and widens the shell by less than a voxel.
    closing_mm : float
        Radius of the ball that closes the shell. Default 1.5: twice the usual distance between
        trabeculae, so that an open shell is bridged from one trabecula to the next; the hollows
        of healthy joint surfaces are wider. An erosion of less than 3 mm is bridged as well.
    opening_mm : float
        Radius of the ball that takes off spurs after filling. Default 0.25: tails of streaks and
        calcified tendon are thinner than 0.5 mm, osteophytes are not.
    smoothing_mm : float
        Standard deviation of the Gaussian that rounds the outline. Default 0.15: two voxels.
    slicewise : bool
        Close, open and smooth every slice by itself, as some vendors do. Default False: in 3D a
        gap in one slice is bridged from the slices beside it.
    separate : bool
        Look for a neck at which two touching bones can be cut. Default True; switch it off where
        one bone is cut in two.

    Raises
    ------
    ParameterError
        If a length is negative or the threshold is not a positive number.
    """

    threshold_mg_cm3: float = 220.0
    seed_zyx: tuple[int, int, int] | None = None
    denoise_mm: float = 0.1
    closing_mm: float = 1.5
    opening_mm: float = 0.25
    smoothing_mm: float = 0.15
    slicewise: bool = False
    separate: bool = True

    def __post_init__(self):
        """Refuse values that make no sense."""
        if not 0 < self.threshold_mg_cm3 < np.inf:
            raise ParameterError(
                f"a threshold of {self.threshold_mg_cm3} mg/cm3 makes no sense: give one above 0"
            )
        for name in ("denoise_mm", "closing_mm", "opening_mm", "smoothing_mm"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ParameterError(f"{name} is {getattr(self, name)}: give 0 or more")
        if self.seed_zyx is not None and len(self.seed_zyx) != 3:
            raise ParameterError(f"the seed {self.seed_zyx} is not a voxel index (z, y, x)")


def outline(
    voxels,
    gain: float,
    offset: float,
    spacing_mm: Sequence[float],
    parameters: ContourParameters | None = None,
    slices: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Outline one bone of a scan.

    Parameters
    ----------
    voxels : array-like, shape (z, y, x)
        The scan as stored; read in slabs, so it may be a memory map. Never written to.
    gain, offset : float
        Density in mg HA/cm3 is ``gain * voxels + offset``; the gain is positive.
    spacing_mm : three floats
        Voxel size (z, y, x).
    parameters : ContourParameters
    slices : (first, last), optional
        Keep these slices only, inclusive. The bone is chosen within them; its surface there
        follows from what the scan shows up to 2 mm beyond them as well.
    progress : callable, optional
        Called with the fraction done (0 to 1) and a message. It may raise to cancel.

    Returns
    -------
    mask : uint8 array, shape (z, y, x) of a box around the bone
        1 inside the periosteal outline, trabecular bone and marrow included, and 0 outside.
    origin_zyx : three ints
        Index of the box's first voxel in the whole scan.

    Raises
    ------
    ParameterError
        If the seed or the slices lie outside the scan, gain or spacing make no sense, or the
        threshold takes in more than a bone.
    NoBoneError
        If nothing exceeds the threshold, or no bone lies near the seed.
    """
    parameters = parameters or ContourParameters()
    progress = progress or (lambda fraction, message: None)
    if not 0 < gain < np.inf:
        raise ParameterError(f"a gain of {gain} makes no sense: it must be above 0")
    first, last = _checked_slices(voxels, slices)
    seed = _checked_seed(parameters.seed_zyx, np.shape(voxels), first, last)
    beyond = int(np.ceil(_BEYOND_MM / spacing_mm[0]))
    start, stop = max(0, first - beyond), min(len(voxels), last + 1 + beyond)

    def find(part, seed):
        return find_bone(
            part,
            gain,
            offset,
            spacing_mm,
            parameters.threshold_mg_cm3,
            seed,
            parameters.separate,
            lambda fraction: progress(0.4 * fraction, "looking for the bone"),
        )

    if seed is None and stop - start > last + 1 - first:
        inside = voxels[first : last + 1]
        seed = _densest(inside, *find(inside, None))
    part = voxels[start:stop]
    box, territory = find(part, None if seed is None else np.add(seed, (first - start, 0, 0)))
    dense = dense_voxels(part[box], gain, offset, spacing_mm, parameters, progress)
    bone = morphology.keep_largest(dense & territory)
    mask = within_outline(bone, territory, spacing_mm, parameters, progress)
    mask[: max(0, first - start - box[0].start)] = False
    mask[max(0, last + 1 - start - box[0].start) :] = False

    tight = morphology.bounding_box(mask)
    if tight is None:
        raise NoBoneError("nothing is left of the bone: lower the threshold or the opening")
    progress(1.0, "outlined")
    corners = zip((start, 0, 0), box, tight, strict=True)
    return mask[tight].astype(np.uint8), tuple(s + b.start + t.start for s, b, t in corners)


def _densest(voxels, box, territory) -> np.ndarray:
    """Index of the densest voxel of a bone: a seed that leads back to it."""
    values = np.asarray(voxels[box])
    index = np.unravel_index(np.where(territory, values, values.min()).argmax(), values.shape)
    return np.add(index, [side.start for side in box])


def _checked_slices(voxels, slices) -> tuple[int, int]:
    count = np.shape(voxels)[0]
    first, last = slices or (0, count - 1)
    if not 0 <= first <= last < count:
        raise ParameterError(
            f"slices {first} to {last} are not in the scan: it has 0 to {count - 1}"
        )
    return first, last


def _checked_seed(seed_zyx, shape, first, last) -> np.ndarray | None:
    """Return the seed as an index into the chosen slices."""
    if seed_zyx is None:
        return None
    if not all(0 <= index < length for index, length in zip(seed_zyx, shape, strict=True)):
        raise ParameterError(f"the seed {seed_zyx} is outside the scan of {shape} voxels (z, y, x)")
    if not first <= seed_zyx[0] <= last:
        raise ParameterError(f"the seed {seed_zyx} is outside the slices {first} to {last}")
    return np.subtract(seed_zyx, (first, 0, 0))


def dense_voxels(block, gain, offset, spacing_mm, parameters, progress) -> np.ndarray:
    """Return which voxels of a part of the scan exceed the threshold after a light Gaussian."""
    threshold = (parameters.threshold_mg_cm3 - offset) / gain
    dense = np.empty(block.shape, bool)
    done = 0
    for slab in morphology.blurred_slabs(block, parameters.denoise_mm, spacing_mm):
        dense[done : done + len(slab)] = slab > threshold
        done += len(slab)
        progress(0.4 + 0.3 * done / len(block), "finding the edge")
    return dense


def within_outline(dense, territory, spacing_mm, parameters, progress) -> np.ndarray:
    """Turn the dense voxels of a bone into all that its outline encloses, in its territory."""
    slicewise = parameters.slicewise
    progress(0.7, "closing the shell")
    bone = morphology.close(dense, parameters.closing_mm, spacing_mm, slicewise)
    progress(0.8, "filling the marrow")
    bone = _fill_marrow(bone, territory)
    progress(0.9, "smoothing")
    bone = morphology.open_(bone, parameters.opening_mm, spacing_mm, slicewise)
    bone = morphology.smooth(bone, parameters.smoothing_mm, spacing_mm, slicewise)
    return morphology.keep_largest(bone & territory)


def _fill_marrow(bone, territory) -> np.ndarray:
    """Fill hollows slice by slice, so that a wide gap in the shell costs its own slices only.

    A hollow that holds part of another bone is no marrow but a joint, and stays open.
    """
    hollows, count = ndimage.label(morphology.fill_holes(bone, slicewise=True) & ~bone)
    marrow = np.ones(count + 1, bool)
    marrow[np.unique(hollows[~territory])] = False
    marrow[0] = False
    return bone | marrow[hollows]
