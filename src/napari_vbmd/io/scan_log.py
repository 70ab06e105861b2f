"""The processing log that a file made from a scan carries on: the scan's, without its patient."""

from .. import __version__
from ..calibration import Calibration
from ..scan import Scan
from .aim_log import calibration_entries
from .processing_log import ProcessingLog, format_log


def log_of(scan: Scan) -> ProcessingLog:
    """The scan's log without what names the patient; made from the header where there is none.

    Constants that the user gave are added: the last line of a kind is the one that counts.
    """
    constants = calibration_entries(scan.calibration or Calibration())
    if not scan.log:
        return ProcessingLog(format_log(_origin(scan) | scan.public_header() | constants))
    log = ProcessingLog(scan.log).public()
    return log.with_lines({k: v for k, v in constants.items() if not _same(log.get(k), v)})


def signed(log: ProcessingLog, **entries: object) -> ProcessingLog:
    """The log with a step of ours at its end."""
    return log.with_lines({"Created by": f"napari-vbmd {__version__}"} | entries)


def _origin(scan: Scan) -> dict[str, str]:
    """What the vendor's own conversion of an ISQ says about where it came from."""
    if scan.format != "ISQ":
        return {}
    um = [round(1000 * size) for size in scan.grid.size_mm[::-1]]
    return {
        "Original file": scan.name,
        "Orig-ISQ-Dim-p": _columns(scan.grid.shape[::-1]),
        "Orig-ISQ-Dim-um": _columns(um),
    }


def _columns(numbers) -> str:
    return " ".join(f"{n:>10}" for n in numbers)


def _same(text: str | None, other: str) -> bool:
    try:
        return text is not None and float(text) == float(other)
    except ValueError:
        return text == other
