"""The run lengths of a binary-compressed AIM.

A stream is two values, then the lengths of the runs in which they take turns; 255 is a run of 254
that the same value follows. It covers the image within its frame, and the frame is zero.
"""

import math

import numpy as np

_RUN_WITHOUT_TOGGLE = 254
_LARGEST_FRAME = 1 << 30  # voxels: a frame costs no bytes in the file, so a header may claim any


def decode(stream: bytes, shape: tuple[int, ...], frame: tuple[int, ...]) -> np.ndarray:
    """The voxels of a stream.

    Parameters
    ----------
    stream : bytes
    shape : tuple of int
        Of the whole image, with its frame.
    frame : tuple of int
        Width of the frame on both sides of each axis.

    Returns
    -------
    ndarray of int8

    Raises
    ------
    ValueError
        When stream, shape and frame do not fit; nothing of the image's size is allocated before.
    """
    inner = tuple(n - 2 * f for n, f in zip(shape, frame, strict=True))
    total = math.prod(inner)
    if min(inner) < 1 or min(frame) < 0 or math.prod(shape) - total > _LARGEST_FRAME:
        raise ValueError(f"a frame of {frame} voxels does not fit {shape}")
    if len(stream) < 2:
        raise ValueError("the compressed voxels are missing")
    values = np.frombuffer(stream, np.int8, 2)
    codes = np.frombuffer(stream, np.uint8)[2:]
    runs = np.minimum(codes, _RUN_WITHOUT_TOGGLE)
    covered = int(runs.sum(dtype=np.int64))
    if covered < total:
        raise ValueError(f"the compressed voxels end after {covered} of {total}")
    toggles = (codes != 255).astype(np.uint8)
    which = (np.cumsum(toggles, dtype=np.uint8) - toggles) & 1  # the sum may wrap: parity stays
    voxels = np.repeat(values[which], runs)[:total].reshape(inner)
    return np.pad(voxels, [(f, f) for f in frame]) if any(frame) else voxels


def encode(mask: np.ndarray) -> bytes:
    """The stream of a mask that holds one label at most; it becomes the scanner's 127."""
    flat = np.ascontiguousarray(mask).reshape(-1)
    edges = np.concatenate(([0], *_changes(flat), [flat.size]))
    # a run of n is as many 255 (254 voxels, no toggle) as leave 1 to 254 for the last code; a last
    # code of 0 after them would say the same, but itk-ioscanco misreads it
    full, rest = np.divmod(np.diff(edges) - 1, _RUN_WITHOUT_TOGGLE)
    ends = np.cumsum(full + 1) - 1
    codes = np.full(int(ends[-1]) + 1, 255, np.uint8)
    codes[ends] = rest + 1
    return bytes((127, 0) if flat[0] else (0, 127)) + codes.tobytes()


def _changes(flat: np.ndarray, block: int = 1 << 24):
    """Indices at which the value changes, block by block so that memory stays small."""
    for start in range(0, flat.size - 1, block):
        part = flat[start : start + block + 1]
        yield np.flatnonzero(part[1:] != part[:-1]) + (start + 1)
