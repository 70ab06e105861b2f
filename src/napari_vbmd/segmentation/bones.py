"""Tell one bone of a scan from the others, on a coarse and blurred view.

There trabecular bone is a solid, noise is gone, and a joint space still shows. Two bones that touch
are parted by raising the level until the contact gives way; what belongs to which is then decided
by flooding, so that the border runs along the valley of the density between them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from .. import morphology
from ..errors import NoBoneError, ParameterError

_COARSE_MM = 0.25  # between trabeculae (0.6 mm apart) and the joint space (1 mm or more)
_COARSE_LEVEL = 0.7  # of the threshold: what trabecular bone still has after the coarse blur
_LEVELS = np.geomspace(1.1, 2.5, 10)  # times the coarse level: tried to part two bones
_SMALLEST_BONE = 0.01  # of the largest one; less is a crumb, a calcification or noise
_SMALLEST_PART = 0.1  # of the larger part, for two bones to be thought of
_WIDEST_NECK = 0.5  # area of the contact over the mean cross-section of the smaller part
_SEED_REACH_MM = 5.0  # a seed in the middle of the marrow is this far from bone at most
_MARGIN_MM = 2.0
_WIDEST_BONE_MM = 60.0  # across the finger; wider than any bone of the hand


def find_bone(
    voxels,
    gain: float,
    offset: float,
    spacing_mm: Sequence[float],
    threshold_mg_cm3: float,
    seed_zyx: Sequence[float] | None,
    separate: bool,
    progress: Callable[[float], object],
    only: int | None = None,
) -> tuple[tuple[slice, ...], np.ndarray]:
    """Return a box around the bone, and where in the box a voxel can belong to it.

    Parameters
    ----------
    voxels : array-like, shape (z, y, x)
        Read with strides, in slabs. Density in mg HA/cm3 is ``gain * voxels + offset``.
    gain, offset : float
    spacing_mm : three floats
    threshold_mg_cm3 : float
        Density of the edge of bone at full resolution.
    seed_zyx : three numbers, or None
        Voxel index in or near the bone; None for the largest.
    separate : bool
        Whether to cut off bones that touch it.
    progress : callable
        Called with the fraction done, 0 to 1; may raise to cancel.
    only : int, optional
        The slice that box and territory are wanted of; the other slices help to tell the bones
        apart. Fast: nothing but this slice is made at full resolution.

    Returns
    -------
    box : three slices
    territory : bool array, shape of the box
        False where another bone is nearer.

    Raises
    ------
    NoBoneError
        If there is no bone, none near the seed, or none in the only slice that is wanted.
    ParameterError
        If the threshold takes in more than a bone.
    """
    step = np.maximum(np.rint(_COARSE_MM / np.asarray(spacing_mm)), 1).astype(int)
    coarse_mm = step * spacing_mm
    density = _coarse_density(voxels, gain, offset, step, coarse_mm, progress)
    level = _COARSE_LEVEL * threshold_mg_cm3
    bones = _components(density > level, _SMALLEST_BONE) > 0
    if not bones.any():
        raise NoBoneError(
            f"no bone reaches {threshold_mg_cm3:g} mg/cm3 here: lower the threshold, or check "
            "the calibration and the slices"
        )
    own, anchor = _choose(bones, None if seed_zyx is None else seed_zyx / step, coarse_mm)
    if separate:
        own = _cut_at_necks(density, own, anchor, level, coarse_mm)
    _check_width(own, coarse_mm, threshold_mg_cm3)
    others = bones & ~morphology.fill_holes(own)  # an island in the marrow is no other bone
    return _territory(density, own, others, step, spacing_mm, voxels.shape, only)


def _coarse_density(voxels, gain, offset, step, coarse_mm, progress) -> np.ndarray:
    view = voxels[tuple(slice(None, None, stride) for stride in step)]
    density = np.empty(view.shape, np.float32)
    done = 0
    for slab in morphology.blurred_slabs(view, _COARSE_MM, coarse_mm):
        density[done : done + len(slab)] = gain * slab + offset
        done += len(slab)
        progress(done / len(view))
    return density


def _choose(bones, seed, coarse_mm) -> tuple[np.ndarray, tuple[int, int, int] | None]:
    """Return the bone at the seed and its voxel nearest to it; the largest and None without."""
    if seed is None:
        return morphology.keep_largest(bones), None
    anchor, distance_mm = morphology.nearest_voxel(bones, seed, coarse_mm)
    if distance_mm > _SEED_REACH_MM:
        raise NoBoneError(
            f"the nearest bone is {distance_mm:.1f} mm from the seed: put the seed into the bone"
        )
    return morphology.keep_nearest(bones, anchor, coarse_mm), anchor


def _check_width(own, coarse_mm, threshold_mg_cm3) -> None:
    """Stop before the rest of a hand is worked on at full resolution, which takes gigabytes."""
    box = morphology.bounding_box(own)
    width_mm = max((box[axis].stop - box[axis].start) * coarse_mm[axis] for axis in (1, 2))
    if width_mm > _WIDEST_BONE_MM:
        raise ParameterError(
            f"what exceeds {threshold_mg_cm3:g} mg/cm3 is {width_mm:.0f} mm wide, which is no bone "
            "of the hand: raise the threshold, or check the calibration"
        )


def _cut_at_necks(density, own, anchor, lowest, coarse_mm) -> np.ndarray:
    """Cut off the bones that touch the one holding the anchor (None: the largest part).

    The level is raised until the bone falls apart, and the parts are grown back along the density.
    Bones that touch have a narrow contact; a bone that merely thins out somewhere has a wide one.
    """
    box = morphology.bounding_box(own)
    density, bone = density[box], own[box]
    if anchor is not None:
        anchor = tuple(a - side.start for a, side in zip(anchor, box, strict=True))
    for level in _LEVELS * lowest:
        cores = _components(bone & (density > level), _SMALLEST_PART)
        if cores.max() < 2:
            continue
        parts = watershed(-density, cores, mask=bone)
        kept = parts == (parts[anchor] if anchor else np.bincount(parts[bone]).argmax())
        if _neck(kept, bone & ~kept, coarse_mm) < _WIDEST_NECK:
            bone = kept
    result = np.zeros_like(own)
    result[box] = bone
    return result


def _components(mask, smallest: float) -> np.ndarray:
    """Label the components that have at least a fraction of the largest one's voxels."""
    labels, count = ndimage.label(mask)
    sizes = morphology.component_sizes(labels, count)
    sizes[0] = 0
    large = sizes >= max(smallest * sizes.max(), 1)
    return (np.cumsum(large, dtype=np.int32) * large)[labels]


