"""Reading a mapped file without keeping it: pages that were read count as this process's memory."""

import mmap
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

Step = TypeVar("Step")

_SLAB = 8  # slices at a time: 40 MB of a full-size scan


def in_slabs(voxels, steps: Iterable[Step]) -> Iterator[Step]:
    """The steps of a reading, slice by slice; on the way the pages that were read are let go.

    Parameters
    ----------
    voxels : array-like
        What is read: of anything but a read-only map nothing is let go.
    steps : iterable
        Given on as they are; each reads a slice or two.
    """
    for done, step in enumerate(steps, 1):
        yield step
        if done % _SLAB == 0:
            release_pages(voxels)
    release_pages(voxels)


def release_pages(voxels) -> None:
    """Let go of what was read of a mapped file; the next look at it maps it anew, unchanged.

    Only of a read-only map: one that is copied on write would lose what was written.
    """
    if isinstance(voxels, np.memmap) and voxels.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        voxels._mmap.madvise(mmap.MADV_DONTNEED)
