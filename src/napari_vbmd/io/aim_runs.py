"""Run lengths of compressed AIM voxels, decoded and encoded without a loop over runs.

Binary compressed: two values, then the lengths of the runs in which they take turns; 255 is a run
of 254 that the same value follows. Char compressed: pairs of a value and the length of its run.
"""

import math

import numpy as np

_RUN_WITHOUT_TOGGLE = 254
_BLOCK = 1 << 14  # runs decoded at a time, 4 million voxels at most, so that memory stays small
_WIDEST_FRAME = 27  # times the voxels within: a frame costs no bytes, so a header may claim any
_SMALL = 1 << 22  # voxels, with which any frame may be
_SPARSE = 8  # below one voxel in so many, writing those alone beats writing all


def binary_runs(stream: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Value and length of every run of a binary-compressed stream.

    Returns
    -------
    values : ndarray of int8
    lengths : ndarray of uint8

    Raises
    ------
    ValueError
        When the stream lacks its two values.
    """
    if len(stream) < 2:
        raise ValueError("the compressed voxels are missing")
    values = np.frombuffer(stream, np.int8, 2)
    codes = np.frombuffer(stream, np.uint8)[2:]
    toggles = (codes != 255).astype(np.uint8)
    which = (np.cumsum(toggles, dtype=np.uint8) - toggles) & 1  # the sum may wrap: parity stays
    return values[which], np.minimum(codes, _RUN_WITHOUT_TOGGLE)


def char_runs(stream: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Value and length of every run of a char-compressed stream; see `binary_runs`.

    A run may be empty: AimIO begins with one wherever the first voxel is not zero.
    """
    if len(stream) % 2:
        raise ValueError("the compressed voxels end within a pair of value and length")
    pairs = np.frombuffer(stream, np.uint8).reshape(-1, 2)
    return pairs[:, 0].view(np.int8), pairs[:, 1]


def expand(values: np.ndarray, lengths: np.ndarray, total: int) -> np.ndarray:
    """The voxels of some runs, one after the other.

    Parameters
    ----------
    values : ndarray of int8
    lengths : ndarray of uint8
    total : int
        Voxels that there must be.

    Returns
    -------
    ndarray of int8, shape (total,)

    Raises
    ------
    ValueError
        When the runs cover more or fewer voxels; nothing of their size is allocated before.
    """
    covered = int(lengths.sum(dtype=np.int64))
    if covered != total:
        raise ValueError(f"the compressed voxels cover {covered} voxels instead of {total}")
    voxels, start = np.zeros(total, np.int8), 0
    for i in range(0, len(lengths), _BLOCK):
        run, length = values[i : i + _BLOCK], lengths[i : i + _BLOCK]
        stop = start + int(length.sum(dtype=np.int64))
        _fill(voxels[start:stop], run, length)
        start = stop
    return voxels


def within_frame(
    values: np.ndarray, lengths: np.ndarray, shape: tuple[int, ...], frame: tuple[int, ...]
) -> np.ndarray:
    """Runs as voxels; they cover the image within its frame, and the frame is zero.

    Parameters
    ----------
    values, lengths : ndarray
        See `expand`.
    shape : tuple of int
        Of the whole image, with its frame.
    frame : tuple of int
        Its width on both sides of each axis.

    Raises
    ------
    ValueError
        When runs, shape and frame do not fit; nothing of the image's size is allocated before.
    """
    inner = tuple(n - 2 * f for n, f in zip(shape, frame, strict=True))
    total = math.prod(inner)
    if min(inner) < 1 or min(frame) < 0 or math.prod(shape) > max(_SMALL, _WIDEST_FRAME * total):
        raise ValueError(f"a frame of {frame} voxels does not fit {shape}")
    voxels = expand(values, lengths, total).reshape(inner)
    return np.pad(voxels, [(f, f) for f in frame]) if any(frame) else voxels


def encode(
    mask: np.ndarray,
    shape: tuple[int, int, int] | None = None,
    corner: tuple[int, int, int] = (0, 0, 0),
) -> bytes:
    """The binary-compressed stream of a mask that holds one label at most, as the scanner's 127.

    Parameters
    ----------
    mask : array, shape (z, y, x)
    shape : tuple of int, optional
        Of the whole image; that of the mask when None. The whole is never held.
    corner : tuple of int
        Where in the image the mask begins; around it the image is empty.
    """
    shape = mask.shape if shape is None else shape
    changes, size = _changes(mask, shape, corner), math.prod(shape)
    begins_inside = changes.size > 0 and changes[0] == 0
    changes = changes[(changes > 0) & (changes < size)]
    edges = np.concatenate(([0], changes, [size]))
    # a run of n is as many 255 (254 voxels, no toggle) as leave 1 to 254 for the last code; a last
    # code of 0 after them would say the same, but aimio-py refuses it
    full, rest = np.divmod(np.diff(edges) - 1, _RUN_WITHOUT_TOGGLE)
    ends = np.cumsum(full + 1) - 1
    codes = np.full(int(ends[-1]) + 1, 255, np.uint8)
    codes[ends] = rest + 1
    return bytes((127, 0) if begins_inside else (0, 127)) + codes.tobytes()


def _fill(voxels: np.ndarray, values: np.ndarray, lengths: np.ndarray) -> None:
    """Write some runs into voxels that are zero."""
    set_ = np.flatnonzero(values)
    count = lengths[set_].astype(np.int64)
    written = int(count.sum())
    if written * _SPARSE > voxels.size:
        voxels[:] = np.repeat(values, lengths)
        return
    ends = np.cumsum(lengths, dtype=np.int64)[set_]
    places = np.repeat(ends - np.cumsum(count), count) + np.arange(written)
    voxels[places] = np.repeat(values[set_], count)


def _changes(mask: np.ndarray, shape, corner) -> np.ndarray:
    """Where in the whole image, voxel after voxel, inside becomes outside and back."""
    deep, high, wide = corner
    changes = [np.zeros(0, np.int64)]
    for z, plane in enumerate(mask, deep):
        rows = np.flatnonzero(plane.any(axis=1))
        if not rows.size:
            continue
        columns = np.flatnonzero(plane[rows].any(axis=0))
        left, right = columns[0], columns[-1] + 1
        # a column of air on both sides: every row begins and ends outside
        inside = np.pad(plane[rows, left:right] != 0, ((0, 0), (1, 1)))
        y, x = np.nonzero(inside[:, 1:] != inside[:, :-1])
        changes.append((z * shape[1] + rows[y] + high) * shape[2] + x + left + wide)
    found = np.concatenate(changes)
    # a run that goes on in the next row, or slice, ended and began at one place
    moved = np.diff(found, prepend=-1) != 0, np.diff(found, append=-1) != 0
    return found[moved[0] & moved[1]]
