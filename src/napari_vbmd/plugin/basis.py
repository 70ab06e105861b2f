"""What numbers shown in a dock rest on, to be compared with what they would rest on now."""

from napari.layers import Image, Labels

from ..errors import VbmdError
from .layers import grid_of, scan_of


def basis(scan: Image | None, mask: Labels | None, expert: Labels | None) -> tuple:
    """The layers, their places, and the scan's calibration; the scan's grid comes last.

    Empty where there is no scan or no mask, or where one of them cannot be measured.
    """
    if scan is None or mask is None:
        return ()
    try:
        known = scan_of(scan)
        grids = [grid_of(layer) for layer in (mask, expert) if layer is not None]
    except VbmdError:
        return ()
    return scan, mask, expert, known.unit, known.calibration, *grids, known.grid
