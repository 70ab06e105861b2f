"""Whether scan and mask count their positions from one point: indices, or a physical origin.

An ISQ or AIM counts voxels from the first one of the original scan. What others convert to NIfTI,
NRRD, MetaImage or DICOM may count from anywhere: the middle of the image, or the scanner's.
"""

from ..grid import OFFSET_TOLERANCE
from ..scan import Mask, Scan

_INDEX = ("ISQ", "AIM")
_PHYSICAL = ("NIfTI", "NRRD", "MetaImage", "DICOM")


def frame_warnings(scan: Scan, mask: Mask, name: str = "the mask") -> list[str]:
    """What to look at where the positions of scan and mask are of two kinds; empty elsewhere.

    Nothing is said where the physical one begins at zero, or where both are the same box.
    """
    kinds = {"the scan": scan, name: mask}
    physical = [(who, one) for who, one in kinds.items() if one.format in _PHYSICAL]
    index = [(who, one) for who, one in kinds.items() if one.format in _INDEX]
    if not physical or not index:
        return []
    (who, one), (other_who, other) = physical[0], index[0]
    is_at_zero = all(abs(p) <= OFFSET_TOLERANCE for p in one.grid.position)
    if is_at_zero or mask.grid.same_as(scan.grid):
        return []
    origin = ", ".join(f"{mm + 0.0:.4g}" for mm in one.grid.origin_mm[::-1])
    return [
        f"{who}'s position comes from its {one.format} origin (x, y, z: {origin} mm), "
        f"{other_who}'s from its {other.format}: look whether {name} lies on the bone"
    ]
