"""Folders of a batch's patients: named after them, safe on every system, and never shared."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from .manifest import Case

_LONGEST = 60
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # of Windows


def folder_names(cases: Sequence[Case], taken: Iterable[str] = ()) -> list[str]:
    """A folder's name for each row: its patient's, or its scan's where no patient is named.

    The first row of a patient has the plain name, so that rows which are added later change no
    earlier one; further rows add the scan's name, and its hash where even that is taken.

    Parameters
    ----------
    cases : sequence of Case
    taken : iterable of str
        Names that no folder may have.

    Returns
    -------
    list of str
        No two are alike, on file systems that ignore case either.
    """
    used = {name.casefold() for name in taken}
    names = []
    for case in cases:
        stem = PurePosixPath(case.name).name.partition(".")[0] or "scan"
        plain = safe_name(case.patient or stem)
        mark = hashlib.sha256(case.key.encode("utf-8", "surrogateescape")).hexdigest()
        choices = (plain, safe_name(f"{plain}_{stem}"), f"{plain}_{mark[:8]}", f"{plain}_{mark}")
        name = next(each for each in choices if each.casefold() not in used)
        used.add(name.casefold())
        names.append(name)
    return names


def safe_name(text: str) -> str:
    """A text as the name of a folder: letters, digits, dot, minus and underscore."""
    name = re.sub(r"[^\w.-]+", "_", text)[:_LONGEST].strip("._ -") or "scan"
    return f"_{name}" if _RESERVED.fullmatch(name) else name
