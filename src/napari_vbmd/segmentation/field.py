"""The part of a volume that a network sees: around the hand, or in the middle."""

import numpy as np
from scipy import ndimage

from ..errors import NoBoneError

AIR = 0.0  # what is padded with: mu of air [1/cm], and in native units alike
TISSUE_MU_PER_CM = 0.12  # half that of water: more is hand
_BLOCK = 4  # network voxels: their mean is free of noise
_PLATE = 5  # blocks: what is thinner (5 mm) is the rest that the hand lies on
_MARGIN = 8  # network voxels of air around the hand
_CROP = 32  # edges of the crop are multiples of this


def tissue_box(volume: np.ndarray) -> tuple[slice, slice]:
    """The box along y and x around all that is not air, thin plates left out.

    Parameters
    ----------
    volume : ndarray, shape (z, y, x)
        mu [1/cm].

    Raises
    ------
    NoBoneError
        When there is nothing but air.
    """
    rows, columns = (np.arange(0, n, _BLOCK) for n in volume.shape[1:])
    sums = np.add.reduceat(volume, rows, axis=1)
    sums = np.add.reduceat(sums, columns, axis=2)
    edges = zip((rows, columns), volume.shape[1:], strict=True)
    sizes = [np.diff(np.append(at, n)) for at, n in edges]
    tissue = (sums / np.multiply.outer(*sizes) > TISSUE_MU_PER_CM).any(axis=0)
    if not tissue.any():
        raise NoBoneError(
            f"nothing here exceeds {TISSUE_MU_PER_CM:g} 1/cm: there is no hand in these slices; "
            "check the calibration and the slices"
        )
    plate = np.ones((_PLATE, _PLATE), bool)
    solid = ndimage.binary_dilation(ndimage.binary_erosion(tissue, plate, border_value=1), plate)
    tissue = solid & tissue if solid.any() else tissue
    box = []
    for axis, n in ((1, volume.shape[1]), (0, volume.shape[2])):
        used = np.flatnonzero(tissue.any(axis=axis))
        box.append(slice(int(used[0]) * _BLOCK, min((int(used[-1]) + 1) * _BLOCK, n)))
    return tuple(box)


def field_of(
    shape: tuple[int, int, int], hand: tuple[slice, slice] | None, dims: int, divisor: int
) -> tuple[slice, slice, slice]:
    """The box that the network sees, which may reach beyond the volume.

    Along y and x it holds the hand, or all where no hand was looked for; along z it holds all, up
    to a multiple of the divisor for a 3D network. Nothing of the hand is ever cut off: the networks
    take any size, and memory is looked at before.
    """
    depth = _up_to(divisor, shape[0]) if dims == 3 else shape[0]
    box = [_centred(0, shape[0], depth)]
    for n, part in zip(shape[1:], hand or (None, None), strict=True):
        start, stop = (part.start - _MARGIN, part.stop + _MARGIN) if part else (0, n)
        box.append(_centred(start, stop, _up_to(_CROP, stop - start)))
    return tuple(box)


def _up_to(divisor: int, count: int) -> int:
    return divisor * -(-count // divisor)


def _centred(start: int, stop: int, count: int) -> slice:
    """A range of a given length around the middle of another."""
    first = (start + stop - count) // 2
    return slice(first, first + count)


def cut(volume: np.ndarray, box: tuple[slice, slice, slice]) -> np.ndarray:
    """A box that may reach beyond the volume: air at the sides, the end slices along z."""
    deep = np.clip(np.arange(box[0].start, box[0].stop), 0, len(volume) - 1)
    result = np.full([s.stop - s.start for s in box], AIR, np.float32)
    target, source = [], []
    for s, n in zip(box[1:], volume.shape[1:], strict=True):
        first, last = max(s.start, 0), min(s.stop, n)
        source.append(slice(first, last))
        target.append(slice(first - s.start, last - s.start))
    for plane, k in zip(result, deep, strict=True):
        plane[tuple(target)] = volume[k][tuple(source)]
    return result
