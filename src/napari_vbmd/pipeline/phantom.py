"""The digital hand as files: the scan (ISQ) and the expert's mask, both or neither."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ..errors import FileFormatError, WriteError
from ..grid import Grid
from ..io.aim_log import calibration_entries
from ..io.files import check_mask_path, read_scan, suffix_of, write_mask
from ..io.isq import write_isq
from ..io.results import written_together
from ..morphology import bounding_box
from ..phantom.answer import Answer
from ..phantom.slabs import HandScan

Progress = Callable[[float, str], None]


def write_phantom(
    hand: HandScan,
    scan_path: str | Path,
    mask_path: str | Path | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Draw a digital hand into files, slab by slab.

    Parameters
    ----------
    hand : HandScan
    scan_path : path
        Ending in .isq. An older phantom there is written over, anything else is not.
    mask_path : path, optional
        For the expert's mask, as the box of the bone at its position in the scan; an ending as of
        `napari_vbmd.io.files.write_mask`.
    progress : callable, optional
        Called with the share that is done and a message; what it raises ends the work, and no
        file is left.

    Returns
    -------
    Answer
        What a right measurement finds.

    Raises
    ------
    WriteError
        When a path has the wrong ending, its folder is missing or may not be written, or a file
        is there that must not be lost.
    """
    scan_path, mask_path = Path(scan_path), mask_path and Path(mask_path)
    check_phantom_paths(scan_path, mask_path)
    drawn = _Drawn(hand, progress or (lambda *_: None))
    with ExitStack() as together:
        folders = _staging(together, [path for path in (scan_path, mask_path) if path])
        name = f"PHANTOM {hand.seed}, NOT A PERSON, {hand.side.upper()} HAND"
        scan_file = folders[scan_path.parent] / scan_path.name
        write_isq(scan_file, drawn, hand.grid.spacing_mm, hand.calibration, name)
        if mask_path:
            log = {"Original file": scan_path.name, **calibration_entries(hand.calibration)}
            mask, grid = drawn.expert_mask()
            write_mask(folders[mask_path.parent] / mask_path.name, mask, grid, log)
    return hand.answer


def check_phantom_paths(scan_path: Path, mask_path: Path | None = None) -> None:
    """Refuse paths that a phantom must not be written to; raises as `write_phantom`."""
    if suffix_of(scan_path) != ".isq":
        raise WriteError(f"{scan_path}: a phantom is written as .isq; choose this ending")
    if not scan_path.parent.is_dir():
        raise WriteError(
            f"{scan_path}: the folder {scan_path.parent} does not exist; make it first"
        )
    if scan_path.exists() and not _is_synthetic(scan_path):
        raise WriteError(
            f"{scan_path}: already there and not a phantom, so it is not written over; choose "
            "another name"
        )
    if mask_path:
        check_mask_path(mask_path)


def _is_synthetic(path: Path) -> bool:
    try:
        return read_scan(path).is_synthetic
    except FileFormatError:
        return False


def _staging(together: ExitStack, paths: list[Path]) -> dict[Path, Path]:
    """A temporary folder in each folder; their files move in when the work has ended well."""
    return {
        folder: together.enter_context(
            written_together(folder, [path.name for path in paths if path.parent == folder])
        )
        for folder in {path.parent: None for path in paths}
    }


class _Drawn:
    """The slices of a hand, drawn as they are asked for; remembers the mask's part of each."""

    def __init__(self, hand: HandScan, progress: Progress):
        self.shape = hand.grid.shape
        self._hand, self._progress = hand, progress
        self._parts: list[tuple[tuple[slice, ...], np.ndarray]] = []

    def __iter__(self) -> Iterator[np.ndarray]:
        count = self.shape[0]
        self._progress(0.0, "draw")
        for some, voxels, mask in self._hand.slabs():
            box = bounding_box(mask)
            if box:
                z = slice(some.start + box[0].start, some.start + box[0].stop)
                self._parts.append(((z, *box[1:]), mask[box].copy()))
            yield from voxels
            self._progress(some.stop / count, f"draw: slice {some.stop} of {count}")

    def expert_mask(self) -> tuple[np.ndarray, Grid]:
        """The mask in the smallest box that holds it, and where that lies."""
        box = tuple(
            slice(
                min(part[axis].start for part, _ in self._parts),
                max(part[axis].stop for part, _ in self._parts),
            )
            for axis in range(3)
        )
        mask = np.zeros([side.stop - side.start for side in box], np.uint8)
        for part, voxels in self._parts:
            moved = (
                slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True)
            )
            mask[tuple(moved)] = voxels
        return mask, self._hand.grid.box(box)
