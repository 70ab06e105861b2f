"""A cohort: which rows of a manifest a study uses, and which of them train, validate and test.

The split is by patient: two scans of one patient are never in two parts. It depends on the
patients' names and a seed only, so rows may be sorted anew, and the same patients always fall into
the same parts. A manifest with a column ``split`` has been split already: it is checked and kept.

Source: Folle et al. 2021 (Sci Rep 11:9697): motion grades above 3 left out; 70, 20 and 10 % of the
patients.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileFormatError, ParameterError
from .csv_rows import write_rows
from .manifest import COLUMNS, Case, Manifest, relative_to
from .phantoms import PREFIX, is_for_tests, is_phantom, phantom_problems, phantom_seed, shared_out

TRAINING, VALIDATION, TEST = SPLITS = ("training", "validation", "test")
SHARES = (70, 20, 10)  # % of the patients
MOST_MOTION = 3
SPLIT_COLUMN = "split"


@dataclass(frozen=True)
class Cohort:
    """The rows of a manifest that a study uses.

    Parameters
    ----------
    manifest : Manifest
    split : mapping of str to str
        For each case used, by its key: training, validation or test.
    left_out : tuple of Case
        For their motion grade.
    notes : tuple of str
        What a reader must know.
    """

    manifest: Manifest
    split: Mapping[str, str]
    left_out: tuple[Case, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def cases(self) -> tuple[Case, ...]:
        """All that are used, in the manifest's order."""
        return tuple(case for case in self.manifest.cases if case.key in self.split)

    def part(self, name: str) -> tuple[Case, ...]:
        """The cases of one split, in the manifest's order."""
        return tuple(case for case in self.cases if self.split[case.key] == name)


def cohort_of(manifest: Manifest, seed: int = 0, most_motion: int = MOST_MOTION) -> Cohort:
    """The cohort of a manifest.

    Parameters
    ----------
    manifest : Manifest
    seed : int
        Of the split; not used where the manifest has been split.
    most_motion : int
        Scans of a higher motion grade are left out; those without a grade stay.

    Raises
    ------
    FileFormatError
        When rows contradict each other: all of them are named.
    ParameterError
        When no row is left.
    """
    used, left_out = [], []
    for case in manifest.cases:
        (left_out if (case.motion_grade or 0) > most_motion else used).append(case)
    if not used:
        raise ParameterError(
            f"{manifest.path}: every scan has a motion grade above {most_motion}; allow more"
        )
    problems = [text for case in used for text in _problems(case)]
    problems += _contradictions(used)
    given = any(case.other.get(SPLIT_COLUMN) for case in used)
    if given:
        problems += _split_problems(used)
    if problems:
        raise FileFormatError(f"{manifest.path}: {'; '.join(problems)}")
    split = {case.key: case.other[SPLIT_COLUMN] for case in used} if given else _split(used, seed)
    return Cohort(manifest, split, tuple(left_out), tuple(_notes(used, left_out, most_motion)))


def patient_of(case: Case) -> str:
    """Who was scanned; a digital hand, and a row that names no patient, is a patient of its own."""
    if is_phantom(case):
        return f"{PREFIX}{phantom_seed(case)}"
    return case.key if case.patient is None else case.patient


def write_cohort(cohort: Cohort, path: str | Path) -> None:
    """Write the cohort as a manifest with a column ``split``, which can be read as such again.

    Paths in it are relative to its own folder. Rows that were left out have no split.

    Raises
    ------
    WriteError
    """
    path = Path(path).absolute()
    cases = cohort.manifest.cases
    more = [name for name in _in_order(case.other for case in cases) if name != SPLIT_COLUMN]
    rows = [_cells(case, cohort.split.get(case.key, ""), path.parent) for case in cases]
    write_rows(path, [*COLUMNS, *more, SPLIT_COLUMN], rows)


def _split(cases: list[Case], seed: int) -> dict[str, str]:
    """Share out the patients; digital hands keep to what their seeds are for."""
    pools: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for case in cases:
        shares = SHARES
        if is_phantom(case):
            shares = (0, 0, 1) if is_for_tests(case) else (*SHARES[:2], 0)
        pools[shares].add(patient_of(case))
    part_of: dict[str, str] = {}
    for shares, patients in pools.items():
        ordered = sorted(patients, key=lambda name: _rank(name, seed))
        counts = _at_least_one(shared_out(len(ordered), list(shares)), shares)
        parts = [part for part, n in zip(SPLITS, counts, strict=True) for _ in range(n)]
        part_of |= dict(zip(ordered, parts, strict=True))
    return {case.key: part_of[patient_of(case)] for case in cases}


