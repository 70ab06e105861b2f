"""The files of one case, read away from the window: scan, mask, expert, and what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import VbmdError
from ..grid import place
from ..io.files import read_mask, read_scan
from ..io.processing_log import ProcessingLog
from ..measurement.frames import frame_warnings
from ..scan import SIDES, Mask, Scan
from ..study.manifest import Case
from ..study.worklist import Record
from .layers import LayerData, scan_to_layer
from .mask_watch import Snapshot, snapshot

_BLOCK = 1 << 22
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class CaseFiles:
    """What was read of one case.

    Parameters
    ----------
    case : Case
    record : Record
        As it was when the files were read.
    scan : Scan or None
        None where it cannot be opened; ``problem`` says why.
    layer : LayerData or None
        Of the scan, with contrast.
    mask : Mask or None
        On the scan's whole grid, so that it can be painted on anywhere.
    taken : Snapshot or None
        Of the mask, to see later whether it was edited.
    about : dict
        Where the mask comes from.
    expert : Mask or None
    warnings : list of str
    stamps : tuple
        Of the files, to notice that one was written since.
    """

    case: Case
    record: Record
    scan: Scan | None = None
    layer: LayerData | None = None
    mask: Mask | None = None
    taken: Snapshot | None = None
    about: dict = field(default_factory=dict)
    expert: Mask | None = None
    problem: str = ""
    warnings: tuple[str, ...] = ()
    stamps: tuple = ()

    def is_fresh(self, record: Record, mask_path: Path | None) -> bool:
        """Whether reading the files again would give the same."""
        return self.record.decides_as(record) and self.stamps == _stamps(self.case, mask_path)

    @property
    def z(self) -> int:
        """The slice to begin at: the middle of the mask, of the range, or of the scan."""
        if self.taken is not None and self.taken.mask.voxels.any():
            return (self.taken.box[0].start + self.taken.box[0].stop) // 2
        first, last = self.case.slices or (0, self.scan.grid.shape[0] - 1)
        return min((first + last) // 2, self.scan.grid.shape[0] - 1)


def read_case(case: Case, record: Record, saved: Path | None, progress: Progress) -> CaseFiles:
    """Read what a case names; nothing of it raises but a cancel.

    Parameters
    ----------
    case : Case
    record : Record
    saved : Path or None
        The mask that was saved for the case; else the manifest's is read.
    progress : callable
    """
    stamps, warnings = _stamps(case, saved), []
    progress(0.1, f"opening {case.name}")
    try:
        scan = _of_side(read_scan(case.scan), case.side, warnings)
        layer = scan_to_layer(scan)
    except VbmdError as error:
        return CaseFiles(case, record, problem=str(error), stamps=stamps)
    progress(0.3, "reading the masks")
    mask = _mask(saved or case.mask, scan, "the mask", warnings)
    expert = _mask(case.expert, scan, "the expert's mask", warnings)
    taken, about = None, {}
    if mask is not None:
        about = {"file": mask.name, "log": ProcessingLog(mask.log).public().text}
        about |= {"origin": record.mask_from} if saved else {"path": str(case.mask)}
        mask = _on_scan(mask, scan, warnings)
        taken = snapshot(mask)
    files = CaseFiles(
        case, record, scan, layer, mask, taken, about, expert, "", tuple(warnings), stamps
    )
    progress(0.9, "reading the slice in view")
    np.array(scan.voxels[files.z])  # from a slow disk, the window would wait for it
    return files


def touch_pages(files: CaseFiles, progress: Progress) -> None:
    """Have a mapped scan's file in the system's memory, from the slice to begin at on.

    Nothing of it counts as this program's memory, and the system takes it back when it is short.
    """
    voxels = files.scan.voxels if files.scan is not None else None
    name = getattr(voxels, "filename", None)
    if name is None:
        return
    per_slice = voxels[0].nbytes
    begin, end = voxels.offset, voxels.offset + len(voxels) * per_slice
    middle = begin + files.z * per_slice
    done = 0
    with open(name, "rb", buffering=0) as file:
        for start, stop in ((middle, end), (begin, middle)):
            file.seek(start)
            while start < stop and (read := len(file.read(min(_BLOCK, stop - start)))):
                start += read
                done += read
                progress(done / (end - begin), f"loading {files.case.name} ahead")


def _of_side(scan: Scan, side: str | None, warnings: list[str]) -> Scan:
    """The scan with the manifest's side of the hand; said, when its header has the other."""
    if side is None or side == scan.side:
        return scan
    if scan.side in SIDES:
        warnings.append(f"the scan's header says {scan.side} hand, the manifest {side}")
    return replace(scan, side=side, side_reason="the manifest says so")


def _mask(path: Path | None, scan: Scan, name: str, warnings: list[str]) -> Mask | None:
    if path is None:
        return None
    try:
        mask = read_mask(path)
        place(mask.grid, scan.grid)
    except VbmdError as error:
        warnings.append(str(error))
        return None
    warnings += frame_warnings(scan, mask, name)
    return mask


def _on_scan(mask: Mask, scan: Scan, warnings: list[str]) -> Mask:
    """The mask on the scan's grid; said, when that cuts some of it off."""
    placed = place(mask.grid, scan.grid)
    if placed.is_clipped:
        whole = np.count_nonzero(mask.voxels)
        if lost := whole - np.count_nonzero(mask.voxels[placed.source_box]):
            warnings.append(f"{mask.name}: {lost:,} voxels lie beyond the scan and are left out")
    return replace(mask, voxels=placed.paste(mask.voxels), grid=scan.grid)


def _stamps(case: Case, saved: Path | None) -> tuple:
    return tuple(_stamp(path) for path in (case.scan, saved or case.mask, case.expert))


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        told = path.stat() if path is not None else None
    except OSError:
        return None
    return (told.st_mtime_ns, told.st_size) if told else None
