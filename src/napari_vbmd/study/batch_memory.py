"""How much memory one patient takes, from headers: to choose workers before a batch begins."""

import math
from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from ..errors import VbmdError
from ..io.files import read_scan, suffix_of
from ..segmentation.configurations import CONFIGURATIONS, Configuration
from ..segmentation.inference import (
    BATCH_2D,
    BYTES_PER_SAMPLE,
    BYTES_PER_VOXEL,
    BYTES_TO_SPARE,
    available_memory,
)
from .batch_case import BatchCase

_BASE = 400_000_000  # Python, the libraries and the figures; measured 140 to 300 MB
_HAND = 0.5  # share of the field that a hand takes, where the air around it is left out
_MAPPED = (".isq", ".aim")
_GB = 1e9


def needed_bytes(case: BatchCase) -> int:
    """The most memory that a patient is thought to take [bytes]: an estimate, not a promise.

    Base, the scan's voxels (the pages of a mapped file count) and what the network takes: by
    `inference`'s own figures, over the share of the field that a hand fills. Measured on a scan of
    1536 x 1536 x 240 voxels, where this gives 1.5 GB for `contour` and 3.2 GB for `unet-3d`: peaks
    of 1.3 and 1.4 GB.

    Raises
    ------
    VbmdError
        As reading the header finds.
    """
    shape, spacing_mm, stored = _size_of(case.scan)
    if case.slices:
        first, last = case.slices
        shape = (last - first + 1, *shape[1:])
    needed = _BASE + stored
    network = CONFIGURATIONS.get(case.settings.method)
    if network is None:
        return needed
    first = CONFIGURATIONS[network.coarse] if network.coarse else network
    return needed + _network_bytes(first, shape, spacing_mm)  # the fine stage sees the bone only


def affordable_workers(wanted: int, needed: int) -> int:
    """How many workers the free memory suffices for: at most those wanted, at least one."""
    free = available_memory()
    return wanted if free is None else max(1, min(wanted, free // max(needed, 1)))


def largest(cases: Sequence[BatchCase]) -> tuple[int, str]:
    """The most that one patient takes [bytes], and whose it is; scans without a header count not.

    Those fail later, in their own row.
    """
    most = (_BASE, cases[0].name if cases else "")
    for case in cases:
        try:
            most = max(most, (needed_bytes(case), case.name), key=lambda one: one[0])
        except (VbmdError, OSError, RuntimeError):
            continue
    return most


def memory_text(needed: int, whose: str, wanted: int, workers: int) -> str:
    """What is said of it before the start, on one line."""
    free = available_memory()
    has = f"{free / _GB:.1f} GB are free" if free is not None else "free memory is not known"
    text = f"memory: up to about {needed / _GB:.1f} GB a worker ({whose}), {has}"
    if workers < wanted:
        return f"{text}: {workers} of {wanted} workers are started"
    if free is not None and needed > free:
        return f"{text}: too little even for one worker; close other programs, or use fewer slices"
    return text


def _network_bytes(network: Configuration, shape, spacing_mm) -> int:
    preset = network.preset
    if preset.size:
        seen = preset.size
    else:
        pairs = zip(shape, spacing_mm, preset.spacing_mm, strict=True)
        seen = tuple(max(1, round(count * have / want)) for count, have, want in pairs)
    voxels = math.prod(seen) * (_HAND if preset.crop_to_hand else 1.0)
    once = voxels if network.dims == 3 else voxels * min(1.0, BATCH_2D / seen[0])
    return round(BYTES_TO_SPARE + BYTES_PER_VOXEL[network.dims] * once + BYTES_PER_SAMPLE * voxels)


def _size_of(path: Path):
    """Shape, spacing [mm] and bytes of the voxels; of mapped formats and images from the header."""
    suffix = suffix_of(path)
    if path.is_file() and suffix not in (*_MAPPED, ".dcm"):
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        shape, spacing = reader.GetSize()[::-1], reader.GetSpacing()[::-1]
        each = sitk.Image([1] * len(shape), reader.GetPixelIDValue()).GetSizeOfPixelComponent()
        return shape, spacing, 2 * each * math.prod(shape)  # as decoded, and a copy of it
    scan = read_scan(path)
    return scan.grid.shape, scan.grid.spacing_mm, scan.voxels.nbytes