def _rank(patient: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{patient}".encode()).hexdigest()


def _at_least_one(counts: list[int], shares: Sequence[int]) -> list[int]:
    """In small cohorts no part stays empty as long as the training can spare a patient."""
    for part in range(1, len(counts)):
        if shares[part] and not counts[part] and counts[0] > 1:
            counts[0] -= 1
            counts[part] += 1
    return counts


def _problems(case: Case) -> list[str]:
    found = phantom_problems(case) if is_phantom(case) else ()
    return [f"line {case.line}: {text}" for text in found]


def _contradictions(cases: list[Case]) -> list[str]:
    """Patients of two sexes, and rows without a patient among those with one."""
    persons = [case for case in cases if not is_phantom(case)]
    nameless = [case for case in persons if case.patient is None]
    problems = []
    if nameless and len(nameless) < len(persons):
        problems.append(
            f"{_lines(nameless)}: no patient, and other rows name theirs; name it, so that scans "
            "of one patient stay together"
        )
    for patient, rows in _by_patient(persons).items():
        sexes = {case.sex.lower() for case in rows if case.sex}
        if len(sexes) > 1:
            problems.append(f"{_lines(rows)}: patient “{patient}” is {' and '.join(sorted(sexes))}")
    return problems


def _split_problems(cases: list[Case]) -> list[str]:
    problems = []
    for case in cases:
        text = case.other.get(SPLIT_COLUMN, "")
        if text not in SPLITS:
            said = f"split “{text}” is not {', '.join(SPLITS)}" if text else "no split"
        else:
            said = _misused(case, text)
        if said:
            problems.append(f"line {case.line}: {said}")
    for patient, rows in _by_patient(cases).items():
        parts = {case.other.get(SPLIT_COLUMN, "") for case in rows}
        if len(parts) > 1:
            problems.append(f"{_lines(rows)}: patient “{patient}” is in two splits")
    return problems


def _misused(case: Case, part: str) -> str:
    """Why a digital hand must not be in a part; "" where it may."""
    if not is_phantom(case) or any(phantom_problems(case)) or is_for_tests(case) == (part == TEST):
        return ""
    use = "tests" if is_for_tests(case) else "training and validation"
    return f"{case.key} is a hand for {use}, not for {part}"


def _notes(used: list[Case], left_out: list[Case], most_motion: int) -> list[str]:
    notes = []
    if left_out:
        scans = "1 scan" if len(left_out) == 1 else f"{len(left_out)} scans"
        notes.append(f"{scans} left out: motion grade above {most_motion}")
    ungraded = sum(case.motion_grade is None for case in used)
    if ungraded and any(case.motion_grade for case in used):
        notes.append(f"{ungraded} without a motion grade are used")
    persons = [case for case in used if not is_phantom(case)]
    if len(persons) > 1 and all(case.patient is None for case in persons):
        notes.append(
            "no patients are named: each scan counts as a patient of its own. If two scans are of "
            "one patient, name the patients, or the results will look better than they are"
        )
    return notes


def _by_patient(cases: Iterable[Case]) -> dict[str, list[Case]]:
    rows: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        rows[patient_of(case)].append(case)
    return rows


def _lines(cases: Sequence[Case]) -> str:
    numbers = ", ".join(str(case.line) for case in cases)
    return f"line {numbers}" if len(cases) == 1 else f"lines {numbers}"


def _in_order(mappings: Iterable[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for each in mappings for name in each))


def _cells(case: Case, split: str, folder: Path) -> dict[str, str]:
    """A row as the manifest has it, but for the paths."""
    first, last = case.slices or ("", "")
    return {
        **case.other,
        "scan": case.key if is_phantom(case) else relative_to(case.scan, folder),
        "mask": relative_to(case.mask, folder),
        "expert": relative_to(case.expert, folder),
        "side": case.side or "",
        "patient": case.patient or "",
        "age": "" if case.age is None else f"{case.age:g}",
        "sex": case.sex or "",
        "motion_grade": str(case.motion_grade or ""),
        "first_slice": str(first),
        "last_slice": str(last),
        SPLIT_COLUMN: split,
    }
