"""Look at every file of a cohort, so that what is wrong is known before long work begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import FileFormatError, VbmdError
from ..io.files import read_scan
from ..measurement.densitometry import measure
from ..scan import SIDES, Mask
from .cohort import Cohort
from .manifest import Case
from .phantoms import is_phantom
from .sources import Example, open_example, truth_of

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Seen:
    """What a case's files say.

    Attributes
    ----------
    side : {"left", "right", "unknown"}
        Of the manifest, else of the scan's header.
    tt_vbmd_mg_cm3, mean_slice_area_mm2 : float or None
        Within the truth; None where nothing was measured, or there is no calibration.
    """

    side: str
    tt_vbmd_mg_cm3: float | None = None
    mean_slice_area_mm2: float | None = None


def check_files(
    cohort: Cohort,
    calibration: Mapping[str, Any] | None = None,
    label: int | None = None,
    measured: bool = False,
    progress: Progress | None = None,
) -> dict[str, Seen]:
    """Open every scan, and place its mask on it where there is one.

    Parameters
    ----------
    cohort : Cohort
    calibration : mapping, optional
        Keywords of `Scan.calibrated`.
    label : int, optional
        Of the masks.
    measured : bool
        Also measure the truth: Tt.vBMD and the mean slice area. Phantoms are drawn for it, at
        0.246 mm; otherwise nothing of them is looked at.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    dict of str to Seen
        By the cases' keys.

    Raises
    ------
    FileFormatError
        When a file cannot be used: all of them are named, with their lines in the manifest.
    """
    seen, problems = {}, []
    for number, case in enumerate(cohort.cases):
        if progress:
            progress(number / len(cohort.cases), f"look: {case.name}")
        try:
            seen[case.key] = _look(case, calibration or {}, label, measured)
        except VbmdError as error:
            problems.append(f"line {case.line}: {error}")
    if problems:
        count = "1 row" if len(problems) == 1 else f"{len(problems)} rows"
        raise FileFormatError(
            f"{cohort.manifest.path}: {count} cannot be used: {'; '.join(problems)}"
        )
    return seen


def _look(case: Case, calibration: Mapping[str, Any], label: int | None, measured: bool) -> Seen:
    if is_phantom(case) and not measured:
        return Seen(case.side)
    if not is_phantom(case) and truth_of(case) is None:
        scan = read_scan(case.scan)
        return Seen(case.side or scan.side)
    example = open_example(case, calibration=calibration, label=label)
    if not measured or not example.scan.is_calibrated:
        return Seen(example.side if example.side in SIDES else "unknown")
    return _measured(example)


def _measured(example: Example) -> Seen:
    mask = example.mask()
    box = tuple(slice(s, s + n) for s, n in zip(example.start, mask.shape, strict=True))
    whole = example.scan.grid
    found = measure(example.scan, Mask(mask.view("uint8"), whole.box(box)))
    return Seen(example.side, found.tt_vbmd_mg_cm3, found.mean_slice_area_mm2)