def _neck(one, two, spacing_mm) -> float:
    """Return the contact area of two parts over the mean cross-section of the smaller one."""
    voxel_mm3 = np.prod(spacing_mm)
    contact_mm2 = 0.0
    for axis, mm in enumerate(spacing_mm):
        here, there = np.moveaxis(one, axis, 0), np.moveaxis(two, axis, 0)
        faces = (here[1:] & there[:-1]) | (there[1:] & here[:-1])
        contact_mm2 += np.count_nonzero(faces) * voxel_mm3 / mm
    smaller = min(one, two, key=np.count_nonzero)
    box = morphology.bounding_box(smaller)
    length_mm = max((side.stop - side.start) * mm for side, mm in zip(box, spacing_mm, strict=True))
    return contact_mm2 * length_mm / (np.count_nonzero(smaller) * voxel_mm3)


def _territory(density, own, others, step, spacing_mm, shape, only):
    """Return the bone's box at full resolution, and in it the bone's side of the valleys."""
    margin = np.ceil(_MARGIN_MM / (step * spacing_mm)).astype(int)
    if only is not None:
        own = _near(own, only // step[0], margin[0] // 2)
        margin[0] = 0
        if not own.any():
            raise NoBoneError("the bone does not reach this slice")
    coarse_box = morphology.bounding_box(own, margin)
    markers = own[coarse_box] + 2 * others[coarse_box].astype(np.int32)
    ours = watershed(-density[coarse_box], markers) == 1
    box, nearest = [], []
    for side, stride, length, coarse in zip(coarse_box, step, shape, own.shape, strict=True):
        stop = length if side.stop == coarse else side.stop * stride
        box.append(slice(int(side.start * stride), int(stop)))
        index = np.rint(np.arange(box[-1].start, stop) / stride).astype(int)
        nearest.append(np.minimum(index, side.stop - 1) - side.start)
    if only is not None:
        if not box[0].start <= only < box[0].stop:
            raise NoBoneError("the bone does not reach this slice")
        nearest[0] = nearest[0][[only - box[0].start]]
        box[0] = slice(only, only + 1)
    territory = ours[np.ix_(*nearest)]
    return tuple(box), morphology.smooth(territory, _COARSE_MM, spacing_mm, only is not None)


def _near(own, z: int, reach: int) -> np.ndarray:
    """The bone in the slices about one of them: enough for the valleys there."""
    part = np.zeros_like(own)
    part[max(0, z - reach) : z + reach + 1] = own[max(0, z - reach) : z + reach + 1]
    return part
