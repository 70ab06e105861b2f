"""Slices from a file: the text header that the vendor's software writes of a mask."""

import argparse
from pathlib import Path

from ..errors import ParameterError


def resolve(arguments: argparse.Namespace) -> None:
    """Replace a file given to ``--slices`` by the slices that it names, on the scan's own grid.

    Raises
    ------
    FileFormatError, ParameterError
        When it is no text header, or names slices that the scan does not have.
    """
    file = getattr(arguments, "slices", None)
    if not isinstance(file, Path):
        return
    if not hasattr(arguments, "scan"):
        raise ParameterError(
            f"{file}: a header is that of one scan; give FIRST:LAST, or the columns "
            "first_slice and last_slice in the manifest"
        )
    from ..io.files import read_scan
    from ..io.header_text import read_slice_range

    grid = read_scan(arguments.scan).grid
    first, last = (round(z - grid.position[0]) for z in read_slice_range(file))
    if first < 0 or last >= grid.shape[0]:
        raise ParameterError(
            f"{file}: slices {first} to {last} do not lie in {arguments.scan.name}, which has "
            f"{grid.shape[0]}; is it the header of another patient's mask?"
        )
    arguments.slices = first, last
