"""Where the masks of a worklist are written: one file a case, never in another file's place."""

import os
from pathlib import Path

from ..io.files import suffix_of
from .manifest import Case, within
from .worklist import Worklist

FOLDER = "masks"


def mask_folder(worklist: Worklist) -> Path:
    """Where the last mask was saved; ``masks`` beside the manifest when none was."""
    saved = [record for record in worklist.records.values() if record.mask]
    if not saved:
        return worklist.manifest.folder / FOLDER
    last = max(saved, key=lambda record: record.saved_at)
    return within(worklist.manifest.folder, last.mask).parent


def saved_mask(worklist: Worklist, case: Case) -> Path | None:
    """The file that the case's mask was saved to, if it was."""
    mask = worklist.records[case.key].mask
    return within(worklist.manifest.folder, mask) if mask else None


def mask_path(
    worklist: Worklist, case: Case, folder: Path, suffix: str, anew: bool = False
) -> Path:
    """The file to save a case's mask to: that of the last time, or a new one.

    A new one is called after the scan, ``HAND_mask.aim``; after its folders too where several scans
    of the manifest have one name. No file that is there is taken: it may be the user's own.

    Parameters
    ----------
    folder : Path
        For a new one.
    suffix : str
        Of a new one.
    anew : bool
        Let be what was saved before: it is somebody else's, or cannot be read.
    """
    before = saved_mask(worklist, case)
    inputs = {
        os.path.normcase(path)
        for one in worklist.manifest.cases
        for path in (one.scan, one.mask, one.expert)
        if path is not None
    }
    if before is not None and not anew and os.path.normcase(before) not in inputs:
        return before
    promised = {saved_mask(worklist, one) for one in worklist.manifest.cases}
    name, number = _name(worklist, case), 1
    while True:
        counted = f"{name}_mask{suffix}" if number == 1 else f"{name}_mask_{number}{suffix}"
        path = folder / counted
        if path not in promised and not path.exists() and os.path.normcase(path) not in inputs:
            return path
        number += 1


def stem_of(name: str) -> str:
    """A file name without its ending, nor the version of a scanner's file: HAND of HAND.ISQ;1."""
    return name[: name.lower().rindex(ending)] if (ending := suffix_of(name)) else name


def _name(worklist: Worklist, case: Case) -> str:
    stem = stem_of(case.name)
    shared = sum(stem_of(one.name).lower() == stem.lower() for one in worklist.manifest.cases)
    if shared == 1:
        return stem
    folders = [part for part in case.key.split("/")[:-1] if part not in ("", ".", "..")]
    return "_".join((*(part.replace(":", "") for part in folders), stem))
