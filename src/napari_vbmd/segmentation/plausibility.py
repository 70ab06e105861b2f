"""What is unlike anything that the networks were made for."""

import numpy as np

from ..scan import Mask, Scan

# Less than any hand that was trained on or published: along z, across, and the mask's volume
_SHORT_MM, _NARROW_MM, _LITTLE_MM3 = 8.0, 30.0, 250.0


def strange(scan: Scan, slices: tuple[int, int] | None, mask: Mask) -> list[str]:
    """Warnings about a scan and the mask that a network made of it: a reason to look, no error.

    Published (Folle et al. 2021): 50 to 250 slices of 0.082 mm with a mean area of 122 mm2.
    """
    first, last = slices or (0, scan.grid.shape[0] - 1)
    spacing = scan.grid.spacing_mm
    length, *field = (
        n * s for n, s in zip((last - first + 1, *scan.grid.shape[1:]), spacing, strict=True)
    )
    found = np.count_nonzero(mask.voxels) * scan.grid.voxel_volume_mm3
    warnings = []
    if length < _SHORT_MM or min(field) < _NARROW_MM:
        warnings.append(
            f"the network was trained on hands of 20 mm along z and sees {length:.1f} mm of "
            f"{field[0]:.0f} × {field[1]:.0f} mm: look at the outline"
        )
    if found < _LITTLE_MM3:
        warnings.append(
            f"only {found:.0f} mm³ were found; the head of a second metacarpal has about 500 to "
            "2500: look at the outline"
        )
    return warnings
