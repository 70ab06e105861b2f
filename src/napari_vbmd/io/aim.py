"""AIM: the scanner's processed images and masks, as a scan.

The header is in `aim_header`, the voxels are in `aim_voxels`; `aim_write` writes.
"""

from pathlib import Path

from ..errors import ParameterError
from ..privacy import sides_said
from ..scan import Scan
from .aim_header import EXTENTS, AimHeader, read_header
from .aim_log import calibration_of
from .aim_voxels import MASK_TYPES, read_voxels, type_name
from .processing_log import ProcessingLog

_TYPE_KEY = "AIM type"
EXTENT_KEY = "AIM {} (x y z)"  # under which the header shows offset, supdim and the like


def read_aim(path: str | Path) -> Scan:
    """Open an AIM as a scan in native units, mapped where it is not compressed.

    Raises
    ------
    FileFormatError
        When it is no AIM, of an older version, damaged, or of a type that is not known.
    """
    header = read_header(path)
    log = ProcessingLog.from_bytes(header.log)
    return Scan(
        read_voxels(path, header),
        "native",
        header.grid,
        calibration_of(log),
        dict(log) | _about(header),
        Path(path),
        "AIM",
        *_side(log.text),
        log=log.text,
    )


def check_is_grey(scan: Scan) -> None:
    """Refuse an AIM of a type that masks have: its 0 and 127 are no densities.

    Raises
    ------
    ParameterError
    """
    kind = scan.header.get(_TYPE_KEY)
    if scan.format == "AIM" and kind in map(type_name, MASK_TYPES):
        raise ParameterError(
            f"{scan.path or scan.name}: an AIM of {kind}, so a mask and not a scan; give the grey "
            "AIM or the ISQ that it was made from"
        )


def _about(header: AimHeader) -> dict[str, str]:
    """What the header says beside the log: version, type, and those extents that are not zero."""
    about = {"AIM version": header.layout.version, _TYPE_KEY: type_name(header.type)}
    for name in EXTENTS:
        if any(header.extents[name]):
            about[EXTENT_KEY.format(name)] = " ".join(map(str, header.extents[name][::-1]))
    return about


def _side(log: str) -> tuple[str, str]:
    """The side of the hand as far as the log says it in words, and the reason."""
    said = sides_said(log)
    if len(said) == 1:
        (side,) = said
        return side, f'the processing log says "{side} hand"'
    how = "names both sides" if said else "does not name the side in words"
    return "unknown", f"the processing log {how}"
