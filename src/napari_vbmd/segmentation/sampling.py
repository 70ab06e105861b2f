"""Between a scan's voxels and those that a network sees, one axis at a time.

A network's voxel is `ratio` scan voxels wide and the two grids share their first edge, so its
centre lies at ``(i + 0.5) * ratio - 0.5`` of the scan. At a ratio of three that is every third
voxel from the second one, where trilinear interpolation gives the stored value itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..mapped import in_slabs

Places = Sequence[np.ndarray]  # along z, y, x


@dataclass(frozen=True)
class Axis:
    """One axis of a scan and of what a network sees of it.

    Parameters
    ----------
    scan : int
        Voxels of the scan.
    ratio : float
        Scan voxels to one of the network's.
    sampled : int
        Network voxels that it takes to cover the scan.
    mirrored : bool
        Whether the network sees them in reverse.
    offset : int
        Which of the sampled voxels (after mirroring) is the network's first; negative: padding.
    count : int
        Voxels that the network sees.
    """

    scan: int
    ratio: float
    sampled: int
    mirrored: bool
    offset: int
    count: int

    @classmethod
    def covering(cls, scan: int, ratio: float, mirrored: bool = False) -> "Axis":
        """The axis that just covers the scan."""
        sampled = max(1, int(np.ceil(scan / ratio - 1e-6)))
        return cls(scan, ratio, sampled, mirrored, 0, sampled)

    def window(self, start: int, count: int) -> "Axis":
        """A part of this axis, or more than all of it."""
        return replace(self, offset=self.offset + start, count=count)

    def to_scan(self) -> np.ndarray:
        """Where on the scan each of the network's voxels has its centre; padding lies outside."""
        index = np.arange(self.count) + self.offset
        if self.mirrored:
            index = self.sampled - 1 - index
        return (index + 0.5) * self.ratio - 0.5

    def from_scan(self, index: np.ndarray) -> np.ndarray:
        """Where on the network's grid voxels of the scan lie (fractions between centres)."""
        place = (np.asarray(index) + 0.5) / self.ratio - 0.5
        if self.mirrored:
            place = self.sampled - 1 - place
        return place - self.offset

    def scan_range(self, first: int, last: int) -> slice:
        """The voxels of the scan that the network's voxels first to last can reach."""
        ends = np.array([first - 1, last + 1]) + self.offset
        if self.mirrored:
            ends = self.sampled - 1 - ends[::-1]
        low, high = (ends + 0.5) * self.ratio - 0.5
        low = min(max(0, int(np.floor(low))), self.scan - 1)
        return slice(low, max(low + 1, min(self.scan, int(np.ceil(high)) + 1)))

    def padding(self) -> np.ndarray:
        """Which of the network's voxels have no counterpart on the scan, bool."""
        index = np.arange(self.count) + self.offset
        return (index < 0) | (index >= self.sampled)


def neighbours(place: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two voxels beside each place and the weight of the second; held at the ends."""
    place = np.clip(place, 0, count - 1)
    low = np.minimum(np.floor(place).astype(np.intp), max(count - 2, 0))
    weight = (place - low).astype(np.float32)
    return low, np.minimum(low + 1, count - 1), weight


def resampled(
    volume,
    places: Places,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Trilinear interpolation at the crossings of places along z, y and x.

    Parameters
    ----------
    volume : array-like, shape (z, y, x)
        Read slice by slice, so it may be a memory map.
    places : three arrays of float
        Where on the volume, along each axis; held at the ends.
    progress : callable, optional
        Called with the fraction done after each slice; may raise to cancel.

    Returns
    -------
    ndarray of float32
    """
    result = np.empty([len(place) for place in places], np.float32)
    for k, plane in enumerate(resampled_slices(volume, places)):
        result[k] = plane
        if progress:
            progress((k + 1) / len(result))
    return result


def resampled_slices(volume, places: Places) -> Iterator[np.ndarray]:
    """The slices of `resampled`, one after the other; each is a new array."""
    deep, high, wide = (neighbours(place, n) for place, n in zip(places, volume.shape, strict=True))
    for low, up, weight in in_slabs(volume, zip(*deep, strict=True)):
        plane = _in_plane(volume[low], high, wide)
        if weight:
            plane += weight * (_in_plane(volume[up], high, wide) - plane)
        yield plane


def _in_plane(plane, high, wide) -> np.ndarray:
    """A slice at the crossings of places along y and x, float32."""
    rows = _along_rows(np.asarray(plane), high)
    return _along_rows(rows.T, wide).T


def _along_rows(plane: np.ndarray, axis) -> np.ndarray:
    low, up, weight = axis
    first = plane[low].astype(np.float32)
    if weight.any():
        first += weight[:, None] * (plane[up] - first)
    return first


def area_averaged(
    mask: np.ndarray, axes: tuple[Axis, Axis, Axis], start: tuple[int, int, int] = (0, 0, 0)
) -> np.ndarray:
    """Share of each network voxel that a mask fills: the soft label a network is trained on.

    Parameters
    ----------
    mask : ndarray, shape (z, y, x)
        On the scan, or on a box of it: bool or integers of one label, or float shares (0 to 1).
    axes : three Axis
    start : tuple of int
        The box's first voxel on the scan.

    Returns
    -------
    ndarray of float32, the axes' counts
        0 in the padding along y and x; along z it goes on as the end slices, like the image.
    """
    deep, high, wide = (
        _overlaps(axis, first, n) for axis, first, n in zip(axes, start, mask.shape, strict=True)
    )
    held = np.clip(np.arange(axes[0].count), *np.flatnonzero(~axes[0].padding())[[0, -1]])
    deep = deep[held]
    high[axes[1].padding()] = 0
    wide[axes[2].padding()] = 0
    result = np.zeros((len(deep), len(high), len(wide)), np.float32)
    used = np.flatnonzero((deep > 0).any(axis=1))
    for k in used:
        slices = np.flatnonzero(deep[k])
        plane = np.tensordot(deep[k, slices], _share(mask[slices]), 1)
        result[k] = high @ plane @ wide.T
    return result


def _share(part: np.ndarray) -> np.ndarray:
    return np.asarray(part if part.dtype.kind == "f" else part != 0, np.float32)


def _overlaps(axis: Axis, start: int, count: int) -> np.ndarray:
    """Share of each network voxel (rows) that each voxel of a box (columns) makes up."""
    centres = axis.to_scan()
    low = np.clip(centres + 0.5 - axis.ratio / 2, 0, axis.scan)
    high = np.clip(centres + 0.5 + axis.ratio / 2, 0, axis.scan)
    edges = np.arange(start, start + count)
    covered = np.minimum(high[:, None], edges + 1) - np.maximum(low[:, None], edges)
    share = np.maximum(covered, 0) / np.maximum(high - low, 1e-9)[:, None]
    return share.astype(np.float32)
