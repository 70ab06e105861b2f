"""Saving what was done on a case: its mask where it changed, then its record."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import EmptyMaskError, ParameterError, WriteError
from ..scan import Mask
from ..study.manifest import Case
from ..study.mask_names import mask_path, saved_mask
from ..study.worklist import APPROVED, CORRECTED, DONE, Record, Worklist
from .mask_watch import Snapshot, snapshot
from .writers import save_mask

_IN_FRAME_OF_SCANNER = "ISQ", "AIM"


@dataclass(frozen=True)
class Work:
    """What was done on a case.

    Parameters
    ----------
    worklist : Worklist
    case : Case
    mask : Mask or None
        As it is in the viewer.
    about : dict
        Where that mask comes from.
    taken : Snapshot or None
        Of the mask as it is on disk; None where it is not.
    annotator : str
    minutes : float
        That were not written down yet.
    folder : Path
        For the mask.
    status : str or None
        The new one; None: as it was.
    scan_format : str
    anew : bool
        Write a mask of its own, beside the one that was saved before.
    """

    worklist: Worklist
    case: Case
    mask: Mask | None
    about: dict
    taken: Snapshot | None
    annotator: str
    minutes: float
    folder: Path
    status: str | None = None
    scan_format: str = ""
    anew: bool = False


@dataclass(frozen=True)
class Saved:
    """The record as it is now, and a snapshot of the mask as it is on disk."""

    record: Record
    taken: Snapshot | None


def save_case(work: Work, progress: Callable[[float, str], None]) -> Saved:
    """Save a case, as far as there is something to save.

    Edits are always written. A status other than “to do” wants a mask, and that mask in a file of
    the worklist's own. Edits of an approved mask make it corrected.

    Raises
    ------
    ConflictError
        When somebody else decided about the case: nothing was changed.
    EmptyMaskError
        When a case without any mask is called corrected or approved.
    ParameterError
        When something is to be saved by nobody.
    WriteError
    """
    record = work.worklist.records[work.case.key]
    progress(0.1, "looking for edits")
    edited = work.mask is not None and not (work.taken and work.taken.same_as(work.mask.voxels))
    taken = snapshot(work.mask) if edited else work.taken
    status = work.status or (CORRECTED if edited and record.status == APPROVED else record.status)
    declared = work.status in DONE
    if declared and (taken is None or not taken.mask.voxels.any()):
        raise EmptyMaskError(
            f"{work.case.name}: there is no mask to call {status}; segment the bone, or draw it"
        )
    path = None
    if work.mask is not None and (edited or work.anew or (declared and not _is_saved(work))):
        suffix = ".aim" if work.scan_format in _IN_FRAME_OF_SCANNER else ".nii.gz"
        path = mask_path(work.worklist, work.case, work.folder, suffix, work.anew)
    if path is None and status == record.status:
        if work.minutes:
            record = work.worklist.add_minutes(work.case.key, work.minutes)
        return Saved(record, taken)
    progress(0.4, f"saving {path.name}" if path else "saving the status")
    return Saved(_save(work, status, path, taken), taken)


def _save(work: Work, status: str, path: Path | None, taken: Snapshot | None) -> Record:
    """Write the mask, if there is a path for it, and the record.

    An AIM holds the box of the mask and its position, as the scanner's do; others the whole grid.
    """
    if not work.annotator:
        raise ParameterError("Type your name under Annotator: it stands beside what you save.")
    changes, write = {"status": status, "annotator": work.annotator}, None
    if path is not None:
        changes |= {"mask": work.worklist.relative(path), "mask_from": origin(work)}
        mask = taken.mask if path.suffix == ".aim" else work.mask
        write = partial(_write, path, mask, work.about)
    return work.worklist.save(work.case.key, write, work.minutes, **changes)


def _is_saved(work: Work) -> bool:
    saved = saved_mask(work.worklist, work.case)
    return saved is not None and saved.exists()


def origin(work: Work) -> str:
    """Where a mask came from before it was corrected, in words."""
    about = work.about
    if "origin" in about:  # said when it was saved first
        return about["origin"]
    if "method" in about:
        weights = about.get("weights")
        with_weights = f", weights {weights['file']} ({weights['sha256'][:12]})" if weights else ""
        return f"method: {about['method']}{with_weights}"
    if "path" in about:
        return f"file: {work.worklist.relative(Path(about['path']))}"
    if "file" in about:
        return f"file: {about['file']}"
    if "rescued from" in about:
        return "recovered after a crash"
    return "drawn by hand"


def _write(path: Path, mask: Mask, about: dict) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{path.parent}: the folder for masks cannot be made: {error.strerror or error}; "
            "choose another one under Masks go to"
        ) from error
    save_mask(path, mask, about)
