"""The checksum of a scan, taken in a thread while the other work goes on.

Hashing holds no lock of the interpreter, and reads the file rather than the scan's map.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import Any

from ..errors import FileFormatError
from ..provenance import describe_file
from ..scan import Scan
from .stages import Progress

_LOOK_S = 0.05  # between two tellings of progress


class _Stopped(Exception):
    """The work beside it has ended before."""


@contextmanager
def described_beside(scan: Scan) -> Iterator[Callable[[Progress], dict[str, Any]]]:
    """Describe a scan's file (`provenance.describe_file`) beside the work in the block.

    Yields
    ------
    callable
        Waits for the description, telling its progress, and gives it. Raises FileFormatError
        where the file cannot be read. The thread ends with the block, however that ends.
    """
    stop, reached = Event(), [(0.0, "checksum of the input")]

    def look(fraction: float, message: str) -> None:
        reached[0] = fraction, message
        if stop.is_set():
            raise _Stopped

    with ThreadPoolExecutor(1, "checksum") as pool:
        work = pool.submit(_described, scan, look)

        def described(progress: Progress) -> dict[str, Any]:
            while not work.done():
                progress(*reached[0])
                wait([work], _LOOK_S)
            return work.result()

        try:
            yield described
        finally:
            stop.set()


def _described(scan: Scan, progress: Progress) -> dict[str, Any]:
    try:
        return describe_file(scan, progress)
    except OSError as error:
        reason = error.strerror or error
        raise FileFormatError(
            f"{scan.path}: cannot be read to its end: {reason}; was it moved meanwhile? Copy it "
            "again"
        ) from error
